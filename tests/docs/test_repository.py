"""The files around the code agree with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import kling_nb as kn
from kling_nb.localhub.providers import PROVIDERS
from kling_nb.localhub.server import main
from tests.docs.pages import DOCS, ROOT, after, blocks, first_column, pages
from tests.textfiles import problems

ARCHITECTURE = DOCS / "architecture.md"
NOT_FILES = {"media/"}
BINARY = {".png", ".jpg", ".mp4"}


def test_every_text_file_is_clean() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name and Path(name).suffix not in BINARY]
    assert len(files) > 100
    assert not [f"{file} {problem}" for file in files if file.is_file() for problem in problems(file.read_bytes())]


def test_the_citation_has_the_version_and_the_licence_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_every_issue_template_has_a_name_and_fields() -> None:
    templates = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"]
    assert len(templates) >= 2
    for path in templates:
        template = yaml.safe_load(path.read_text("utf-8"))
        assert template["name"] and template["description"] and template["body"], path.name


def test_every_hook_runs_a_tool_of_the_environment() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local"  # a hook of another repository would need the network
    for hook in repo["hooks"]:
        assert (ROOT / hook["entry"].split()[0]).is_file(), hook["id"]


def test_every_make_command_that_a_page_names_exists_and_is_listed_by_help() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"^## ([a-z]+): \S", makefile, re.MULTILINE)) == targets
    for page in [*pages(), ROOT / "CONTRIBUTING.md"]:
        named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text("utf-8")))
        assert named <= targets, page.name


def test_what_make_runs_can_be_imported_outside_of_pytest() -> None:
    """`make test` runs none of them, so an import that fails would go unnoticed."""
    modules = set(re.findall(r"\$\(BIN\)/python -m ((?:tests|benchmarks)\S*)", (ROOT / "Makefile").read_text("utf-8")))
    assert {"tests.screens", "tests.kills", "benchmarks"} <= modules
    modules |= {f"benchmarks.{file.stem}" for file in (ROOT / "benchmarks").glob("*.py") if file.stem != "__main__"}
    lines = "; ".join(f"import {module}" for module in sorted(modules))
    subprocess.run([sys.executable, "-c", lines], cwd=ROOT, check=True)


def test_the_pages_of_the_local_hub_list_its_options_faults_and_open_questions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"^  --([a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert len(options) > 5
    for name, provider, more in (("local-hub.md", "oxen", options), ("local-fal.md", "fal", set[str]())):
        page, choices = (DOCS / name).read_text("utf-8"), PROVIDERS[provider].choices
        rows = dict(re.findall(r"^\| `(?:--)?([a-z0-9_-]+)[^`]*` \| (.+) \|$", page, re.MULTILINE))
        assert set(rows) == more | set(PROVIDERS[provider].faults) | set(choices), name
        for choice, answers in choices.items():
            assert set(re.findall(r"`([^`]+)`", rows[choice].split("|")[0])) == set(answers)


def test_the_tables_and_examples_in_pages_are_whole() -> None:
    for page in pages():
        text = page.read_text("utf-8")
        for block in re.findall(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            json.loads(block)
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", row))) for row in table.splitlines()}
            assert len(widths) == 1, f"{page.name}: {table.splitlines()[0]}"


def test_the_tree_of_the_architecture_page_is_that_of_the_package() -> None:
    tree = blocks(ARCHITECTURE, "text")[0]
    shown = {name.rstrip("/") for name in re.findall(r"^  (\S+) ", tree, re.MULTILINE)}
    here = {path.name for path in (ROOT / "kling_nb").iterdir()}
    assert shown == {name for name in here if name not in ("py.typed", "__init__.pyi", "__pycache__")}


def test_every_file_that_the_architecture_page_names_exists() -> None:
    text = ARCHITECTURE.read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*/?(?:\.py|\.js)?)`", text)) - NOT_FILES
    files = {name for name in named if "/" in name or name.endswith(".py")}
    assert len(files) > 20
    assert not {name for name in files if not (ROOT / "kling_nb" / name).exists() and not (ROOT / name).exists()}
    for file, name in re.findall(r"`([a-z_/]+\.py)`, `([A-Za-z_]+)`", text):
        assert re.search(rf"^(?:def |class )?{name}\b", (ROOT / "kling_nb" / file).read_text("utf-8"), re.MULTILINE), (
            name
        )


def test_the_reference_has_every_public_name() -> None:
    reference = [path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")]
    generated = set(re.findall(r"\.\. auto[a-z]+:: kn\.(\w+)", "".join(reference)))
    by_their_class = {"presets", "elements", "options", "scoring", "errors"}
    assert generated | by_their_class == set(kn.__all__)
    listed = re.findall(r"^\| \[.*$", (DOCS / "reference/index.md").read_text("utf-8"), re.MULTILINE)
    assert set(kn.__all__) <= set(re.findall(r"`(\w+)", "".join(listed)))


@pytest.mark.parametrize("name", ["ReferenceToVideo", "Omni", "Shot", "Element"])
def test_the_reference_lists_exactly_the_fields_of_a_request(name: str) -> None:
    table = after(DOCS / "reference/types.md", name)
    assert list(first_column(table)) == list(getattr(kn, name).model_fields)


def test_every_citation_of_a_contract_names_a_section_that_exists() -> None:
    cited = re.compile(r"(hub-api|jupyter)\.md,? sections? (\d+(?:(?:, | and | to )\d+)*)")
    found = 0
    for path in [*(ROOT / "kling_nb").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        for name, numbers in cited.findall(re.sub(r"\s+#?\s*", " ", path.read_text("utf-8"))):
            page = DOCS / "contracts" / f"{name}.md"
            sections = re.findall(r"^## (\d+)\.", page.read_text("utf-8"), re.MULTILINE)
            assert set(re.findall(r"\d+", numbers)) <= set(sections), path
            found += 1
    assert found > 20

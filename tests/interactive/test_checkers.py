"""pyright and mypy accept the code of README.md and the notebooks, and find mistakes in a user's own code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

#: A line ends with `# error` where a checker must find one, and must find none elsewhere.
OWN_CODE = """
from typing import assert_type

import kling_nb as kn
from kling_nb.engine.job import Jobs

job = kn.generate("a paper boat", duration=5, input_image=["face.png"])
assert_type(job, kn.Job)
assert_type(kn.generate(kn.ReferenceToVideo(prompt="a boat"), num_generations=1), kn.Job)
assert_type(kn.generate({"prompt": "a boat"}, num_generations=3), Jobs)
assert_type(kn.preview("a paper boat"), kn.Job)

clip = job.result()
assert_type(clip, kn.Clip)
assert_type(clip.record.rerun(duration=8), kn.Job)
assert_type((clip.duration, clip.width, clip.height, clip.frames), tuple[float, int, int, int])
print(clip.path.name)


async def wait() -> None:
    assert_type(await kn.generate("a paper boat"), kn.Clip)


kn.generate("a paper boat", duraton=5)  # error
kn.price("a paper boat", aspect_ratio="4:3")  # error
kn.generate("a paper boat", duration="5 s")  # error
kn.generate("a paper boat").path  # error
kn.ReferenceToVideo(prompt="a boat", negativ_prompt="blur")  # error
kn.Element(frontal_image="face.png")  # error
kn.log(star=4)  # error
kn.configure(kee="secret")  # error
clip.record.rerun(duraton=8)  # error
"""
#: The packages behind the code of users; mypy need not follow them to their ends.
BEHIND = "sqlalchemy IPython ipywidgets httpx PIL numpy pandas starlette anywidget traitlets jinja2 av rocrate anyio"


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The errors of each checker, as `file:line`, with the message for what is not expected."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "own.py").write_text(OWN_CODE)
    (folder / "readme.py").write_text("\n".join(blocks(ROOT / "README.md", "python")))
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (folder / f"notebook_{notebook.stem}.py").write_text(code_of(notebook))
    pyright = {"include": ["."], "extraPaths": [str(ROOT)], "pythonPath": sys.executable}
    rules = {"typeCheckingMode": "standard", "reportUnusedExpression": "none", "reportUnusedCoroutine": "none"}
    (folder / "pyrightconfig.json").write_text(json.dumps(pyright | rules))
    skipped = ",".join(f"{name}.*" for name in BEHIND.split())
    (folder / "mypy.ini").write_text(
        f"[mypy]\nfollow_imports = silent\nignore_missing_imports = True\n[mypy-{skipped}]\nfollow_imports = skip\n"
    )
    commands = {
        "pyright": ["basedpyright", "--pythonpath", sys.executable],
        "mypy": ["mypy", "--config-file=mypy.ini", "--cache-dir=cache", "--no-error-summary", "."],
    }
    running = {
        name: subprocess.Popen(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "MYPYPATH": str(ROOT), "HOME": str(folder)},
        )
        for name, command in commands.items()
    }
    return {name: set(_found(process.communicate(timeout=100)[0])) for name, process in running.items()}


def code_of(notebook: Path) -> str:
    """Return the code of a notebook as a module; names that a magic defines are jobs."""
    lines = []
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and source.startswith("%%"):
            lines += [f"{name} = kn.generate()" for name in re.findall(r"into=(\w+)", source)]
        elif cell["cell_type"] == "code":
            lines += [line for line in source.splitlines() if not line.startswith("%")]
    body = "\n".join(f"    {line}" for line in lines)
    return f"async def cells() -> None:\n{body}\n"


def _found(said: str) -> list[str]:
    """Return `own.py:12` for an error in the user's own code, and the whole line for any other."""
    lines = [line for line in said.splitlines() if re.search(r"\berror\b:?", line) and re.search(r":\d+", line)]
    own = [re.search(r"\bown\.py:(\d+)", line) for line in lines]
    return [f"own.py:{place[1]}" if place else line for place, line in zip(own, lines, strict=True)]


@pytest.mark.parametrize("checker", ["pyright", "mypy"])
def test_a_checker_finds_the_mistakes_and_nothing_else(errors: dict[str, set[str]], checker: str) -> None:
    expected = {f"own.py:{n}" for n, line in enumerate(OWN_CODE.splitlines(), 1) if line.endswith("# error")}
    assert errors[checker] == expected

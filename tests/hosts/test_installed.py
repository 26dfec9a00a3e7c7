"""The files that an installation adds to Jupyter, and notebooks beside an extension that is switched off."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hubside import HubSide
from lab import ROOT, lab_environment
from playwright.sync_api import expect

from hosts.extension import FRONT, JOB, errors_of, ours, python_of, started

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def ran(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command and return its output without colours."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    said = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    assert done.returncode == 0, said
    return said


def plain() -> dict[str, str]:
    """Return an environment in which only what is installed counts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHONPATH"))}


@pytest.mark.parametrize("host", ["lab43", "collaboration"])
def test_jupyter_lists_both_halves(host: str) -> None:
    for command in (("labextension", "list"), ("server", "extension", "list")):
        said = ran(python_of(host), "-m", "jupyter", *command, environment=plain())
        assert re.search(r"kling_nb\S* .*\bOK\b", said) and re.search(r"kling_nb\S* .*\benabled\b", said), said


def test_what_is_uninstalled_leaves_nothing(tmp_path: Path) -> None:
    ran(sys.executable, "-m", "venv", str(tmp_path / "env"))
    python = str(tmp_path / "env" / "bin" / "python")

    def files() -> set[Path]:
        return {file for file in (tmp_path / "env").rglob("*") if file.is_file() and "__pycache__" not in file.parts}

    before = files()
    ran(python, "-m", "pip", "install", "--quiet", "--no-deps", str(ROOT), environment=plain())
    assert tmp_path / "env" / "share/jupyter/labextensions/kling_nb/package.json" in files()
    ran(python, "-m", "pip", "uninstall", "--quiet", "--yes", "kling-nb", environment=plain())
    assert files() - before == set()


@pytest.mark.parametrize(
    "command",
    [
        ("labextension", "disable", "--level=user", "kling_nb"),
        ("server", "extension", "disable", "--user", "kling_nb.lab"),
    ],
    ids=["the browser side", "the server half"],
)
def test_a_notebook_works_beside_a_half_that_is_disabled(
    command: tuple[str, ...], environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    (tmp_path / "root").mkdir()
    ran(sys.executable, "-m", "jupyter", *command, environment={**lab_environment(tmp_path / "root"), **environment})
    (tmp_path / "root").rename(tmp_path / "disabled")
    with started(tmp_path, environment | _folders(tmp_path / "disabled")) as lab:
        said = errors_of(lab.page)
        notebook = lab.notebook(JOB + "\njob.result()\njob", "kn.panel()")
        notebook.run()
        expect(lab.page.locator(f"{FRONT} .kling-card video")).to_have_count(1)
        expect(lab.page.locator(f"{FRONT} .kn-main-prompt textarea")).to_be_visible()
        expect(lab.page.locator("#kling_nb")).to_have_count(0)
        commands = lab.page.evaluate("() => window.jupyterapp.commands.listCommands()")
        assert [name for name in commands if name.startswith("kling_nb")] == []
        assert (ours(said), hub_of_lab.enqueued) == ([], 1)


def _folders(root: Path) -> dict[str, str]:
    jupyter = root / ".jupyter-of-tests"
    return {"JUPYTER_CONFIG_DIR": str(jupyter / "config"), "JUPYTER_DATA_DIR": str(jupyter / "data")}

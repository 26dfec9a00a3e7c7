"""`make test` on a machine without a browser: it says what cannot run and why, before anything else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("browser.sh")
REAL = ("cat", "ln", "mktemp", "rm", "tail", "touch")
SH = shutil.which("sh") or "/bin/sh"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with the plainest of tools, and neither a browser nor a way to install one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in REAL:
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def program(path: Path, name: str, body: str) -> None:
    (path / name).write_text(f"#!{SH}\n{body}\n")
    (path / name).chmod(0o755)


def ask(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": str(path), **environment}
    return subprocess.run([SH, str(SCRIPT)], env=variables, capture_output=True, text=True, timeout=60)


def test_without_a_browser_or_apt_it_says_what_cannot_run_and_fails(path: Path) -> None:
    said = ask(path)
    assert said.returncode == 1
    assert "No Chromium was found, and there is no apt-get" in said.stderr
    for what in ("tests/browser", "tests/ui/browser", "KLING_NB_CHROMIUM", "KLING_NB_NO_BROWSER=1"):
        assert what in said.stderr


def test_who_is_not_root_is_told_so_and_nothing_is_tried(path: Path) -> None:
    program(path, "id", "echo 1000")
    program(path, "apt-get", f"touch {path}/tried")
    said = ask(path)
    assert (said.returncode, "only root may install it" in said.stderr) == (1, True)
    assert not (path / "tried").exists()


def test_an_installation_that_fails_shows_its_words(path: Path) -> None:
    program(path, "id", "echo 0")
    program(path, "apt-get", "echo 'E: Unable to locate package chromium'; exit 100")
    said = ask(path)
    assert said.returncode == 1
    assert "Unable to locate package chromium" in said.stderr
    assert "apt-get did not bring it" in said.stderr


def test_root_gets_one_installed(path: Path) -> None:
    program(path, "id", "echo 0")
    program(path, "apt-get", f'[ "$1" = update ] || ln -s {SH} {path}/chromium')
    assert ask(path).returncode == 0


def test_with_the_switch_the_rest_runs_and_it_is_said_what_is_left_out(path: Path) -> None:
    said = ask(path, KLING_NB_NO_BROWSER="1")
    assert (said.returncode, said.stderr) == (0, "")
    assert "leaving out tests/browser and tests/ui/browser" in said.stdout


def test_a_browser_by_name_or_by_path_is_enough(path: Path) -> None:
    program(path, "google-chrome", "")
    assert ask(path).returncode == 0
    (path / "google-chrome").rename(path / "mine")
    assert ask(path).returncode == 1
    assert ask(path, KLING_NB_CHROMIUM=str(path / "mine")).returncode == 0

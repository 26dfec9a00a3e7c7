"""What the README shows, runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kling_nb.localhub.serve import ensure, stop

ROOT = Path(__file__).resolve().parents[1]


def test_the_ten_lines_of_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ensure(state / "kling_nb" / "localhub", speed=50, arguments=("--size", "180p"))
    (tmp_path / "images").symlink_to(ROOT / "notebooks" / "images")
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    script = f"{code}\nkn.resume().wait(60)\nprint(clip.path.stat().st_size > 0, len(kn.log()))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=_environment(state),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        stop(state / "kling_nb" / "localhub")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "2"]


def test_every_command_of_the_readme_is_a_target() -> None:
    readme, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    for target in set(re.findall(r"(?:`|\$ )make (\w+)", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def _environment(state: Path) -> dict[str, str]:
    import os

    return {**os.environ, "XDG_STATE_HOME": str(state)}

"""The hub as a process: found when it runs, started when it does not. Loads nothing of the server itself."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from . import NAME

__all__ = ["CARD", "card", "ensure", "stop"]

CARD = "hub.json"
_START_WITHIN = 30.0
_STOP_WITHIN = 10.0


def ensure(state_dir: str | Path, speed: float = 1.0, idle: float | None = 600, arguments: tuple[str, ...] = ()) -> str:
    """The base URL of the hub of that state folder, started when it does not run.

    A running hub is taken as it is: `speed`, `idle` and `arguments` count only for one that is started.
    """
    folder = Path(state_dir).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (url := _running(folder, touch=True)) is not None:
        return url
    with FileLock(folder / "start.lock"):
        if (url := _running(folder, touch=True)) is not None:
            return url
        options = ["--state", str(folder), "--speed", str(speed), *(["--idle", str(idle)] if idle is not None else [])]
        process = _spawn(folder, [*options, *arguments])
        return _awaited(folder, process)


def stop(state_dir: str | Path) -> bool:
    """End the hub of that state folder; False when none was running. Its jobs stay."""
    folder = Path(state_dir).expanduser().absolute()
    url = _running(folder)
    if url is None:
        return False
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        httpx.post(f"{url}/_local/shutdown", timeout=5, trust_env=False)
    deadline = time.monotonic() + _STOP_WITHIN
    while _running(folder) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the local hub at {url} did not end within {_STOP_WITHIN:g} s")
        time.sleep(0.05)
    return True


def card(folder: Path) -> dict[str, Any]:
    """What the hub of that state folder said of itself when it last started; empty when there was none."""
    try:
        return json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _running(folder: Path, *, touch: bool = False) -> str | None:
    url = card(folder).get("url")
    if not isinstance(url, str):
        return None
    import httpx  # by those who ask only: the server reads the card, and answers

    try:
        question = f"{url}/_local/health{'?touch=1' if touch else ''}"
        health = httpx.get(question, timeout=2, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return None
    return url if health.get("name") == NAME and health.get("state") == str(folder) else None


def _spawn(folder: Path, arguments: list[str]) -> subprocess.Popen[Any]:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    with (folder / "hub.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our own module, with arguments of our own
            [sys.executable, "-m", __package__ or NAME, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **detached,
        )


def _awaited(folder: Path, process: subprocess.Popen[Any]) -> str:
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if (url := _running(folder)) is not None:
            process.returncode = 0  # it lives on by design: Popen need not warn about it
            return url
        if process.poll() is not None:
            break
        time.sleep(0.03)
    log = (folder / "hub.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"the local hub did not start from {folder}; its log ends:\n{log}")

"""Start, find and stop the process of a local hub, without importing the server."""

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

STATE_FILE = "hub.json"
#: Held by the hub of a folder for as long as its process lives.
SERVE_LOCK = "serve.lock"
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0
#: Neither a proxy nor TLS: to read the root certificates would take 50 ms for each request.
_LOOPBACK: dict[str, Any] = {"trust_env": False, "verify": False}


def ensure(
    state_dir: str | Path,
    speed: float = 1.0,
    idle: float | None = 600,
    arguments: tuple[str, ...] = (),
    *,
    provider: str = "oxen",
) -> str:
    """Return the base URL of the local hub of a folder, and start it if it is not running.

    Args:
        state_dir: Folder for jobs, uploads and results. It is created if it does not exist.
        speed: 1 takes about 6 s for a clip, 100 a hundredth of that.
        idle: Seconds without requests and active jobs after which the hub exits; None means never.
        arguments: Further command-line arguments, see `python -m kling_nb.localhub --help`.
        provider: Whose contract it speaks: `oxen` or `fal`. Each needs its own folder.

    A hub that is running already keeps its speed, idle time and arguments.

    Raises:
        RuntimeError: The hub did not start.
    """
    folder = Path(state_dir).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (url := _running_url(folder, touch=True)) is not None:
        return url
    with FileLock(folder / "start.lock"):
        if (url := _running_url(folder, touch=True)) is not None:
            return url
        options = ["--state", str(folder), "--speed", str(speed), *(["--idle", str(idle)] if idle is not None else [])]
        return _wait_until_running(folder, _spawn(folder, ["--provider", provider, *options, *arguments]))


def stop(state_dir: str | Path) -> bool:
    """Stop the local hub of a folder; return False if it was not running. Its jobs stay in the folder.

    Raises:
        TimeoutError: The hub did not exit.
    """
    folder = Path(state_dir).expanduser().absolute()
    url = _running_url(folder)
    if url is None:
        return False
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        httpx.post(f"{url}/_local/shutdown", timeout=5, **_LOOPBACK)
    deadline = time.monotonic() + _STOP_TIMEOUT
    while _running_url(folder) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The local hub at {url} did not exit within {_STOP_TIMEOUT:g} s.")
        time.sleep(0.05)
    # It stops answering before it has ended, and until then the next one could not start.
    with FileLock(folder / SERVE_LOCK, timeout=max(0.0, deadline - time.monotonic())):
        return True


def last_state(folder: Path) -> dict[str, Any]:
    """Return the URL, pid and version of the hub that last started in a folder, or an empty dict."""
    try:
        return json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _running_url(folder: Path, *, touch: bool = False) -> str | None:
    url = last_state(folder).get("url")
    if not isinstance(url, str):
        return None
    import httpx  # imported late: the server uses this module too, but makes no requests

    try:
        query = "?touch=1" if touch else ""
        health = httpx.get(f"{url}/_local/health{query}", timeout=2, **_LOOPBACK).json()
    except (httpx.HTTPError, ValueError):
        return None
    return url if health.get("name") == NAME and health.get("state") == str(folder) else None


def _spawn(folder: Path, arguments: list[str]) -> subprocess.Popen[Any]:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    with (folder / "hub.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # the command is ours
            [sys.executable, "-m", __package__ or NAME, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **detached,
        )


def _wait_until_running(folder: Path, process: subprocess.Popen[Any]) -> str:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if (url := _running_url(folder)) is not None:
            process.returncode = 0  # keeps Popen from warning that the process still runs, which is intended
            return url
        if process.poll() is not None:
            break
        time.sleep(0.03)
    log = (folder / "hub.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"The local hub did not start in {folder}. Its log ends with:\n{log}")

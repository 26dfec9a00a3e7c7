"""Kernels and local hubs by the dozen: processes forked off a parent that has already imported the package.

A fresh interpreter would spend most of its short life on imports.
"""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from multiprocessing import connection, current_process, forkserver, get_context
from pathlib import Path
from types import TracebackType

_context = get_context("forkserver")
_HUB = [
    "kling_nb.localhub.server",
    "kling_nb.localhub.app",
    "kling_nb.localhub.animatic",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.lifespan.off",
    "jsonschema",
    "multiprocessing.popen_forkserver",
]
_context.set_forkserver_preload(["kling_nb.studio", "httpx_sse", "preloaded", *_HUB])


class Kernel:
    """A script in its own process, in which warnings are errors; a `with` block kills it in the end."""

    def __init__(self, script: Path, *arguments: object) -> None:
        given, write = _context.Pipe(duplex=False)
        read, says = _context.Pipe(duplex=False)
        words = (str(script), *map(str, arguments))
        self._process = _context.Process(target=_live, args=(words, dict(os.environ), given, says), daemon=True)
        self._process.start()
        for end in (given, says):
            end.close()
        self.stdin, self.stdout = (os.fdopen(os.dup(end.fileno()), mode) for end, mode in ((write, "w"), (read, "r")))
        for end in (write, read):
            end.close()

    def kill(self) -> None:
        """Kill it with SIGKILL, as a crash would."""
        self._process.kill()

    def wait(self, within: float = 60) -> int | None:
        """Return its exit code; None if it has not ended."""
        self._process.join(within)
        if self._process.exitcode is not None:
            self.stdin.close()
            self.stdout.close()
        return self._process.exitcode

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self.wait()


class Hub:
    """The process of a local hub, with the interface of the `Popen` of `localhub.serve`."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._process = _context.Process(target=_serve, args=(folder, arguments, dict(os.environ)), daemon=True)
        self._process.start()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._process.exitcode


def _serve(folder: Path, arguments: list[str], environ: dict[str, str]) -> None:
    from kling_nb.localhub import server, workers

    os.environ.clear()
    os.environ.update(environ)
    os.setsid()
    with (folder / "hub.log").open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    current_process()._config["daemon"] = False  # a daemon may not have the workers that render
    forkserver._forkserver.ensure_running = lambda: None  # they come from the parent of this hub: it runs
    workers.get_context = lambda _: _context
    small = () if "--size" in arguments else ("--size", "90p")  # a clip of the usual 720p takes ten times as long
    sys.exit(server.main([*arguments, *small]))


def _live(
    words: tuple[str, ...], environ: dict[str, str], given: connection.Connection, says: connection.Connection
) -> None:
    os.environ.clear()
    os.environ.update(environ)  # of this test: the parent process is older
    os.dup2(given.fileno(), 0)
    for stream in (1, 2):
        os.dup2(says.fileno(), stream)
    given.close()
    says.close()
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # that of a child of multiprocessing reads nothing
    sys.argv = list(words)
    warnings.simplefilter("error")
    runpy.run_path(words[0], run_name="__main__")

"""Kernels by the dozen: processes of their own, forked off one that has the package loaded already.

A fresh interpreter spends most of a short life on imports; what these kernels do afterwards is what is tested.
"""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from multiprocessing import connection, get_context
from pathlib import Path
from types import TracebackType

_context = get_context("forkserver")
_context.set_forkserver_preload(["kling_nb.studio", "sqlalchemy.dialects.sqlite", "httpx_sse"])


class Kernel:
    """A script that runs in a process of its own; with `with`, it is killed in the end. Warnings are errors there."""

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
        """SIGKILL, as a crash would."""
        self._process.kill()

    def wait(self, within: float = 60) -> int | None:
        """How it ended; None when it has not."""
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


def _live(
    words: tuple[str, ...], environ: dict[str, str], given: connection.Connection, says: connection.Connection
) -> None:
    os.environ.clear()
    os.environ.update(environ)  # the test's: the process that this one was forked off is older
    os.dup2(given.fileno(), 0)
    for stream in (1, 2):
        os.dup2(says.fileno(), stream)
    given.close()
    says.close()
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # that of a child of multiprocessing reads nothing
    sys.argv = list(words)
    warnings.simplefilter("error")
    runpy.run_path(words[0], run_name="__main__")

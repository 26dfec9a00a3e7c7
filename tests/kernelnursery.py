"""Kernels by the dozen: forked off a parent that has already loaded ipykernel and our package.

A kernel's spec has its path in the place of `-m ipykernel_launcher`; run so, it asks the parent for a kernel,
hands on its signals, and ends as the kernel ends. The first one starts the parent. Without the folder of
`opened`, it becomes a usual kernel itself, as in `make screens`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import hashlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path

#: Not ipywidgets: where it is loaded in a kernel, it registers what a page asks for.
PRELOADED = ("ipykernel.kernelapp", "ipykernel.ipkernel", "kling_nb.studio", "httpx_sse", "preloaded")
#: The variable that names the folder of the parents' sockets.
FOLDER = "KERNEL_NURSERY"


@contextlib.contextmanager
def opened(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Fork kernels within a `with` block; `environment` gets the variable that they need."""
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix=f"kernels-{os.getpid()}-")
    environment[FOLDER] = folder
    try:
        yield
    finally:
        del environment[FOLDER]
        shutil.rmtree(folder)  # the parents see it, and end


def argv() -> list[str]:
    """Return the command of a kernel spec."""
    return [sys.executable, "-I", "-S", __file__, "-f", "{connection_file}"]


# --- in the place of a kernel ---


def _stand_in(arguments: list[str]) -> None:
    asked = {"arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    with _parent(os.environ[FOLDER]) as parent:
        socket.send_fds(parent, [json.dumps(asked).encode() + b"\n"], [0, 1, 2])
        kernel = int(parent.recv(32))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT, signal.SIGUSR1):
            signal.signal(number, lambda number, _: os.kill(kernel, number))
        starter = os.getppid()
        while not select.select([parent], [], [], 1)[0]:
            if os.getppid() != starter:  # was killed; the connection ends with this process, and so does the kernel
                os._exit(1)
        ended = int(parent.recv(32) or 1)
    if ended < 0:
        signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    os._exit(ended)


def _parent(folder: str) -> socket.socket:
    """Connect to the parent of kernels with this path of modules; start it if there is none."""
    key = hashlib.sha256(f"{sys.executable}:{os.environ.get('PYTHONPATH')}".encode()).hexdigest()[:12]
    path = Path(folder, key)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for attempt in range(6000):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
            else:
                return connection
            if attempt == 0:
                _start(path)
            time.sleep(0.01)
    raise TimeoutError(f"no parent of kernels within a minute; see {path.with_suffix('.log')}")


def _start(path: Path) -> None:
    import subprocess

    with path.with_suffix(".log").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-P", __file__, "--parent", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


# --- the parent ---


def _raise_kernels(path: Path) -> list[str]:
    """Fork a kernel for each connection. Returns in the kernels only, with their arguments."""
    for name in PRELOADED:
        importlib.import_module(name)
    assert "ipywidgets" not in sys.modules
    gc.freeze()  # no kernel need look at what all of them share
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen(64)
    alive: dict[
        socket.socket, tuple[int, int]
    ] = {}  # the kernel of each connection: its process, and a file that tells its end
    owner = Path("/proc", path.parent.name.split("-")[1])
    while alive or (path.exists() and owner.exists()):
        ends = {end: connection for connection, (_, end) in alive.items()}
        for ready in select.select([door, *alive, *ends], [], [], 1)[0]:
            if ready is door:
                connection = door.accept()[0]
                kernel, arguments = _forked(connection, (door, *alive, *ends))
                if kernel == 0:
                    return arguments
                alive[connection] = kernel, os.pidfd_open(kernel)
            elif ready in ends and ends[ready] in alive:
                _bury(ends[ready], *alive.pop(ends[ready]))
            elif ready in alive and not ready.recv(1):  # who asked for it was killed
                os.kill(alive[ready][0], signal.SIGKILL)
                _bury(ready, *alive.pop(ready))
    os._exit(0)


def _forked(connection: socket.socket, others: Sequence[socket.socket | int]) -> tuple[int, list[str]]:
    said, files, *_ = socket.recv_fds(connection, 1 << 20, 3)
    while not said.endswith(b"\n"):
        said += connection.recv(1 << 20)
    kernel = os.fork()
    if kernel:
        for file in files:
            os.close(file)
        connection.sendall(b"%d\n" % kernel)
        return kernel, []
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    for other in (connection, *others):
        os.close(other if isinstance(other, int) else other.detach())
    asked = json.loads(said)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return 0, asked["arguments"]


def _bury(connection: socket.socket, kernel: int, end: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
    os.close(end)
    with contextlib.suppress(OSError):
        connection.sendall(b"%d\n" % status)
    connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "--parent":
        arguments = _raise_kernels(Path(sys.argv[2]))
    elif FOLDER in os.environ:
        _stand_in(sys.argv[1:])
    else:
        os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *sys.argv[1:]])  # noqa: S606
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
    kernelapp.launch_new_instance()

"""A real kernel as a page sees it: cells go in, and everything that it publishes is heard with its time."""

from __future__ import annotations

import json
import math
import os
import queue
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests import kernelnursery

ROOT = Path(__file__).resolve().parents[2]
#: The kernels that people have: each line's name, and where `make` put it; None is the environment's own.
LINES = {"6.31": ".kernels/6.31", "7.3": ".kernels/7.3", "7.4": None}
#: For what does not depend on the line.
NEWEST = "7.4"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Place:
    """A home for kernels: their folder, their environment and the kernel specs of all lines."""

    def __init__(self, folder: Path) -> None:
        self.home, self.specs = folder / "home", folder / "jupyter"
        self.state = self.home / "state" / "kling_nb" / "localhub"
        for line, beside in LINES.items():
            self._write_spec(line, beside)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a kernel's process: without the settings and folders of the developer."""
        ours = ("OXEN_", "KLING_NB_", "JPY_", "PYTHONPATH")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        folders = {f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
        return {
            **inherited,
            **folders,
            "HOME": str(self.home),
            "JUPYTER_PATH": str(self.specs),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            **more,
        }

    def _write_spec(self, line: str, beside: str | None) -> None:
        folder = self.specs / "kernels" / f"line-{line}"
        folder.mkdir(parents=True)
        paths = [str(ROOT / beside)] if beside else []
        spec = {
            "argv": kernelnursery.argv(),
            "display_name": f"ipykernel {line}",
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join([*paths, str(ROOT), str(ROOT / "tests" / "interpreter")])},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))


@dataclass(frozen=True)
class Message:
    """One message of a kernel, and when it was heard."""

    at: float
    kind: str
    parent: str | None
    content: dict[str, Any]


@dataclass
class Cell:
    """A cell that was sent; what came of it so far."""

    id: str
    heard: list[Message] = field(default_factory=list)

    @property
    def over_at(self) -> float | None:
        """When the kernel said that it had finished."""
        ends = (m.at for m in self.heard if m.kind == "status" and m.content["execution_state"] == "idle")
        return next(ends, None)

    @property
    def text(self) -> str:
        """The text that it printed."""
        return "".join(m.content["text"] for m in self.heard if m.kind == "stream")

    @property
    def error(self) -> str | None:
        """The name of the exception that ended it."""
        return next((m.content["ename"] for m in self.heard if m.kind == "error"), None)

    @property
    def traceback(self) -> str:
        """The traceback of that exception, without colours."""
        lines = next((m.content["traceback"] for m in self.heard if m.kind == "error"), [])
        return _COLOURS.sub("", "\n".join(lines))


class Kernel:
    """A kernel of one line, in its own folder, and a client of it."""

    def __init__(self, line: str, place: Place, folder: Path, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.line, self.folder = line, folder
        specs = KernelSpecManager(kernel_dirs=[str(place.specs / "kernels")], ensure_native_kernel=False)
        self._manager = KernelManager(kernel_name=f"line-{line}", kernel_spec_manager=specs)
        self._manager.connection_file = str(folder / "connection.json")
        self._manager.start_kernel(env=place.environment(**environment), cwd=str(folder))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self.heard: list[Message] = []
        self._cells: dict[str, Cell] = {}
        self._replied: set[str] = set()
        version = self.run("import ipykernel, kling_nb as kn; print(ipykernel.__version__)").text.strip()
        assert version.startswith(f"{line}."), f"line {line} runs ipykernel {version}"

    # --- cells ---

    def send(self, code: str, cell_id: str = "") -> Cell:
        """Send a cell and return immediately; with its id, which JupyterLab sends along, when that is given."""
        asked = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self._client.session.msg("execute_request", asked, metadata=metadata)
        self._client.shell_channel.send(message)
        cell = Cell(message["header"]["msg_id"])
        self._cells[cell.id] = cell
        return cell

    def run(self, code: str, within: float = 60, *, cell_id: str = "") -> Cell:
        """Run a cell to its end; one that fails is a failed test."""
        cell = self.ended(self.send(code, cell_id), within)
        assert cell.error is None, cell.traceback
        return cell

    def ended(self, cell: Cell, within: float = 60) -> Cell:
        """Hear everything until a cell has ended, and take the reply to it.

        Until that reply has left, ipykernel 7.0 to 7.3 may overlook a request (its issue 1554, fixed in 7.4): it
        would lie there until the next message, and the next cell never begin.
        """
        self.hear(lambda: cell.over_at is not None, within)
        while cell.id not in self._replied:
            self._replied.add(self._client.get_shell_msg(timeout=within)["parent_header"].get("msg_id"))
        return cell

    def completed(self, line: str) -> list[str]:
        """Press Tab at the end of a line; returns what is offered, each as the whole line would then end."""
        reply = self._client.complete(line, reply=True, timeout=60)["content"]
        return [line[: reply["cursor_start"]] + match for match in reply["matches"]]

    def interrupt(self) -> None:
        """Press ■."""
        self._manager.interrupt_kernel()

    # --- what it publishes ---

    def hear(self, until: Callable[[], Any], within: float = 60) -> Any:
        """Take what the kernel publishes until something is so, and return that."""
        deadline = time.monotonic() + within
        while not (value := until()):
            assert time.monotonic() < deadline, "it did not come about in time"
            try:
                raw = self._client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            self._take(raw)
        return value

    def states(self, since: float = 0, before: float = math.inf) -> list[str]:
        """The states of the last job's rows that were sent to the page between two times."""
        return [rows[-1]["status"] for at, _, rows in self._rows() if since <= at < before and rows]

    def clicked(self, content: dict[str, Any]) -> None:
        """Send a custom message to the rows widget that last spoke, as JupyterLab does when one clicks there."""
        comm = next(comm for _, comm, _ in reversed(list(self._rows())))
        self._post("comm_msg", {"comm_id": comm, "data": {"method": "custom", "content": content}})

    def cards(self, since: float = 0) -> list[str]:
        """The HTML that took the place of rows since a time."""
        updates = [m for m in self.heard if m.kind == "update_display_data" and m.at >= since]
        texts = [m.content["data"].get("text/html", "") for m in updates]
        return [text for text in texts if text != "<div></div>"]  # the line that says what to do is taken away

    def shown(self) -> list[str]:
        """The HTML of every output, and of each update of one."""
        kinds = ("display_data", "execute_result", "update_display_data")
        return [m.content["data"].get("text/html", "") for m in self.heard if m.kind in kinds]

    def _rows(self) -> Iterator[tuple[float, str, list[dict[str, Any]]]]:
        for message in self.heard:
            if message.kind in ("comm_open", "comm_msg"):
                rows = message.content["data"].get("state", {}).get("rows")
                if rows is not None:
                    yield message.at, message.content["comm_id"], rows

    def _take(self, raw: dict[str, Any]) -> None:
        parent = raw["parent_header"].get("msg_id")
        message = Message(time.monotonic(), raw["msg_type"], parent, raw["content"])
        self.heard.append(message)
        if parent in self._cells:
            self._cells[parent].heard.append(message)

    def _post(self, kind: str, content: dict[str, Any]) -> None:
        """Send to the shell; with its own subshell where the kernel has such, as JupyterLab 4.4 and later do."""
        message = self._client.session.msg(kind, content)
        if not self.line.startswith("6"):
            message["header"]["subshell_id"] = self._subshell()
        self._client.shell_channel.send(message)

    def _subshell(self) -> str:
        self._client.control_channel.send(self._client.session.msg("create_subshell_request", {}))
        return self._client.get_control_msg(timeout=60)["content"]["subshell_id"]

    # --- its end ---

    def kill(self) -> None:
        """SIGKILL, as the system does when memory is short."""
        self._manager.signal_kernel(9)

    def shut_down(self) -> None:
        """Ask it to end, as a page does, and wait until its process has gone."""
        began = time.monotonic()
        self._client.shutdown()
        while self._manager.is_alive():
            assert time.monotonic() - began < 20, "it does not end"
            time.sleep(0.01)  # a process tells nobody but its parent's poll

    def close(self) -> None:
        """End it, whatever it does, and close the channels."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._manager.context.destroy(linger=0)

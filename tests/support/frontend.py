"""`FakeFrontend`: a browser page that shows a view, as far as the kernel can tell."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

_numbers = itertools.count(1)


class FakeFrontend:
    """Sends a view's widget what a page would send, and records what the page would receive.

    Attributes:
        replies: The messages from the kernel, in order.
        buffers: The binary buffers of each reply.
    """

    def __init__(self, view: Any) -> None:
        self.view, self.widget = view, view.widget
        self.replies: list[dict[str, Any]] = []
        self.buffers: list[Sequence[Any]] = []
        self.widget.send = self._receive

    def say(self, kind: str | None = None, *, buffers: Sequence[bytes] = (), **content: Any) -> dict[str, Any] | None:
        """Send a message of a kind; return the last reply."""
        data = {"method": "custom", "content": content if kind is None else {"kind": kind, **content}}
        self.widget.comm.handle_msg({"content": {"data": data}, "buffers": list(buffers)})
        return self.replies[-1] if self.replies else None

    def ask(self, kind: str, **content: Any) -> dict[str, Any]:
        """Send a message that must be answered; return the answer."""
        answer = self.say(kind, id="q", **content)
        assert answer is not None and answer["id"] == "q"
        return answer

    def edit(self, **changes: Any) -> None:
        """Change fields of the panel's draft."""
        self.show({**self.draft, **changes, "edit": f"view:{next(_numbers)}"})

    def show(self, draft: Mapping[str, Any]) -> None:
        """Replace the panel's draft, as undo does."""
        data = {"method": "update", "state": {"draft": dict(draft)}}
        self.widget.comm.handle_msg({"content": {"data": data}, "buffers": []})

    def press(self, action: str = "generate", *, id: str = "p1", **content: Any) -> None:
        """Press a panel's button."""
        pressed = {"draft": self.draft, "price": self.widget.verdict["price"], **content}
        self.say("submit", id=id, action=action, **pressed)

    def upload(self, data: bytes, name: str = "face.png", **content: Any) -> str:
        """Send a file in one piece; return the key of its asset."""
        reply = self.say("piece", buffers=[data], id="u", name=name, size=len(data), piece=0, **content)
        assert reply is not None and reply["kind"] == "stored"
        return str(reply["key"])

    @property
    def draft(self) -> dict[str, Any]:
        """The draft on the screen."""
        return dict(self.widget.draft)

    @property
    def alert(self) -> str:
        """The alert with its remedy; empty if there is none."""
        alert = self.widget.alert
        return f"{alert['message']} {alert['remedy']}".strip() if alert else ""

    def problems(self) -> dict[str, str]:
        """The message of each problem on the screen, by field."""
        return {problem["path"]: problem["message"] for problem in self.widget.verdict["problems"]}

    def _receive(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.replies.append(content)
        self.buffers.append(buffers or ())

"""What the browser says to a widget, each kind to the one who answers it; and what goes wrong meanwhile, shown."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from kling_nb.errors import KlingError, RequestError

_log = logging.getLogger(__name__)

#: Takes what was said, and the bytes that came with it.
Answer = Callable[[Mapping[str, Any], Sequence[Any]], None]


class Messages:
    """The messages of one widget. `widget` has `on_msg`, `send` and the trait `alert`.

    Answers run on any thread and during cells (JUPYTER.md section 3): they read, hand on, and return.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._answers: dict[str, Answer] = {}
        widget.on_msg(self._on_message)

    def answer(self, **answers: Answer) -> None:
        """Say who answers which kind of message."""
        self._answers |= answers

    def send(self, kind: str, **content: Any) -> None:
        """Say something to the browser."""
        self._widget.send({"kind": kind, **content})

    def reporting(self, act: Callable[[], object]) -> None:
        """Do something and show what goes wrong: no cell would."""
        try:
            act()
        except Exception as exc:  # noqa: BLE001 - the last place that can tell the user; the log has the traceback
            self.failed(exc)

    def failed(self, exc: BaseException) -> None:
        """Show what went wrong."""
        match exc:
            case RequestError():
                self.alert("The request is not complete.", "; ".join(map(str, exc.problems)))
            case KlingError():
                self.alert(str(exc))
            case _:
                _log.error("a widget's callback failed", exc_info=exc)
                self.alert(f"{type(exc).__name__}: {exc}", "This is a fault of kling_nb; the log has its traceback.")

    def alert(self, message: str, remedy: str = "") -> None:
        """Show a sentence, and what to do about it."""
        self._widget.alert = {"message": message, "remedy": remedy, "at": time.time()}

    def calm(self) -> None:
        """Take away what was shown."""
        self._widget.alert = {}

    def _on_message(self, _widget: object, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        answer = self._answers.get(str(content.get("kind")))
        if answer is not None:
            self.reporting(lambda: answer(content, buffers))


Read = Callable[[str], bytes | None]


class Sender(Protocol):
    """A widget that can send messages."""

    def send(self, content: Any, buffers: Any = None) -> None: ...


def send_clip(widget: Sender, message: Mapping[str, Any], read: Read) -> None:
    """Answer one `clip` message with the bytes, or with why there are none."""
    reply = {"kind": "clip", "call": message.get("call")}
    try:
        data = read(str(message.get("id")))
    except (KlingError, OSError) as exc:
        widget.send({**reply, "reason": str(exc)})
        return
    if data is None:
        widget.send({**reply, "reason": "The file is not there any more."})
    else:
        widget.send(reply, buffers=[data])


#: Takes a record's id and the number of a frame; says in words what came of it. Raises `KlingError`.
Hand = Callable[[str, int], str]


def hand_frame(widget: Sender, message: Mapping[str, Any], hand: Hand) -> None:
    """Answer one `use_frame` message with what came of it, or with why not."""
    _answer(widget, message, lambda: hand(str(message.get("id")), int(message.get("frame", 0))))


def open_record(widget: Sender, message: Mapping[str, Any], fill: Callable[[str], str]) -> None:
    """Answer one `open` message with what came of it, or with why not."""
    _answer(widget, message, lambda: fill(str(message.get("id"))))


def _answer(widget: Sender, message: Mapping[str, Any], act: Callable[[], str]) -> None:
    try:
        words = act()
    except (KlingError, OSError, ValueError, IndexError) as exc:
        words = str(exc)
    widget.send({"kind": "done", "call": message.get("call"), "text": words})


#: The server drops messages above 1,000 in a second, the last ones too (JUPYTER.md section 3).
INTERVAL = 0.125


class Throttle:
    """Call it when something has changed; it calls `send` at once, or a little later and once for many changes.

    Late sends are set on the event loop that runs in the calling thread (the engine's). Where there is none, every
    change is sent at once. `lock` is held while `send` runs, so that the last message is the last state: whoever calls
    with a lock held that `send` takes, too, gives that very one. Two would be taken in both orders, by two threads.
    """

    def __init__(
        self,
        send: Callable[[], None],
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._send, self._interval, self._clock = send, interval, clock
        self._lock = lock or threading.RLock()
        self._last = float("-inf")
        self._waiting = False

    def __call__(self) -> None:
        """Something has changed."""
        with self._lock:
            if self._waiting:
                return
            wait = self._last + self._interval - self._clock()
            loop = _loop_here()
            if wait > 0 and loop is not None:
                self._waiting = True
                loop.call_later(wait, self.flush)
                return
            self.flush()

    def flush(self) -> None:
        """Send now."""
        with self._lock:
            self._waiting = False
            self._last = self._clock()
            self._send()


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

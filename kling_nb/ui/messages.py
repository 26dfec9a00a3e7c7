"""Messages between a widget and its browser pages: dispatch by kind, errors shown in the view, throttled updates."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kling_nb.errors import KlingError, RequestError

_log = logging.getLogger(__name__)

#: Receives a message's content and its binary buffers.
Handler = Callable[[Mapping[str, Any], Sequence[Any]], None]


class Messages:
    """The messages of one widget. `widget` has `on_msg`, `send` and the trait `alert`.

    Handlers run on any thread and during cells (jupyter.md section 3): they read, submit and return.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._handlers: dict[str, Handler] = {}
        widget.on_msg(self._on_message)

    def on(self, **handlers: Handler) -> None:
        """Register a handler for each kind of message."""
        self._handlers |= handlers

    def send(self, kind: str, **content: Any) -> None:
        """Send a message to the browser."""
        self._widget.send({"kind": kind, **content})

    def guard(self, act: Callable[[], object]) -> None:
        """Call `act` and show its exception in the view: a widget's callback has no cell to raise it in."""
        try:
            act()
        except Exception as exc:  # noqa: BLE001 - the last place that can tell the user; the log has the traceback
            self.show_error(exc)

    def show_error(self, exc: BaseException) -> None:
        """Show an exception in the view."""
        match exc:
            case RequestError():
                self.alert("The request is not valid.", "; ".join(map(str, exc.problems)))
            case KlingError():
                self.alert(str(exc))
            case _:
                _log.error("a widget's callback failed", exc_info=exc)
                self.alert(
                    f"{type(exc).__name__}: {exc}", "This is a bug in kling_nb. The traceback is in Python's log."
                )

    def alert(self, message: str, remedy: str = "") -> None:
        """Show a message and its remedy above the view."""
        self._widget.alert = {"message": message, "remedy": remedy, "at": time.time()}

    def clear_alert(self) -> None:
        """Remove the message that is shown."""
        self._widget.alert = {}

    def _on_message(self, _widget: object, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        handler = self._handlers.get(str(content.get("kind")))
        if handler is not None:
            self.guard(lambda: handler(content, buffers))


#: Returns a clip's bytes by its record's ID, None when the file is missing.
ReadClip = Callable[[str], bytes | None]

#: Puts a frame, by record ID and frame number, into the open panel and returns a confirmation. Raises `KlingError`.
UseFrame = Callable[[str, int], str]


def reply_clip(widget: Any, message: Mapping[str, Any], read: ReadClip) -> None:
    """Answer a `clip` message with the clip's bytes, or with the reason why there are none."""
    reply = {"kind": "clip", "call": message.get("call")}
    try:
        data = read(str(message.get("id")))
    except (KlingError, OSError) as exc:
        widget.send({**reply, "reason": str(exc)})
        return
    if data is None:
        widget.send({**reply, "reason": "The clip's file is missing."})
    else:
        widget.send(reply, buffers=[data])


def reply_use_frame(widget: Any, message: Mapping[str, Any], use_frame: UseFrame) -> None:
    """Answer a `use_frame` message with a confirmation or the error."""
    _reply_done(widget, message, lambda: use_frame(str(message.get("id")), int(message.get("frame", 0))))


def reply_open(widget: Any, message: Mapping[str, Any], open_record: Callable[[str], str]) -> None:
    """Answer an `open` message with a confirmation or the error."""
    _reply_done(widget, message, lambda: open_record(str(message.get("id"))))


def _reply_done(widget: Any, message: Mapping[str, Any], act: Callable[[], str]) -> None:
    try:
        text = act()
    except (KlingError, OSError, ValueError, IndexError) as exc:
        text = str(exc)
    widget.send({"kind": "done", "call": message.get("call"), "text": text})


#: Two presses with the same draft within this many seconds are one double click.
DOUBLE_CLICK = 1.0


class PressGuard:
    """Admits each press of a button that spends money once, and none while another one is handled."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._seen: deque[str] = deque(maxlen=100)
        self._last: tuple[str, Mapping[str, Any]] | None = None
        self._ended = float("-inf")
        self._busy = False

    def admit(self, press: str, action: str, draft: Mapping[str, Any]) -> bool:
        """Return whether to handle this press; if so, call `release` afterwards."""
        same = (action, {name: value for name, value in draft.items() if name != "edit"})
        with self._lock:
            recent = self.clock() - self._ended < DOUBLE_CLICK
            if self._busy or press in self._seen or (recent and same == self._last):
                return False
            self._seen.append(press)
            self._last, self._busy = same, True
            return True

    def release(self, *, asked: bool = False) -> None:
        """End the handling of a press. After a press that only asked a question, the next one is not a double click."""
        with self._lock:
            self._busy, self._ended = False, self.clock()
            if asked:
                self._last = None


#: The server drops messages above 1,000 a second, including the last ones (jupyter.md section 3).
INTERVAL = 0.125


class Throttle:
    """Calls `send` immediately on the first change, then at most once per `interval`.

    Late calls are scheduled on the event loop of the calling thread (the engine's). Without one, every change is sent
    at once. `lock` is held while `send` runs, so that the last message is the last state. A caller that holds a lock
    which `send` takes too must pass that same lock, else two threads could take both in opposite orders.
    """

    def __init__(
        self,
        send: Callable[[], None],
        *,
        interval: float = INTERVAL,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._send, self._interval = send, interval
        self._lock = lock or threading.RLock()
        self._last = float("-inf")
        self._waiting = False

    def __call__(self) -> None:
        """Report a change."""
        with self._lock:
            if self._waiting:
                return
            wait = self._last + self._interval - time.monotonic()
            loop = _running_loop()
            if wait > 0 and loop is not None:
                self._waiting = True
                loop.call_later(wait, self.flush)
                return
            self.flush()

    def flush(self) -> None:
        """Send now."""
        with self._lock:
            self._waiting = False
            self._last = time.monotonic()
            self._send()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

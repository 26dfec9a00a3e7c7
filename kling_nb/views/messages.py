"""What the browser says to a widget, each kind to the one who answers it; and what goes wrong meanwhile, shown."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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

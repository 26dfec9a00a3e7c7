"""What a panel does before it spends: says that the same was made before, and asks once more where it is much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kling_nb.models.request import Request
from kling_nb.render.formatting import format_money
from kling_nb.ui.messages import Messages
from kling_nb.ui.outlet import Outlet
from kling_nb.ui.panel.controller import PanelController, Verdict
from kling_nb.ui.widgets import PanelWidget


class Spending:
    """The part of a panel that stands between a press and the money."""

    def __init__(self, widget: PanelWidget, messages: Messages, actions: PanelController, outlet: Outlet) -> None:
        self._widget, self._messages, self._actions, self._outlet = widget, messages, actions, outlet
        messages.answer(show=self._on_show)

    def look(self, request: Request | None) -> None:
        """Say whether this request was made before."""

        def look() -> None:
            before = self._actions.before(request) if request is not None else None
            self._widget.earlier = asdict(before) if before else {}

        self._messages.reporting(look)

    def question(self, verdict: Verdict, seen: str, *, sure: bool) -> str | None:
        """Return what to ask before this is sent; None when it may be; an alert and "" when the price has changed.

        Nobody pays more than what they pressed, nor above their own threshold without a second word.
        """
        if verdict.price != seen:
            self._messages.alert(f"Not sent: the price is now {verdict.price}.", "Press Generate again if you agree.")
            return ""
        above = self._actions.confirm_above()
        if sure or above is None or verdict.total is None or verdict.total <= above:
            return None
        count = verdict.request.num_generations if verdict.request else 1
        clips = "this clip" if count == 1 else f"these {count} clips"
        model = verdict.request.model if verdict.request else "the model"
        price, limit = format_money(verdict.total), format_money(above)
        return f"Spend {price} on {clips} by {model}? You asked to be asked above {limit}."

    def _on_show(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record_id = str(content.get("id"))
        if record_id == self._widget.earlier.get("id"):
            self._outlet.add(record_id, dict(self._actions.card(record_id)))

"""Before a panel spends money: show earlier results of the same request, and confirm prices above the user's limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kling_nb.render.formatting import format_money

if TYPE_CHECKING:
    from kling_nb.models.request import Request
    from kling_nb.ui.messages import Messages
    from kling_nb.ui.outlet import Outlet
    from kling_nb.ui.panel.controller import PanelController, Verdict
    from kling_nb.ui.widgets import PanelWidget


class Spending:
    """The part of a panel between a press and the money."""

    def __init__(self, widget: PanelWidget, messages: Messages, controller: PanelController, outlet: Outlet) -> None:
        self._widget, self._messages, self._controller, self._outlet = widget, messages, controller, outlet
        self._request: Request | None = None
        messages.on(show=self._on_show)

    def edited(self, request: Request | None) -> None:
        """Look for earlier results if the request has changed: the log is asked once per edit at most."""
        if request != self._request:
            self.update(request)

    def update(self, request: Request | None) -> None:
        """Show whether this request was made before."""
        self._request = request

        def find() -> None:
            earlier = self._controller.earlier(request) if request is not None else None
            self._widget.earlier = asdict(earlier) if earlier else {}

        self._messages.guard(find)

    def question(self, verdict: Verdict, shown_price: str, *, confirmed: bool) -> str | None:
        """Return the question to ask before sending; None to send, and "" after an alert that the price has changed.

        The user never pays another price than the one on the button, nor one above their limit without confirming it.
        """
        if verdict.price != shown_price:
            self._messages.alert(
                f"Not sent: the price is now {verdict.price}.", "To generate at this price, press Generate again."
            )
            return ""
        limit = self._controller.confirm_above()
        if confirmed or limit is None or verdict.total is None or verdict.total <= limit:
            return None
        count = verdict.request.num_generations if verdict.request else 1
        clips = "one clip" if count == 1 else f"{count} clips"
        model = verdict.request.model if verdict.request else "the model"
        return (
            f"Spend {format_money(verdict.total)} on {clips} from {model}? "
            f"You chose to confirm prices above {format_money(limit)}."
        )

    def _on_show(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record_id = str(content.get("id"))
        if record_id == self._widget.earlier.get("id"):
            self._outlet.add(record_id, dict(self._controller.card(record_id)))

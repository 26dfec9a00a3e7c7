"""Before a press of Generate: earlier results of the same request, and the confirmation of a price above the limit.

Afterwards: the hub's errors, at the fields that they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from kling_nb.models.price import format_money
from kling_nb.models.problem import Path, Problem, warning
from kling_nb.models.refusals import MODERATION, named_field
from kling_nb.render.formatting import shorten

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
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
            self._widget.money = self._controller.money()

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
        if confirmed or limit is None or (verdict.total is not None and verdict.total <= limit):
            return None
        count = verdict.request.num_generations if verdict.request else 1
        clips = "one clip" if count == 1 else f"{count} clips"
        model = verdict.request.model if verdict.request else "the model"
        chosen = f"You chose to confirm prices above {format_money(limit)}."
        if verdict.total is None:
            return f"Spend an unknown amount on {clips} from {model}? {chosen}"
        return f"Spend {format_money(verdict.total)} on {clips} from {model}? {chosen}"

    def _on_show(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record_id = str(content.get("id"))
        if record_id == self._widget.earlier.get("id"):
            self._outlet.add(record_id, dict(self._controller.card(record_id)))


@dataclass
class HubErrors:
    """Messages of failed jobs by field; each applies while the field has the value that was sent."""

    _sent: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    _problems: dict[Path, tuple[Any, Problem]] = field(default_factory=dict[Path, tuple[Any, Problem]])

    def sent(self, jobs: Iterable[Job], fields: Mapping[str, Any]) -> None:
        """Remember the fields that jobs were sent with."""
        self._sent |= {job.id: dict(fields) for job in jobs}

    def ended(self, job: Job) -> bool:
        """Take the result of a job; return whether there is a new problem at a field."""
        fields, failure = self._sent.pop(job.id, None), job.progress.failure
        if failure is None or not fields:
            return False
        path = named_field(failure.message, fields)
        if path is None and failure.kind != MODERATION:
            return False
        path = path or ()  # the content was refused, without a word on what of it: the request as a whole
        message = f"the hub rejected this: {shorten(failure.message, 240)}"
        again = "change what it says or shows" if failure.kind == MODERATION else "change it"
        problem = warning(path, message, f"{again} before you send it again")
        self._problems[path] = _value(fields, path), problem
        return True

    def problems(self, fields: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return the problems that apply to these fields."""
        return tuple(problem for path, (value, problem) in self._problems.items() if _value(fields, path) == value)


def _value(fields: Mapping[str, Any], path: Path) -> Any:
    """Return the field that a path leads into; all fields for an empty path."""
    return fields.get(str(path[0])) if path else dict(fields)

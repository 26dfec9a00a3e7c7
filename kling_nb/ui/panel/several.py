"""The panel's *Several models*: the same request for other models, with price, time and losses, and their start."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kling_nb.errors import KlingError
from kling_nb.models.price import format_money
from kling_nb.models.specs import GENERATIONS
from kling_nb.render.formatting import counted
from kling_nb.render.plan import matrix_html, matrix_text
from kling_nb.sweeps.plan import Plan, planned

if TYPE_CHECKING:
    from kling_nb.session import Session
    from kling_nb.sweeps.run import Run
    from kling_nb.ui.messages import Messages
    from kling_nb.ui.progress import JobArea


@dataclass(frozen=True)
class ModelsOffer:
    """The clips of several models: a text for each, what the button says, and the errors of their requests."""

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    button: str = ""
    total: Decimal | None = None
    errors: Sequence[str] = ()


class SeveralModels:
    """The part of a panel that compares models. Plans are worked out on a thread, since the hub may be asked.

    `fields_of` returns the fields of a draft, `confirm_above` the price above which to ask.
    """

    def __init__(
        self,
        messages: Messages,
        session: Session,
        jobs: JobArea,
        *,
        fields_of: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        confirm_above: Callable[[], Decimal | None],
    ) -> None:
        self._messages, self._session, self._jobs = messages, session, jobs
        self._fields_of, self._confirm_above = fields_of, confirm_above
        self._lock, self._pressed = threading.Lock(), set[str]()
        messages.on(models=self._asked(self._offer), run_models=self._asked(self._run))

    def _asked(self, act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
        """Return a handler that answers a question from its own thread."""

        async def answer(content: Mapping[str, Any]) -> None:
            try:
                reply = await asyncio.to_thread(act, content)
            except KlingError as exc:
                self._messages.send("refused", id=content.get("id"), reason=str(exc))
            else:
                self._messages.send("answer", id=content.get("id"), **reply)

        def on_message(content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
            self._session.loop.submit(answer(content))

        return on_message

    def _plan(self, content: Mapping[str, Any]) -> Plan:
        fields = {**self._fields_of(content.get("draft") or {})}
        models = [str(model) for model in content.get("models") or ()]
        repeat = fields.pop(GENERATIONS, 1)
        return planned(self._session, fields, {"model": models}, "grid", repeat)

    def _offer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        offer = offer_of(self._plan(content))
        texts = {**offer.texts, **{model: f"Left out: {why}" for model, why in offer.left_out.items()}}
        return {"texts": texts, "button": offer.button, "errors": list(offer.errors)}

    def _run(self, content: Mapping[str, Any]) -> dict[str, Any]:
        press = str(content.get("id"))
        with self._lock:
            if press in self._pressed:
                return {"text": ""}
            self._pressed.add(press)
        plan = self._plan(content)
        offer = offer_of(plan)
        if offer.errors:
            raise KlingError("; ".join(offer.errors))
        if offer.button != content.get("button"):
            raise KlingError(f"Not sent: it is now {offer.button}. Press again to agree.")
        limit = self._confirm_above()
        if limit is not None and not content.get("confirmed") and (offer.total is None or offer.total > limit):
            amount = "an unknown amount" if offer.total is None else format_money(offer.total)
            return {"question": f"Spend {amount}? You chose to confirm prices above {format_money(limit)}."}
        self._follow(plan, plan.run())
        text = f"Started as plan {plan.id[:6]}. The clips appear below; the matrix follows when all have ended."
        return {"text": f'{text} kn.plan("{plan.id[:6]}") has it in code.'}

    def _follow(self, plan: Plan, run: Run) -> None:
        """Show the jobs of a run as rows, and its clips side by side when it has ended."""
        shown: set[str] = set()
        lock = threading.Lock()

        def update() -> None:
            with lock:
                new = [job for job in run.jobs if job.id not in shown]
                shown.update(job.id for job in new)
                ended = run.over and "" not in shown
                if ended:
                    shown.add("")
            if new:
                self._jobs.add(new)
            if ended:
                self._session.loop.submit(asyncio.to_thread(self._show_matrix, plan))

        run.subscribe(update)
        update()

    def _show_matrix(self, plan: Plan) -> None:
        def add() -> None:
            sheet = plan.matrix_sheet(*plan.design.matrix_axes(None, "model"))
            self._jobs.outlet.add(plan.id, {"text/html": matrix_html(sheet), "text/plain": matrix_text(sheet)})

        self._messages.guard(add)


def offer_of(plan: Plan) -> ModelsOffer:
    """Return what a plan over models would make and cost."""
    sheet, errors = plan.sheet(), [f"{label}: {'; '.join(map(str, why))}" for label, why in plan.errors]
    count = len(plan.missing)
    price = "free" if sheet.free else "price unknown" if plan.price is None else format_money(plan.price)
    button = f"Generate {counted(count, 'clip')} · {price}" if count else "Show the clips"
    texts = dict(sheet.models) or dict.fromkeys(plan.axes.get("model", ()), sheet.summary)
    total = Decimal(0) if sheet.free else plan.price
    return ModelsOffer(texts, sheet.left_out, button, total, errors)

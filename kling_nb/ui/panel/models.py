"""The panel's model: the catalogue to choose from, switching between models, and the hub's answer about one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.connection import PATIENCE, changes_of
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.price import rates_text
from kling_nb.models.problem import Problem, error
from kling_nb.models.specs import Form, form_of
from kling_nb.ui.panel.form import switch_model, unsupported_notes

if TYPE_CHECKING:
    from kling_nb.engine.loop import BackgroundLoop
    from kling_nb.hubs.catalogue import Catalogue
    from kling_nb.ui.messages import Messages

_numbers = itertools.count(1)


@dataclass(frozen=True)
class ModelOffer:
    """A model in the picker; `family` is its type of input and output, `price` a text."""

    id: str
    title: str
    family: str
    makes: str
    price: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Offers:
    """The catalogue: the hub's own if `live`, else the bundled one; `error` is the reason."""

    models: tuple[ModelOffer, ...]
    live: bool
    error: str = ""


@dataclass(frozen=True)
class ModelStatus:
    """The hub's answer about one model: its form, the changes since the bundled schema, or that it was withdrawn."""

    form: Form
    changes: tuple[str, ...] = ()
    withdrawn: bool = False
    alternatives: tuple[str, ...] = ()


class ModelPicker:
    """The part of a panel that shows models and switches between them.

    `draft` returns the current draft, `show` replaces it and `check` checks it again. `refill` builds the draft again
    from its fields, for a form that has more of them.
    """

    def __init__(
        self,
        widget: Any,
        messages: Messages,
        controller: ModelsController,
        *,
        draft: Callable[[], Mapping[str, Any]],
        show: Callable[[Mapping[str, Any]], None],
        refill: Callable[[], None],
        check: Callable[[], object],
    ) -> None:
        self._widget, self._messages, self._controller = widget, messages, controller
        self._draft, self._show, self._refill, self._check = draft, show, refill, check
        self._lock = threading.RLock()
        self._forms: dict[str, Form] = {}
        self._statuses: dict[str, ModelStatus] = {}
        self._titles: dict[str, str] = {}
        self._asked: set[str] = set()
        messages.on(choose=self._on_choose)

    def load(self) -> None:
        """Load the catalogue in the background."""
        self._controller.load_offers(self._show_offers)

    def form(self, model: str) -> Form:
        """Return a model's form, and send it to the browser if it is new there."""
        with self._lock:
            if model not in self._forms:
                self._add_form(self._controller.form(model))
            return self._forms[model]

    def edited(self, draft: Mapping[str, Any]) -> None:
        """Show what the draft has set aside, and ask the hub about its model, once."""
        model = str(draft.get("model"))
        self._widget.unsupported = unsupported_notes(draft)
        if self._controller.use(str(draft.get("hub") or ""), model):  # its catalogue, and its answer about the model
            with self._lock:
                self._asked.clear()
                self._statuses.clear()
            self._controller.load_offers(self._show_offers)
        with self._lock:
            new = model not in self._asked
            self._asked.add(model)
        if new:
            self._controller.load_status(model, self._show_status)
        elif (status := self._statuses.get(model)) and status.withdrawn:
            self._publish()  # what the alternatives do not support depends on the draft

    def recheck(self, model: str) -> None:
        """Ask the hub about a model again: a job has failed because of it."""
        self._controller.load_status(model, self._show_status, again=True)

    def problems(self, model: str) -> tuple[Problem, ...]:
        """Return an error if a model was withdrawn, so that nothing can be sent to it."""
        status = self._statuses.get(model)
        if status is None or not status.withdrawn:
            return ()
        remedy = f"use {status.alternatives[0]} instead" if status.alternatives else "choose another model"
        return (error(("model",), f"the hub does not offer {model}", remedy),)

    def _on_choose(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        draft = {**self._draft(), **(content.get("draft") or {})}
        old, new = self.form(str(draft.get("model"))), self.form(str(content.get("model")))
        if old.model != new.model:
            self._show({**switch_model(draft, old, new), "edit": f"model:{content.get('id')}"})
        self._messages.clear_alert()

    def _show_offers(self, offers: Offers) -> None:
        self._titles = {offer.id: offer.title for offer in offers.models}
        self._widget.catalogue = asdict(offers)
        self._publish()

    def _show_status(self, status: ModelStatus) -> None:
        model = status.form.model
        with self._lock:
            self._statuses[model] = status
            old = self._forms.get(model)
            if old != status.form:
                self._add_form(status.form)
        draft = self._draft()
        if old is not None and old != status.form and draft.get("model") == model:
            if old.known:
                self._show({**switch_model(draft, old, status.form), "edit": f"form:{next(_numbers)}"})
            else:
                self._messages.guard(self._refill)
        self._publish()
        self._messages.guard(self._check)

    def _add_form(self, form: Form) -> None:
        self._forms[form.model] = form
        self._widget.forms = {**self._widget.forms, form.model: form.to_json()}

    def _publish(self) -> None:
        with self._lock:
            changed = {model: each for model, each in self._statuses.items() if each.withdrawn or each.changes}
        self._widget.model_notices = {model: self._notices(model, status) for model, status in changed.items()}

    def _notices(self, model: str, status: ModelStatus) -> dict[str, Any]:
        draft = self._draft()
        current = draft.get("model") == model
        offered = [
            {
                "id": name,
                "title": self._titles.get(name) or self._controller.form(name).title,
                "unsupported": (
                    unsupported_notes(switch_model(draft, status.form, self._controller.form(name))) if current else []
                ),
            }
            for name in (status.alternatives if status.withdrawn else ())
        ]
        return {"withdrawn": status.withdrawn, "changes": list(status.changes), "alternatives": offered}


class ModelsController:
    """The catalogue as a panel sees it. Every method may be called from any thread and returns immediately."""

    def __init__(
        self, catalogue: Catalogue, loop: BackgroundLoop, find: Callable[[str, str], Catalogue] | None = None
    ) -> None:
        """`find` returns the catalogue of a provider that has a model."""
        self._catalogue, self._loop = catalogue, loop
        self._find, self._hub = find, ""

    def use(self, hub: str, model: str, /) -> bool:
        """Show the catalogue of a provider from now on; return whether that is another one."""
        changed = hub != self._hub
        self._hub = hub
        if changed and self._find:
            self._catalogue = self._find(hub, model)
        return changed

    def _catalogue_of(self, model: str) -> Catalogue:
        return self._find(self._hub, model) if self._find else self._catalogue

    def form(self, model: str, /) -> Form:
        """Return a model's form from what is known, without asking the hub."""
        return form_of(model, self._catalogue_of(model).known(model))

    def load_offers(self, callback: Callable[[Offers], None], /) -> None:
        """Call `callback` with the known models immediately, and with the hub's own list when it has answered."""
        callback(self._offers())
        self._loop.submit(self._load_offers(callback))

    def load_status(self, model: str, callback: Callable[[ModelStatus], None], /, *, again: bool = False) -> None:
        """Ask the hub about one model and call `callback` with the answer, if there is one.

        `again` discards the cached answer first.
        """
        if again:
            self._catalogue_of(model).expire(model)
        self._loop.submit(self._load_status(model, callback))

    def _offers(self, error: str = "") -> Offers:
        models, live = self._catalogue.known_models()
        return Offers(tuple(map(_offer, filter(_makes_media, models))), live, error)

    async def _load_offers(self, callback: Callable[[Offers], None]) -> None:
        try:
            await asyncio.wait_for(self._catalogue.models(), PATIENCE * 5)
        except (errors.HubError, TimeoutError) as exc:
            callback(self._offers(str(exc) or "The hub did not answer in time."))
        else:
            callback(self._offers())

    async def _load_status(self, model: str, callback: Callable[[ModelStatus], None]) -> None:
        catalogue = self._catalogue_of(model)
        with contextlib.suppress(errors.HubError):  # the list answers for most models immediately
            await catalogue.models()
        try:
            entry = await catalogue.model(model)
        except errors.ModelNotFound as exc:
            known = [each.id for each in catalogue.known_models()[0] if _makes_media(each)]
            others = exc.alternatives or tuple(alternatives(model, known))
            callback(ModelStatus(self.form(model), withdrawn=True, alternatives=others))
        except errors.HubError:
            return  # the banner shows that the hub does not answer
        else:
            callback(ModelStatus(form_of(model, entry), tuple(map(str, changes_of(entry)))))


def _makes_media(model: Model) -> bool:
    return model.makes in ("video", "image")


def _offer(model: Model) -> ModelOffer:
    price = rates_text(model.id, model.pricing)
    family = (model.model_type or "").replace("-", " ")
    return ModelOffer(model.id, model.display_name or model.id, family, model.makes, price, model.summary or "")

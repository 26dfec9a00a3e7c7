"""The model of a panel: which there are, which one is on the screen, and what the hub says of it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kling_nb import errors
from kling_nb.connection import PATIENCE, changes_of
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.hubs.catalogue import Catalogue
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.price import bundled_rate
from kling_nb.models.problem import Problem, error
from kling_nb.models.specs import Form, form_of
from kling_nb.ui.messages import Messages
from kling_nb.ui.panel.form import asides_in, switched

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Offer:
    """A model that can be chosen: `family` is what it makes of what, `price` in words."""

    id: str
    title: str
    family: str
    makes: str
    price: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Offers:
    """The catalogue: as the hub gave it when `live`, else as it came with this package; `error` says why."""

    models: tuple[Offer, ...]
    live: bool
    error: str = ""


@dataclass(frozen=True)
class News:
    """What the hub says of one model: its form, what changed against the bundled one, or that it is gone."""

    form: Form
    changes: tuple[str, ...] = ()
    gone: bool = False
    alternatives: tuple[str, ...] = ()


class ModelPicker:
    """The part of a panel that shows models and goes from one to another.

    `draft` gives what is on the screen, `show` puts another draft there, `judge` looks at it again; `refill` makes the
    draft anew from its fields, for a form that knows more of them.
    """

    def __init__(
        self,
        widget: Any,
        messages: Messages,
        choosing: ModelsController,
        *,
        draft: Callable[[], Mapping[str, Any]],
        show: Callable[[Mapping[str, Any]], None],
        refill: Callable[[], None],
        judge: Callable[[], object],
    ) -> None:
        self._widget, self._messages, self._choosing = widget, messages, choosing
        self._draft, self._show, self._refill, self._judge = draft, show, refill, judge
        self._lock = threading.RLock()
        self._forms: dict[str, Form] = {}
        self._news: dict[str, News] = {}
        self._titles: dict[str, str] = {}
        self._asked: set[str] = set()
        messages.answer(choose=self._on_choose)

    def ask(self) -> None:
        """Ask for the catalogue, in the background."""
        self._choosing.offers_later(self._offered)

    def form(self, model: str) -> Form:
        """Return a model's form; the browser has it from then on."""
        with self._lock:
            if model not in self._forms:
                self._put(self._choosing.form(model))
            return self._forms[model]

    def look(self, draft: Mapping[str, Any]) -> None:
        """See what is on the screen: say what was put aside, and ask the hub about its model, once."""
        model = str(draft.get("model"))
        self._widget.unused = asides_in(draft)
        with self._lock:
            new = model not in self._asked
            self._asked.add(model)
        if new:
            self._choosing.news_later(model, self._heard)
        elif (news := self._news.get(model)) and news.gone:
            self._publish()  # what the alternatives cannot take depends on what is written

    def doubt(self, model: str) -> None:
        """Ask the hub about a model again: something was heard that speaks against it."""
        self._choosing.news_later(model, self._heard, again=True)

    def problems(self, model: str) -> tuple[Problem, ...]:
        """Return what bars a model from being paid for: that it is gone."""
        news = self._news.get(model)
        if news is None or not news.gone:
            return ()
        instead = f"go on with {news.alternatives[0]}" if news.alternatives else "choose another"
        return (error(("model",), f"the hub does not know {model}", instead),)

    def _on_choose(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        draft = {**self._draft(), **(content.get("draft") or {})}
        old, new = self.form(str(draft.get("model"))), self.form(str(content.get("model")))
        if old.model != new.model:
            self._show({**switched(draft, old, new), "edit": f"model:{content.get('id')}"})
        self._messages.calm()

    def _offered(self, offers: Offers) -> None:
        self._titles = {offer.id: offer.title for offer in offers.models}
        self._widget.catalogue = asdict(offers)
        self._publish()

    def _heard(self, news: News) -> None:
        model = news.form.model
        with self._lock:
            self._news[model] = news
            old = self._forms.get(model)
            if old != news.form:
                self._put(news.form)
        draft = self._draft()
        if old is not None and old != news.form and draft.get("model") == model:
            if old.known:
                self._show({**switched(draft, old, news.form), "edit": f"form:{next(_numbers)}"})
            else:
                self._messages.reporting(self._refill)
        self._publish()
        self._messages.reporting(self._judge)

    def _put(self, form: Form) -> None:
        self._forms[form.model] = form
        self._widget.forms = {**self._widget.forms, form.model: form.to_json()}

    def _publish(self) -> None:
        with self._lock:
            known = dict(self._news)
        self._widget.news = {
            model: self._said(model, news) for model, news in known.items() if news.gone or news.changes
        }

    def _said(self, model: str, news: News) -> dict[str, Any]:
        draft = self._draft()
        mine = draft.get("model") == model
        instead = [
            {
                "id": name,
                "title": self._titles.get(name) or self._choosing.form(name).title,
                "unsupported": asides_in(switched(draft, news.form, self._choosing.form(name))) if mine else [],
            }
            for name in (news.alternatives if news.gone else ())
        ]
        return {"gone": news.gone, "changes": list(news.changes), "alternatives": instead}


class ModelsController:
    """Answers from what is known, and asks the hub on the background loop."""

    def __init__(self, catalogue: Catalogue, loop: BackgroundLoop) -> None:
        self._catalogue, self._loop = catalogue, loop

    def form(self, model: str, /) -> Form:
        """Return the form of a model, from what is known without asking."""
        return form_of(model, self._catalogue.known(model))

    def offers_later(self, callback: Callable[[Offers], None], /) -> None:
        """Say what is known at once, and the hub's own list when it has answered."""
        callback(self._offers())
        self._loop.submit(self._ask(callback))

    def news_later(self, model: str, callback: Callable[[News], None], /, *, again: bool = False) -> None:
        """Ask the hub about one model, and say what it said."""
        if again:
            self._catalogue.expire(model)
        self._loop.submit(self._look(model, callback))

    def _offers(self, trouble: str = "") -> Offers:
        models, live = self._catalogue.known_models()
        return Offers(tuple(map(_offer, filter(_makes_media, models))), live, trouble)

    async def _ask(self, callback: Callable[[Offers], None]) -> None:
        try:
            await asyncio.wait_for(self._catalogue.models(), PATIENCE * 5)
        except (errors.HubError, TimeoutError) as exc:
            callback(self._offers(str(exc) or "The hub did not answer."))
        else:
            callback(self._offers())

    async def _look(self, model: str, callback: Callable[[News], None]) -> None:
        with contextlib.suppress(errors.HubError):  # the list has most answers in one; without it each is asked for
            await self._catalogue.models()
        try:
            entry = await self._catalogue.model(model)
        except errors.ModelNotFound as exc:
            known = [each.id for each in self._catalogue.known_models()[0] if _makes_media(each)]
            instead = exc.alternatives or tuple(alternatives(model, known))
            callback(News(self.form(model), gone=True, alternatives=instead))
        except errors.HubError:
            return  # the banner says that the hub is silent; nothing is known against the model
        else:
            callback(News(form_of(model, entry), tuple(map(str, changes_of(entry)))))


def _makes_media(model: Model) -> bool:
    return model.makes in ("video", "image")


def _offer(model: Model) -> Offer:
    family = (model.model_type or "").replace("-", " ")
    price = model.pricing.words if model.pricing else ""
    known = bundled_rate(model.id)
    if not price and known is not None:
        price = f"${known.normalize()} / s"
    return Offer(model.id, model.display_name or model.id, family, model.makes, price, model.summary or "")

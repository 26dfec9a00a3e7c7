"""What a panel has from the catalogue: `views.choosing.Choosing` over a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from kling_nb import errors
from kling_nb.connection import PATIENCE, changes_of
from kling_nb.hubs.catalogue import Catalogue
from kling_nb.loop import BackgroundLoop
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.price import bundled_rate
from kling_nb.models.specs import Form, form_of
from kling_nb.views.choosing import News, Offer, Offers


class PanelChoosing:
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
            self._catalogue.doubt(model)
        self._loop.submit(self._look(model, callback))

    def _offers(self, trouble: str = "") -> Offers:
        models, live = self._catalogue.listed()
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
            known = [each.id for each in self._catalogue.listed()[0] if _makes_media(each)]
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

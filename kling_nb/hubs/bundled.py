"""The catalogue as the documentation had it: what is known of a model before the hub answers."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from kling_nb.models.catalogue import Model


@cache
def bundled() -> dict[str, Model]:
    """Return the bundled entries by id, without prices: those are for the hub to say (`models/price.py` has a few).

    The file lies with the local hub, which answers with it.
    """
    text = files("kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    entries = (Model.read({**raw, "pricing": None}) for raw in json.loads(text)["data"])
    return {model.id: model for model in entries}

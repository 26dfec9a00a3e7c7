"""One request on several models: which of them can take it, and the base's fields for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kling_nb.errors import ArgumentError, HubError, ModelNotFound, RequestError, WaitTimeout
from kling_nb.models.carry import carry_fields
from kling_nb.models.fields import assets_in, plain, with_media
from kling_nb.models.price import Estimate, format_money
from kling_nb.models.request import TARGET, TYPED
from kling_nb.models.specs import Form, form_of
from kling_nb.render.formatting import counted, format_duration
from kling_nb.session import Session
from kling_nb.sweeps.axes import Point
from kling_nb.sweeps.cells import expected_durations
from kling_nb.sweeps.design import Carry, Cell, Design
from kling_nb.sweeps.template import fill_in, placeholders_in


def with_models(
    session: Session, base: Mapping[str, Any], points: Sequence[Point]
) -> tuple[list[Point], Carry | None, dict[str, str]]:
    """Return the points whose model can take the request, how fields are carried over, and the models left out.

    A model is left out if the hub does not have it, if it makes no videos, or if it takes none of the request's
    pictures and videos: its clip would show something else. If all points are
    of the base's own model, nothing is changed.

    Raises:
        ArgumentError: No model is left.
    """
    own = str(base.get("model", TARGET))
    wanted = dict.fromkeys(model for point in points if isinstance(model := point.get("model"), str))
    if set(wanted) <= {own}:
        return list(points), None, {}
    forms: dict[str, Form] = {}
    left_out: dict[str, str] = {}
    for model in [own, *(name for name in wanted if name != own)]:
        label = next((point["hub"] for point in points if point.get("model") == model and point.get("hub")), None)
        form = _form(session, model, label or base.get("hub"))
        if isinstance(form, Form):
            forms[model] = form
        elif model in wanted:
            left_out[model] = form
    forms.setdefault(own, form_of(own, session.connection.catalogue.known(own)))

    def carry(fields: Mapping[str, Any], model: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        plain_fields = {name: value for name, value in fields.items() if name != "hub"}
        carried, lost = carry_fields(plain_fields, forms[own], forms[model])
        return carried | ({"hub": fields["hub"]} if fields.get("hub") else {}), lost

    for model in [name for name in wanted if name in forms and name != own]:
        first = next(point for point in points if point.get("model") == model)
        if why := _without_media(base, first, carry, model):
            left_out[model] = why
    kept = [point for point in points if point.get("model") not in left_out]
    if not kept:
        reasons = "; ".join(f"{model}: {why}" for model, why in left_out.items())
        raise ArgumentError(f"No model can take this request. {reasons}.")
    return kept, carry, left_out


def loss_notes(lost: Mapping[str, Mapping[str, str]], left_out: Mapping[str, str]) -> Iterable[str]:
    """Yield a note for each model that cannot take all of the request, or that is left out."""
    for model, why in left_out.items():
        yield f"{model} is left out: {why}"
    for model, fields in lost.items():
        if fields:
            yield f"{model} does not take all: {lost_text(fields)}"


def lost_text(fields: Mapping[str, str]) -> str:
    """Return the fields that are lost, each with its value."""
    return ", ".join(f"{name} ({why})" for name, why in fields.items())


def models_text(
    session: Session, design: Design, missing: Sequence[Cell], estimates: Sequence[Estimate]
) -> dict[str, str]:
    """Return, for each of several models, its missing clips, their price and time, and what it does not take."""
    models = dict.fromkeys(cell.request.model for cell in design.unique_cells if cell.request)
    if len(models) < 2 and not design.left_out:
        return {}
    pairs = list(zip(missing, estimates, strict=True))
    texts: dict[str, str] = {}
    for model in models:
        some = [(cell, each) for cell, each in pairs if cell.request and cell.request.model == model]
        seconds = expected_durations(session, [cell for cell, _ in some], [each for _, each in some])
        parts = (
            [counted(len(some), "clip") + " to generate", _money([each for _, each in some])]
            if some
            else ["made or running"]
        )
        parts += [f"about {format_duration(max(seconds))} each"] if seconds else []
        parts += [f"without {lost_text(lost)}"] if (lost := design.lost.get(model)) else []
        texts[model] = " · ".join(parts)
    return texts


def _money(estimates: Sequence[Estimate]) -> str:
    free = all(each.source == "free" for each in estimates)
    known = [price for each in estimates if (price := each.list_price if free else each.each) is not None]
    total = format_money(sum(known, Decimal(0))) if len(known) == len(estimates) else "price unknown"
    return f"free, {total} at a real hub" if free else total


def _form(session: Session, model: str, label: Any) -> Form | str:
    """Return a model's form at the hub of a label, or the reason why it cannot be used."""
    try:
        hub = session.connection.choose(label if isinstance(label, str) else None, model)
    except RequestError as exc:
        return "; ".join(problem.message for problem in exc.problems)
    try:
        entry = session.model(model, hub)
    except ModelNotFound as exc:
        near = f"; did you mean {exc.alternatives[0]}?" if exc.alternatives else ""
        return f"the hub does not have it{near}"
    except (HubError, WaitTimeout) as exc:
        entry = hub.catalogue.known(model)
        if entry is None and model not in TYPED:
            return f"its fields are not known: {exc}"
    form = form_of(model, entry)
    return form if form.makes == "video" else "it makes images, and not videos"


def _without_media(base: Mapping[str, Any], point: Point, carry: Carry, model: str) -> str:
    """Return why a model takes none of the pictures and videos of a request; empty if it takes some, or needs none."""
    fields = with_media(plain(dict(base)), [])
    values = {name: with_media({name: plain(value)}, [])[name] for name, value in point.items() if name != "model"}
    try:
        whole = fill_in(fields, values, placeholders_in(fields) - fields.keys())
    except RequestError:
        return ""  # the errors of its cells are listed
    count = sum(1 for _ in assets_in(whole))
    carried, _ = carry(whole, model)
    if not count or any(True for _ in assets_in(dict(carried))):
        return ""
    files = "the picture" if count == 1 else f"any of the {count} pictures"
    return f"it does not take {files} that the request is about"

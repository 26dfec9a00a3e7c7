"""A draft is what the browser edits: a model, its fields as plain wire-named values, pictures as keys of the shelf.

It keeps a prompt *and* shots, so that switching between them loses nothing; `mode` says which one counts, for a model
that has both. `aside` holds what the model on the screen has no place for, until one comes that has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic_core import PydanticCustomError

from kling_nb.errors import RequestError
from kling_nb.models.asset import Asset, Kind
from kling_nb.models.carry import Unsupported, carry_over, read_unsupported
from kling_nb.models.problem import error
from kling_nb.models.request import TARGET, Request, plain
from kling_nb.models.specs import FieldSpec, Form
from kling_nb.ui.panel.uploads import AssetTable

Fields = dict[str, Any]
Path = tuple[str | int, ...]


def plain_fields(request: Request | Mapping[str, Any] | None) -> Fields:
    """Return a request's fields as plain values, with its model."""
    fields = request.draft() if isinstance(request, Request) else plain(dict(request or {}))
    model = fields.get("model")
    return {**fields, "model": model if isinstance(model, str) and model else TARGET}


def draft_of(fields: Mapping[str, Any], shelf: AssetTable, form: Form) -> tuple[Fields, Fields]:
    """Return the draft of a model's fields, and those that its form keeps but does not show.

    Raises `RequestError` for a picture that cannot be read.
    """
    draft: Fields = {spec.name: _inward(spec, fields.get(spec.name), shelf) for spec in form.specs}
    shots = form.of_kind("shots")
    only_shots = shots is not None and draft[shots.name] and not fields.get("prompt")
    draft |= {"model": form.model, "mode": "shots" if only_shots else "prompt", "aside": {}}
    return draft, {name: value for name, value in fields.items() if name not in draft}


def fields_of(draft: Mapping[str, Any], shelf: AssetTable, form: Form) -> Fields:
    """Return the wire-named fields that a draft stands for; only what its mode uses, and what has an effect."""
    unused = _unused(draft, form)
    used = [spec for spec in form.specs if spec.name not in unused]
    fields = {spec.name: _outward(spec, draft.get(spec.name, spec.unset), shelf) for spec in used}
    kept = {name: value for name, value in fields.items() if value not in (None, "", [])}
    return kept if form.model == TARGET else {"model": form.model, **kept}


def switched(draft: Mapping[str, Any], old: Form, new: Form) -> Fields:
    """Return the draft of another model: what both have goes along, the rest is put aside and comes back."""
    values: Fields = {spec.name: draft.get(spec.name, spec.unset) for spec in old.specs}
    told = _told(draft, old) if new.of_kind("shots") is None else {}
    placed, aside = carry_over(values | told, old, new, read_unsupported(draft.get("aside")))
    for name in told:  # what the shots were told in is no loss: it gives way when the shots come back
        why = aside[name].why if name in aside else ""
        spec = old.spec(name)
        aside[name] = Unsupported(spec.kind if spec else "prompt", values[name], placed.get(name), why)
    shots = old.of_kind("shots")
    if told and shots and shots.name in aside:
        words = f"{aside[shots.name].why}: their words are the prompt now, one a line"
        aside[shots.name] = replace(aside[shots.name], why=words)
    mode = draft.get("mode", "prompt")
    return {**placed, "model": new.model, "mode": mode, "aside": {name: away.to_json() for name, away in aside.items()}}


def asides_out(draft: Mapping[str, Any], shelf: AssetTable, form: Form) -> Fields:
    """Return what a draft has put aside, pictures as `Asset`, so that it can be kept like the fields."""
    aside: Fields = {}
    for name, away in read_unsupported(draft.get("aside")).items():
        spec = form.spec(name)
        instead = _with_media(spec.kind if spec else "image", away.instead, shelf.get)
        aside[name] = {**away.to_json(), "value": _with_media(away.kind, away.value, shelf.get), "instead": instead}
    return aside


def asides_inward(aside: Mapping[str, Any], draft: Mapping[str, Any], shelf: AssetTable) -> Fields:
    """Return what `asides_out` gave as a draft holds it; a picture that is on the screen too keeps its key there."""
    shown = {asset.identity: key for key in _texts(draft) if (asset := shelf.get(key))}

    def key(asset: Any) -> Any:
        return (shown.get(asset.identity) or shelf.put(asset)) if isinstance(asset, Asset) else asset

    return {name: _each(away, key) for name, away in aside.items()}


def asides_in(draft: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what there is to say about what a draft has put aside, by field."""
    return [{"name": name, "text": away.why} for name, away in read_unsupported(draft.get("aside")).items() if away.why]


def _with_media(kind: str, value: Any, act: Callable[[Any], Any]) -> Any:
    """A value with its pictures and videos, if it is of a kind that has some, as `act` gives them."""
    return _each(value, act) if kind in ("image", "images", "video", "elements") else value


def _each(value: Any, act: Callable[[Any], Any]) -> Any:
    match value:
        case Mapping():
            return {name: _each(item, act) for name, item in value.items()}
        case list():
            return [_each(item, act) for item in value]
        case _:
            return act(value)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case _:
            return


def _unused(draft: Mapping[str, Any], form: Form) -> set[str]:
    """The fields that do not count as things stand: of the mode that is off, or without what they need."""
    unused = {spec.name for spec in form.specs if spec.requires and not draft.get(spec.requires)}
    shots = form.of_kind("shots")
    if shots is not None:
        unused |= {"prompt", "duration"} if draft.get("mode") == "shots" else {shots.name}
    return unused


def _told(draft: Mapping[str, Any], old: Form) -> Fields:
    """Shots as one prompt and one length; nothing when a prompt counts already."""
    shots = old.of_kind("shots")
    if shots is None or draft.get("mode") != "shots":
        return {}
    each = [_shot(shot) for shot in draft.get(shots.name) or ()]
    words = "\n".join(str(shot["prompt"]) for shot in each if str(shot["prompt"]).strip())
    seconds = [shot["duration"] for shot in each if isinstance(shot["duration"], int)]
    return {"prompt": words, "duration": sum(seconds)} if words or each else {}


def _inward(spec: FieldSpec, value: Any, shelf: AssetTable) -> Any:
    """A field's value as the browser gets it."""
    match spec.kind:
        case "shots":
            return [_shot(shot) for shot in _many(value)]
        case "images":
            return _keys(value, (spec.name,), shelf)
        case "image" | "video":
            single = value[0] if isinstance(value, list) and len(value) == 1 else value
            return _key(single, (spec.name,), shelf, "video" if spec.kind == "video" else "image")
        case "elements":
            return [_element(each, (spec.name, index), shelf) for index, each in enumerate(_many(value))]
        case "json" if value is not None and not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return spec.unset if value is None else value


def _outward(spec: FieldSpec, value: Any, shelf: AssetTable) -> Any:
    """What the browser has in a field, as the hub takes it."""
    match spec.kind:
        case "shots":
            return [_shot(shot) for shot in value or ()]
        case "images":
            return [picture for key in value or () if (picture := shelf.get(key))]
        case "image" | "video":
            return shelf.get(value)
        case "elements":
            return [_wire_element(element, shelf) for element in value or ()]
        case "json":
            return _json(value)
        case _:
            return value


def _json(text: Any) -> Any:
    """What a text means as JSON; itself when it means nothing, for the schema to fault."""
    try:
        return json.loads(text) if text else None
    except (ValueError, TypeError):
        return text


def _shot(shot: Any) -> Fields:
    shot = shot if isinstance(shot, Mapping) else {"prompt": str(shot)}
    return {"prompt": shot.get("prompt", ""), "duration": shot.get("duration", 5)}


def _element(element: Any, path: Path, shelf: AssetTable) -> Fields:
    element = element if isinstance(element, Mapping) else {"frontal_image_url": element}
    angles = element.get("reference_image_urls")
    return {
        "frontal_image_url": _key(element.get("frontal_image_url"), (*path, "frontal_image_url"), shelf),
        "reference_image_urls": _keys(angles, (*path, "reference_image_urls"), shelf),
    }


def _wire_element(element: Mapping[str, Any], shelf: AssetTable) -> Fields:
    angles = [shelf.get(key) for key in element.get("reference_image_urls") or ()]
    frontal = shelf.get(element.get("frontal_image_url"))
    wire: Fields = {"reference_image_urls": [angle for angle in angles if angle]}
    return wire | ({"frontal_image_url": frontal} if frontal else {})


def _keys(values: Any, path: Path, shelf: AssetTable) -> list[str]:
    return [key for index, value in enumerate(_many(values)) if (key := _key(value, (*path, index), shelf))]


def _many(value: Any) -> list[Any]:
    """What a list holds, or the one that was given without a list around it."""
    if value is None:
        return []
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else [value]


def _key(value: Any, path: Path, shelf: AssetTable, kind: Kind = "image") -> str | None:
    if value is None:
        return None
    try:
        return shelf.put(Asset.parse(value, kind))
    except PydanticCustomError as exc:
        context = exc.context or {}
        raise RequestError([error(path, str(context["message"]), str(context["remedy"]))]) from exc

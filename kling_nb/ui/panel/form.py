"""A draft as the browser edits it, converted from and to a request's fields.

A draft has a model, a provider (`hub`, empty for the one in use), its fields as plain wire-named values, and images as
keys of an `AssetTable`. It has a prompt *and* shots, so that switching between them loses nothing; `mode` says which
one counts for a model that takes both. `unsupported` has the values that the current model has no field for, until a
model is chosen that has one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from kling_nb.errors import RequestError
from kling_nb.models.asset import Asset, Kind
from kling_nb.models.carry import JOINED, Unsupported, carry_over, joined_shots, read_unsupported
from kling_nb.models.images import ImageError
from kling_nb.models.problem import error
from kling_nb.models.request import TARGET, Request, plain
from kling_nb.models.specs import FieldSpec, Form

if TYPE_CHECKING:
    from kling_nb.ui.panel.uploads import AssetTable

Fields = dict[str, Any]
Path = tuple[str | int, ...]


def plain_fields(request: Request | Mapping[str, Any] | None) -> Fields:
    """Return a request's fields as plain values, with its model."""
    fields = request.draft() if isinstance(request, Request) else plain(dict(request or {}))
    model = fields.get("model")
    return {**fields, "model": model if isinstance(model, str) and model else TARGET}


def draft_of(fields: Mapping[str, Any], assets: AssetTable, form: Form) -> tuple[Fields, Fields]:
    """Return fields as a draft, and the rest that the form has no control for.

    Raises `RequestError` for an image that cannot be read.
    """
    draft: Fields = {spec.name: _to_draft(spec, fields.get(spec.name), assets) for spec in form.specs}
    shots = form.of_kind("shots")
    only_shots = shots is not None and draft[shots.name] and not fields.get("prompt")
    draft |= {"model": form.model, "mode": "shots" if only_shots else "prompt", "unsupported": {}}
    draft["hub"] = str(fields.get("hub") or "")
    return draft, {name: value for name, value in fields.items() if name not in draft}


def fields_of(draft: Mapping[str, Any], assets: AssetTable, form: Form) -> Fields:
    """Return the wire-named fields of a draft: only those that its mode uses and that have an effect."""
    unused = {spec.name for spec in form.specs if spec.requires and not draft.get(spec.requires)}
    shots = form.of_kind("shots")
    if shots is not None:
        unused |= {"prompt", "duration"} if draft.get("mode") == "shots" else {shots.name}
    fields: Fields = {} if form.model == TARGET else {"model": form.model}
    if hub := draft.get("hub"):
        fields["hub"] = str(hub)
    for spec in form.specs:
        if spec.name not in unused:
            value = _from_draft(spec, draft.get(spec.name, spec.unset), assets)
            if value not in (None, "", []):
                fields[spec.name] = value
    return fields


def switch_model(draft: Mapping[str, Any], old: Form, new: Form) -> Fields:
    """Return the draft for another model: fields of both are carried over, the rest is set aside and comes back."""
    values: Fields = {spec.name: draft.get(spec.name, spec.unset) for spec in old.specs}
    joined = _joined_shots(draft, old) if new.of_kind("shots") is None else {}
    placed, unsupported = carry_over(values | joined, old, new, read_unsupported(draft.get("unsupported")))
    for name in joined:  # the joined prompt is not lost: it is replaced when the shots come back
        why = unsupported[name].why if name in unsupported else ""
        spec = old.spec(name)
        unsupported[name] = Unsupported(spec.kind if spec else "prompt", values[name], placed.get(name), why)
    shots = old.of_kind("shots")
    if joined and shots and shots.name in unsupported:
        why = unsupported[shots.name].why + JOINED
        unsupported[shots.name] = replace(unsupported[shots.name], why=why)
    left = {name: away.to_json() for name, away in unsupported.items()}
    kept = {"mode": draft.get("mode", "prompt"), "hub": draft.get("hub", "")}
    return {**placed, "model": new.model, **kept, "unsupported": left}


def unsupported_fields(draft: Mapping[str, Any], assets: AssetTable, form: Form) -> Fields:
    """Return the values that a draft has set aside, with images as `Asset`, so that they can be saved."""
    unsupported: Fields = {}
    for name, away in read_unsupported(draft.get("unsupported")).items():
        spec = form.spec(name)
        value = _with_media(away.kind, away.value, assets.get)
        instead = _with_media(spec.kind if spec else "image", away.instead, assets.get)
        unsupported[name] = {**away.to_json(), "value": value, "instead": instead}
    return unsupported


def unsupported_draft(unsupported: Mapping[str, Any], draft: Mapping[str, Any], assets: AssetTable) -> Fields:
    """Return the result of `unsupported_fields` for a draft; an image that the draft has too gets the same key."""
    keys = {asset.identity: key for key in _strings(draft) if (asset := assets.get(key))}

    def key(asset: Any) -> Any:
        return (keys.get(asset.identity) or assets.put(asset)) if isinstance(asset, Asset) else asset

    return {name: _each(away, key) for name, away in unsupported.items()}


def unsupported_notes(draft: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a note for each field that a draft has set aside."""
    unsupported = read_unsupported(draft.get("unsupported"))
    return [{"name": name, "text": away.why} for name, away in unsupported.items() if away.why]


def _with_media(kind: str, value: Any, act: Callable[[Any], Any]) -> Any:
    """Apply `act` to the images and videos in a value, if its kind has any."""
    return _each(value, act) if kind in ("image", "images", "video", "elements") else value


def _each(value: Any, act: Callable[[Any], Any]) -> Any:
    match value:
        case Mapping():
            return {name: _each(item, act) for name, item in value.items()}
        case list():
            return [_each(item, act) for item in value]
        case _:
            return act(value)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping() | list():
            for item in value.values() if isinstance(value, Mapping) else value:
                yield from _strings(item)
        case _:
            return


def _joined_shots(draft: Mapping[str, Any], form: Form) -> Fields:
    """Return the shots as one prompt and one duration; empty if the draft uses its prompt."""
    shots = form.of_kind("shots")
    if shots is None or draft.get("mode") != "shots":
        return {}
    return joined_shots([_shot(shot) for shot in draft.get(shots.name) or ()])


def _to_draft(spec: FieldSpec, value: Any, assets: AssetTable) -> Any:
    match spec.kind:
        case "shots":
            return [_shot(shot) for shot in _listed(value)]
        case "images":
            return _keys(value, (spec.name,), assets)
        case "image" | "video":
            single = value[0] if isinstance(value, list) and len(value) == 1 else value
            return _key(single, (spec.name,), assets, "video" if spec.kind == "video" else "image")
        case "elements":
            return [_element_draft(each, (spec.name, index), assets) for index, each in enumerate(_listed(value))]
        case "json" if value is not None and not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return spec.unset if value is None else value


def _from_draft(spec: FieldSpec, value: Any, assets: AssetTable) -> Any:
    match spec.kind:
        case "shots":
            return [_shot(shot) for shot in value or ()]
        case "images":
            return [image for key in value or () if (image := assets.get(key))]
        case "image" | "video":
            return assets.get(value)
        case "elements":
            return [_element_fields(element, assets) for element in value or ()]
        case "json":
            return _parsed(value)
        case _:
            return value


def _parsed(text: Any) -> Any:
    """Return a text parsed as JSON; the text itself if it is not JSON, so that the schema reports it."""
    try:
        return json.loads(text) if text else None
    except (ValueError, TypeError):
        return text


def _shot(shot: Any) -> Fields:
    shot = shot if isinstance(shot, Mapping) else {"prompt": str(shot)}
    return {"prompt": shot.get("prompt", ""), "duration": shot.get("duration", 5)}


def _element_draft(element: Any, path: Path, assets: AssetTable) -> Fields:
    element = element if isinstance(element, Mapping) else {"frontal_image_url": element}
    angles = element.get("reference_image_urls")
    return {
        "frontal_image_url": _key(element.get("frontal_image_url"), (*path, "frontal_image_url"), assets),
        "reference_image_urls": _keys(angles, (*path, "reference_image_urls"), assets),
    }


def _element_fields(element: Mapping[str, Any], assets: AssetTable) -> Fields:
    angles = [assets.get(key) for key in element.get("reference_image_urls") or ()]
    frontal = assets.get(element.get("frontal_image_url"))
    fields: Fields = {"reference_image_urls": [angle for angle in angles if angle]}
    return fields | ({"frontal_image_url": frontal} if frontal else {})


def _keys(values: Any, path: Path, assets: AssetTable) -> list[str]:
    return [key for index, value in enumerate(_listed(values)) if (key := _key(value, (*path, index), assets))]


def _listed(value: Any) -> list[Any]:
    """Return the items of a list, or a single value as a list of one."""
    if value is None:
        return []
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else [value]


def _key(value: Any, path: Path, assets: AssetTable, kind: Kind = "image") -> str | None:
    if value is None:
        return None
    try:
        return assets.put(Asset.parse(value, kind))
    except ImageError as exc:
        raise RequestError([error(path, str(exc), exc.remedy)]) from exc

"""A request out of a record: its pictures by hash from the log's own media, even when the originals are gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import request_hash
from kling_nb.models.fields import assets_in, media_kind, resolved
from kling_nb.models.record import Record, Reference
from kling_nb.models.request import Request, request_type


def request_of(record: Record, read: Callable[[str], bytes | None]) -> Request:
    """Return the request that a record was made from; `read` gives the bytes for a `sha256:` digest.

    Raises `LogError` when the log no longer has a picture's bytes, or when the request is not the one of the record's
    `request_hash`: then somebody edited the record.
    """
    assets = {reference.path: asset_of(reference, read) for reference in record.references}
    fields = _placed(record.canonical, assets, "")
    request = request_type(record.model).model_validate(
        {**fields, **record.delivery, "num_generations": record.generations}
    )
    if request_hash(request) != record.request_hash:
        raise LogError(f"The request of {record.id} is not the one of its hash: its record was edited.")
    return request


def available_fields(record: Record, read: Callable[[str], bytes | None]) -> tuple[dict[str, Any], list[str]]:
    """Return the wire-named fields of a record without the pictures that are not here, and the names of those."""
    assets: dict[str, Asset] = {}
    lost: dict[str, str] = {}
    for reference in record.references:
        try:
            assets[reference.path] = asset_of(reference, read)
        except LogError:
            lost[reference.path] = f"{reference.path}: {reference.name or reference.given}"
    fields = _without(_placed(record.canonical, assets, ""), set(lost), "")
    return {**fields, **record.delivery}, list(lost.values())


def _without(value: Any, paths: set[str], path: str) -> Any:
    """The value without what stands at these paths, and without elements that have lost their front view."""
    if isinstance(value, Mapping):
        kept = {name: _at(path, name) for name in value if _at(path, name) not in paths}
        return {name: _without(value[name], paths, where) for name, where in kept.items()}
    if isinstance(value, list):
        kept = [(_at(path, index), item) for index, item in enumerate(value)]
        return [
            _without(item, paths, where)
            for where, item in kept
            if where not in paths and f"{where}.frontal_image_url" not in paths
        ]
    return value


def _at(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def serialize_fields(fields: Mapping[str, Any], keep: Callable[..., Reference]) -> dict[str, Any]:
    """Return wire-named fields, finished or not, as JSON; `keep(asset, path=...)` stores each picture."""
    named = [(".".join(map(str, path)), asset) for path, asset in assets_in(dict(fields))]
    references = [keep(asset, path=path).model_dump(mode="json") for path, asset in named]
    return {"fields": resolved(dict(fields), lambda asset: asset.identity), "references": references}


def deserialize_fields(kept: Mapping[str, Any], read: Callable[[str], bytes | None]) -> dict[str, Any]:
    """Return what `serialize_fields` gave, its pictures in place. Raises `LogError` when one has been lost."""
    references = [Reference.model_validate(reference) for reference in kept["references"]]
    return _placed(kept["fields"], {reference.path: asset_of(reference, read) for reference in references}, "")


def with_images(canonical: Mapping[str, Any], picture: Callable[[str], Asset]) -> dict[str, Any]:
    """Return a canonical request's fields, what `picture` gives for an identity in each picture's place."""
    return {name: _pictured(value, picture, name) for name, value in canonical.items()}


def _pictured(value: Any, picture: Callable[[str], Asset], name: str) -> Any:
    match value:
        case str() if media_kind(name):
            return picture(value)
        case dict():
            return {key: _pictured(item, picture, key) for key, item in value.items()}
        case list():
            return [_pictured(item, picture, name) for item in value]
        case _:
            return value


def asset_of(reference: Reference, read: Callable[[str], bytes | None]) -> Asset:
    """Return a reference as what a request takes. Raises `LogError` when the log has lost its bytes."""
    common: dict[str, Any] = {"given": reference.given, "name": reference.name, "kind": reference.kind}
    if reference.digest is None:
        return Asset(reference.identity, url=reference.identity, **common)
    data = read(reference.digest)
    if data is None:
        raise LogError(f"The log has lost the bytes of {reference.given} ({reference.digest[:19]}…); see log.verify()")
    given = read(reference.original) if reference.original else None
    original = Asset.from_bytes(given, given=reference.given, kind=reference.kind) if given else None
    return Asset(reference.identity, data=data, original=original, fixes=reference.fixes, **common)


def _placed(value: Any, assets: Mapping[str, Asset], path: str) -> Any:
    if path in assets:
        return assets[path]
    if isinstance(value, Mapping):
        return {name: _placed(item, assets, f"{path}.{name}" if path else str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, assets, f"{path}.{index}") for index, item in enumerate(value)]
    return value

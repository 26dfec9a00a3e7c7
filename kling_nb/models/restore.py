"""Requests from records, with their images from the log's media, and what can be repeated from a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import hash_of
from kling_nb.models.catalogue import Model
from kling_nb.models.fields import assets_in, mapped, media_kind, resolved, without
from kling_nb.models.price import Estimate
from kling_nb.models.problem import Path
from kling_nb.models.record import Record, Reference
from kling_nb.models.request import Request, request_type


def request_of(record: Record, read: Callable[[str], bytes | None]) -> Request:
    """Return the request of a record; `read` returns the bytes for a `sha256:` digest.

    Raises:
        LogError: If the bytes of an image are missing, or the record was edited so that its request has another hash.
    """
    assets = {reference.path: asset_of(reference, read) for reference in record.references}
    fields = _placed(record.canonical, assets)
    # Not the hash of the new request: another version may leave out other fields that have no effect.
    if hash_of(resolved(fields, lambda asset: asset.identity)) != record.request_hash:
        raise LogError(f"Record {record.id} was edited: its request does not match its request_hash.")
    return request_type(record.model).model_validate(
        {**fields, **record.delivery, "num_generations": record.generations}
    )


def available_fields(record: Record, read: Callable[[str], bytes | None]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a record's request without its missing images, and the names of those."""
    assets: dict[str, Asset] = {}
    missing: list[str] = []
    gone: list[Path] = []
    for reference in record.references:
        try:
            assets[reference.path] = asset_of(reference, read)
        except LogError:
            missing.append(f"{reference.path}: {reference.name or reference.given}")
            # An element without its front view goes as a whole.
            gone.append(_steps(reference.path.removesuffix(".frontal_image_url")))
    return {**without(_placed(record.canonical, assets), gone), **record.delivery}, missing


def _steps(path: str) -> Path:
    return tuple(int(step) if step.isdecimal() else step for step in path.split("."))


def serialize_fields(fields: Mapping[str, Any], keep: Callable[..., Reference]) -> dict[str, Any]:
    """Return a request's fields, finished or not, as JSON; `keep(asset, path=...)` stores each image."""
    named = [(".".join(map(str, path)), asset) for path, asset in assets_in(dict(fields))]
    references = [keep(asset, path=path).model_dump(mode="json") for path, asset in named]
    return {"fields": resolved(dict(fields), lambda asset: asset.identity), "references": references}


def deserialize_fields(kept: Mapping[str, Any], read: Callable[[str], bytes | None]) -> dict[str, Any]:
    """Return the fields that `serialize_fields` made JSON of. Raises `LogError` if an image is missing."""
    references = [Reference.model_validate(reference) for reference in kept["references"]]
    return _placed(kept["fields"], {reference.path: asset_of(reference, read) for reference in references})


def with_images(canonical: Mapping[str, Any], asset: Callable[[str], Asset]) -> dict[str, Any]:
    """Return a canonical request's fields, with the asset that `asset` returns for each identity."""

    def place(path: Path, item: Any) -> Any:
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        return asset(item) if isinstance(item, str) and media_kind(name) else item

    return mapped(canonical, place)


def asset_of(reference: Reference, read: Callable[[str], bytes | None]) -> Asset:
    """Return the asset of a reference. Raises `LogError` if its bytes are missing from the log."""
    common: dict[str, Any] = {
        "given": reference.given,
        "name": reference.name,
        "kind": reference.kind,
        "source": reference.source,
    }
    if reference.digest is None:
        return Asset(reference.identity, url=reference.identity, **common)
    data = read(reference.digest)
    if data is None:
        name = f"{reference.given} ({reference.digest[:19]}…)"
        raise LogError(f"The file {name} is missing from the log, or was changed. See kn.log.verify().")
    given = read(reference.original) if reference.original else None
    original = Asset.from_bytes(given, given=reference.given, kind=reference.kind) if given else None
    return Asset(reference.identity, data=data, original=original, fixes=reference.fixes, **common)


def _placed(fields: Mapping[str, Any], assets: Mapping[str, Asset]) -> dict[str, Any]:
    return mapped(fields, lambda path, item: assets.get(".".join(map(str, path)), item))


@dataclass(frozen=True)
class Reproducibility:
    """Sentences about a record: what can be repeated, and what cannot or may have changed."""

    can: tuple[str, ...]
    cannot: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((*self.can, *self.cannot))

    def __repr__(self) -> str:
        return "\n".join((*(f"+ {line}" for line in self.can), *(f"- {line}" for line in self.cannot)))


def reproducibility(
    record: Record,
    *,
    model: Model | None = None,
    now: Estimate | None = None,
    missing: Sequence[str] = (),
    trouble: str = "",
) -> Reproducibility:
    """Return what can be repeated from a record.

    Args:
        model: The model in the catalogue today.
        now: The price today.
        missing: The images that are missing from the log.
        trouble: The reason why the hub did not answer.
    """
    can, cannot = list[str](), list[str]()
    seed = record.canonical.get("seed")
    takes_seed = "seed" in (model.request_schema.get("properties") or {}) if model else False
    if missing:
        cannot.append(f"Missing from the log: {', '.join(missing)}.")
    if record.local:
        can.append("The local hub always draws the same clip for the same request.")
        return Reproducibility(tuple(can), tuple(cannot))
    if not missing:
        can.append("The same request can be sent again, with the same images.")
    if seed is not None:
        can.append(f"It has the seed {seed}, so the same version of the model gives the same clip.")
    elif takes_seed:
        cannot.append("It has no seed, so a new run gives a similar clip, not the same one.")
    else:
        cannot.append("The model has no seed, so a new run gives a similar clip, not the same one.")
    if trouble:
        cannot.append(f"Changes of the model, its schema and its price are not known: {trouble}")
    elif model:
        cannot += _changed(record, model, now)
    return Reproducibility(tuple(can), tuple(cannot))


def _changed(record: Record, model: Model, now: Estimate | None) -> list[str]:
    changes: list[str] = []
    then, today = record.schema_digest, model.schema_digest
    if then and today and then != today:
        changes.append(f"The model's schema has changed since ({_short(then)} then, {_short(today)} now).")
    before, after = record.estimate.each, now.each if now else None
    if before is not None and after is not None and before != after:
        changes.append(f"The price of a clip has changed since (${before} then, ${after} now).")
    return changes


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:8]

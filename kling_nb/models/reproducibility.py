"""What can be had again from a record, and what cannot: said from what is known, and what is not known is said too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kling_nb.models.catalogue import Model
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record


@dataclass(frozen=True)
class Reproducibility:
    """Two lists of sentences: what can be repeated, and what cannot or may have changed."""

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
    lost: Sequence[str] = (),
    trouble: str = "",
) -> Reproducibility:
    """Judge a record by itself, and by what is known today: the catalogue's entry (`model`), the price (`now`), the
    pictures that the log has lost, and why the hub could not be asked (`trouble`).
    """
    can, cannot = list[str](), list[str]()
    seed = record.canonical.get("seed")
    takes_seed = "seed" in (model.request_schema.get("properties") or {}) if model else False
    if lost:
        cannot.append(f"The log has lost {', '.join(lost)}: give it again.")
    if record.local:
        can.append("The local hub draws the same request the same way every time.")
        return Reproducibility(tuple(can), tuple(cannot))
    if not lost:
        can.append("The same request and the same pictures can be sent again.")
    if seed is not None:
        can.append(f"It was sent with the seed {seed}, by which a run on the same version of the model is repeated.")
    elif takes_seed:
        cannot.append("It was sent without a seed, so a new run gives a similar clip, not the same one.")
    else:
        cannot.append("This model takes no seed, so a new run gives a similar clip, not the same one.")
    if trouble:
        cannot.append(f"Whether the model, its schema and its price are still the same is not known: {trouble}")
    elif model:
        cannot += _changed(record, model, now)
    return Reproducibility(tuple(can), tuple(cannot))


def _changed(record: Record, model: Model, now: Estimate | None) -> list[str]:
    said: list[str] = []
    then, today = record.schema_digest, model.schema_digest
    if then and today and then != today:
        said.append(f"The model's schema has changed since ({_short(then)} then, {_short(today)} now).")
    before, after = record.estimate.each, now.each if now else None
    if before is not None and after is not None and before != after:
        said.append(f"A clip like this was ${before} then and is ${after} now.")
    return said


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:8]

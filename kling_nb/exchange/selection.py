"""What is handed to a verb: records, clips, jobs, plans or ids, alone or many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from kling_nb.engine.job import Clip, Job
from kling_nb.errors import KlingError
from kling_nb.models.messages import short_repr
from kling_nb.models.record import Record


@runtime_checkable
class Planned(Protocol):
    """A plan, as far as its clips go."""

    def records(self) -> Sequence[Record]:
        """Return the records of the clips that are there."""
        ...

    def labels(self, by: str | None = None) -> dict[str, str]:
        """Return by record id where its clip stands in the plan."""
        ...


#: What stands for a record, or for several: each alone, or as many of them as there are.
One: TypeAlias = Record | Clip | Job | Planned | str
Handed: TypeAlias = One | Iterable[One | Iterable[One]]


def each_of(given: Any) -> Iterator[Any]:
    """Yield what was handed over one by one, lists within it taken apart."""
    alone = isinstance(given, Record | Clip | Job | Planned | str | bytes | Mapping)
    if alone or not isinstance(given, Iterable):
        yield given
        return
    for one in cast("Iterable[Any]", given):
        yield from each_of(one)


def record_of(one: Any, get: Callable[[str], Record]) -> Record:
    """Return the record that one thing stands for; `get` finds it by its id. Raises `KlingError` for another thing."""
    match one:
        case Record():
            return one
        case Clip() | Job():
            return one.record
        case str():
            return get(one)
        case _:
            raise KlingError(
                f"{short_repr(one)} is no record: give records, clips, jobs, a plan, or ids (kn.log() has them)"
            )


def records_of(given: Any, get: Callable[[str], Record]) -> list[Record]:
    """Return the records of all that was handed over, each once, in order. Raises `KlingError` for what has none."""
    found = [
        record
        for one in each_of(given)
        for record in (one.records() if isinstance(one, Planned) else [record_of(one, get)])
    ]
    return list({record.id: record for record in found}.values())

"""Compares two records, and a record with the hub's present state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from kling_nb import errors
from kling_nb.models.catalogue import Model
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.restore import Reproducibility, reproducibility
from kling_nb.notebook.links import Links
from kling_nb.render import compare
from kling_nb.render.compare import Difference, compare_html, compare_text
from kling_nb.selection import record_of
from kling_nb.session import Session


class Diff(Sequence[Difference]):
    """The differences between records, and nothing else; in a cell, beside their clips."""

    def __init__(self, records: Sequence[Record], links: Links, scores: Sequence[Sequence[Score]] = ()) -> None:
        self._records, self._links, self._differences = records, links, compare.diff(records, scores)

    def __getitem__(self, which: Any) -> Any:
        return self._differences[which]

    def __len__(self) -> int:
        return len(self._differences)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self._differences)

    def _repr_html_(self) -> str:
        return compare_html(self._records, self._links, self._differences)

    def __repr__(self) -> str:
        return compare_text(self._records, self._differences)


def diff(session: Session, record: Record, other: Any) -> Diff:
    """Return the differences between two records; see `Record.diff`."""
    records = [record, record_of(session, other)]
    known = session.store.scores.of(records)
    return Diff(records, session.display.links, [known.get(one.id, []) for one in records])


def reproducibility_of(session: Session, record: Record) -> Reproducibility:
    """Return what of a record can be reproduced; asks the catalogue if model, schema and price are still the same."""
    missing = tuple(item.name or item.given for item in record.references if _is_missing(session, item.digest))
    model, trouble = _listed(session, record)
    price = None
    if model is not None and not missing:
        with contextlib.suppress(errors.KlingError):
            hub = session.connection.of_record(record) or session.connection.selected
            price = hub.price_of(session.actions.request_of(record).draft(), model)
    return reproducibility(record, model=model, now=price, missing=missing, trouble=trouble)


def _is_missing(session: Session, digest: str | None) -> bool:
    return digest is not None and session.store.file(digest) is None


def _listed(session: Session, record: Record) -> tuple[Model | None, str]:
    if (hub := session.connection.of_record(record)) is None:
        return None, f"it was made at {record.hub}, which is not the hub in use."
    try:
        return session.model(record.model, hub), ""
    except errors.ModelNotFound as exc:
        instead = f" It lists {exc.alternatives[0]} instead." if exc.alternatives else ""
        return None, f"the hub no longer lists {record.model}.{instead}"
    except (errors.HubError, errors.WaitTimeout) as exc:
        return None, str(exc)

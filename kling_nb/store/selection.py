"""What `kn.log()` gives: the records that pass some filters, newest first, as a sequence that shows itself."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, cast, overload

from kling_nb.errors import LogError
from kling_nb.models.judgements import score_columns
from kling_nb.models.record import Record
from kling_nb.models.row import COLUMNS, row_of
from kling_nb.store.audit import Finding
from kling_nb.store.filters import check_names, with_text
from kling_nb.store.log import UNSET, HasId, Log
from kling_nb.store.merge import MergeReport

#: How many records a table in a cell shows.
SHOWN = 50


class Selection(Sequence[Record]):
    """Records of a log. Index it by number, by id or by what has one; call it with filters to narrow it down.

    Filters: `model`, `status`, `text`, `tag`, `stars`, `since`, `until`, `kind`, `hub`, `local`, `batch`,
    `request_hash`, `plan`, `notebook`. What is shown is read anew each time.
    """

    def __init__(
        self,
        log: Log,
        filters: dict[str, Any],
        *,
        bind: Callable[[Record], Record],
        show: Callable[[Sequence[Record], int], dict[str, Any]],
    ) -> None:
        self._log, self._filters, self._bind, self._show = log, filters, bind, show
        check_names(filters)
        log.find(limit=0, **filters)  # a wrong filter is said here, not when it is shown

    def __call__(self, text: str | None = None, /, **filters: Any) -> Selection:
        """Return the records that pass these filters too; a text alone is the filter `text`."""
        return Selection(self._log, {**self._filters, **with_text(text, filters)}, bind=self._bind, show=self._show)

    def __len__(self) -> int:
        return self._log.count(**self._filters)

    @overload
    def __getitem__(self, which: int | str | HasId) -> Record: ...
    @overload
    def __getitem__(self, which: slice) -> list[Record]: ...
    def __getitem__(self, which: int | str | HasId | slice) -> Record | list[Record]:
        if isinstance(which, slice):
            return list(self)[which]
        if isinstance(which, bool) or not isinstance(which, SupportsIndex):
            return self._bind(self._log.get(cast("str | HasId", which)))  # which says so when it is neither
        which = operator.index(which)  # numpy's numbers too
        count = len(self)
        if not -count <= which < count:
            raise IndexError(f"there are {count} records")
        offset = which if which >= 0 else count + which
        return self._bind(self._log.find(limit=1, offset=offset, **self._filters)[0])

    def __iter__(self) -> Iterator[Record]:
        return map(self._bind, self._log.find(**self._filters))

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat mapping for each record: prompt, settings, price in $, seconds, stars, hashes; scores."""
        records = list(self)
        known = self._log.scores.of(records)
        scores = score_columns([known.get(record.id, []) for record in records])
        return [row_of(record) | numbers for record, numbers in zip(records, scores, strict=True)]

    def to_frame(self) -> Any:
        """Return `rows` as a pandas DataFrame. Raises `LogError` without pandas."""
        try:
            import pandas as pd
        except ImportError as exc:
            raise LogError("to_frame() needs pandas: pip install pandas; rows() gives the same without it.") from exc
        rows = self.rows()
        return pd.DataFrame(rows, columns=list(rows[0] if rows else COLUMNS))

    def annotate(self, record_id: str | HasId, *, tags: Any = UNSET, stars: Any = UNSET, note: Any = UNSET) -> Record:
        """Write tags, 1 to 5 stars or a note to a record, at once; by its id, or by the record or job itself."""
        return self._bind(self._log.annotate(record_id, tags=tags, stars=stars, note=note))

    def verify(self) -> list[Finding]:
        """Work out every hash anew and return what disagrees; an empty list is good news."""
        return self._log.verify()

    def rebuild(self) -> int:
        """Make the index anew from the sidecar files; returns how many records there are."""
        return self._log.rebuild()

    def merge(self, folder: Path | str) -> MergeReport:
        """Join the log in another folder to this one: records, clips, pictures, presets and elements.

        Nothing is lost and nothing is there twice; the other log is only read. Records that both have become one, with
        the tags, stars and notes of either. Raises `LogError` when there is no log.
        """
        return self._log.merge(folder)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._show(self._log.find(limit=SHOWN, **self._filters), len(self))

    def __repr__(self) -> str:
        return f"<{len(self)} records in {self._log.folder.name}>"

"""Records chosen from the log: `kn.log`, its filters, and the arguments that stand for records."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, Unpack, cast, overload

from kling_nb.engine.job import Clip, Job
from kling_nb.errors import ArgumentError, ArgumentTypeError, MissingExtra
from kling_nb.models.judgements import score_columns
from kling_nb.models.messages import short_repr
from kling_nb.models.record import Record
from kling_nb.models.reprs import counted
from kling_nb.models.rows import COLUMNS, row_of
from kling_nb.models.signatures import lists_keywords
from kling_nb.session import Session
from kling_nb.store.filters import Search, check_names, with_text
from kling_nb.store.log import UNSET, HasId

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kling_nb.exchange.export import ExportReport
    from kling_nb.render.report import Paragraph
    from kling_nb.scoring.ranking import Ranking
    from kling_nb.scoring.scoring import ScoreTable
    from kling_nb.store.audit import Finding
    from kling_nb.store.merge import MergeReport
    from kling_nb.ui.compare import VoteView

#: How many records a table in a cell shows.
SHOWN = 50


class Selected(ABC):
    """Records that are exported, scored, voted on and ranked together: `Selection` and `Plan`."""

    _session: Session

    @abstractmethod
    def records(self) -> list[Record]:
        """Return the records as they are now."""

    def labels(self, by: str | None = None) -> dict[str, str]:
        """Return the value that each record has in a column of `rows()`, by record ID; nothing without a column.

        Raises:
            ArgumentError: There is no such column.
        """
        if by is not None and by not in tuple(COLUMNS):
            raise ArgumentError(f"Unknown column {by!r}. Choose one of {', '.join(COLUMNS)}.")
        return {record.id: str(row_of(record)[by]) for record in self.records()} if by is not None else {}

    def export(
        self,
        to: str | Path,
        *,
        title: str | None = None,
        description: str = "",
        authors: str | Iterable[str] = (),
        licence: str = "",
        notebook: str | Path | bool | None = None,
        version: str = "1.3",
        embed: float = 0,
    ) -> ExportReport:
        """Write the records, with everything that belongs to them, to share or to archive them.

        The suffix of `to` decides the form. `.zip` or a folder is an RO-Crate: clips, images, records, a report, the
        whole plans that the records belong to, votes (with the voter's name) and scores. `.html` is the report alone.
        `.jsonl` and `.parquet` are for programs. No key, signed URL or folder name is exported; reference images are.

        Args:
            to: A file or folder that does not exist yet.
            title: The title of the report; the file's name by default.
            description: A paragraph below the title.
            authors: Names, or `Name <https://orcid.org/…>`; a single string is one author.
            licence: An SPDX name or a URL.
            notebook: A notebook to include in a crate; True for the running one, as last saved. The key in use, and
                text that looks like a key, a token or a signature, is removed from it.
            version: The RO-Crate version, `"1.3"` or `"1.1"` (which claims the Process Run Crate profile).
            embed: Megabytes of clips to embed in an `.html` report; the others are written beside it.

        Raises:
            ArgumentError, ArgumentTypeError: An argument is not valid, or the target exists.
            ExchangeError: The target cannot be written.
            MissingExtra: The package for this form is not installed.
        """
        options = {
            "title": title,
            "description": description,
            "authors": authors,
            "licence": licence,
            "notebook": notebook,
            "version": version,
            "embed": embed,
        }
        return self._session.actions.export(self, to, options)

    def score(
        self,
        *scorers: str | Callable[..., Any],
        recompute: bool = False,
        timeout: float = 120,
        on: Executor | None = None,
    ) -> ScoreTable:
        """Score the clips and return the numbers as a table. Needs the extra `metrics`.

        Scores are saved to the log as soon as they are computed, and are not computed again; `record.scores` has them.

        Args:
            scorers: Names or functions; all of `kn.scoring.scorers` by default.
            recompute: Compute scores that the log has already.
            timeout: Seconds that one scorer may take for one clip.
            on: Where to score, one clip a task: any `concurrent.futures.Executor`, such as dask's
                `client.get_executor()`. Its workers need this package; clips that they cannot read are sent to them.

        Raises:
            KlingError: A scorer is unknown, or the extra is not installed.
        """
        return self._session.actions.score(self, scorers, recompute=recompute, timeout=timeout, on=on)

    def vote(self, *, who: str | None = None, seed: int | None = None) -> VoteView:
        """Show two clips at a time, unnamed and in random order, and save one vote a key press.

        Left and right arrow choose, down is a tie, `s` skips, `u` takes the last vote back.

        Args:
            who: The voter's name in the log; your user name by default.
            seed: Seed of the order.

        Raises:
            KlingError: There are fewer than two clips.
        """
        return self._session.actions.vote(self, who=who, seed=seed)

    def ranking(self, by: str | None = None) -> Ranking:
        """Rank the clips by their votes: Bradley-Terry strengths with bootstrap intervals. Needs the extra `metrics`.

        Args:
            by: An axis of a plan, or a column of `rows()` such as `"prompt"`, whose values are ranked; by default each
                cell or record is ranked by itself.

        Raises:
            KlingError: The axis or column is unknown, or the extra is not installed.
        """
        return self._session.actions.ranking(self, by)

    def methods(self) -> Paragraph:
        """Return a methods paragraph in plain English: models, dates, counts, settings and prices."""
        return self._session.actions.methods(self)


One: TypeAlias = Record | Clip | Job | Selected | str
#: Records in any form: records, clips, jobs, plans, record IDs, or iterables of them.
RecordsLike: TypeAlias = One | Iterable[One | Iterable[One]]


class Selection(Selected, Sequence[Record]):
    """Records of the log, newest first. Index it by number or record ID; call it with filters to narrow it down.

    The log is read each time that the selection is used or shown.
    """

    def __init__(self, session: Session, filters: dict[str, Any]) -> None:
        self._session, self.filters = session, filters
        check_names(filters)
        session.store.find(limit=0, **filters)  # a wrong filter raises here, not when the selection is shown

    @lists_keywords(Search)
    def __call__(self, words: str | None = None, /, **filters: Unpack[Search]) -> Selection:
        """Return the records that pass these filters too; see `Studio.log` for the filters."""
        return Selection(self._session, {**self.filters, **with_text(words, filters)})

    def __len__(self) -> int:
        return self._session.store.count(**self.filters)

    @overload
    def __getitem__(self, which: int | str | HasId) -> Record: ...
    @overload
    def __getitem__(self, which: slice) -> list[Record]: ...
    def __getitem__(self, which: int | str | HasId | slice) -> Record | list[Record]:
        session = self._session
        if isinstance(which, slice):
            return list(self)[which]
        if isinstance(which, bool) or not isinstance(which, SupportsIndex):
            return session.bind(session.store.get(cast("str | HasId", which)))  # raises for anything else
        which = operator.index(which)  # a numpy integer too
        count = len(self)
        if not -count <= which < count:
            raise IndexError(f"index {which} is out of range: there are {count} records")
        offset = which if which >= 0 else count + which
        return session.bind(session.store.find(limit=1, offset=offset, **self.filters)[0])

    def __iter__(self) -> Iterator[Record]:
        return map(self._session.bind, self._session.store.find(**self.filters))

    def records(self) -> list[Record]:
        return list(self)

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat mapping a record: prompt, settings, price in dollars, seconds, stars, hashes and scores."""
        records = self.records()
        known = self._session.store.scores.of(records)
        scores = score_columns([known.get(record.id, []) for record in records])
        return [row_of(record) | numbers for record, numbers in zip(records, scores, strict=True)]

    def to_frame(self) -> Any:
        """Return `rows()` as a pandas DataFrame.

        Raises:
            MissingExtra: pandas is not installed.
        """
        rows = self.rows()
        return data_frame(rows, list(rows[0] if rows else COLUMNS))

    def annotate(self, record_id: str | HasId, *, tags: Any = UNSET, stars: Any = UNSET, note: Any = UNSET) -> Record:
        """Set tags, stars (1 to 5) or a note of a record, given as a record, clip, job or record ID."""
        return self._session.bind(self._session.store.annotate(record_id, tags=tags, stars=stars, note=note))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown_records, total = self._session.store.find(limit=SHOWN, **self.filters), len(self)
        return self._session.display.table(shown_records, total, "" if total else self._session.moved())

    def __repr__(self) -> str:
        note = "" if len(self) else self._session.moved()
        return "\n".join(filter(None, [f"<{len(self)} records in {self._session.store.folder.name}>", note]))


class Chosen(Selected, Sequence[Record]):
    """Records that were given one by one: what `kn.log([...])` returns."""

    def __init__(self, session: Session, given: Any) -> None:
        self._session, self.given = session, given
        self._records = records_of(session, given)

    def records(self) -> list[Record]:
        return list(self._records)

    def __getitem__(self, which: Any) -> Any:
        return self._records[which]

    def __len__(self) -> int:
        return len(self._records)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._session.display.table(self._records[:SHOWN], len(self))

    def __repr__(self) -> str:
        return f"<{len(self)} records>"


class Findings(list["Finding"]):
    """The findings of an audit of the log: a list that says in a cell what is wrong, or that all is well."""

    def __init__(self, found: Iterable[Finding], records: int) -> None:
        super().__init__(found)
        self._records = records

    def __repr__(self) -> str:
        checked = counted(self._records, "record")
        if not self:
            return f"All is well: {checked} and their files were checked."
        return "\n".join([f"{counted(len(self), 'problem')} ({checked} checked):", *(f"  {each}" for each in self)])


class LogAccess:
    """`kn.log`: call it to read the log; its methods check and repair the log as a whole."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @overload
    def __call__(self, words: str | None = None, /, **filters: Unpack[Search]) -> Selection: ...
    @overload
    def __call__(self, records: RecordsLike, /) -> Chosen: ...
    @lists_keywords(Search)
    def __call__(self, words: Any = None, /, **filters: Any) -> Selection | Chosen:
        """Return the records that pass the filters, newest first, or the records that are given.

        Args:
            words: Text to find in prompts, tags and notes; or records, clips, jobs, plans and record IDs in a list.
            filters: `model`, `status`, `text`, `tag`, `stars` (at least), `since`, `until`, `kind` (`"result"` by
                default, `"preview"`, or None for both), `hub`, `local`, `batch`, `request_hash`, `plan`, `notebook`,
                `by` (who made it).

        Raises:
            ArgumentError, ArgumentTypeError: A filter is unknown or has a value that cannot be used.
        """
        if words is not None and not isinstance(words, str):
            if filters:
                raise ArgumentTypeError("Give records or filters, not both.")
            return Chosen(self._session, words)
        return Selection(self._session, {"kind": "result", **with_text(words, filters)})

    def verify(self) -> Findings:
        """Compute every hash again and return what disagrees; an empty list means that all is well."""
        store = self._session.store
        return Findings(store.verify(), store.count(kind=None))

    def rebuild(self) -> int:
        """Build the index again from the sidecar files and return the number of records."""
        return self._session.store.rebuild()

    def merge(self, folder: Path | str) -> MergeReport:
        """Copy the records, clips, images, presets and elements of another log folder into this log.

        Nothing is lost and nothing is added twice; the other log is only read. A record that both logs have gets the
        tags, stars and notes of either.

        Raises:
            ArgumentError: The folder has no log.
        """
        return self._session.store.merge(folder)

    def __repr__(self) -> str:
        return "<kn.log: call it to read the log; .verify(), .rebuild() and .merge() maintain it>"


def data_frame(rows: Sequence[Mapping[str, Any]], columns: list[str] | None = None) -> Any:
    """Return rows as a pandas DataFrame.

    Raises:
        MissingExtra: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as exc:
        raise MissingExtra("to_frame() needs pandas (pip install pandas); rows() returns the same without it.") from exc
    return pd.DataFrame(rows, columns=columns)


def each_of(given: Any) -> Iterator[Any]:
    """Yield the given things one by one, from lists inside lists too."""
    if isinstance(given, Chosen):
        given = given.given
    alone = isinstance(given, Record | Clip | Job | Selected | str | bytes | Mapping)
    if alone or not isinstance(given, Iterable):
        yield given
        return
    for one in cast("Iterable[Any]", given):
        yield from each_of(one)


def record_of(session: Session, given: Any) -> Record:
    """Return the record that one thing refers to.

    Raises:
        ArgumentTypeError: It refers to no record.
    """
    match given:
        case Record():
            return given
        case Clip() | Job():
            return given.record
        case str():
            return session.bind(session.store.get(given))
        case _:
            raise ArgumentTypeError(f"Expected a record, clip, job, plan or record ID, got {short_repr(given)}.")


def records_of(session: Session, given: Any) -> list[Record]:
    """Return the records that the given things refer to, each once, in order.

    Raises:
        ArgumentTypeError: One of them refers to no record.
    """
    found = [
        record
        for one in each_of(given)
        for record in (one.records() if isinstance(one, Selected) else [record_of(session, one)])
    ]
    return list({record.id: record for record in found}.values())

"""`kn.score`: which numbers are missing, worked out in worker processes, kept in the log, and shown as a table."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.render.figures import ScoredRow, scores_html, scores_text
from kling_nb.scoring.footage import Asked, Picture
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import Scorer
from kling_nb.scoring.registry import scorers as known
from kling_nb.scoring.workers import Work, carried_out
from kling_nb.selection import Planned, records_of
from kling_nb.session import Session
from kling_nb.store.log import Log

#: Seconds that one scorer may take for one clip, unless the caller says otherwise.
TIMEOUT = 120.0
#: Workers at most; each holds some hundred megabytes.
WORKERS = 8


class ScoreTable(Sequence[dict[str, Any]]):
    """Clips with their scores, a row each. `problems` says what failed, and what does not apply to which clips."""

    def __init__(self, rows: Sequence[ScoredRow], problems: Sequence[str]) -> None:
        self._rows, self.problems = list(rows), list(problems)

    def __getitem__(self, which: Any) -> Any:
        return self.rows()[which]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def of(self, record: Record | str) -> dict[str, Score]:
        """Return the scores of one record (or its id) by scorer. Raises `KeyError` when it is not among them."""
        wanted = record if isinstance(record, str) else record.id
        for row in self._rows:
            if row.record == wanted:
                return {name: score for name, score in row.scores.items() if score is not None}
        raise KeyError(wanted)

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping for each clip: its record, what it is called, and each number, None for none."""
        return [
            {
                "record": row.record,
                "label": row.label,
                **{name: score.value if score else None for name, score in row.scores.items()},
            }
            for row in self._rows
        ]

    def to_frame(self) -> Any:
        """Return `rows` as a pandas DataFrame. Raises `KlingError` without pandas."""
        try:
            import pandas as pd
        except ImportError as exc:
            raise KlingError("to_frame() needs pandas: pip install pandas; rows() gives the same without it") from exc
        return pd.DataFrame(self.rows())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": scores_html(self._rows, self.problems), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return scores_text(self._rows, self.problems)


@dataclass
class Scoring:
    """One round over some records. What it finds is in the log the moment it is known."""

    store: Log
    records: Sequence[Record]
    scorers: Sequence[Scorer]
    recompute: bool = False
    timeout: float = TIMEOUT
    progress: Callable[[int, int], None] = lambda done, total: None
    """Called with how many numbers are worked out, of how many."""
    _found: dict[tuple[str, str], Score] = field(default_factory=dict[tuple[str, str], Score])
    _failed: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def run(self) -> None:
        """Work out what is missing. Raises `KlingError` without the extra; an interrupt keeps what was worked out."""
        if not self.recompute:
            self._look_up()
        works = self._works()
        total = sum(len(work.scorers) for work in works)
        if not total:
            return
        answers = carried_out(works, lanes=_lanes(), timeout=self.timeout)
        with contextlib.closing(answers):  # an interrupt ends the workers at once, whoever keeps the traceback
            for done, (work, scorer, measure) in enumerate(answers, 1):
                self._keep(work.about, scorer, measure)
                self.progress(done, total)

    def table(self, labels: Mapping[str, str], poster: Callable[[Record], str | None]) -> ScoreTable:
        """Return what is known as a table."""
        names = [scorer.name for scorer in self.scorers]
        rows = [
            ScoredRow(
                record.id,
                labels.get(record.id) or " / ".join(record.prompt.splitlines()),
                poster(record),
                {name: self._found.get((record.id, name)) for name in names},
            )
            for record in self.records
        ]
        return ScoreTable(rows, list(self._problems()))

    def _look_up(self) -> None:
        wanted = {scorer.name: scorer.version for scorer in self.scorers}
        for record_id, scores in self.store.scores.every(self.records).items():
            for score in scores:
                if wanted.get(score.name) == score.version:
                    self._found[record_id, score.name] = score

    def _works(self) -> list[Work]:
        """What is missing, each file once: records that gave the same clip for the same request share its numbers."""
        alike: dict[tuple[str, str], list[Record]] = {}
        for record in self.records:
            alike.setdefault((_digest(record), record.request_hash), []).append(record)
        works: list[Work] = []
        seen: set[tuple[str, str]] = set()
        for records in alike.values():
            first = records[0]
            missing = [one for one in self.scorers if (first.id, one.name) not in self._found]
            # What depends on the file alone is asked once, whichever request gave it.
            due = [one for one in missing if one.request or (_digest(first), one.name) not in seen]
            seen |= {(_digest(first), one.name) for one in due if not one.request}
            file = self.store.file(_digest(first))
            if file is None:
                self._failed |= {(one.id, scorer.name): "its clip is not here" for one in records for scorer in missing}
            elif due:
                works.append(Work(str(file), asked_of(first, self.store), due, first))
        return works

    def _keep(self, record: Record, scorer: Scorer, measure: Measure) -> None:
        same = [one for one in self.records if _digest(one) == _digest(record)]
        if scorer.request:
            same = [one for one in same if one.request_hash == record.request_hash]
        if measure.failed:  # not kept: it may have been the machine, or the function may be mended
            self._failed |= {(one.id, scorer.name): measure.note for one in same}
            return
        score = Score(
            clip=_digest(record),
            request=record.request_hash if scorer.request else "",
            name=scorer.name,
            version=scorer.version,
            unit=scorer.unit,
            value=measure.value,
            note=measure.note,
            parts=dict(measure.parts),
            at=datetime.datetime.now(datetime.UTC),
        )
        self.store.scores.add([score])
        self._found |= {(one.id, scorer.name): score for one in same}

    def _problems(self) -> Iterator[str]:
        """Each reason once, with the clips that it holds for."""
        why: dict[tuple[str, str], list[str]] = {}
        for record in self.records:
            for scorer in self.scorers:
                score = self._found.get((record.id, scorer.name))
                said = score.note if score else self._failed.get((record.id, scorer.name), "")
                if score is None or score.value is None:
                    why.setdefault((scorer.name, said), []).append(record.id)
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (name, said), ids in why.items():
            alike.setdefault((said, tuple(ids)), []).append(name)
        for (said, ids), names in alike.items():
            more = f" and {len(ids) - 3} more" if ids[3:] else ""
            whose = "all clips" if 1 < len(ids) == len(self.records) else ", ".join(ids[:3]) + more
            yield f"{', '.join(names)} of {whose}: {said}"


def asked_of(record: Record, store: Log) -> Asked:
    """Return what a scorer may know of the request: its values, and its pictures as files of the log."""
    pictures = [reference for reference in record.references if reference.kind == "image"]
    there = [
        Picture(one.path, one.name or one.given, file)
        for one in pictures
        if one.digest and (file := store.file(one.digest))
    ]
    return Asked(dict(record.canonical), tuple(there), len(pictures) - len(there))


def _digest(record: Record) -> str:
    assert record.clip is not None  # noqa: S101 - only records with a clip are scored
    return record.clip.digest


def _lanes() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(WORKERS, usable)


def score(session: Session, selection: Any, scorers: Sequence[Any], *, recompute: bool, timeout: float) -> ScoreTable:
    """Score the clips of a selection; see `Selected.score`."""
    records = [record for record in records_of(session, selection) if record.clip is not None]
    line = session.display.line()

    def report(done: int, total: int) -> None:
        line(f"Scoring: {done} of {total}" if done < total else f"ScoreTable: {total} numbers computed")

    scoring = Scoring(
        session.store, records, known.named(tuple(scorers)), recompute=recompute, timeout=timeout, progress=report
    )
    scoring.run()
    labels = selection.labels() if isinstance(selection, Planned) else {}
    return scoring.table(labels, session.display.links.poster)

"""`kn.log(...).score()`: compute the missing scores in worker processes, save them, and return a table."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.render.figures import ScoredRow, scores_html, scores_text
from kling_nb.scoring.footage import ReferenceImage, RequestInfo
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import Scorer
from kling_nb.scoring.registry import scorers as registered
from kling_nb.scoring.workers import Task, run_scorers
from kling_nb.selection import Selected, data_frame
from kling_nb.session import Session
from kling_nb.store.log import Log

#: The most worker processes; each takes some hundred megabytes.
MAX_WORKERS = 8


class ScoreTable(Sequence[dict[str, Any]]):
    """Clips with their scores, one row each. Their posters are drawn when the table is shown.

    Attributes:
        problems: The scorers that failed or do not apply, with the clips and the reason.
    """

    def __init__(
        self, rows: Sequence[ScoredRow], problems: Sequence[str], posters: Sequence[Callable[[], str | None]]
    ) -> None:
        self._rows, self.problems, self._posters = list(rows), list(problems), posters

    def __getitem__(self, index: Any) -> Any:
        return self.rows()[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def of(self, record: Record | str) -> dict[str, Score]:
        """Return the scores of one record (or its ID) by scorer.

        Raises:
            KeyError: The record is not in the table.
        """
        record_id = record if isinstance(record, str) else record.id
        for row in self._rows:
            if row.record == record_id:
                return {name: score for name, score in row.scores.items() if score is not None}
        raise KeyError(record_id)

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat mapping a clip: record ID, label, and each number, None if there is none."""
        return [
            {
                "record": row.record,
                "label": row.label,
                **{name: score.value if score else None for name, score in row.scores.items()},
            }
            for row in self._rows
        ]

    def to_frame(self) -> Any:
        """Return `rows()` as a pandas DataFrame.

        Raises:
            KlingError: pandas is not installed.
        """
        return data_frame(self.rows())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        rows = [replace(row, poster=poster()) for row, poster in zip(self._rows, self._posters, strict=True)]
        return {"text/html": scores_html(rows, self.problems), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return scores_text(self._rows, self.problems)


def score(
    session: Session,
    selection: Selected,
    scorers: Sequence[Any],
    *,
    recompute: bool,
    timeout: float,
    on: Executor | None = None,
) -> ScoreTable:
    """Score the clips of a selection; see `Selected.score`."""
    records = [record for record in selection.records() if record.clip is not None]
    line = session.display.line()

    def progress(done: int, total: int) -> None:
        line(f"Scoring: {done} of {total}" if done < total else f"Scored: {total} numbers computed")

    chosen = registered.named(tuple(scorers))
    scoring = Scoring(session.store, records, chosen, recompute, timeout, progress, on)
    scoring.run()
    return scoring.table(selection.labels(), session.display.links.poster)


@dataclass
class Scoring:
    """The scores of some records. Each is saved to the log as soon as it is computed.

    Attributes:
        timeout: Seconds that one scorer may take for one clip.
        progress: Called with the number of scores that are computed, and of all.
        on: Where to score; None for this machine.
    """

    store: Log
    records: Sequence[Record]
    scorers: Sequence[Scorer]
    recompute: bool = False
    timeout: float = 120
    progress: Callable[[int, int], None] = lambda done, total: None
    on: Executor | None = None
    _scores: dict[tuple[str, str], Score] = field(default_factory=dict[tuple[str, str], Score])
    _failures: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def run(self) -> None:
        """Compute the missing scores. An interrupt keeps those that are computed.

        Raises:
            KlingError: The extra `metrics` is not installed.
        """
        if not self.recompute:
            self._load()
        tasks = self._tasks()
        total = sum(len(task.scorers) for task in tasks)
        if not total:
            return
        results = run_scorers(tasks, workers=_worker_count(), timeout=self.timeout, on=self.on)
        with contextlib.closing(results):  # an interrupt ends the workers immediately, even if the traceback is kept
            done = 0
            for task, measures in results:
                self._save(task.record, measures)
                done += len(measures)
                self.progress(done, total)

    def table(self, labels: Mapping[str, str], poster: Callable[[Record], str | None]) -> ScoreTable:
        """Return the scores as a table."""
        names = [scorer.name for scorer in self.scorers]
        rows = [
            ScoredRow(
                record.id,
                labels.get(record.id) or " / ".join(record.prompt.splitlines()),
                None,
                {name: self._scores.get((record.id, name)) for name in names},
            )
            for record in self.records
        ]
        return ScoreTable(rows, list(self._problems()), [partial(poster, record) for record in self.records])

    def _load(self) -> None:
        versions = {scorer.name: scorer.version for scorer in self.scorers}
        for record_id, scores in self.store.scores.every(self.records).items():
            for score in scores:
                if versions.get(score.name) == score.version:
                    self._scores[record_id, score.name] = score

    def _tasks(self) -> list[Task]:
        """Return the missing scores, each file once: records with the same clip and request share their scores."""
        groups: dict[tuple[str, str], list[Record]] = {}
        for record in self.records:
            groups.setdefault((_digest(record), record.request_hash), []).append(record)
        tasks: list[Task] = []
        seen: set[tuple[str, str]] = set()
        for records in groups.values():
            first = records[0]
            digest, file = _digest(first), self.store.file(_digest(first))
            missing = [one for one in self.scorers if (first.id, one.name) not in self._scores]
            # A score of the file alone is computed once for all of its requests.
            due = [one for one in missing if one.request or (digest, one.name) not in seen]
            seen |= {(digest, one.name) for one in due if not one.request}
            if file is None:
                self._failures |= {
                    (one.id, scorer.name): "the clip is missing" for one in records for scorer in missing
                }
            elif due:
                tasks.append(Task(str(file), request_info(first, self.store), due, first))
        return tasks

    def _save(self, record: Record, measures: Sequence[tuple[Scorer, Measure]]) -> None:
        """Save the scores of a clip at once, for all records that share them."""
        same_clip = [one for one in self.records if _digest(one) == _digest(record)]
        same_request = [one for one in same_clip if one.request_hash == record.request_hash]
        saved = list[Score]()
        for scorer, measure in measures:
            same = same_request if scorer.request else same_clip
            if measure.failed:  # not saved: the next call may succeed
                self._failures |= {(one.id, scorer.name): measure.note for one in same}
                continue
            saved.append(score := _score(record, scorer, measure))
            self._scores |= {(one.id, scorer.name): score for one in same}
        self.store.scores.add(saved)

    def _problems(self) -> Iterator[str]:
        """Yield each reason once, with its scorers and clips."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for record in self.records:
            for scorer in self.scorers:
                key = (record.id, scorer.name)
                score = self._scores.get(key)
                if score is None or score.value is None:
                    reason = score.note if score else self._failures.get(key, "")
                    reasons.setdefault((scorer.name, reason), []).append(record.id)
        grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (name, reason), ids in reasons.items():
            grouped.setdefault((reason, tuple(ids)), []).append(name)
        for (reason, ids), names in grouped.items():
            more = f" and {len(ids) - 3} more" if ids[3:] else ""
            clips = "all clips" if 1 < len(ids) == len(self.records) else ", ".join(ids[:3]) + more
            yield f"{', '.join(names)} of {clips}: {reason}"


def _score(record: Record, scorer: Scorer, measure: Measure) -> Score:
    return Score(
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


def request_info(record: Record, store: Log) -> RequestInfo:
    """Return the request of a record as scorers get it, with its images as files of the log."""
    references = [reference for reference in record.references if reference.kind == "image"]
    images = [
        ReferenceImage(one.path, one.name or one.given, file)
        for one in references
        if one.digest and (file := store.file(one.digest))
    ]
    return RequestInfo(dict(record.canonical), tuple(images), len(references) - len(images))


def _digest(record: Record) -> str:
    assert record.clip is not None  # noqa: S101 - only records with a clip are scored
    return record.clip.digest


def _worker_count() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MAX_WORKERS, usable)

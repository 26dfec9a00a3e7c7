"""What is handed on to machines: JSON lines, and a Parquet file of one row a record."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kling_nb.errors import LogError
from kling_nb.exchange.bundle import Bundle
from kling_nb.exchange.report import series_of
from kling_nb.models.judgements import Vote
from kling_nb.models.row import COLUMNS, row_of

#: What a line holds that is no record, by its only name.
PLAN, VOTE, SCORE = "plan", "vote", "score"


def lines_of(bundle: Bundle) -> Iterator[str]:
    """Yield a record on each line, then `{"plan": …}`, `{"vote": …}` and `{"score": …}`."""
    yield from (record.model_dump_json() for record in bundle.records)
    yield from (f'{{"{PLAN}":{plan.model_dump_json()}}}' for plan in bundle.plans)
    yield from (f'{{"{VOTE}":{vote.model_dump_json()}}}' for vote in bundle.votes)
    yield from (f'{{"{SCORE}":{score.model_dump_json()}}}' for score in bundle.each_score())


def write_columns(file: Path, bundle: Bundle) -> None:
    """Write a row for each record: its flat values, its place on each axis (`axis.light`), how often it was voted on
    and won, its scores (`score.sharpness`), and the whole record as JSON.

    The file's own metadata holds plans, votes and scores whole, as JSON: `kling_nb.plans` and so on.
    Raises `LogError` without pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise LogError("A Parquet file needs pyarrow: pip install 'kling-nb[parquet]'.") from exc
    kinds: dict[type, Any] = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime.datetime: pa.timestamp("us", tz="UTC"),
    }
    more = dict(_more(bundle))
    columns = {**COLUMNS, **{name: kind for name, (kind, _) in more.items()}, "record": str}
    rows = [
        {
            **row_of(record),
            **{name: values.get(record.id) for name, (_, values) in more.items()},
            "record": record.model_dump_json(),
        }
        for record in bundle.records
    ]
    parts: dict[str, Sequence[BaseModel]] = {
        "plans": bundle.plans,
        "votes": bundle.votes,
        "scores": bundle.each_score(),
    }
    whole = {
        f"kling_nb.{name}": json.dumps([one.model_dump(mode="json") for one in ones]) for name, ones in parts.items()
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()], metadata=whole)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)


def _more(bundle: Bundle) -> Iterator[tuple[str, tuple[type, Mapping[str, Any]]]]:
    """Yield the columns beside a record's own, each with its values by record id."""
    placed = {name: cell for series in series_of(bundle) for name, cell in series.cells.items()}
    for axis in dict.fromkeys(name for cell in placed.values() for name in cell.values):
        yield f"axis.{axis}", (str, {name: cell.values[axis] for name, cell in placed.items() if axis in cell.values})
    seen, wins = _counted(bundle.votes)
    yield "votes", (int, seen)
    yield "wins", (float, wins)
    for name in sorted({score.name for scores in bundle.scores.values() for score in scores}):
        yield f"score.{name}", (float, _values(bundle, name))


def _values(bundle: Bundle, name: str) -> Mapping[str, float | None]:
    return {record: one.value for record, scores in bundle.scores.items() for one in scores if one.name == name}


def _counted(votes: Sequence[Vote]) -> tuple[Mapping[str, int], Mapping[str, float]]:
    """Return how many votes each record was in, and how many it won; a tie is half a win for each."""
    seen: Counter[str] = Counter()
    wins: dict[str, float] = {}
    for vote in votes:
        if vote.outcome == "skip":
            continue
        for side in (vote.left, vote.right):
            share = 0.5 if vote.winner is None else float(vote.winner == side)
            seen[side], wins[side] = seen[side] + 1, wins.get(side, 0.0) + share
    return seen, wins

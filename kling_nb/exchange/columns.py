"""The formats for programs: JSON lines, and a Parquet file with a row for each record."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kling_nb.errors import MissingExtra
from kling_nb.exchange.bundle import Bundle
from kling_nb.models.judgements import Vote
from kling_nb.models.rows import COLUMNS, row_of


def lines_of(bundle: Bundle) -> Iterator[str]:
    """Yield a record on each line, then `{"plan": …}`, `{"vote": …}` and `{"score": …}`."""
    yield from (record.model_dump_json() for record in bundle.records)
    parts = bundle.parts().items()
    yield from (f'{{"{kind}":{value.model_dump_json()}}}' for kind, values in parts for value in values)


def write_columns(file: Path, bundle: Bundle) -> None:
    """Write a row for each record: its flat values, its place on each axis (`axis.light`), how many votes it was in
    and won, its scores (`score.sharpness`), and the whole record as JSON.

    The file's metadata has the whole plans, votes and scores as JSON: `kling_nb.plans` and so on.
    Raises `MissingExtra` without pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise MissingExtra("A Parquet file needs pyarrow: pip install 'kling-nb[parquet]'.") from exc
    types: dict[type, Any] = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime.datetime: pa.timestamp("us", tz="UTC"),
    }
    extra = dict(_extra_columns(bundle))
    columns = {**COLUMNS, **{name: kind for name, (kind, _) in extra.items()}, "record": str}
    rows = [
        {
            **row_of(record),
            **{name: values.get(record.id) for name, (_, values) in extra.items()},
            "record": record.model_dump_json(),
        }
        for record in bundle.records
    ]
    metadata = {
        f"kling_nb.{kind}s": json.dumps([one.model_dump(mode="json") for one in values])
        for kind, values in bundle.parts().items()
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()], metadata=metadata)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)


def _extra_columns(bundle: Bundle) -> Iterator[tuple[str, tuple[type, Mapping[str, Any]]]]:
    """Yield the columns that a record itself does not have, each with its values by record id."""
    cells = {name: cell for plan in bundle.filled_plans for name, cell in plan.cells.items()}
    for axis in dict.fromkeys(name for cell in cells.values() for name in cell.values):
        yield f"axis.{axis}", (str, {name: cell.values[axis] for name, cell in cells.items() if axis in cell.values})
    seen, wins = _votes_and_wins(bundle.votes)
    yield "votes", (int, seen)
    yield "wins", (float, wins)
    scores = [(record_id, score) for record_id, each in bundle.scores.items() for score in each]
    for name in sorted({score.name for _, score in scores}):
        yield f"score.{name}", (float, {record_id: score.value for record_id, score in scores if score.name == name})


def _votes_and_wins(votes: Sequence[Vote]) -> tuple[Mapping[str, int], Mapping[str, float]]:
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

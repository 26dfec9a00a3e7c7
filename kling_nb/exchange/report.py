"""What the votes and scores of a bundle say, for its report: rankings of each plan's axes, and a table of scores."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kling_nb.errors import KlingError
from kling_nb.exchange.bundle import Bundle
from kling_nb.models.judgements import Vote
from kling_nb.models.record import Record
from kling_nb.render.figures import ranking_html
from kling_nb.render.images import Links
from kling_nb.render.plan import MatrixSheet, Tile, TileState
from kling_nb.render.report import Judgements
from kling_nb.scoring.ranking import rank_votes
from kling_nb.store.queries import RecordSummary
from kling_nb.sweeps.design import Cell, Design
from kling_nb.sweeps.stored import from_stored

#: Draws of a report's bootstraps: fewer than a ranking of its own takes, since there is one for each axis.
_DRAWS = 300


def judged(bundle: Bundle, series: Sequence[Series]) -> Judgements:
    """Return rankings and scores; without the library that ranks, only how many votes there are."""
    votes, scores = bundle.votes, bundle.scores
    scorers = sorted({score.name for each in scores.values() for score in each})
    labels = {name: cell.label for one in series for name, cell in one.cells.items()}
    place = {name: number for number, name in enumerate(labels)}  # in the plan's order, then what is in none
    rows = [
        (record.id, labels.get(record.id, record.prompt), [by_name.get(name) for name in scorers])
        for record in sorted(bundle.records, key=lambda record: place.get(record.id, len(place)))
        if (by_name := {score.name: score for score in scores.get(record.id, ())})
    ]
    rankings = list(_rankings(votes, bundle, series))
    return Judgements(len(votes), len({vote.who for vote in votes}), rankings, scorers, rows)


def _rankings(votes: Sequence[Vote], bundle: Bundle, series: Sequence[Series]) -> Iterator[tuple[str, str]]:
    left = list(votes)
    for one in series:
        cells = one.cells
        mine = [vote for vote in votes if vote.left in cells and vote.right in cells]
        left = [vote for vote in left if vote not in mine]
        for axes, items in _groups(one) if mine else ():
            yield from _ranked(f"{' and '.join(axes)} of the plan {one.id}", mine, items)
    if left:
        met = {name for vote in left for name in (vote.left, vote.right)}
        yield from _ranked("single clips", left, {one.id: one.id for one in bundle.records if one.id in met})


def _groups(one: Series) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Yield each way in which axes part the clips: the axes that do so, and the value of each clip on the first."""
    found: dict[tuple[int, ...], list[str]] = {}
    for axis in one.design.names:
        values = [cell.values.get(axis, "–") for cell in one.cells.values()]
        known = list(dict.fromkeys(values))
        if len(known) > 1:
            found.setdefault(tuple(map(known.index, values)), []).append(axis)
    for axes in found.values():
        yield axes, {name: cell.values.get(axes[0], "–") for name, cell in one.cells.items()}


def _ranked(what: str, votes: Sequence[Vote], items: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(KlingError):
        found = rank_votes(votes, items, draws=_DRAWS)
        yield what, ranking_html(found.rows, found.summary)


@dataclass(frozen=True)
class Series:
    """A sweep and, by the id of each cell, its record."""

    id: str
    design: Design
    records: Mapping[str, Record]

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cell of each record, by the record's id."""
        return {self.records[cell.id].id: cell for cell in self.design.unique_cells if cell.id in self.records}

    def sheet(self, links: Links) -> MatrixSheet:
        """Return its clips over the first two axes that vary."""
        down, across = self.design.matrix_axes(None, None)
        return self.design.matrix(down, across, lambda cell: self._tile(cell, links))

    def _tile(self, cell: Cell, links: Links) -> Tile:
        record = self.records.get(cell.id)
        state: TileState = "existing" if record else "missing" if cell.request_hash else "invalid"
        return Tile(cell.label, state, record.id if record else "", links.poster(record) if record else None)


def series_of(bundle: Bundle) -> list[Series]:
    """Return each plan of a bundle with those of its records that have a clip there."""
    records = {record.id: record for record in bundle.records}
    made = [RecordSummary(one.id, one.request_hash, one.cell, one.status) for one in bundle.records if one.clip]
    found: list[Series] = []
    for plan in bundle.plans:
        design = from_stored(plan, lambda _: None)  # nothing is to be made: the pictures can stay where they are
        filled = {cell: records[one.id] for cell, one in design.assign(made).items()}
        found.append(Series(plan.id, design, filled))
    return found

"""A plan beside the records that are handed on with it: where each stands, and how it looks over two axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kling_nb.logbook.cells import Made
from kling_nb.models.record import Record
from kling_nb.render import Links, MatrixSheet, Tally, Tile
from kling_nb.research.bundle import Bundle
from kling_nb.research.kept import design_of
from kling_nb.research.plan import Cell, Design


@dataclass(frozen=True)
class Series:
    """A sweep and, by the id of each cell, its record."""

    id: str
    design: Design
    records: Mapping[str, Record]

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cell of each record, by the record's id."""
        return {self.records[cell.id].id: cell for cell in self.design.wanted if cell.id in self.records}

    def sheet(self, links: Links) -> MatrixSheet:
        """Return its clips over the first two axes that vary."""
        down, across = self.design.two_axes(None, None)
        return self.design.over(down, across, lambda cell: self._tile(cell, links))

    def _tile(self, cell: Cell, links: Links) -> Tile:
        record = self.records.get(cell.id)
        state: Tally = "there" if record else "missing" if cell.request_hash else "faulty"
        return Tile(cell.label, state, record.id if record else "", links.poster(record) if record else None)


def series_of(bundle: Bundle) -> list[Series]:
    """Return each plan of a bundle with those of its records that have a clip there."""
    records = {record.id: record for record in bundle.records}
    made = [Made(one.id, one.request_hash, one.cell, one.status) for one in bundle.records if one.clip]
    found: list[Series] = []
    for plan in bundle.plans:
        design = design_of(plan, lambda _: None)  # nothing is to be made: the pictures can stay where they are
        filled = {cell: records[one.id] for cell, one in design.filled_by(made).items()}
        found.append(Series(plan.id, design, filled))
    return found

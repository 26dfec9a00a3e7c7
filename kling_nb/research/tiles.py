"""A cell of a plan as a tile: its values, how it stands, its still."""

from __future__ import annotations

from kling_nb.models.embed import Film
from kling_nb.models.record import Record
from kling_nb.render import Links, Tally, Tile
from kling_nb.research.plan import Cell


def tile_of(
    cell: Cell, state: Tally, record: Record | None, links: Links, *, note: str = "", film: Film | None = None
) -> Tile:
    """Return the tile of a cell; `film` where its clip can be played too."""
    return Tile(
        label=cell.label,
        state=state,
        record=record.id if record else "",
        poster=links.poster(record) if record and record.clip else None,
        clip=film.src if film else None,
        note=note,
    )

"""The clips of a plan over two axes, as a table of small players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kling_nb.render.page import fill
from kling_nb.render.plan import Tile
from kling_nb.render.words import shortened


@dataclass(frozen=True)
class MatrixSheet:
    """Tiles by (row, column), by their words; `down` and `across` name the axes."""

    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    tiles: Mapping[tuple[str, str], Sequence[Tile]]


def matrix_html(sheet: MatrixSheet) -> str:
    """Return the matrix as HTML that needs no kernel; a player is as wide as its column allows."""
    width = max(96, min(220, 860 // max(1, len(sheet.columns))))
    return fill("matrix", sheet=sheet, width=width)


def matrix_text(sheet: MatrixSheet) -> str:
    """Return the matrix in lines of plain text."""
    lines = [f"{sheet.down} down, {sheet.across} across" if sheet.across else f"by {sheet.down}"]
    for row in sheet.rows:
        for column in sheet.columns:
            states = ", ".join(f"{tile.words} {tile.record}".strip() for tile in sheet.tiles.get((row, column), ()))
            lines.append(f"  {shortened(row, 40)} · {shortened(column, 40)}: {states or 'nothing'}")
    return "\n".join(lines)

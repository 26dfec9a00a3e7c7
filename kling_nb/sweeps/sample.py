"""A few cells of a plan that cover its axes, and the cost of the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from kling_nb.models.price import format_money
from kling_nb.render.formatting import counted
from kling_nb.sweeps.design import Cell


def covering(cells: Sequence[Cell], count: int) -> list[Cell]:
    """Return a few cells, in order, that show as many values of the axes as possible, and differ from each other."""
    seen: set[tuple[str, str]] = set()
    chosen: list[int] = []
    for _ in range(min(count, len(cells))):
        best = max(
            (index for index in range(len(cells)) if index not in chosen),
            key=lambda index: (
                len(cells[index].values.items() - seen),
                min((_differing(cells[index], cells[other]) for other in chosen), default=0),
                -index,
            ),
        )
        chosen.append(best)
        seen |= cells[best].values.items()
    return [cells[index] for index in sorted(chosen)]


def _differing(one: Cell, other: Cell) -> int:
    return sum(other.values.get(name) != value for name, value in one.values.items())


def rest_text(prices: Sequence[Decimal | None]) -> str:
    """Return how many clips a sample leaves and what they cost."""
    if not prices:
        return ""
    known = [price for price in prices if price is not None]
    total = sum(known, Decimal(0))
    money = [format_money(total) if total else "free"] if known else []
    money += [f"price unknown for {counted(len(prices) - len(known), 'clip')}"] if len(known) < len(prices) else []
    return " · ".join([counted(len(prices), "clip"), *money, "plan.run() makes them"])

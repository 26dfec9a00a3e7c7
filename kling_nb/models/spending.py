"""What a record has cost, may have cost, or will cost: the figures that budgets and `kn.spending()` add up."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Literal

from kling_nb.models.record import Record

#: `planned` is not bought yet, `open` is under way, `uncertain` may have been billed or not, `released` was not.
Charge = Literal["free", "planned", "open", "spent", "uncertain", "released"]

#: What counts against a limit. The uncertain does: a limit that holds only with luck is none.
COUNTED: tuple[Charge, ...] = ("open", "spent", "uncertain")

_MICRO = Decimal(1_000_000)


def charge_of(record: Record) -> Charge:
    """Return how a record's price stands.

    The hub does not say whether it bills a generation that failed or was cancelled after it had taken it, nor one
    whose answer was lost: those are uncertain. What it never took was never billed.
    """
    if record.local or record.imported or record.kind == "preview":
        return "free"
    match record.status:
        case "prepared":
            return "planned"
        case "succeeded":
            return "spent"
        case "uncertain":
            return "uncertain"
        case "failed" | "cancelled":
            lost = record.failure is not None and record.failure.kind == "lost"
            return "uncertain" if record.generation_id or lost else "released"
        case _:
            return "open"


def micros(amount: Decimal) -> int:
    """Return dollars as whole millionths, rounded up: a sum of them is exact in every database."""
    return int((amount * _MICRO).to_integral_value(rounding=ROUND_CEILING))


def from_micros(count: int) -> Decimal:
    """Return millionths as dollars."""
    return Decimal(count) / _MICRO

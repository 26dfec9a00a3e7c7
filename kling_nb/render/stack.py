"""Many cards under each other, without a long way to scroll."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kling_nb.render.look import LINE

#: From so many on, all but the first few are folded; what is folded is not fetched either.
MANY, FEW = 7, 4


def stacked(cards: Sequence[str], failed: Collection[int] = ()) -> str:
    """Return cards, each HTML, as one; of many the first few and the `failed` ones, the others behind one line."""
    if len(cards) < MANY:
        return "\n".join(cards)
    shown = [card for at, card in enumerate(cards) if at < FEW or at in failed]
    rest = [card for at, card in enumerate(cards) if at >= FEW and at not in failed]
    line = f"cursor:pointer;padding:8px 14px;margin:8px 2px 2px;max-width:936px;border:{LINE};border-radius:8px"
    fold = f"<summary style='{line}'>{len(rest)} more clip{'' if len(rest) == 1 else 's'}</summary>"
    return "\n".join([*shown, *([f"<details class='kling-more'>{fold}", *rest, "</details>"] if rest else [])])

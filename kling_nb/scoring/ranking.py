"""Rankings from votes: Bradley-Terry strengths by `choix` with bootstrap intervals.

A tie counts as half a win for each. Two items differ if the bootstrap's difference keeps its sign at the 5 % level,
divided by the number of pairs (Bonferroni): noise is not ranked.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp
from typing import Any

from kling_nb.errors import ArgumentError, KlingError
from kling_nb.models.judgements import Vote
from kling_nb.render.figures import RankRow, ranking_html, ranking_text
from kling_nb.selection import Selected
from kling_nb.session import Session

#: Draws of the bootstrap, the level of significance, and the regularization of strengths with few votes.
DRAWS, LEVEL, REGULARIZATION = 800, 0.05, 0.1
#: The fewest votes that can show a difference.
MIN_VOTES = 6


@dataclass(frozen=True)
class Ranking:
    """The ranking of some items; iterate over it for the rows.

    Attributes:
        rows: The items, strongest first, those without votes last.
        votes: The number of votes.
        apart: The pairs (better, worse) that differ significantly.
        summary: The result in a sentence.
    """

    rows: tuple[RankRow, ...]
    votes: int
    apart: frozenset[tuple[str, str]]
    summary: str

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _repr_html_(self) -> str:
        return ranking_html(self.rows, self.summary)

    def __repr__(self) -> str:
        return ranking_text(self.rows, self.summary)


def rank(session: Session, selection: Selected, by: str | None) -> Ranking:
    """Rank the clips of a selection; see `Selected.ranking`."""
    items = selection.labels(by) or {record.id: record.id for record in selection.records()}
    return rank_votes(session.store.votes.all(), items)


def rank_votes(votes: Sequence[Vote], item_of: Mapping[str, str], *, draws: int = DRAWS) -> Ranking:
    """Rank items by the votes on their records; `item_of` has the item of each record.

    Raises:
        ArgumentError: There are fewer than two items.
        KlingError: choix is not installed.
    """
    items = list(dict.fromkeys(item_of.values()))
    if len(items) < 2:
        raise ArgumentError(f"A ranking needs at least 2 different items, got {', '.join(items) or 'none'}.")
    games = [game for vote in votes if (game := _game(vote, item_of))]
    wins: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for one, other, share in games:
        wins[one] += share  # type: ignore[assignment] -- halves for ties
        wins[other] += 1 - share  # type: ignore[assignment] -- as above
        seen.update((one, other))
    # An item without votes has no strength, and does not change that of others.
    voted = [item for item in items if item in seen]
    index = {item: number for number, item in enumerate(voted)}
    pairs = [(index[one], index[other], share) for one, other, share in games]
    strengths = _strengths(len(voted), pairs)
    rng = random.Random(0)  # noqa: S311 - the same votes give the same intervals
    drawn = [_strengths(len(voted), rng.choices(pairs, k=len(pairs)), strengths) for _ in range(draws if pairs else 0)]
    apart = _apart(voted, strengths, drawn, len(games))
    rows = [
        RankRow(
            item=item,
            share=_chance(strengths[number]),
            low=_chance(_quantile([draw[number] for draw in drawn], 0.025, strengths[number])),
            high=_chance(_quantile([draw[number] for draw in drawn], 0.975, strengths[number])),
            votes=seen[item],
            wins=float(wins[item]),
        )
        for item, number in index.items()
    ]
    rows.sort(key=lambda row: -(row.share or 0))
    rows += [RankRow(item, None, None, None, 0, 0.0) for item in items if item not in seen]
    return Ranking(tuple(rows), len(games), apart, _summary(rows, apart, games, items))


def _game(vote: Vote, item_of: Mapping[str, str]) -> tuple[str, str, float] | None:
    one, other = item_of.get(vote.left), item_of.get(vote.right)
    if vote.outcome == "skip" or one is None or other is None or one == other:
        return None
    return one, other, {"left": 1.0, "right": 0.0, "tie": 0.5}[vote.outcome]


def _strengths(
    count: int, games: Sequence[tuple[int, int, float]], initial: Sequence[float] | None = None
) -> list[float]:
    """Return the strengths by `choix`; those of a bootstrap draw start at `initial` and are less exact."""
    try:
        import choix
        import numpy as np
    except ImportError as exc:
        raise KlingError("Rankings need choix: pip install 'kling-nb[metrics]'.") from exc
    if not games:
        return [0.0] * count
    wins = np.zeros((count, count))
    for one, other, share in games:
        wins[one, other] += share
        wins[other, one] += 1 - share
    start, tolerance = (None, 1e-8) if initial is None else (np.array(initial), 1e-4)
    found = [float(value) for value in choix.ilsr_pairwise_dense(wins, REGULARIZATION, start, tol=tolerance)]
    mean = sum(found) / count
    return [value - mean for value in found]


def _chance(strength: float) -> float:
    """Return the chance of winning against an item of average strength."""
    return 1 / (1 + exp(-strength))


def _quantile(values: Sequence[float], share: float, default: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else default


def _apart(
    items: Sequence[str], strengths: Sequence[float], drawn: Sequence[Sequence[float]], votes: int
) -> frozenset[tuple[str, str]]:
    if votes < MIN_VOTES or not drawn:
        return frozenset()
    couples = list(combinations(range(len(items)), 2))
    level = LEVEL / len(couples)
    found: set[tuple[str, str]] = set()
    for one, other in couples:
        better, worse = (one, other) if strengths[one] >= strengths[other] else (other, one)
        against = sum(draw[better] <= draw[worse] for draw in drawn) / len(drawn)
        if against <= level / 2:
            found.add((items[better], items[worse]))
    return frozenset(found)


def _summary(
    rows: Sequence[RankRow], apart: frozenset[tuple[str, str]], games: Sequence[Any], items: Sequence[str]
) -> str:
    votes = f"{len(games)} vote{'' if len(games) == 1 else 's'}"
    if not games:
        return "No votes yet. vote() shows two clips at a time."
    if alone := _not_compared(games, items):
        were = "was" if len(alone) == 1 else "were"
        return f"{votes}: {' and '.join(alone)} {were} never compared with the rest, so there is no overall ranking."
    best = [row.item for row in rows if (rows[0].item, row.item) in apart]
    if len(best) == len(rows) - 1:
        return f"{votes}: {rows[0].item} is ahead of all others."
    if not apart:
        return f"{votes}: no significant difference."
    return f"{votes}: some differ significantly, but there is no clear winner yet."


def _not_compared(games: Sequence[tuple[str, str, float]], items: Sequence[str]) -> list[str]:
    """Return the items that no chain of votes connects with the largest group."""
    group = {item: item for item in items}
    for one, other, _ in games:
        merged, target = group[other], group[one]
        group = {item: target if current == merged else current for item, current in group.items()}
    largest = Counter(group.values()).most_common(1)[0][0]
    return [item for item in items if group[item] != largest]

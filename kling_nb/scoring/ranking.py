"""A ranking from votes: Bradley-Terry strengths by `choix`, bootstrap intervals, and a word where none can be told.

A tie counts as half a win for each. Two are called apart when the bootstrap's difference keeps its sign at the 5 %
level, shared out over all pairs (Bonferroni): noise is not ranked.
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
from kling_nb.models.row import COLUMNS, row_of
from kling_nb.render.figures import RankRow, ranking_html, ranking_text
from kling_nb.selection import Planned, records_of
from kling_nb.session import Session

#: Draws of the bootstrap, the level, and how strongly strengths are held together where there are few votes.
DRAWS, LEVEL, HELD = 800, 0.05, 0.1
#: Votes below which nothing is called apart, whatever the arithmetic says.
FEWEST = 6


@dataclass(frozen=True)
class Ranking:
    """Strongest first, without votes last. `apart` holds the pairs (better, worse) that the votes tell apart."""

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


def rank_votes(votes: Sequence[Vote], item_of: Mapping[str, str], *, seed: int = 0, draws: int = DRAWS) -> Ranking:
    """Rank the items that the records of the votes stand for; `item_of` gives each record's.

    Raises `KlingError` without the library or for fewer than two items.
    """
    items = list(dict.fromkeys(item_of.values()))
    if len(items) < 2:
        raise KlingError(f"there is nothing to rank: all clips are the same ({', '.join(items) or 'none'})")
    games = [game for vote in votes if (game := _game(vote, item_of))]
    wins: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for one, other, share in games:
        wins[one] += share  # type: ignore[assignment] -- halves for ties
        wins[other] += 1 - share  # type: ignore[assignment] -- as above
        seen.update((one, other))
    # An item without votes has no strength, and moves that of no other.
    voted = [item for item in items if item in seen]
    place = {item: number for number, item in enumerate(voted)}
    pairs = [(place[one], place[other], share) for one, other, share in games]
    strengths = _strengths(len(voted), pairs)
    dice = random.Random(seed)  # noqa: S311 - a recorded seed, so that the same votes give the same intervals
    drawn = [_strengths(len(voted), dice.choices(pairs, k=len(pairs)), strengths) for _ in range(draws if pairs else 0)]
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
        for item, number in place.items()
    ]
    rows.sort(key=lambda row: -(row.share or 0))
    rows += [RankRow(item, None, None, None, 0, 0.0) for item in items if item not in seen]
    return Ranking(tuple(rows), len(games), apart, _said(rows, apart, games, items))


def _game(vote: Vote, item_of: Mapping[str, str]) -> tuple[str, str, float] | None:
    one, other = item_of.get(vote.left), item_of.get(vote.right)
    if vote.outcome == "skip" or one is None or other is None or one == other:
        return None
    return one, other, {"left": 1.0, "right": 0.0, "tie": 0.5}[vote.outcome]


def _strengths(
    count: int, games: Sequence[tuple[int, int, float]], about: Sequence[float] | None = None
) -> list[float]:
    """What `choix` finds; `about` is where to begin, for a draw, which need not be found as exactly."""
    try:
        import choix
        import numpy as np
    except ImportError as exc:
        raise KlingError("ranking() needs choix: pip install 'kling-nb[metrics]'") from exc
    if not games:
        return [0.0] * count
    wins = np.zeros((count, count))
    for one, other, share in games:  # a tie is half a win for each
        wins[one, other] += share
        wins[other, one] += 1 - share
    begin, exact = (None, 1e-8) if about is None else (np.array(about), 1e-4)
    found = [float(value) for value in choix.ilsr_pairwise_dense(wins, HELD, begin, tol=exact)]
    middle = sum(found) / count
    return [value - middle for value in found]


def _chance(strength: float) -> float:
    """How often it would win against one of middling strength."""
    return 1 / (1 + exp(-strength))


def _quantile(values: Sequence[float], share: float, nothing: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else nothing


def _apart(
    items: Sequence[str], strengths: Sequence[float], drawn: Sequence[Sequence[float]], votes: int
) -> frozenset[tuple[str, str]]:
    if votes < FEWEST or not drawn:
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


def _said(
    rows: Sequence[RankRow], apart: frozenset[tuple[str, str]], games: Sequence[Any], items: Sequence[str]
) -> str:
    votes = f"{len(games)} vote{'' if len(games) == 1 else 's'}"
    if not games:
        return "No votes yet: vote() shows two clips at a time."
    alone = _never_compared(games, items)
    if alone:
        were = "was" if len(alone) == 1 else "were"
        return f"{votes}: {' and '.join(alone)} {were} never compared with the rest, so no ranking holds for all."
    best = [row.item for row in rows if (rows[0].item, row.item) in apart]
    if len(best) == len(rows) - 1:
        return f"{votes}: {rows[0].item} is ahead of all others."
    if not apart:
        return f"{votes}: too few, or too even, to tell any two apart."
    return f"{votes}: some are apart, but who is the best cannot be told yet."


def _never_compared(games: Sequence[tuple[str, str, float]], items: Sequence[str]) -> list[str]:
    group = {item: item for item in items}
    for one, other, _ in games:
        mine, theirs = group[one], group[other]
        group = {item: mine if of == theirs else of for item, of in group.items()}
    sizes = Counter(group.values())
    largest = sizes.most_common(1)[0][0]
    return [item for item in items if group[item] != largest]


def rank(session: Session, selection: Any, by: str | None) -> Ranking:
    """Rank the clips of a selection; see `Selected.ranking`."""
    records = records_of(session, selection)
    if isinstance(selection, Planned):
        items = selection.labels(by)
    elif by is None:
        items = {record.id: record.id for record in records}
    elif by in COLUMNS:
        items = {record.id: str(row_of(record)[by]) for record in records}
    else:
        raise ArgumentError(f"Unknown column {by!r}. Choose one of {', '.join(COLUMNS)}.")
    return rank_votes(session.store.votes.all(), items)

"""The votes and scores of a bundle, for its report: rankings of each plan's axes, and a table of scores."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from kling_nb.errors import KlingError
from kling_nb.exchange.bundle import Bundle, FilledPlan
from kling_nb.models.judgements import Vote
from kling_nb.render.figures import ranking_html
from kling_nb.render.report import Judgements
from kling_nb.scoring.ranking import rank_votes

#: Bootstrap draws of each ranking: fewer than for a ranking alone, since there is one for each axis.
_DRAWS = 300


def judgements(bundle: Bundle) -> Judgements:
    """Return rankings and scores; without the library for rankings, only the number of votes."""
    votes, scores = bundle.votes, bundle.scores
    scorers = sorted({score.name for each in scores.values() for score in each})
    labels = {name: cell.label for plan in bundle.filled_plans for name, cell in plan.cells.items()}
    place = {name: number for number, name in enumerate(labels)}  # in the plan's order, then the other records
    rows = [
        (record.id, labels.get(record.id, record.prompt), [by_name.get(name) for name in scorers])
        for record in sorted(bundle.records, key=lambda record: place.get(record.id, len(place)))
        if (by_name := {score.name: score for score in scores.get(record.id, ())})
    ]
    return Judgements(len(votes), len({vote.who for vote in votes}), list(_rankings(bundle)), scorers, rows)


def _rankings(bundle: Bundle) -> Iterator[tuple[str, str]]:
    left = list(bundle.votes)
    for plan in bundle.filled_plans:
        mine = [vote for vote in bundle.votes if vote.left in plan.cells and vote.right in plan.cells]
        left = [vote for vote in left if vote not in mine]
        for axes, items in _groupings(plan) if mine else ():
            yield from _ranking(f"{' and '.join(axes)} of the plan {plan.id}", mine, items)
    if left:
        met = {name for vote in left for name in (vote.left, vote.right)}
        yield from _ranking("single clips", left, {one.id: one.id for one in bundle.records if one.id in met})


def _groupings(plan: FilledPlan) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Yield each way to group the clips by an axis: the axes that do it alike, and each clip's value on the first."""
    found: dict[tuple[int, ...], list[str]] = {}
    for axis in plan.design.names:
        values = [cell.values.get(axis, "–") for cell in plan.cells.values()]
        unique = list(dict.fromkeys(values))
        if len(unique) > 1:
            found.setdefault(tuple(map(unique.index, values)), []).append(axis)
    for axes in found.values():
        yield axes, {name: cell.values.get(axes[0], "–") for name, cell in plan.cells.items()}


def _ranking(title: str, votes: Sequence[Vote], items: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(KlingError):
        found = rank_votes(votes, items, draws=_DRAWS)
        yield title, ranking_html(found.rows, found.summary)

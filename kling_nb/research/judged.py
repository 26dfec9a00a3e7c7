"""What the votes of a bundle say, for its report: rankings of each plan's axes, and of what is in no plan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from kling_nb.errors import KlingError
from kling_nb.models.vote import Vote
from kling_nb.render.ranking import ranking_html
from kling_nb.render.report import Judged
from kling_nb.research.bundle import Bundle
from kling_nb.research.ranking import ranking
from kling_nb.research.series import Series

#: Draws of a report's bootstraps: fewer than a ranking of its own takes, since there is one for each axis.
_DRAWS = 300


def judged(bundle: Bundle, series: Sequence[Series]) -> Judged:
    """Return the rankings; without the library that makes them, only how many votes there are."""
    votes = bundle.votes
    return Judged(len(votes), len({vote.who for vote in votes}), list(_rankings(votes, bundle, series)))


def _rankings(votes: Sequence[Vote], bundle: Bundle, series: Sequence[Series]) -> Iterator[tuple[str, str]]:
    left = list(votes)
    for one in series:
        cells = one.cells
        mine = [vote for vote in votes if vote.left in cells and vote.right in cells]
        left = [vote for vote in left if vote not in mine]
        varied = [name for name in one.design.names if len({cell.at.get(name) for cell in cells.values()}) > 1]
        for axis in varied if mine else ():
            items = {name: cell.at.get(axis, "–") for name, cell in cells.items()}
            yield from _ranked(f"{axis} of the plan {one.id}", mine, items)
    if left:
        met = {name for vote in left for name in (vote.left, vote.right)}
        yield from _ranked("single clips", left, {one.id: one.id for one in bundle.records if one.id in met})


def _ranked(what: str, votes: Sequence[Vote], items: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(KlingError):
        found = ranking(votes, items, draws=_DRAWS)
        yield what, ranking_html(found.rows, found.said)

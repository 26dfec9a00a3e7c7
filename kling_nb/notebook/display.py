"""`Screen`: where a studio's jobs and records are seen, the cell that runs or the one that was run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from kling_nb.engine.job import Job
from kling_nb.models.judgements import Score
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record
from kling_nb.notebook.links import Links
from kling_nb.render import card_bundle, problems_html, problems_text, records_html, records_text

_NO_JOBS = "No jobs: nothing is under way. What has ended is in kn.log(), the newest first."


class Screen:
    """Shows live rows, finished cards and tables; widgets are loaded when the first row is shown."""

    def __init__(self, links: Links) -> None:
        self.links = links

    def show(self, jobs: list[Job], aside: str = "") -> None:
        """Show the live rows of some jobs, or a word that there are none; then what is to be said beside them."""
        from IPython.display import display

        from kling_nb.ui import progress

        if jobs:
            progress.display(jobs)
        if aside or not jobs:
            said = aside if jobs else f"No jobs here: {aside}" if aside else _NO_JOBS
            display({"text/plain": said}, raw=True)

    def publish(self, jobs: list[Job]) -> None:
        """Put the finished cards where the rows are, if there are any."""
        # What was never shown needs no card, and a script without IPython no widgets.
        if views := sys.modules.get("kling_nb.ui.outlet"):
            views.publish(jobs)

    def leave(self, unfinished: int, folder: Path) -> None:
        """Say at a script's end what goes on without it; a kernel's last words would be read by nobody."""
        ipython = sys.modules.get("IPython")
        if unfinished and not hasattr(ipython.get_ipython() if ipython else None, "kernel"):
            what, them = ("1 job is", "it") if unfinished == 1 else (f"{unfinished} jobs are", "them")
            print(f"kling_nb: {what} unfinished; kn.resume() goes on with {them} ({folder}).", file=sys.stderr)

    def line(self) -> Callable[[str], None]:
        """Return how to say one line that changes, in the cell that runs; without a kernel nobody hears it."""
        handle: Any = None

        def say(text: str) -> None:
            nonlocal handle
            ipython = sys.modules.get("IPython")
            shell = ipython.get_ipython() if ipython else None
            if not hasattr(shell, "kernel"):
                return
            if handle is None:
                from IPython.display import display

                handle = display({"text/plain": text}, raw=True, display_id=True)
            else:
                handle.update({"text/plain": text}, raw=True)

        return say

    def bundle(self, record: Record, scores: Iterable[Score] = ()) -> dict[str, Any]:
        """Return a record's card as a mimebundle."""
        return card_bundle(record, self.links, scores)

    def table(self, records: Sequence[Record], total: int) -> dict[str, Any]:
        """Return records as a table; `total` is how many there are with those that are not shown."""
        return {
            "text/html": records_html(records, self.links, total=total),
            "text/plain": records_text(records, total=total),
        }


class Problems(list[Problem]):
    """What `kn.lint` found: a list of `Problem` that shows itself in a cell."""

    def _repr_html_(self) -> str:
        return problems_html(self)

    def __repr__(self) -> str:
        return problems_text(self)

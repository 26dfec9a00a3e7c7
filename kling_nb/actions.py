"""`StudioActions`: the methods behind those of records, selections and plans, each one line that calls a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb import generation
from kling_nb.engine.job import Clip, Job, Jobs
from kling_nb.models.asset import Asset
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.selection import Selected
from kling_nb.session import Session

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kling_nb.comparison import Diff
    from kling_nb.exchange.export import ExportReport
    from kling_nb.models.restore import Reproducibility
    from kling_nb.render.report import Paragraph
    from kling_nb.scoring.ranking import Ranking
    from kling_nb.scoring.scoring import ScoreTable
    from kling_nb.sweeps.run import Run
    from kling_nb.ui.compare import VoteView
    from kling_nb.ui.gallery.controller import GalleryController
    from kling_nb.ui.progress import JobsView, RunView


class StudioActions:
    """The features that objects returned by a studio call; imported when they are used."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def request_of(self, record: Record) -> Request:
        """Return the request that a record was made from, its images read from the log."""
        from kling_nb.models import restore

        return restore.request_of(record, self._session.store.read)

    def rerun(self, record: Record, changes: Mapping[str, Any]) -> Job | Jobs:
        """Run a record's request again, with changes."""
        return generation.rerun(self._session, record, changes)

    def diff(self, record: Record, other: Record | Clip | Job | str) -> Diff:
        """Return the differences between two records."""
        from kling_nb import comparison

        return comparison.diff(self._session, record, other)

    def reproducibility_of(self, record: Record) -> Reproducibility:
        """Return what of a record can be reproduced."""
        from kling_nb import comparison

        return comparison.reproducibility_of(self._session, record)

    def scores_of(self, record: Record) -> dict[str, Score]:
        """Return the scores of a record's clip by scorer."""
        return {score.name: score for score in self._session.store.scores.of([record]).get(record.id, [])}

    def bundle_of(self, record: Record) -> dict[str, Any]:
        """Return a record's card as a MIME bundle."""
        return self._session.display.bundle(record, scores=self.scores_of(record).values())

    def frame(self, record: Record, number: int) -> Asset:
        """Return a frame of a record's clip as an image for a request."""
        from kling_nb.ui.panel.saved import SavedController

        return SavedController.of(self._session).frame(record.id, number)

    def save(self, record: Record, target: Path) -> Path:
        """Write a record's clip, with the record inside, to a file of the user's."""
        from kling_nb.exchange import mp4

        return mp4.save(self._session, record, target)

    def export(self, selection: Selected, to: str | Path, options: Mapping[str, Any]) -> ExportReport:
        """Write the records to a crate, a report, JSONL or Parquet."""
        from kling_nb.exchange import export

        return export.export_selection(self._session, selection, to, **options)

    def methods(self, selection: Selected) -> Paragraph:
        """Return a methods paragraph."""
        from kling_nb.exchange import export

        return export.methods_of(self._session, selection)

    def score(
        self,
        selection: Selected,
        scorers: Sequence[Any],
        *,
        recompute: bool,
        timeout: float,
        on: Executor | None = None,
    ) -> ScoreTable:
        """Score the clips and return the numbers as a table."""
        from kling_nb.scoring import scoring

        return scoring.score(self._session, selection, scorers, recompute=recompute, timeout=timeout, on=on)

    def ranking(self, selection: Selected, by: str | None) -> Ranking:
        """Rank the clips by their votes."""
        from kling_nb.scoring import ranking

        return ranking.rank(self._session, selection, by)

    def vote(self, selection: Selected, *, who: str | None, seed: int | None) -> VoteView:
        """Return the view for blind votes."""
        from kling_nb.ui import entry

        return entry.vote(self._session, selection, who, seed)

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """Display the live rows of jobs."""
        from kling_nb.ui import progress

        def acts() -> GalleryController:
            from kling_nb.ui.gallery.controller import GalleryController  # at the first press: it loads the panel

            return GalleryController(self._session)

        progress.display(jobs, self._session.display.links.log, acts)

    def jobs_view(self, jobs: Sequence[Job]) -> JobsView:
        """Return the live rows of jobs, for front ends that ask for an object to show."""
        from kling_nb.ui.progress import JobsView

        return JobsView(jobs)

    def card_view(self, bundle: Mapping[str, Any]) -> Any:
        """Return a card as a widget, for front ends that ask for an object to show."""
        from kling_nb.ui import marimo

        return marimo.card(bundle)

    def run_view(self, run: Run) -> RunView:
        """Return the live view of a plan's run."""
        from kling_nb.ui.progress import RunView

        return RunView(run)

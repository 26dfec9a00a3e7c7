"""`Display`: live rows, finished cards and tables in the cell that runs, or in the one that was run."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kling_nb.engine.job import Job
from kling_nb.models.catalogue import Model
from kling_nb.models.judgements import Score
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record
from kling_nb.notebook.links import Links
from kling_nb.notebook.location import in_kernel

_NO_JOBS = "No unfinished jobs. kn.log() lists the finished ones, newest first."


class Display:
    """Shows jobs and records in cells. Widgets and cards are loaded when the first one is shown."""

    def __init__(
        self,
        links: Links,
        show_jobs: Callable[[list[Job]], None],
        jobs_view: Callable[[list[Job]], Any],
        card_view: Callable[[Mapping[str, Any]], Any],
    ) -> None:
        self.links = links
        self._show_jobs, self._jobs_view, self._card_view = show_jobs, jobs_view, card_view

    def jobs_view(self, jobs: list[Job]) -> Any:
        """Return the live rows of jobs as an object, for front ends that ask for one (marimo)."""
        return self._jobs_view(jobs)

    def card_view(self, bundle: Mapping[str, Any]) -> Any:
        """Return a card as an object, for front ends that ask for one (marimo)."""
        return self._card_view(bundle)

    def show(self, jobs: list[Job], note: str = "") -> None:
        """Show the live rows of jobs, or a sentence that there are none, and a note below.

        A terminal cannot replace printed text, so it gets the current rows.
        """
        if jobs and in_kernel():
            self._show_jobs(jobs)
        elif jobs:
            from kling_nb.render.tables import progress_text

            now = datetime.datetime.now(datetime.UTC)
            _show_text("\n".join(progress_text(job.progress, now) for job in jobs))
        if note or not jobs:
            _show_text(note if jobs else f"No jobs here. {note}" if note else _NO_JOBS)

    def publish(self, jobs: list[Job]) -> None:
        """Put the finished cards in place of the rows, if there are any."""
        # Jobs that were never shown need no card, and a script without IPython loads no widgets.
        if outlet := sys.modules.get("kling_nb.ui.outlet"):
            outlet.publish(jobs)

    def leave(self, unfinished: int, folder: Path) -> None:
        """Print at a script's end that jobs are unfinished. A kernel prints nothing: its output would not be seen."""
        if unfinished and not in_kernel():
            count, them = ("1 job is", "it") if unfinished == 1 else (f"{unfinished} jobs are", "them")
            print(f"kling_nb: {count} unfinished; kn.resume() continues {them} ({folder}).", file=sys.stderr)

    def line(self) -> Callable[[str], None]:
        """Return a function that shows one line of text in the running cell and replaces it at the next call."""
        handle: Any = None

        def show(text: str) -> None:
            nonlocal handle
            if not in_kernel():
                return
            if handle is None:
                handle = _show_text(text, display_id=True)
            else:
                handle.update({"text/plain": text}, raw=True)

        return show

    def bundle(self, record: Record, *others: Record, scores: Iterable[Score] = ()) -> dict[str, Any]:
        """Return the card of a record, or of several of one batch, as a MIME bundle."""
        if others:
            from kling_nb.render.batch import batch_bundle

            return batch_bundle([record, *others], self.links)
        from kling_nb.render.card import card_bundle

        return card_bundle(record, self.links, scores)

    def strip(self, records: Sequence[Record]) -> dict[str, Any]:
        """Return several clips side by side as a MIME bundle."""
        from kling_nb.render.compare import strip_html

        return {"text/html": strip_html(records, self.links), "text/plain": "\n".join(map(str, records))}

    def table(self, records: Sequence[Record], total: int, note: str = "") -> dict[str, Any]:
        """Return records as a table in a MIME bundle, above a note; `total` counts those that are not shown, too."""
        from kling_nb.render.tables import records_html, records_text

        return {
            "text/html": records_html(records, self.links, total=total, note=note),
            "text/plain": "\n".join(filter(None, [records_text(records, total=total), note])),
        }


def _show_text(text: str, **options: Any) -> Any:
    from IPython.display import display

    return display({"text/plain": text}, raw=True, **options)


class Problems(list[Problem]):
    """The problems that `kn.lint` found: a list of `Problem` with a display in a cell."""

    def _repr_html_(self) -> str:
        from kling_nb.render.tables import problems_html

        return problems_html(self)

    def __repr__(self) -> str:
        from kling_nb.render.tables import problems_text

        return problems_text(self)


class Storyboard(Mapping[str, Any]):
    """A text as the fields of a request, and notes on how it was read. A table in a cell.

    Attributes:
        fields: The fields by the hub's names: `multi_prompt` or `prompt`, and settings that the text names.
        notes: What was recognised, changed and left out.
    """

    def __init__(self, fields: Mapping[str, Any], notes: Sequence[str]) -> None:
        self.fields, self.notes = dict(fields), tuple(notes)

    @property
    def shots(self) -> list[dict[str, Any]]:
        """The shots with `prompt` and `duration`; empty if the text is one prompt."""
        return [dict(shot) for shot in self.fields.get("multi_prompt", ())]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def _repr_html_(self) -> str:
        from kling_nb.render.storyboard import storyboard_html

        return storyboard_html(self.fields, self.notes)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from kling_nb.render.storyboard import storyboard_text

        return {"text/html": self._repr_html_(), "text/plain": storyboard_text(self.fields, self.notes)}

    def __repr__(self) -> str:
        return f"<Storyboard: {self.notes[0] if self.notes else 'empty'}>"


class Models(Sequence[Model]):
    """The models of one or more hubs, in the order of their catalogues. A table in a cell.

    Index it by number or by ID. If several hubs have an ID, that is the entry of the first hub.

    Attributes:
        hubs: The models by the title of their hub.
        notes: A sentence about each hub that is missing.
    """

    def __init__(self, hubs: Mapping[str, Sequence[Model]], notes: Sequence[str] = ()) -> None:
        self.hubs, self.notes = {title: tuple(models) for title, models in hubs.items()}, tuple(notes)
        self._models = [model for models in self.hubs.values() for model in models]

    def __getitem__(self, which: Any) -> Any:
        if not isinstance(which, str):
            return self._models[which]
        found = next((model for model in self._models if model.id == which), None)
        if found is None:
            raise KeyError(which)
        return found

    def __len__(self) -> int:
        return len(self._models)

    def _repr_html_(self) -> str:
        from kling_nb.render.tables import models_html

        return models_html(self.hubs, self.notes)

    def __repr__(self) -> str:
        from kling_nb.render.tables import models_text

        return models_text(self.hubs, self.notes)

"""`Sharing`: the verbs that hold two records beside each other, repeat one, and carry one elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from kling_nb import errors
from kling_nb.engine.job import Clip, Job, Jobs
from kling_nb.exchange.bundle import Bundle
from kling_nb.exchange.selection import each_of, record_of, records_of
from kling_nb.making import Making
from kling_nb.models.catalogue import Model
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.reproducibility import Reproducibility, reproducibility
from kling_nb.notebook.links import Links
from kling_nb.notebook.location import notebook_path
from kling_nb.render import Difference, compare_html, compare_text, diff
from kling_nb.render.report import Heading, Paragraph, methods
from kling_nb.settings import KEY

if TYPE_CHECKING:
    from kling_nb.exchange.export import ExportReport
    from kling_nb.exchange.notebook import PublicNotebook
    from kling_nb.exchange.selection import Handed
    from kling_nb.store.merge import MergeReport
    from kling_nb.sweeps.plan import Plan


class Diff(Sequence[Difference]):
    """What differs between records, and nothing else; in a cell beside their clips."""

    def __init__(self, records: Sequence[Record], links: Links, scores: Sequence[Sequence[Score]] = ()) -> None:
        self._records, self._links, self._found = records, links, diff(records, scores)

    def __getitem__(self, which: Any) -> Any:
        return self._found[which]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self._found)

    def _repr_html_(self) -> str:
        return compare_html(self._records, self._links, self._found)

    def __repr__(self) -> str:
        return compare_text(self._records, self._found)


class Sharing(Making):
    """Differences, repetition, and the record inside a clip's file."""

    def diff(self, one: Record | Clip | Job | str, other: Record | Clip | Job | str) -> Diff:
        """Return only what differs between two records: request, pictures by hash, model, schema, price, timings, file,
        scores.

        Takes records, clips, jobs or ids. Words that differ in prompts are marked.
        """
        records = [self._record(one), self._record(other)]
        known = self.store.scores.of(records)
        return Diff(records, self.parts.screen.links, [known.get(record.id, []) for record in records])

    def replay(self, record: Record | Clip | Job | str) -> Job | Jobs:
        """Run a record's request again, byte for byte as it was asked, and return the job; this spends its price.

        The new record names the old one (`rerun_of`). Raises `LogError` when a picture is lost, or when the record was
        edited so that its request is not the one of its hash.
        """
        return self.rerun(self._record(record), {})

    def from_video(self, file: str | Path) -> Record:
        """Return the record that a clip's file carries (`record.save` puts it there), on any machine.

        `kn.panel(record)` fills the panel with it. The file is not trusted: its record is checked, and shown as text
        only. Raises `LogError` when it carries none.
        """
        from kling_nb.exchange.mp4 import read_embedded

        inside = read_embedded(Path(file).expanduser())
        notes = () if inside.untouched else ("The clip was changed after this record was written into its file.",)
        return self.bind(inside.record.model_copy(update={"notes": (*inside.record.notes, *notes)}))

    def export(
        self,
        selection: Handed,
        to: str | Path,
        *,
        title: str | None = None,
        description: str = "",
        authors: str | Iterable[str] = (),
        licence: str = "",
        notebook: str | Path | bool | None = None,
        version: str = "1.3",
        embed: float = 0,
    ) -> ExportReport:
        """Write records, with all that belongs to them, for somebody else; the ending of `to` says in which form.

        `selection` is the log, a plan, a record, a clip, a job, an id, or a list of them.
        A `.zip` or a folder becomes an RO-Crate (`version` 1.3, or 1.1, which claims the Process Run Crate profile):
        clips, pictures, records, a report, the plans that the records were made for (whole), the votes between them
        (with who voted) and their scores. `.html` is the report alone, with up to `embed` megabytes of clips inside
        and the rest beside it; `.jsonl` and `.parquet` are for machines. `authors` are names (a text is one), or
        `Name <https://orcid.org/…>`; `licence` is an SPDX name or an address. Neither a key, a signed address nor a
        folder's name goes along; the pictures that were referred to do.
        A notebook goes into a crate only when asked for: `notebook="study.ipynb"`, or True for the one that runs, as
        it was last saved. The key in use, and what looks like a key, a token or a signature, is taken out of it; what
        else its cells say, goes along.
        Raises `LogError`, also for a name that is taken, and `KlingError` for a selection that is none.
        """
        from kling_nb.exchange.export import export

        to = Path(to).expanduser()
        heading = _heading(title or to.stem or "Generated clips", description, authors, licence)
        bundle = self._bundle(selection)
        return export(
            bundle,
            to.absolute(),
            heading,
            version=version,
            notebook=self._notebook(notebook),
            embed=_megabytes(embed),
            now=datetime.datetime.now(datetime.UTC),
        )

    def import_log(self, source: str | Path) -> MergeReport:
        """Take all that a crate (folder or zip) or a `.jsonl` file holds into this log, and say what came.

        Nothing of it is trusted: what is not sound is listed and left out. What was paid elsewhere does
        not count in this log's spending. Done again, it changes nothing. Raises `LogError`.
        """
        from kling_nb.exchange.importing import import_records

        return import_records(Path(source).expanduser().absolute(), self.store)

    def methods(self, selection: Handed) -> Paragraph:
        """Return a methods paragraph in plain English: models, dates, counts, settings, prices, from the records.

        Takes what `export` takes. Raises `KlingError` for a selection that is none.
        """
        bundle = self._bundle(selection)
        axes = [plan.axes for plan in bundle.plans]
        people = len({vote.who for vote in bundle.votes})
        return methods(bundle.records, plans=axes, votes=len(bundle.votes), people=people)

    # --- what records can do ---

    def save(self, record: Record, target: Path) -> Path:
        """Write a record's clip to a file or into a folder, an MP4 with the record inside; return where it is."""
        from kling_nb.exchange.mp4 import save_clip

        source = self.store.file(record.clip.digest) if record.clip else None
        if source is None:
            raise errors.LogError(f"{record.id} has no clip in this log, so there is nothing to save.")
        return save_clip(record, source, target, self.store.folder / "media")

    def reproducibility_of(self, record: Record) -> Reproducibility:
        """Say what can and cannot be had again; asks the catalogue whether model, schema and price are the same."""
        lost = tuple(item.name or item.given for item in record.references if self._is_lost(item.digest))
        model, trouble = self._listed(record)
        now = None
        if model is not None and not lost:
            with contextlib.suppress(errors.KlingError):
                now = self.parts.connection.price_of(self.request_of(record).draft(), model)
        return reproducibility(record, model=model, now=now, lost=lost, trouble=trouble)

    # --- inside ---

    def _bundle(self, selection: Any) -> Bundle:
        things = list(each_of(selection))
        bundle = Bundle.of(records_of(things, self.store.get), self.store)
        plans = {plan.id: plan for plan in bundle.plans}
        plans |= {plan.id: plan for plan in (thing.kept() for thing in things if _is_plan(thing))}
        return dataclasses.replace(bundle, plans=list(plans.values()))

    def _notebook(self, given: Any) -> PublicNotebook | None:
        from kling_nb.exchange.notebook import PublicNotebook

        if given is None or given is False:
            return None
        if not isinstance(given, str | os.PathLike | bool):
            raise errors.LogError(f"notebook={given!r} is no file: give its name, or True for the one that runs.")
        file = notebook_path() if given is True else Path(cast("str | os.PathLike[str]", given)).expanduser()
        if file is None:
            raise errors.LogError('Nothing tells which notebook runs here: give its name, notebook="study.ipynb".')
        key = self.parts.settings.key
        return PublicNotebook.of(file, [*filter(None, (key.get_secret_value() if key else "", os.environ.get(KEY)))])

    def _is_lost(self, digest: str | None) -> bool:
        return digest is not None and self.store.file(digest) is None

    def _listed(self, record: Record) -> tuple[Model | None, str]:
        if record.hub != self.parts.connection.main.name:
            return None, f"it was made at {record.hub}, which is not the hub in use."
        try:
            return self.model(record.model), ""
        except errors.ModelNotFound as exc:
            instead = f" It names {exc.alternatives[0]} instead." if exc.alternatives else ""
            return None, f"the hub no longer lists {record.model}.{instead}"
        except (errors.HubError, errors.WaitTimeout) as exc:
            return None, str(exc)

    def _record(self, one: Any) -> Record:
        return record_of(one, lambda record_id: self.bind(self.store.get(record_id)))


def _is_plan(thing: Any) -> TypeGuard[Plan]:
    from kling_nb.sweeps.plan import Plan

    return isinstance(thing, Plan)


def _heading(title: Any, description: Any, authors: Any, licence: Any) -> Heading:
    texts = {"title": title, "description": description or "", "licence": licence or ""}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise errors.LogError(f"{name}={value!r} is no text: give one.")
    # A text is a sequence of texts too, and its letters are nobody's names.
    names = [authors] if isinstance(authors, str) else authors
    people: list[Any] = list(cast("Iterable[Any]", names)) if isinstance(names, Iterable) else [names] if names else []
    if wrong := [one for one in people if not isinstance(one, str)]:
        raise errors.LogError(
            f'authors={authors!r} are no names ({wrong[0]!r} is no text): give "Ann Lee" or ["Ann Lee", "Bo Chen"].'
        )
    return Heading(title, description or "", tuple(name for name in people if name.strip()), licence or "")


def _megabytes(embed: Any) -> float:
    if isinstance(embed, bool) or not isinstance(embed, int | float) or not 0 <= embed < math.inf:
        raise errors.LogError(f"embed={embed!r} is no number of megabytes: give one, or 0 for no clip inside.")
    return embed

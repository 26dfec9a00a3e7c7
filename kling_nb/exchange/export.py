"""Exports: records and everything that belongs to them, written as a crate, a report, JSON lines or Parquet."""

from __future__ import annotations

import base64
import datetime
import math
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, cast, get_args

from kling_nb.errors import ArgumentError, ArgumentTypeError, ExchangeError
from kling_nb.exchange.bundle import Bundle, ReportLinks, clip_link, clip_name
from kling_nb.exchange.columns import lines_of, write_columns
from kling_nb.exchange.crate import Version, write_crate
from kling_nb.exchange.notebook import PublicNotebook
from kling_nb.exchange.report import judgements
from kling_nb.models.record import Record
from kling_nb.models.urls import printable
from kling_nb.notebook.location import notebook_path
from kling_nb.render.formatting import format_size
from kling_nb.render.report import Heading, Paragraph, PlanSection, methods, report_html
from kling_nb.selection import Selected, each_of, records_of
from kling_nb.session import Session
from kling_nb.settings import FAL_KEY, KEY
from kling_nb.store.disk import path_of
from kling_nb.store.log import Log
from kling_nb.store.media import digest_of
from kling_nb.sweeps.plan import Plan

Form = Literal["crate", "html", "jsonl", "parquet"]
_FORMS: dict[str, Form] = {".zip": "crate", "": "crate", ".html": "html", ".jsonl": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True)
class ExportReport:
    """The result of an export; `omissions` has a sentence for each file that was left out."""

    path: Path
    form: Form
    records: int
    clips: int
    notebook: PublicNotebook | None = None
    omissions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        files = [self.path] if self.path.is_file() else [path for path in self.path.rglob("*") if path.is_file()]
        records = f"{self.records} record{'' if self.records == 1 else 's'}"
        clips = f"{self.clips} clip{'' if self.clips == 1 else 's'}"
        size = format_size(sum(path.stat().st_size for path in files))
        notebook = f", with {self.notebook}" if self.notebook else ""
        contents = f"{_NAMES[self.form]} of {records}, {clips}, {size}{notebook}"
        return "\n".join([f"{self.path.name}: {contents}", *self.omissions])


_NAMES = {"crate": "an RO-Crate", "html": "a report", "jsonl": "JSON lines", "parquet": "a Parquet file"}


def export(
    bundle: Bundle,
    to: Path,
    heading: Heading,
    *,
    version: str = "1.3",
    notebook: PublicNotebook | None = None,
    embed: float = 0,
    now: datetime.datetime,
) -> ExportReport:
    """Write a bundle in the form of the target's suffix; the target appears when it is complete.

    `embed` is how many megabytes of clips an HTML report contains; the others are beside it in `clips/`.
    Raises `ArgumentError` for no records, another suffix or an existing target, and `ExchangeError`.
    """
    form = _form_of(to)
    if notebook and form != "crate":
        raise ArgumentError(f"Only a crate can contain a notebook, got to={to.name!r}. Use a name that ends in .zip.")
    if not bundle.records:
        raise ArgumentError("There is nothing to export: no record of the selection has ended.")
    if version not in get_args(Version):
        raise ArgumentError(f"version must be '1.3' or '1.1', got {version!r}.")
    try:
        if to.exists():
            raise ArgumentError(f"{to} exists already. Give another name, or remove it first.")
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".export-") as near:
            made = Path(near) / "whole"
            match form:
                case "crate":
                    _crate(made, to.suffix == ".zip", bundle, heading, version, notebook, now)
                case "html":
                    _report(made, to, bundle, heading, embed, now)
                case "jsonl":
                    made.write_text("".join(f"{line}\n" for line in lines_of(bundle)), "utf-8")
                case "parquet":
                    write_columns(made, bundle)
            made.replace(to)
    except OSError as exc:
        raise ExchangeError(f"{to} cannot be written: {exc}.") from exc
    clips = sum(1 for _ in bundle.clips()) if form in ("crate", "html") else 0
    return ExportReport(to, form, len(bundle.records), clips, notebook, tuple(bundle.omissions()))


def export_beside(records: Sequence[Record], log: Log, folder: Path) -> ExportReport:
    """Write a zipped crate of records, without a notebook, into a folder under a new name."""
    now = datetime.datetime.now(datetime.UTC)
    names = (f"clips-{now:%Y-%m-%d}{f'-{number}' if number > 1 else ''}.zip" for number in count(1))
    target = next(folder / name for name in names if not (folder / name).exists())
    return export(Bundle.of(records, log), target, Heading(f"Clips of {now:%Y-%m-%d}"), now=now)


def _form_of(to: Path) -> Form:
    if to.suffix.lower() not in _FORMS:
        raise ArgumentError(f"to must be a folder, or end in .zip, .html, .jsonl or .parquet, got {to.name!r}.")
    return _FORMS[to.suffix.lower()]


def _crate(
    made: Path,
    zipped: bool,
    bundle: Bundle,
    heading: Heading,
    version: Any,
    notebook: PublicNotebook | None,
    now: datetime.datetime,
) -> None:
    folder = made.with_name("crate") if zipped else made
    folder.mkdir()
    for digest, name in bundle.media():
        bundle.copy(digest, folder / name)
    report = _page(bundle, ReportLinks(bundle), heading, now)
    write_crate(folder, bundle, heading, version=version, notebook=notebook, report=report)
    if zipped:
        # Clips are compressed already; deflating them again takes time and gains nothing.
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as whole:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                whole.write(path, path.relative_to(folder).as_posix())
        shutil.rmtree(folder)


def _report(made: Path, to: Path, bundle: Bundle, heading: Heading, embed: float, now: datetime.datetime) -> None:
    left = int(embed * 1_000_000)
    copies: dict[Path, Path] = {}

    def address(record: Record, source: Path) -> str | None:
        nonlocal left
        assert record.clip is not None  # noqa: S101 - a source is that of a clip
        digest, target = record.clip.digest, to.parent / clip_name(record)
        if (size := source.stat().st_size) <= left:
            if (data := bundle.read(digest)) is None:
                return None
            left -= size
            return f"data:{record.clip.media_type};base64,{base64.b64encode(data).decode()}"
        if target.exists():
            if digest_of(target) != digest:
                raise ArgumentError(f"{target} is another file. Move it away, or export to another folder.")
        elif target not in copies:
            copy = made.with_name(target.name)
            if not bundle.copy(digest, copy):
                return None
            copies[target] = copy
        return clip_link(record, source)

    made.write_text(_page(bundle, ReportLinks(bundle, address), heading, now), encoding="utf-8")
    for target, copy in copies.items():
        target.parent.mkdir(exist_ok=True)
        copy.replace(target)


def _page(bundle: Bundle, links: ReportLinks, heading: Heading, now: datetime.datetime) -> str:
    plans = [PlanSection(one.id, one.design.axes, one.sheet(links), bundle.planned(one)) for one in bundle.filled_plans]
    return report_html(bundle.records, links, heading, now, plans=plans, judged=judgements(bundle))


def export_selection(
    session: Session,
    selection: Selected,
    to: str | Path,
    *,
    title: Any = None,
    description: Any = "",
    authors: Any = (),
    licence: Any = "",
    notebook: Any = None,
    version: str = "1.3",
    embed: Any = 0,
) -> ExportReport:
    """Write the records of a selection; see `Selected.export`."""
    target = path_of("to", to)
    return export(
        _bundle(session, selection),
        target.absolute(),
        _heading(title or printable(target.stem) or "Generated clips", description, authors, licence),
        version=version,
        notebook=_public_notebook(session, notebook),
        embed=_megabytes(embed),
        now=datetime.datetime.now(datetime.UTC),
    )


def methods_of(session: Session, selection: Selected) -> Paragraph:
    """Return a methods paragraph; see `Selected.methods`."""
    bundle = _bundle(session, selection)
    axes = [(plan.design.axes, bundle.planned(plan)) for plan in bundle.filled_plans]
    people = len({vote.who for vote in bundle.votes})
    return methods(bundle.records, plans=axes, votes=len(bundle.votes), people=people)


def _bundle(session: Session, selection: Selected) -> Bundle:
    things = list(each_of(selection))
    plans = [thing.to_stored() for thing in things if isinstance(thing, Plan)]
    return Bundle.of(records_of(session, things), session.store, plans)


def _public_notebook(session: Session, given: Any) -> PublicNotebook | None:
    if given is None or given is False:
        return None
    if not isinstance(given, str | os.PathLike | bool):
        raise ArgumentTypeError(f"notebook must be a file name or True, got {given!r}.")
    file = notebook_path() if given is True else Path(cast("str | os.PathLike[str]", given)).expanduser()
    if file is None:
        raise ArgumentError('The running notebook is not known. Give its name: notebook="study.ipynb".')
    keys = [key.get_secret_value() for key in session.settings.keys.values()]
    return PublicNotebook.of(file, [*keys, *filter(None, (os.environ.get(KEY), os.environ.get(FAL_KEY)))])


def _heading(title: Any, description: Any, authors: Any, licence: Any) -> Heading:
    for name, value in {"title": title, "description": description or "", "licence": licence or ""}.items():
        if not isinstance(value, str):
            raise ArgumentTypeError(f"{name} must be a string, got {value!r}.")
    # A string is an iterable of strings too, but its letters are not names.
    names = [authors] if isinstance(authors, str) else authors
    people: list[Any] = list(cast("Iterable[Any]", names)) if isinstance(names, Iterable) else [names] if names else []
    if not all(isinstance(one, str) for one in people):
        raise ArgumentTypeError(f'authors must be names, such as ["Ann Lee", "Bo Chen"], got {authors!r}.')
    return Heading(title, description or "", tuple(name for name in people if name.strip()), licence or "")


def _megabytes(embed: Any) -> float:
    if isinstance(embed, bool) or not isinstance(embed, int | float) or not 0 <= embed < math.inf:
        raise ArgumentError(f"embed must be a non-negative number of megabytes, got {embed!r}.")
    return embed

"""Other logs of this user: a small list of the logs that kernels have used, and what a new, empty log finds in them.

A notebook that is moved into another folder begins a new log there, and its earlier records and jobs seem to be lost.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kling_nb.errors import KlingError
from kling_nb.models.record import Record
from kling_nb.store.disk import read_whole, write_whole
from kling_nb.store.log import Log
from kling_nb.store.sidecars import Sidecars, read_sidecar

#: How many logs are remembered, how many folders above are looked into, and how many records of each log are read.
REMEMBERED, LEVELS, MOST_READ = 50, 6, 5_000


@dataclass(frozen=True)
class OtherLog:
    """A log that has records of a notebook; `unfinished` is the number of its paid jobs that have not ended."""

    folder: Path
    records: int
    unfinished: int

    def __str__(self) -> str:
        records = f"{self.records} record{'' if self.records == 1 else 's'}"
        jobs = f", {self.unfinished} unfinished paid job{'' if self.unfinished == 1 else 's'}"
        return f"{self.folder} ({records}{jobs if self.unfinished else ''})"


def remember(folder: Path) -> None:
    """Add a log to the list of this user. It is a hint: a home that cannot be written is ignored."""
    with contextlib.suppress(OSError):
        known = remembered()
        if known[:1] != [folder]:
            others = [path for path in known if path != folder and path.is_dir()]
            names = [str(path) for path in (folder, *others)][:REMEMBERED]
            write_whole(_list(), json.dumps(names, indent=1).encode("utf-8", "surrogateescape"))


def other_logs(own: Path, beside: Path, notebook: str | None) -> list[OtherLog]:
    """Return the logs above a notebook's folder, and those of the list, that have records of the notebook.

    It is known by its name, since its folder is what has changed. Outside notebooks the name is unknown: then only the
    logs above count, with all of their records.
    """
    above = [parent / own.name for parent in beside.resolve().parents[:LEVELS]]
    found: list[OtherLog] = []
    for folder in dict.fromkeys((*above, *(remembered() if notebook else ()))):
        with contextlib.suppress(OSError):
            if folder.resolve() == own.resolve() or not (folder / "records").is_dir():
                continue
            records = list(_records_of(folder, notebook))
            unfinished = sum(not record.ended and not record.local for record in records)
            if records:
                found.append(OtherLog(folder, len(records), unfinished))
    return found


def log_with(record_id: str) -> Log | None:
    """Return the log of the list that has a record, to be read as it is; None if there is none."""
    for folder in remembered():
        with contextlib.suppress(OSError, KlingError):
            if Sidecars(folder / "records").find(record_id):
                return Log(folder, as_it_is=True)
    return None


def moved_text(own: Path, beside: Path, notebook: str | None) -> str:
    """Return where a notebook's records are while its own log is empty, and how to use them; empty for nowhere."""
    if not (others := other_logs(own, beside, notebook)):
        return ""
    most, *_ = others = sorted(others, key=lambda one: (one.unfinished, one.records), reverse=True)
    more = f" and {len(others) - 3} more" if others[3:] else ""
    use = f"kn.configure(log={str(most.folder)!r})"
    resume = ", then kn.resume()" if most.unfinished else ""
    places = f"{', '.join(map(str, others[:3]))}{more}"
    return (
        f"This log is new ({own}), but records of {notebook or 'this folder'} are in {places}. "
        f"To use them, call {use}{resume}; or move that folder here while no kernel uses it."
    )


def _records_of(folder: Path, notebook: str | None) -> Iterator[Record]:
    name = b"" if notebook is None else json.dumps(notebook, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for number, (path, _) in enumerate(Sidecars(folder / "records").first()):
        if number >= MOST_READ:
            return
        with contextlib.suppress(OSError, KlingError):
            if name in read_whole(path) and notebook in (None, (record := read_sidecar(path)).notebook):
                yield record


def _list() -> Path:
    import platformdirs

    return platformdirs.user_state_path("kling_nb") / "logs.json"


def remembered() -> list[Path]:
    """Return the logs that kernels of this user have used, newest first."""
    try:
        names: Any = json.loads(read_whole(_list()))
    except (OSError, ValueError, RecursionError):
        return []
    known = cast("list[Any]", names) if isinstance(names, list) else []
    return [Path(name) for name in known if isinstance(name, str) and name and "\0" not in name]

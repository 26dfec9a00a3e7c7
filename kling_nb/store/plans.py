"""The plans of a log, one JSON file each: `plans/<id>.json`. A rebuild does not change them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kling_nb.errors import ArgumentError, LogError, NotSaved
from kling_nb.models.plan import StoredPlan
from kling_nb.store.disk import read_whole, write_whole, written_in
from kling_nb.store.sidecars import DIGESTS, errors_in

_ID = re.compile(r"[0-9a-f]{12}")
#: A plan may have 200,000 cells.
MOST_PLAN_BYTES = 64_000_000


@dataclass(frozen=True)
class Plans:
    """The plans in the folder of a log."""

    log: Path

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self.log / "plans"

    def save(self, plan: StoredPlan) -> None:
        """Save a plan. Raises `LogError`."""
        with written_in(self.log):
            write_whole(self._path(plan.id), plan.model_dump_json().encode() + b"\n")

    def merge(self, plan: StoredPlan) -> bool:
        """Add a plan of another log and return whether it was new; two plans of one id ask for the same."""
        if self.has(plan.id):
            return False
        self.save(plan)
        return True

    def has(self, plan_id: str) -> bool:
        """Return whether there is a plan of this id."""
        return bool(_ID.fullmatch(plan_id)) and self._path(plan_id).is_file()

    def get(self, plan_id: str) -> StoredPlan:
        """Return a plan by its id or the beginning of it. Raises `NotSaved` unless exactly one plan matches."""
        found = [name for name in self.ids() if name.startswith(plan_id)] if plan_id else []
        if len(found) != 1:
            known = ", ".join(self.ids()) or "none"
            why = f"{len(found)} plans begin with {plan_id!r}" if found else f"There is no plan {plan_id!r}"
            raise NotSaved(f"{why}. Plans in this log: {known}.")
        return self._whole(found[0])

    def ids(self) -> list[str]:
        """Return the ids of all plans, in the order of their last run."""
        files = [path for path in self.folder.glob("*.json") if _ID.fullmatch(path.stem) and path.is_file()]
        return [path.stem for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.stem))]

    def all(self) -> Iterator[StoredPlan]:
        """Yield every plan that can be read."""
        for name in self.ids():
            try:
                yield self._whole(name)
            except LogError:
                continue

    def digests(self) -> dict[str, str]:
        """Return each digest that a plan names, with the plan's name."""
        # Read as text: a plan may have ten thousand cells, and this is called whenever a record is moved to the trash.
        found: dict[str, str] = {}
        for name in self.ids():
            try:
                text = read_whole(self._path(name), MOST_PLAN_BYTES).decode("utf-8", "replace")
            except OSError as exc:  # its digests are unknown
                raise _unreadable(self._path(name), exc) from exc
            found |= dict.fromkeys(DIGESTS.findall(text), f"plan {name}")
        return found

    def _whole(self, plan_id: str) -> StoredPlan:
        return read_plan(self._path(plan_id))

    def _path(self, plan_id: str) -> Path:
        if not _ID.fullmatch(plan_id):
            raise ArgumentError(f"A plan id must be 12 hex digits, got {plan_id[:80]!r}.")
        return self.folder / f"{plan_id}.json"


def read_plan(path: Path) -> StoredPlan:
    """Return the plan in a file. Raises `LogError` if it is damaged, or was edited."""
    try:
        plan = StoredPlan.model_validate_json(read_whole(path, MOST_PLAN_BYTES))
        sound = plan.derived_id == plan.id == path.stem
    except (OSError, ValueError) as exc:
        raise _unreadable(path, exc) from exc
    if not sound:
        raise LogError(f"{path} was edited: its content has another id. Restore it from a copy, or move it away.")
    return plan


def _unreadable(path: Path, exc: Exception) -> LogError:
    return LogError(f"{path} is not a readable plan ({errors_in(exc)}): restore it from a copy, or move it away.")

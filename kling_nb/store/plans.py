"""The plans of a log: one JSON file each, `plans/<id>.json`; they are the truth, and a rebuild leaves them alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.models.plan import StoredPlan
from kling_nb.store.disk import write_whole, written_in
from kling_nb.store.sidecars import DIGESTS

_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Plans:
    """The plans in the folder of a log."""

    log: Path

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.log / "plans"

    def put(self, plan: StoredPlan) -> None:
        """Keep a plan. Raises `LogError`."""
        with written_in(self.log):
            write_whole(self._path(plan.id), plan.model_dump_json().encode() + b"\n")

    def join(self, plan: StoredPlan) -> bool:
        """Take in a plan of another log and return whether it is new here; two plans of one id ask for the same."""
        if self.has(plan.id):
            return False
        self.put(plan)
        return True

    def has(self, plan_id: str) -> bool:
        """Whether a plan is kept."""
        return bool(_ID.fullmatch(plan_id)) and self._path(plan_id).is_file()

    def get(self, plan_id: str) -> StoredPlan:
        """Return a plan by its id or the beginning of it. Raises `LogError` when none or several begin so."""
        found = [name for name in self.ids() if name.startswith(plan_id)] if plan_id else []
        if len(found) != 1:
            known = ", ".join(self.ids()) or "none yet"
            said = f"begins {len(found)} plans" if found else "is no plan of this log"
            raise LogError(f"{plan_id!r} {said}; there are: {known}.")
        return read_plan_file(self._path(found[0]))

    def ids(self) -> list[str]:
        """Return the ids of all plans, those that were run last at the end."""
        files = [path for path in self.folder.glob("*.json") if _ID.fullmatch(path.stem)]
        return [path.stem for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.stem))]

    def all(self) -> Iterator[StoredPlan]:
        """Every plan that can be read; what is torn is left out."""
        for name in self.ids():
            try:
                yield read_plan_file(self._path(name))
            except LogError:
                continue

    def digests(self) -> dict[str, str]:
        """Return each digest that a plan points to in the media, with which plan it is."""
        # Read as text: a plan may have ten thousand cells, and this is asked each time that a record is thrown away.
        texts = {name: self._path(name).read_text("utf-8", "replace") for name in self.ids()}
        return {digest: f"plan {name}" for name, text in texts.items() for digest in DIGESTS.findall(text)}

    def _path(self, plan_id: str) -> Path:
        if not _ID.fullmatch(plan_id):
            raise LogError(f"{plan_id[:80]!r} is no plan's id: 12 hex digits.")
        return self.folder / f"{plan_id}.json"


def read_plan_file(path: Path) -> StoredPlan:
    """Return the plan in a file. Raises `LogError` when it is torn, or was edited."""
    try:
        plan = StoredPlan.model_validate_json(path.read_bytes())
        sound = plan.derived_id == plan.id == path.stem
    except (OSError, ValueError) as exc:
        why = f"{exc.error_count()} faults" if isinstance(exc, ValidationError) else str(exc)
        raise LogError(f"{path} is no readable plan ({why}): restore it from a copy, or move it away.") from exc
    if not sound:
        raise LogError(f"{path} is not the plan of its name: it was edited. Restore it from a copy, or move it away.")
    return plan


def digests_of_plan(plan: StoredPlan) -> set[str]:
    """Every digest that a plan points to."""
    each = [(one.digest, one.original, one.thumbnail) for one in plan.references]
    return {digest for some in each for digest in some if digest}

"""The small values of a team's log, each a document in the database: presets, plans, votes, scores."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from kling_nb.errors import LogError
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.record import Record
from kling_nb.store.judgements import DamagedLine, JsonLines, age_of, newest_by_name, newest_of, scores_of, votes_in
from kling_nb.store.named import DamagedValue, NamedValue, NamedValues, json_of
from kling_nb.store.plans import Plans
from kling_nb.store.sidecars import DIGESTS
from kling_nb.store.team import tables
from kling_nb.store.team.postgres import Postgres

_log = logging.getLogger(__name__)
_TRIES = 20
#: The kinds of saved values that are the team's; drafts belong to one machine's notebooks and stay in its folder.
TEAM_KINDS = ("preset", "element", "option")
_SCORES = TypeAdapter(list[Score])


class Document(NamedTuple):
    """A document: its path in the log, its text, and the number of its changes."""

    path: str
    text: str
    revision: int


@dataclass(frozen=True)
class Documents:
    """The documents in a team's database; `ready` opens it, `wake` is called after a change."""

    database: Postgres
    ready: Callable[[bool], bool]
    wake: Callable[[str], object]

    def read(self, *paths: str) -> dict[str, Document]:
        """Return those of the documents that exist, by path."""
        if not self.ready(False):
            return {}
        rows = self.database.run(lambda one: one.execute(tables.READ_DOCUMENTS, [list(paths)]).fetchall())
        return {path: Document(path, text, revision) for path, text, revision in rows if text}

    def under(self, folder: str) -> list[Document]:
        """Return all documents below a folder, in the order of their last change."""
        if not self.ready(False):
            return []
        given = {"under": f"{folder}/"}
        rows = self.database.run(lambda one: one.execute(tables.LIST_DOCUMENTS, given).fetchall())
        return [Document(*row) for row in rows]

    def paths(self, folder: str) -> list[str]:
        """Return the paths of all documents below a folder, the last changed last."""
        if not self.ready(False):
            return []
        given = {"under": f"{folder}/"}
        rows = self.database.run(lambda one: one.execute(tables.LIST_PATHS, given).fetchall())
        return [path for (path,) in rows]

    def put(self, path: str, text: str, expected: int | None = None) -> bool:
        """Write a document and return whether it was written; with `expected`, only over that revision (0: none)."""
        self.ready(True)
        given = {"path": path, "text": text.replace("\0", ""), "expected": expected}
        done = self.database.run(lambda one: one.execute(tables.PUT_DOCUMENT, given).fetchone()) is not None
        self.wake(path)
        return done

    def change(self, path: str, change: Callable[[str | None], str | None]) -> str | None:
        """Replace a document by what `change` returns for its text, or keep it if that is None. Return the new text."""
        self.ready(True)
        for _ in range(_TRIES):
            now = self.read(path).get(path)
            wanted = change(now.text if now else None)
            if wanted is None or self.put(path, wanted, self._revision(path) if now is None else now.revision):
                return wanted
        raise LogError(f"{path} is being changed by others: try again.")

    def _revision(self, path: str) -> int:
        """Return the revision of a document that has no text: 0, or the last one of a deleted document."""
        rows = self.database.run(lambda one: one.execute(tables.READ_DOCUMENTS, [[path]]).fetchall())
        return rows[0][2] if rows else 0


@dataclass(frozen=True)
class TeamValues(NamedValues):
    """The saved values of a team: presets, elements and options for all, drafts in this machine's folder."""

    documents: Documents = field(kw_only=True)

    def save(self, kind: str, name: str, value: Any) -> None:
        """Save a JSON value; see `NamedValues.save`."""
        if kind not in TEAM_KINDS:
            super().save(kind, name, value)
            return
        self.documents.put(
            self._key(kind, name), json_of(kind, name, value).encode("utf-8", "backslashreplace").decode()
        )

    def load(self, kind: str, name: str) -> Any | None:
        """Return a value, None if there is none. Raises `DamagedValue`."""
        if kind not in TEAM_KINDS:
            return super().load(kind, name)
        found = self.documents.read(key := self._key(kind, name)).get(key)
        return _value(found).value if found else None

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted."""
        if kind not in TEAM_KINDS:
            return super().names(kind)
        return sorted(one.name for _, one in self.scan([kind]) if isinstance(one, NamedValue))

    def delete(self, kind: str, name: str) -> None:
        """Delete a value, if there is one."""
        if kind not in TEAM_KINDS:
            super().delete(kind, name)
            return
        if self.documents.read(key := self._key(kind, name)):
            self.documents.put(key, "")

    def digests(self) -> dict[str, str]:
        """Return each digest that a value of the team refers to, with the value's name."""
        found: dict[str, str] = {}
        for one in self.documents.under("saved"):
            found |= dict.fromkeys(DIGESTS.findall(one.text), one.path)
        return found

    def scan(self, kinds: Collection[str] | None = None) -> Iterator[tuple[Path, NamedValue | DamagedValue]]:
        """Yield every value of the team of these kinds, by default of all, or the error of a damaged one."""
        for kind in TEAM_KINDS if kinds is None else kinds:
            for one in self.documents.under(f"saved/{kind}"):
                try:
                    yield self.log / one.path, _value(one)
                except DamagedValue as exc:
                    yield self.log / one.path, exc

    def _key(self, kind: str, name: str) -> str:
        return self.path(kind, name).relative_to(self.log).as_posix()


def _value(document: Document) -> NamedValue:
    try:
        whole = json.loads(document.text)
        return NamedValue(str(whole["kind"]), str(whole["name"]), whole["value"])
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise DamagedValue(f"{document.path} in the team's database is not a saved value: delete it.") from exc


@dataclass(frozen=True)
class TeamPlans(Plans):
    """The plans of a team."""

    documents: Documents = field(kw_only=True)

    def save(self, plan: StoredPlan) -> None:
        """Save a plan."""
        self.documents.put(_plan_key(plan.id), plan.model_dump_json())

    def has(self, plan_id: str) -> bool:
        """Return whether there is a plan of this id."""
        return bool(self.documents.read(_plan_key(plan_id)))

    def ids(self) -> list[str]:
        """Return the ids of all plans, in the order of their last run."""
        return [Path(path).stem for path in self.documents.paths("plans")]

    def digests(self) -> dict[str, str]:
        """Return each digest that a plan refers to, with the plan's name."""
        found: dict[str, str] = {}
        for one in self.documents.under("plans"):
            found |= dict.fromkeys(DIGESTS.findall(one.text), f"plan {Path(one.path).stem}")
        return found

    def _whole(self, plan_id: str) -> StoredPlan:
        found = self.documents.read(key := _plan_key(plan_id)).get(key)
        try:
            plan = StoredPlan.model_validate_json(found.text if found else "")
        except ValidationError as exc:
            raise LogError(f"{key} in the team's database is not a readable plan: run the sweep again.") from exc
        if not plan.derived_id == plan.id == plan_id:
            raise LogError(f"{key} in the team's database was edited: run the sweep again.")
        return plan


def _plan_key(plan_id: str) -> str:
    return f"plans/{plan_id}.json"


@dataclass(frozen=True)
class TeamVotes:
    """The votes of a team, a document each; an undone vote stays undone."""

    documents: Documents

    def add(self, votes: Iterable[Vote]) -> None:
        """Write votes."""
        for vote in votes:
            path = f"votes/{hashlib.sha256(vote.id.encode()).hexdigest()[:32]}.json"
            self.documents.put(path, vote.model_dump_json())

    def every(self) -> list[Vote]:
        """Return every vote, also those that were undone, oldest first; damaged ones are logged and left out."""
        found: list[Vote] = []
        for one in self.documents.under("votes"):
            try:
                found.append(Vote.model_validate_json(one.text))
            except ValidationError:
                _log.warning("%s in the team's database is not a vote: delete it.", one.path)
        return sorted(found, key=lambda vote: (vote.at, vote.id))

    def all(self) -> list[Vote]:
        """Return every vote that was not undone, oldest first."""
        return [vote for vote in self.every() if not vote.undone]

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Add the votes of a log's folder that are missing here; return how many, and its damaged lines."""
        theirs, damaged = votes_in(other)
        mine = {vote.id: vote for vote in self.every()}
        new = [vote for vote in theirs if vote.id not in mine or (vote.undone and not mine[vote.id].undone)]
        self.add(new)
        return len(new), damaged


@dataclass(frozen=True)
class TeamScores:
    """The scores of a team, a document for each clip. The newest of a clip, request, scorer and version counts."""

    documents: Documents

    def add(self, given: Iterable[Score]) -> int:
        """Add the scores that are new or newer than the known ones, and return how many."""
        by_clip: dict[str, list[Score]] = {}
        for score in newest_of(given).values():
            by_clip.setdefault(score.clip, []).append(score)
        return sum(self._add(clip, scores) for clip, scores in by_clip.items())

    def _add(self, clip: str, scores: list[Score]) -> int:
        new: list[Score] = []

        def change(text: str | None) -> str | None:
            known = {score.key: score for score in _scores(text, clip)}
            new[:] = [one for one in scores if one.key not in known or age_of(known[one.key]) < age_of(one)]
            every = list((known | {one.key: one for one in new}).values())
            return _SCORES.dump_json(every).decode() if new else None

        self.documents.change(_score_key(clip), change)
        return len(new)

    def of(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the newest score of each scorer, in the order of their names, by record id."""
        return newest_by_name(self.every(records))

    def every(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the scores of every version, by record id."""
        clips = {record.clip.digest for record in records if record.clip}
        found = self.documents.read(*map(_score_key, clips)) if clips else {}
        by_clip = {clip: _scores(found[key].text, clip) for clip in clips if (key := _score_key(clip)) in found}
        return scores_of(records, by_clip)

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Add the scores of a log's folder; return how many were new, and its damaged lines."""
        theirs, damaged = JsonLines(other, Score).read()
        return self.add(theirs), damaged


def _score_key(clip: str) -> str:
    return f"scores/{clip.removeprefix('sha256:')}.json"


def _scores(text: str | None, clip: str) -> list[Score]:
    try:
        return [one for one in _SCORES.validate_json(text) if one.clip == clip] if text else []
    except ValidationError:
        _log.warning("the scores of %s in the team's database are damaged: they are left out", clip[:19])
        return []

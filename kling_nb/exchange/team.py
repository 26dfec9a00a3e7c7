"""`kn.team()`, `kn.sync()` and `kn.share()`: the state of a team's log, sending to it, and copying a folder into it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb.errors import ArgumentError, KlingError, LogError, SettingsError
from kling_nb.models.record import Record
from kling_nb.render.team import Member, SharePlan, Shown, Synced, TeamInfo
from kling_nb.session import Session
from kling_nb.store.disk import write_whole
from kling_nb.store.log import MARK
from kling_nb.store.media import Media

if TYPE_CHECKING:
    from pydantic import SecretStr

    from kling_nb.store.merge import MergeReport
    from kling_nb.store.team import TeamLog


def team(session: Session) -> TeamInfo:
    """Return who shares the log, and what waits; see `Studio.team`."""
    found = _team_log(session).team()
    members = tuple(Member(*one) for one in found.members)
    waiting = (found.records_here, found.media_here)
    return TeamInfo(found.person, found.database, found.media, found.keys, members, waiting, found.late)


def sync(session: Session) -> Synced:
    """Send everything that waits; see `Studio.sync`."""
    sent, pruned = _team_log(session).sync()
    return Synced(sent.records, sent.objects, sent.media, sent.size, pruned, tuple(sent.problems))


def _team_log(session: Session) -> TeamLog:
    if session.settings.database is None:
        raise SettingsError(
            f"The log in {session.store.folder} is not a team's. Set KLING_NB_DATABASE and KLING_NB_MEDIA to use one; "
            "kn.share(database, media) copies this log into it."
        )
    from kling_nb.store.team import TeamLog

    store = session.store
    if not isinstance(store, TeamLog):
        raise KlingError("The log was opened without a team.")
    return store


@dataclass(frozen=True, repr=False)
class Sharing(Shown):
    """A preview of `kn.share()`; `run()` does it. Showing it changes nothing."""

    folder: Path
    plan: SharePlan
    _open: Any = field(repr=False)
    """Opens the team's log with the given folder as its cache."""

    def run(self) -> MergeReport:
        """Copy the folder into the team's log and wait until everything has arrived; a second call adds nothing.

        From then on the folder is this machine's cache of the team's log.

        Raises:
            LogError: The database or the bucket cannot be used. Call it again: what has arrived is not sent again.
        """
        with tempfile.TemporaryDirectory(prefix="kling-nb-share-", ignore_cleanup_errors=True) as cache:
            log: TeamLog = self._open(Path(cache))
            try:
                log.holder()  # both addresses can be used
                report = log.merge(self.folder)
                sent, _ = log.sync()
                if sent.problems:
                    raise LogError(f"Not everything has arrived: {'; '.join(sent.problems)} Call run() again.")
            finally:
                log.close()
        if not report.problems:
            addresses = {"database": self.plan.database, "media": self.plan.media}
            write_whole(self.folder / MARK, json.dumps(addresses, indent=2).encode() + b"\n")
        return report

    def _parts(self) -> tuple[str, str, Sequence[tuple[str, str]], str]:
        plan = self.plan
        rows = [
            ("From", plan.folder),
            ("To", f"{plan.database} and {plan.media}"),
            ("Records", f"{plan.records}, of which the team has {plan.known} already"),
            ("Media", f"{plan.files} files, {plan.size / 1e6:,.1f} MB"),
            ("Also", "presets, elements, plans, votes and scores; what was spent counts in the team's budget"),
        ]
        if plan.unfinished:
            rows.append(("Left out", f"{plan.unfinished} unfinished jobs: kn.resume() here first, then share again"))
        rows.append(("Afterwards", "set KLING_NB_DATABASE and KLING_NB_MEDIA; this folder becomes the cache"))
        return "Share this log with a team", "Nothing has happened yet: .run() does it.", rows, "warning"


def share(session: Session, database: str | SecretStr, media: str) -> Sharing:
    """Return what copying this folder's log into a team's would do; see `Studio.share`."""
    if session.settings.database is not None:
        raise ArgumentError("This log is a team's already. Start without KLING_NB_DATABASE to share a folder's log.")
    from kling_nb.store.team import TeamLog

    address = database if isinstance(database, str) else database.get_secret_value()
    store, user = session.store, session.settings.user

    def opened(folder: Path) -> TeamLog:
        return TeamLog(folder, address, media, user)

    with tempfile.TemporaryDirectory(prefix="kling-nb-share-", ignore_cleanup_errors=True) as cache:
        log = opened(Path(cache))
        try:
            records: list[Record] = store.find(kind=None)
            known = sum(log.has(record.id) for record in records)
            files = [path.stat().st_size for _, path in Media(store.folder).all()]
            unfinished = sum(not record.ended for record in records)
            names = (str(store.folder), log.address, media)
            plan = SharePlan(*names, len(records), len(files), sum(files), known, unfinished)
        finally:
            log.close()
    return Sharing(store.folder, plan, opened)

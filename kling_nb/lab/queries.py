"""Answers from logs. Every method may block, and is called on a thread."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kling_nb.errors import KlingError, NotSaved
from kling_nb.lab.logs import Logs, file_of, signature
from kling_nb.lab.overview import clip_of, nothing, overview, overview_of_cache
from kling_nb.lab.team import address_of, is_team
from kling_nb.models.record import Record
from kling_nb.store.log import Log

#: Seconds between two looks into a team's database.
_TEAM_LOOK = 2.0


class Queries:
    """Reads the logs below a server's root folder."""

    def __init__(self, root: Path | None) -> None:
        self.logs = Logs(root)
        self._read: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}
        """The overview of each log, with the signature that it had before it was read."""

    def overview(self, notebooks: Iterable[str]) -> list[dict[str, Any]]:
        """Return the overview of each log that is known."""
        return [self.of_log(name) for name in sorted(self.logs.known(notebooks))]

    def of_log(self, name: str) -> dict[str, Any]:
        """Return the overview of one log."""
        try:
            folder = self.logs.folder(name)
        except KlingError as exc:
            return nothing(name, str(exc))
        about = {"own": self.logs.is_own(folder), "team": is_team(folder), "address": address_of(folder)}
        now = self.signatures({name: folder})[name]
        before, read = self._read.get(name, (None, about))
        if now == before:
            return read
        try:
            read = overview(name, self.logs.log(folder)) | about
            self._read[name] = now, read
            return read
        except (KlingError, OSError) as exc:
            return (overview_of_cache(name, folder, exc) if is_team(folder) else nothing(name, str(exc))) | about

    def ended(self, name: str, before: dict[str, Any] | None, now: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the records of jobs that were under way before and have ended."""
        here = {job["id"] for job in now["jobs"]}
        gone = [job["id"] for job in before["jobs"] if job["id"] not in here] if before else []
        if not gone:
            return []
        try:
            log = self.logs.log(self.logs.folder(name))
        except KlingError:
            return []
        found = [_record(log, record_id) for record_id in gone]
        return [clip_of(record, name) for record in found if record and record.ended]

    def record(self, record_id: str, name: str, notebooks: Iterable[str]) -> dict[str, Any]:
        """Return one record as a clip. Without the log's name, all that are known are asked.

        Raises:
            KlingError: There is no such record.
        """
        folders = {name: self.logs.folder(name)} if name else self.logs.known(notebooks)
        for each, folder in folders.items():
            if record := _record(self.logs.log(folder), record_id):
                return clip_of(record, each)
        raise NotSaved(f"No log of this server has the record {record_id!r}.")

    def media(self, digest: str, name: str) -> tuple[Path, Path]:
        """Return a log's folder and the file of a digest in it. Raises `KlingError` if there is none."""
        folder = self.logs.folder(name)
        file = file_of(folder, digest, self.logs.log(folder))
        if file is None:
            raise NotSaved(f"{digest[:12]}… is not an image or a video of the log {name!r}.")
        return folder, file

    def gallery(self, name: str, send: Any) -> Any:
        """Return the gallery of a log, whose messages go to `send`. Raises `KlingError`."""
        from kling_nb.lab.gallery import open_gallery

        folder = self.logs.folder(name)
        return open_gallery(folder, self.logs.log(folder), send)

    def cancel(self, record_id: str, name: str) -> None:
        """Ask a job's hub to stop it. Raises `KlingError` if that is not possible from here."""
        from kling_nb.lab.hubs import cancel

        folder = self.logs.folder(name)
        cancel(self.logs.log(folder).get(record_id), folder)

    def signatures(self, known: Mapping[str, Path]) -> dict[str, tuple[int, ...]]:
        """Return a value for each log that differs whenever the log has changed."""
        today = datetime.datetime.now().astimezone().toordinal()  # today's spending changes at midnight
        look = int(time.monotonic() / _TEAM_LOOK)  # no file of this machine tells what others of a team have done
        return {
            name: (today, look) if is_team(folder) else (today, *signature(folder)) for name, folder in known.items()
        }


def _record(log: Log, record_id: str) -> Record | None:
    try:
        return log.get(record_id)
    except KlingError:
        return None

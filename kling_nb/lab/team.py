"""A team's log: the folder is the cache of this machine, and the records are in the team's database.

The server reads the database if it knows where that is, as a kernel of a notebook beside the folder would.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kling_nb.errors import KlingError, LogError
from kling_nb.models.record import Record
from kling_nb.settings import read_settings
from kling_nb.store.log import MARK, Log, team_of
from kling_nb.store.sidecars import Sidecars, read_sidecar

if TYPE_CHECKING:
    from kling_nb.store.team import TeamLog


def is_team(folder: Path) -> bool:
    """Return whether a folder is the cache of a team's log."""
    return (folder / MARK).is_file()


def address_of(folder: Path) -> str:
    """Return the address of the database of a team's log, without its password; empty for any other log."""
    return str((team_of(folder) or {}).get("database", ""))


def team_log(folder: Path) -> Log:
    """Return the log of the team whose cache a folder is. Raises `KlingError` if its addresses are not known here."""
    from kling_nb.session import log_of  # which loads the hubs: only for a team

    marked = team_of(folder) or {}
    settings = read_settings(beside=folder.parent, log=folder, keyring=False)
    if settings.database is None or settings.media is None:
        raise LogError(
            f"This is the cache of the team's log in {marked.get('database')}. To show it, set KLING_NB_DATABASE and "
            "KLING_NB_MEDIA in the environment of the Jupyter server, or in a .env file beside the notebook."
        )
    log = cast("TeamLog", log_of(settings))
    if (log.address, log.bucket.address) != (marked.get("database"), marked.get("media")):
        raise LogError(
            f"This is the cache of the team's log in {marked.get('database')}, and the Jupyter server uses the one in "
            f"{log.address}. Set KLING_NB_DATABASE and KLING_NB_MEDIA for it."
        )
    return log


def waiting_records(folder: Path) -> list[Record]:
    """Return the records that wait in a cache to be sent, oldest first: all that can be known without the database."""
    found: list[Record] = []
    for path, _ in Sidecars(folder / "records").first():
        with contextlib.suppress(KlingError, OSError):
            found.append(read_sidecar(path))
    return found

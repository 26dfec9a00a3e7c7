"""A team's log: PostgreSQL decides, an object store has the bytes, and the folder is this machine's cache and spool."""

from kling_nb.store.team.log import TeamLog

__all__ = ["TeamLog"]

"""The record store: sidecar files are the truth, an index makes them findable, media lie under their content's name."""

from kling_nb.logbook.audit import Finding
from kling_nb.logbook.store import UNSET, Log

__all__ = ["UNSET", "Finding", "Log"]

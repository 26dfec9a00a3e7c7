"""The record store: sidecar files are the truth, an index makes them findable, media lie under their content's name."""

from kling_nb.store.audit import Finding
from kling_nb.store.log import UNSET, Log

__all__ = ["UNSET", "Finding", "Log"]

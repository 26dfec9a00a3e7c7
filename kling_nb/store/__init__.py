"""The record store: sidecar files are the truth, an index makes them searchable, media are named by their content."""

from kling_nb.store.log import UNSET, Log

__all__ = ["UNSET", "Log"]

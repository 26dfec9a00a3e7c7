"""Helpers for tests of a studio, beyond its verbs."""

from __future__ import annotations

from typing import Any

from kling_nb import generation
from kling_nb.models.request import Request
from kling_nb.studio import Studio


def request_of(studio: Studio, given: Any = None, /, **fields: Any) -> Request:
    """Return the checked request that a studio makes of its arguments."""
    return generation.check(studio.session, generation.fields_of(studio.session, given, fields))[0]

"""A sweep as the log keeps it: its axes, and what is asked for at each of its points; so a plan outlives its kernel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from kling_nb.models.canonical import canonical_json
from kling_nb.models.record import Reference
from kling_nb.models.urls import sha256

#: The axis that tells repeats of one point apart.
REPEAT = "repeat"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StoredProblem(_Part):
    """Why a request would fail: the field, what is wrong, what to do."""

    path: str
    message: str
    remedy: str = ""


class StoredPoint(_Part):
    """One point: its value in words on each axis, and the canonical request there, or why there is none."""

    at: dict[str, str]
    request: dict[str, Any] | None = None
    problems: tuple[StoredProblem, ...] = ()


class StoredPlan(_Part):
    """A whole sweep. `axes` holds each axis's values in words; each point is made `repeat` times.

    `references` are the pictures that the requests name by their identity; their bytes lie in the log's media.
    """

    version: int = 1
    id: str
    axes: dict[str, tuple[str, ...]]
    repeat: int = 1
    points: tuple[StoredPoint, ...]
    references: tuple[Reference, ...] = ()

    @property
    def derived_id(self) -> str:
        """The id that its content has; another one than `id` says that somebody edited it."""
        return plan_id(self.axes, self._cells())

    def _cells(self) -> Iterator[tuple[str, Mapping[str, str], int]]:
        for point in self.points:
            name = sha256(canonical_json(point.request)) if point.request is not None else ""
            for number in range(1, self.repeat + 1):
                yield name, numbered(point.at, number, self.repeat), number


def plan_id(axes: Mapping[str, Sequence[str]], cells: Iterator[tuple[str, Mapping[str, str], int]]) -> str:
    """Return the name of a plan: the same definition has the same one on every machine.

    `cells` gives for each its request's hash (empty when it has none), its values and the number of its repeat.
    """
    known = [[name or list(at.values()), number] for name, at, number in cells]
    whole = {"axes": {name: list(values) for name, values in axes.items()}, "cells": known}
    return hashlib.sha256(canonical_json(whole)).hexdigest()[:12]


def numbered(at: Mapping[str, str], number: int, repeat: int) -> Mapping[str, str]:
    """Return a cell's values with the number of its repeat, where there are several."""
    return {**at, REPEAT: str(number)} if repeat > 1 else at

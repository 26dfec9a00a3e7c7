"""A sweep as the log stores it: its axes and the request of each point."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from kling_nb.models.canonical import canonical_json
from kling_nb.models.record import Reference
from kling_nb.models.urls import sha256

#: The axis of the repeats of a point.
REPEAT = "repeat"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StoredProblem(_Part):
    """A problem of a point's request."""

    path: str
    message: str
    remedy: str = ""


class StoredPoint(_Part):
    """One point: the label of its value on each axis, and its canonical request, or the problems of it."""

    at: dict[str, str]
    request: dict[str, Any] | None = None
    problems: tuple[StoredProblem, ...] = ()


class StoredPlan(_Part):
    """A whole sweep: the labels of each axis's values, and the points, each made `repeat` times.

    `references` are the images that the requests name by identity; their bytes are in the log's media. `lost` has what
    a model cannot take of the base, by model and field, and `left_out` the reason why a model is not in the sweep:
    both are only told, and not part of the ID.
    """

    version: int = 1
    id: str
    axes: dict[str, tuple[str, ...]]
    repeat: int = 1
    points: tuple[StoredPoint, ...]
    references: tuple[Reference, ...] = ()
    lost: dict[str, dict[str, str]] = {}
    left_out: dict[str, str] = {}

    @property
    def derived_id(self) -> str:
        """The ID of its content, which differs from `id` if the plan was edited."""
        return plan_id(self.axes, self._cells())

    def _cells(self) -> Iterator[tuple[str, Mapping[str, str], int]]:
        for point in self.points:
            name = sha256(canonical_json(point.request)) if point.request is not None else ""
            for number in range(1, self.repeat + 1):
                yield name, numbered(point.at, number, self.repeat), number


def plan_id(axes: Mapping[str, Sequence[str]], cells: Iterator[tuple[str, Mapping[str, str], int]]) -> str:
    """Return the ID of a plan, which is the same on every machine for the same definition.

    Args:
        axes: The labels of each axis's values.
        cells: For each cell its request's hash (empty without one), its values and the number of its repeat.
    """
    known = [[name or list(at.values()), number] for name, at, number in cells]
    whole = {"axes": {name: list(values) for name, values in axes.items()}, "cells": known}
    return hashlib.sha256(canonical_json(whole)).hexdigest()[:12]


def numbered(at: Mapping[str, str], number: int, repeat: int) -> Mapping[str, str]:
    """Return a cell's values with the number of its repeat, if there are several."""
    return {**at, REPEAT: str(number)} if repeat > 1 else at

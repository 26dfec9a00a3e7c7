"""Errors of the hub at the field that they name, until that field is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kling_nb.models.problem import Problem, warning
from kling_nb.render.formatting import shorten

if TYPE_CHECKING:
    from kling_nb.engine.job import Job


@dataclass
class HubErrors:
    """Messages of failed jobs by field; each applies while the field has the value that was sent."""

    _sent: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    _problems: dict[str, tuple[Any, Problem]] = field(default_factory=dict[str, tuple[Any, Problem]])

    def sent(self, jobs: Iterable[Job], fields: Mapping[str, Any]) -> None:
        """Remember the fields that jobs were sent with."""
        self._sent |= {job.id: dict(fields) for job in jobs}

    def ended(self, job: Job) -> bool:
        """Take the result of a job; return whether there is a new problem at a field."""
        fields, failure = self._sent.pop(job.id, None), job.progress.failure
        name = named_field(failure.message, fields) if failure and fields else None
        if failure is None or fields is None or name is None:
            return False
        message = f"the hub rejected this: {shorten(failure.message, 240)}"
        self._problems[name] = fields.get(name), warning((name,), message, "change it before you send it again")
        return True

    def problems(self, fields: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return the problems that apply to these fields."""
        return tuple(problem for name, (value, problem) in self._problems.items() if fields.get(name) == value)


def named_field(message: str, fields: Iterable[str]) -> str | None:
    """Return the first field that a message mentions by its wire name, None for no field."""
    found = [(match.start(), name) for name in fields if (match := re.search(rf"(?<![\w-]){name}(?![\w-])", message))]
    # "prompt" is an everyday word too: it counts if it is quoted, or if no other field is named.
    certain = [each for each in found if "_" in each[1] or f"'{each[1]}'" in message or each[1] != "prompt"]
    return min(certain or found, default=(0, None))[1]

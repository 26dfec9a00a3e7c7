"""What the hub said of a field, shown at that field until it is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_nb.models.problem import Problem, warning
from kling_nb.render.words import shortened
from kling_nb.views.actions import JobLike


@dataclass
class HubWords:
    """The words of failed jobs, by the field that they speak of; each holds while that field is as it was sent."""

    _sent: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    _said: dict[str, tuple[Any, Problem]] = field(default_factory=dict[str, tuple[Any, Problem]])

    def sent(self, jobs: Iterable[JobLike], fields: Mapping[str, Any]) -> None:
        """Remember what some jobs were sent with."""
        self._sent |= {job.id: dict(fields) for job in jobs}

    def ended(self, job: JobLike) -> bool:
        """Take in how a job ended; return whether there is something new to show at a field."""
        fields, failure = self._sent.pop(job.id, None), job.progress.failure
        name = named_in(failure.message, fields) if failure and fields else None
        if failure is None or fields is None or name is None:
            return False
        words = f"the hub refused this: {shortened(failure.message, 240)}"
        self._said[name] = fields.get(name), warning((name,), words, "change it before you send it again")
        return True

    def problems(self, fields: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return what still holds for fields as they are now."""
        return tuple(problem for name, (value, problem) in self._said.items() if fields.get(name) == value)


def named_in(message: str, fields: Iterable[str]) -> str | None:
    """Return which field a message speaks of: the first that it names in the wire's own word; None for none."""
    found = [(match.start(), name) for name in fields if (match := re.search(rf"(?<![\w-]){name}(?![\w-])", message))]
    # "prompt" is an everyday word too: it counts when it is quoted, or when nothing else is named.
    sure = [each for each in found if "_" in each[1] or f"'{each[1]}'" in message or each[1] != "prompt"]
    return min(sure or found, default=(0, None))[1]

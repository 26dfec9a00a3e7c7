"""A problem of a request: an error or a warning at one of its fields, with a remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
#: The way to a field, in the names of the hub: `("multi_prompt", 0, "duration")`.
Path = tuple[str | int, ...]
#: A request's fields as plain values, perhaps not all of them.
Draft = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that removes a problem: the label of its button, and the new values of the fields."""

    label: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning about a request: the field, the message, and how to fix it.

    An `error` would fail or cost money for nothing, a `warning` is probably not intended. `form_remedy` is the remedy
    to show in a form, if it differs. With a `fix`, `{**fields, **problem.fix.changes}` does not have the problem.
    """

    path: Path
    severity: Severity
    message: str
    remedy: str
    form_remedy: str = ""
    fix: Fix | None = dataclasses.field(default=None, compare=False)

    @property
    def field(self) -> str:
        """The path as one word: `multi_prompt.0.duration`."""
        return ".".join(map(str, self.path))

    @property
    def mark(self) -> str:
        """The character before its line in a list."""
        return "✗" if self.severity == "error" else "!"

    def __str__(self) -> str:
        where = f"{self.field}: " if self.path else ""
        return f"{where}{self.message} – {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """Return the problem as JSON for a form."""
        remedy = self.form_remedy or self.remedy
        fix = {"label": self.fix.label, "changes": dict(self.fix.changes)} if self.fix else None
        return {"path": self.field, "severity": self.severity, "message": self.message, "remedy": remedy, "fix": fix}


def error(path: Path, message: str, remedy: str, form_remedy: str = "", fix: Fix | None = None) -> Problem:
    """Return a problem that must be fixed before the request is sent."""
    return Problem(path, "error", message, remedy, form_remedy, fix)


def warning(path: Path, message: str, remedy: str, form_remedy: str = "", fix: Fix | None = None) -> Problem:
    """Return a problem that does not stop the request."""
    return Problem(path, "warning", message, remedy, form_remedy, fix)

"""One thing that is wrong with a request, said so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    An `error` would fail or cost money for nothing; a `warning` is probably not what you want.
    `path` leads to the field in the wire's own names: `("multi_prompt", 0, "duration")`. `form_remedy` is the remedy
    to show in a form, where it differs.
    """

    path: tuple[str | int, ...]
    severity: Severity
    message: str
    remedy: str
    form_remedy: str = ""

    @property
    def field(self) -> str:
        """The path as one word: `multi_prompt.0.duration`."""
        return ".".join(map(str, self.path))

    def __str__(self) -> str:
        where = f"{self.field}: " if self.path else ""
        return f"{where}{self.message} – {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """The problem as plain JSON, for a form."""
        remedy = self.form_remedy or self.remedy
        return {"path": self.field, "severity": self.severity, "message": self.message, "remedy": remedy}


def error(path: tuple[str | int, ...], message: str, remedy: str, form_remedy: str = "") -> Problem:
    """Return a problem that must be mended before anything is sent."""
    return Problem(path, "error", message, remedy, form_remedy)


def warning(path: tuple[str | int, ...], message: str, remedy: str, form_remedy: str = "") -> Problem:
    """Return a problem that may be left as it is."""
    return Problem(path, "warning", message, remedy, form_remedy)

"""What is wrong with a request, listed."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.models.problem import Problem
from kling_nb.render.page import fill


def problems_html(problems: Sequence[Problem]) -> str:
    """Return the problems as a list, each with its field and its remedy; a quiet word when there are none."""
    return fill("problems", problems=problems, heading=_heading(problems))


def problems_text(problems: Sequence[Problem]) -> str:
    """Return the problems, one a line, under a heading that counts them."""
    return "\n".join([_heading(problems), *(f"  {_MARKS[problem.severity]} {problem}" for problem in problems)])


_MARKS = {"error": "✗", "warning": "!"}


def _heading(problems: Sequence[Problem]) -> str:
    faults = sum(problem.severity == "error" for problem in problems)
    doubts = len(problems) - faults
    parts = [_count(faults, "problem"), _count(doubts, "doubt")]
    return " and ".join(part for part in parts if part) or "No problems"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""

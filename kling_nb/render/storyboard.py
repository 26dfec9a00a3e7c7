"""A storyboard that was read from a text, as a table of its shots above the notes on how it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kling_nb.render.page import render_template


def storyboard_html(fields: Mapping[str, Any], notes: Sequence[str]) -> str:
    """Return the shots, or the prompt, as a table, and the notes as a list."""
    return render_template("storyboard", rows=_rows(fields), notes=notes)


def storyboard_text(fields: Mapping[str, Any], notes: Sequence[str]) -> str:
    """Return the shots, or the prompt, and the notes as lines of plain text."""
    rows = [f"  {number:>2}  {seconds:>4}  {prompt}" for number, seconds, prompt in _rows(fields)]
    return "\n".join([*notes[:1], *rows, *(f"  · {note}" for note in notes[1:])])


def _rows(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    shots = fields.get("multi_prompt") or []
    if not shots:
        seconds = fields.get("duration")
        return [("", f"{seconds} s" if seconds else "", str(fields.get("prompt", "")))]
    return [(str(n), f"{shot['duration']} s", str(shot["prompt"])) for n, shot in enumerate(shots, 1)]

"""Texts for the user, which a file beside the tests holds so that a change of wording is one reviewable diff."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "texts"


def assert_texts(name: str, texts: Iterable[str]) -> None:
    """Compare texts with the lines of `tests/texts/<name>.txt`, in any order; `UPDATE_TEXTS=1` writes the file."""
    file, lines = _FOLDER / f"{name}.txt", sorted(set(texts))
    if os.environ.get("UPDATE_TEXTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert lines == file.read_text(encoding="utf-8").splitlines()

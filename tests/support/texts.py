"""Texts for the user, in one file an area in `tests/texts`, so that a change of wording is one reviewable diff."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "texts"


def assert_texts(name: str, texts: Iterable[str] | Mapping[str, str]) -> None:
    """Compare texts with `tests/texts/<name>.txt`; `UPDATE_TEXTS=1` writes the file.

    Plain texts are lines in any order; named texts are sections.
    """
    if isinstance(texts, Mapping):
        sections = "\n\n".join(f"## {title}\n{text.strip()}" for title, text in texts.items())
        lines = [line.rstrip() for line in sections.splitlines()]
    else:
        lines = sorted(set(texts))
    file = _FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_TEXTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert lines == file.read_text(encoding="utf-8").splitlines()

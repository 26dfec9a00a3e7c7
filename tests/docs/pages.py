"""The pages of the documentation, their code blocks and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """Every page that people write: README.md and all below docs/."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language, in order."""
    return [block for _, found, block in _BLOCK.findall(page.read_text("utf-8")) if found == language]


def after(page: Path, comment: str) -> str:
    """The text that follows the comment line `% <comment>`, up to the next blank line outside a code block."""
    _, found, rest = page.read_text("utf-8").partition(f"% {comment}\n")
    assert found, f"{page.name} has no comment {comment!r}"
    return (
        rest.partition("\n```\n")[0].partition("```json\n")[2] if rest.startswith("```") else rest.partition("\n\n")[0]
    )


def first_column(table: str) -> Iterator[str]:
    """The names in backticks in the first column of a Markdown table."""
    for row in table.splitlines()[2:]:
        yield from re.findall(r"`([^`]+)`", row.split("|")[1])

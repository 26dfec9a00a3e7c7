"""Reads HTML as a browser would: tags, attributes, and the visible text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = {"div", "p", "tr", "summary", "pre", "h1", "h2", "h3", "dl", "section", "article", "thead", "table", "details"}
VOID = {"br", "img"}


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on a tag that is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.blocks = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "br":
            self.text += "\n"
        self.blocks += "\n" if tag in BLOCKS or tag == "br" else " "
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.blocks += "\n" if tag in BLOCKS else " "

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open[-1:] != ["style"]:
            self.blocks += data

    def values(self, name: str) -> list[str]:
        """Return the values of all attributes of a name."""
        return [value for key, value in self.attributes if key == name]


def text_of(html: str) -> str:
    """Return the visible text of HTML, with a line for each block."""
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in Reader(html).blocks.splitlines())
    return "\n".join(filter(None, lines))

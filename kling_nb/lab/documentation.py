"""The documentation in Lab: the README, which is installed with the package, so that it needs no network."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from typing import cast

#: An image or a link to another file of the repository, which an installation does not have.
_IMAGE, _LINK = re.compile(r"!\[[^\]]*\]\([^)]*\)\n*"), re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")
_ELSEWHERE = "\n## Learn more"


def documentation() -> str:
    """Return the README as Markdown, without links to other files of the repository."""
    about = metadata("kling-nb")
    whole = about.get("Description") or cast("str", about.get_payload())  # type: ignore[attr-defined]
    text = _LINK.sub(r"\1", _IMAGE.sub("", whole.partition(_ELSEWHERE)[0])).rstrip()
    help_ = "In a notebook, `help(kn.generate)` explains a function. The panel has a guide to prompts: its *Help*."
    return f"{text}\n\n{help_}\n"

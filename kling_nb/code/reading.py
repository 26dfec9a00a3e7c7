"""`read_request`: pasted code as the fields of a request, and in words what of it was not understood."""

from __future__ import annotations

import json
import re
from typing import Any

from kling_nb.code.curl import read_curl
from kling_nb.code.found import Found, Reading, said
from kling_nb.code.pythoncode import read_python
from kling_nb.code.shape import fitted

__all__ = ["read_request"]

_FENCE = re.compile(r"\A\s*```[\w.-]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_CURL = re.compile(
    r"(?:^|[\n;&|(])[ \t]*(?:[$!>%][ \t]*)?(?:[A-Za-z_]\w*=\S*[ \t]+)*curl(?:\.exe)?[ \t\\^]", re.MULTILINE
)
_NOTHING = "no request was found: paste a cURL command, a JSON body, or a Python call"


def read_request(text: str) -> Reading:
    """Return the wire-named fields in a cURL command, a JSON body or a Python call, and what was not understood.

    The text is read and never run; no file is opened and no address asked. Pictures stay what the text has: an address,
    a path, a data URI. Keys and passwords are left behind, and what is named never shows one. Nothing is guessed: a
    value that cannot be told from the text alone is named and left out.
    """
    text = text.lstrip("\ufeff")
    if fenced := _FENCE.match(text):
        text = fenced[1]
    found = _found(text.replace("\r\n", "\n"))
    if found.body is None:
        return Reading({}, [said(note) for note in found.notes] or [_NOTHING])
    fields, misfits = fitted(found.body)
    notes = list(dict.fromkeys(said(note) for note in [*found.notes, *misfits]))
    return Reading(fields, notes or ([] if fields else [_NOTHING]))


def _found(text: str) -> Found:
    if text.lstrip().startswith("{"):
        body = as_json(text)
        if isinstance(body, dict):
            return Found(body)
    if _CURL.search(text):
        return read_curl(text)
    found = read_python(text)
    if found.body is None and not found.notes and (mention := re.search(r"\bcurl\s+-|\bcurl\s+[\"']?http", text)):
        return read_curl(text[mention.start() :])  # among words: "try this: curl …"
    return found


def as_json(text: str) -> Any:
    """Return the value of a JSON text, None for any other."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

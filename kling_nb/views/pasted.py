"""Pasted code as what a panel shows: fields with their pictures read, and notes on what was left out."""

from __future__ import annotations

import re
from typing import Any

from kling_nb.code import read_request
from kling_nb.models.draft import Fault, Path, with_media

#: What a prompt has no use for. Half a request must not be taken for the words of one.
_CODE = re.compile(r"[{}\[\]=<>\\`]|\w\(|\bcurl\b|\bhttps?:", re.IGNORECASE)


def pasted(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the fields in a cURL command, a JSON body or a Python call, and what of it was not understood.

    Text in which there is none, and which does not look like code either, is the prompt. A picture that cannot be read
    is named and left out, since the form has no place for one that is not there.
    """
    fields, notes = read_request(text)
    if not fields and text.strip() and not _CODE.search(text):
        return {"prompt": text.strip()}, []
    faults: list[Fault] = []
    read = with_media(fields, faults)
    notes += [f"{'.'.join(map(str, path))}: {message}; {_moved(path)}" for path, message, _ in faults]
    return _without(read, {path for path, _, _ in faults}), notes


def _moved(path: Path) -> str:
    """A list closes up: `@Image2` would silently be another picture."""
    in_list = isinstance(path[-1], int)
    return "it was left out, and those after it have moved up" if in_list else "it was left out"


def _without(value: Any, lost: set[Path], path: Path = ()) -> Any:
    match value:
        case dict():
            return {key: _without(item, lost, (*path, key)) for key, item in value.items() if (*path, key) not in lost}
        case list():
            items = enumerate(value)
            return [_without(item, lost, (*path, index)) for index, item in items if (*path, index) not in lost]
        case _:
            return value

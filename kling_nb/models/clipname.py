"""The name of a clip's file for people: `2026-11-27 close-up of the cat · 3f9a1c-0.mp4`."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from kling_nb.models.record import Record

#: The most bytes of the words: file systems allow 255 for a name.
_BYTES = 120


def clip_name(record: Record) -> str:
    """Return the day, the first words of the prompt, and the end of the record's ID, which makes the name unique."""
    day = record.times.created.astimezone().date().isoformat()
    words = _words(record.prompt) or ("preview" if record.kind == "preview" else "clip")
    end = "-".join(record.id.rsplit("-", 2)[-2:])
    suffix = PurePosixPath(record.clip.place).suffix if record.clip else ""
    return f"{day} {words} · {_plain(end)}{suffix}"


def _words(prompt: str) -> str:
    text = _plain(re.sub(r"@(?=\w)", "", prompt))
    if len(text.encode()) <= _BYTES:
        return text
    cut = text.encode()[:_BYTES].decode(errors="ignore")
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,.;:–-")


def _plain(text: str) -> str:
    """Return text on one line without the characters that a file system or a shell treats in its own way."""
    shown = unicodedata.normalize("NFC", text)
    kept = "".join(" " if unicodedata.category(one)[0] in "CZ" or one in '/\\:*?"<>|`$' else one for one in shown)
    return " ".join(kept.split()).strip(" .-~")

"""What a record points to in the media."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kling_nb.models.record import Record

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: The same somewhere in a text.
DIGESTS = re.compile(r"(?<![\w-])sha256:[0-9a-f]{64}(?![0-9a-f])")


def digests_of(record: Record) -> Iterator[tuple[str, str]]:
    """Every digest that a record points to in the media, with what it is."""
    if record.clip:
        yield record.clip.digest, "its clip"
        if record.clip.poster:
            yield record.clip.poster, "its poster"
    for reference in record.references:
        if reference.digest:
            yield reference.digest, f"its reference {reference.path}"
        if reference.original:
            yield reference.original, f"what was given for {reference.path}"
        if reference.thumbnail:
            yield reference.thumbnail, f"the thumbnail of {reference.path}"

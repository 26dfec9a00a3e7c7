"""The references of a record as a card shows them: grouped, named as a prompt names them, with a small picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby

from kling_nb.models.record import Record, Reference
from kling_nb.render.images import smaller
from kling_nb.render.links import Links
from kling_nb.render.words import shortened

#: What all the small pictures of one card may weigh together, in bytes.
WEIGHT = 800


@dataclass(frozen=True)
class Picture:
    """One reference: what it is called, a small picture of it, and where it can be seen when it is on the web."""

    caption: str
    title: str
    name: str
    source: str | None
    href: str | None


@dataclass(frozen=True)
class Group:
    """Pictures that belong together: one reference, an element with its angles, or the frames from start to tail."""

    name: str
    pictures: list[Picture]
    joint: str = ""
    """What stands between them: an arrow from the start frame to the tail."""


def groups_of(record: Record, links: Links) -> list[Group]:
    """Return the record's references in the order of the request."""
    groups: list[Group] = []
    share = WEIGHT // max(1, len(record.references))
    for name, members in groupby(record.references, key=lambda item: _group_name(item.path)):
        pictures = [_picture(item, links, share) for item in members]
        if name == "Frames" and len(pictures) == 1:
            name = f"{pictures[0].caption.capitalize()} frame"
            pictures = [replace(pictures[0], caption="")]
        groups.append(Group(name, pictures, "→" if name.endswith("frame") or name == "Frames" else ""))
    return groups


def _picture(reference: Reference, links: Links, share: int) -> Picture:
    on_the_web = re.match(r"https?://", reference.identity, re.IGNORECASE)
    size = f" · {reference.width}×{reference.height}" if reference.width and reference.height else ""
    thumbnail = links.thumbnail(reference)
    return Picture(
        caption=_caption(reference.path),
        title=" · ".join([f"{reference.given}{size}", *reference.mends]),
        name=reference.name or shortened(reference.given, 40),
        source=smaller(thumbnail, share) if thumbnail else None,
        href=reference.identity if on_the_web else None,
    )


def _group_name(path: str) -> str:
    numbered = re.match(r"(input_image|elements)\.(\d+)", path)
    if numbered:
        return f"@{'Image' if numbered[1] == 'input_image' else 'Element'}{int(numbered[2]) + 1}"
    if path in ("start_image_url", "tail_image_url"):
        return "Frames"
    return "@Video1" if path == "input_video" else path


def _caption(path: str) -> str:
    if path == "start_image_url":
        return "start"
    if path == "tail_image_url":
        return "tail"
    return ""

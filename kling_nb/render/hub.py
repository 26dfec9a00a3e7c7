"""Which hub answers, and whether it knows the model: what `kn.hub()` shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kling_nb.render.page import fill


@dataclass(frozen=True)
class HubInfo:
    """What is known of a hub. `key_source` says where the key came from, never what it is.

    `in_catalogue` is None when the catalogue could not be read; `trouble` then says why.
    """

    name: str
    base_url: str
    local: bool
    model: str
    key_source: str | None = None
    in_catalogue: bool | None = None
    alternatives: tuple[str, ...] = ()
    trouble: str = ""

    def __str__(self) -> str:
        return hub_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": hub_html(self), "text/plain": hub_text(self)}


def hub_html(info: HubInfo) -> str:
    """Return the hub as a small panel."""
    return fill("hub", info=info, tone=_tone(info), rows=_rows(info), lead=_lead(info))


def hub_text(info: HubInfo) -> str:
    """Return the hub in a few lines of plain text."""
    lines = [f"{info.name} · {info.base_url}", _lead(info), *(f"{label}: {value}" for label, value in _rows(info))]
    return "\n".join(line for line in (*lines, info.trouble) if line)


def _lead(info: HubInfo) -> str:
    if info.local:
        return "Animatics of your requests, made on this machine. They cost nothing."
    return "Generations here are real and are paid for."


def _rows(info: HubInfo) -> list[tuple[str, str]]:
    known = {True: "in the catalogue", False: "not in the catalogue", None: "catalogue not read"}[info.in_catalogue]
    key = info.key_source or ("none needed" if info.local else "none found")
    rows = [("Key", key), ("Model", f"{info.model} · {known}")]
    return [*rows, ("Instead", ", ".join(info.alternatives))] if info.alternatives else rows


def _tone(info: HubInfo) -> str:
    if info.trouble or info.in_catalogue is False or not (info.local or info.key_source):
        return "doubt"
    return "off" if info.local else "good"

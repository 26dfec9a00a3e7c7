"""Completion of `%%kling` and `%kling` lines: options, flags, models, tags, saved elements and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import get_args

from kling_nb.errors import KlingError
from kling_nb.magics.cell import COMMANDS, FILTERS, FLAGS, SHORT, option_names
from kling_nb.models.fields import media_kind
from kling_nb.models.record import ENDED
from kling_nb.models.request import TARGET, TYPED
from kling_nb.models.specs import form_of
from kling_nb.studio import Studio
from kling_nb.sweeps.spending import By

_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_VIDEOS = (".mp4", ".mov", ".webm", ".mkv")
#: The number of entries of a folder that are looked at.
_MAX_ENTRIES = 2000


def completions(studio: Callable[[], Studio], line: str, token: str) -> list[str] | None:
    """Return the completions of a line's last token; None for a line without one of our magics.

    There are none if the log cannot be read.
    """
    magic, *words = line.split(" ")
    if magic not in ("%%kling", "%kling") or not words:
        return None
    word = words[-1]
    before = word.removesuffix(token)  # IPython's token also begins after `=`, `:` and `,`
    try:
        found = _options(studio(), words) if magic == "%%kling" else _arguments(studio(), words)
        return [text[len(before) :] for text in found if text.startswith(word) and " " not in text]
    except (KlingError, OSError):
        return []


def _options(studio: Studio, words: list[str]) -> Iterable[str]:
    name, sign, typed = words[-1].partition("=")
    model = next((word[6:] for word in words[:-1] if word.startswith("model=")), TARGET)
    if sign:
        return [f"{name}={value}" for value in _values(studio, SHORT.get(name, name), typed, model)]
    return [*(f"{option}=" for option in dict.fromkeys(option_names(model))), *FLAGS]


def _values(studio: Studio, name: str, typed: str, model: str) -> Iterable[str]:
    if name == "model":
        return dict.fromkeys([*TYPED, *studio.store.models()])
    if name == "tag":
        return studio.store.tags()
    if name == "elements":
        before, comma, last = typed.rpartition(",")
        return [*studio.elements, *(f"{before}{comma}{file}" for file in _files(last, _IMAGES))]
    if kind := media_kind(name):
        return _files(typed, _VIDEOS if kind == "video" else _IMAGES)
    return _field_values(name, model)


def _field_values(name: str, model: str) -> Iterable[str]:
    """Return the values that a field takes: choices, on and off, small numbers."""
    spec = form_of(model).spec(name)
    if spec is None:
        return ()
    match spec.kind:
        case "choice":
            return map(str, spec.choices)
        case "toggle":
            return ("on", "off")
        case "integer" if spec.minimum is not None and spec.maximum is not None:
            return map(str, range(int(spec.minimum), int(spec.maximum) + 1))
        case _:
            return ()


def _files(typed: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the folders, and the files with these endings, whose path begins as typed."""
    folder, slash, begun = typed.rpartition("/")
    if typed.startswith(("http:", "https:", "data:", "{", "$")):
        return
    place = Path(f"{folder}{slash}" or ".").expanduser()
    for entry in sorted(place.iterdir())[:_MAX_ENTRIES] if place.is_dir() else ():
        if entry.name.startswith(begun) and not entry.name.startswith("."):
            if entry.is_dir():
                yield f"{folder}{slash}{entry.name}/"
            elif entry.suffix.lower() in endings:
                yield f"{folder}{slash}{entry.name}"


def _arguments(studio: Studio, words: list[str]) -> Iterable[str]:
    if len(words) <= 1:
        return COMMANDS
    if words[0] == "spending":
        return get_args(By)
    if words[0] != "log":
        return ()
    name, sign, _ = words[-1].partition("=")
    if not sign:
        return [f"{option}=" for option in FILTERS]
    return [f"{name}={value}" for value in _filter_values(studio, name)]


def _filter_values(studio: Studio, name: str) -> Iterable[str]:
    match name:
        case "tag":
            return studio.store.tags()
        case "model":
            return studio.store.models()
        case "status":
            return sorted(ENDED)
        case "kind":
            return ("result", "preview")
        case "stars":
            return "12345"
        case _:
            return ()

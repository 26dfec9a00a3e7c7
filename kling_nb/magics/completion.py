"""What completes the lines of `%%kling` and `%kling`: options, flags, models, tags, kept elements, files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from kling_nb.errors import KlingError
from kling_nb.magics.cell import FLAGS, SHORT, option_names
from kling_nb.magics.question import FILTERS, VERBS
from kling_nb.models.fields import media_kind
from kling_nb.models.record import ENDED
from kling_nb.models.request import TARGET, TYPED
from kling_nb.studio import Studio
from kling_nb.sweeps.spending import By

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_VIDEOS = (".mp4", ".mov", ".webm", ".mkv")
#: A folder with more entries than this is not listed to its end.
_MOST = 2000


def completions(studio: Callable[[], Studio], line: str, token: str) -> list[str] | None:
    """Return what may stand at the end of a line, each in place of its last token; None for a line that is not ours.

    Nothing is offered where the log cannot be read.
    """
    command, *words = line.split(" ")
    if command not in ("%%kling", "%kling") or not words:
        return None
    word = words[-1]
    before = word.removesuffix(token)  # IPython's token begins after `=`, `:` and `,` too
    try:
        found = _in_cell_line(studio(), words) if command == "%%kling" else _in_line(studio(), words)
        return [text[len(before) :] for text in found if text.startswith(word) and " " not in text]
    except (KlingError, OSError):
        return []


def _in_cell_line(studio: Studio, words: list[str]) -> Iterable[str]:
    name, sign, said = words[-1].partition("=")
    model = next((word[6:] for word in words[:-1] if word.startswith("model=")), TARGET)
    if sign:
        return [f"{name}={value}" for value in _values(studio, SHORT.get(name, name), said, model)]
    return [*(f"{option}=" for option in dict.fromkeys(option_names(model))), *FLAGS]


def _in_line(studio: Studio, words: list[str]) -> Iterable[str]:
    if len(words) <= 1:
        return VERBS
    if words[0] == "spending":
        return get_args(By)
    if words[0] != "log":
        return ()
    name, sign, _ = words[-1].partition("=")
    if not sign:
        return [f"{option}=" for option in FILTERS]
    return [f"{name}={value}" for value in _of_the_filter(studio, name)]


def _of_the_filter(studio: Studio, name: str) -> Iterable[str]:
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


def _values(studio: Studio, name: str, said: str, model: str) -> Iterable[str]:
    if name == "model":
        return dict.fromkeys([*TYPED, *studio.store.models()])
    if name == "tag":
        return studio.store.tags()
    if name == "elements":
        before, comma, last = said.rpartition(",")
        return [*studio.elements, *(f"{before}{comma}{file}" for file in _files(last, _PICTURES))]
    if kind := media_kind(name):
        return _files(said, _VIDEOS if kind == "video" else _PICTURES)
    return _of_the_field(name, model)


def _of_the_field(name: str, model: str) -> Iterable[str]:
    """Return what a field's own type offers: the words of a choice, on and off, small numbers."""
    field = TYPED[model].model_fields.get(name) if model in TYPED else None
    if field is None:
        return ()
    for kind in _kinds(field.annotation):
        if get_origin(kind) is Literal:
            return [str(word) for word in get_args(kind)]
        if kind is bool:
            return ("on", "off")
        if kind is int:
            least, most = (
                next((getattr(m, side) for m in field.metadata if hasattr(m, side)), 0) for side in ("ge", "le")
            )
            return map(str, range(least, most + 1))
    return ()


def _kinds(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (None, Literal):
        yield annotation
    for kind in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _kinds(kind)


def _files(said: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the files with these endings, and the folders, that begin as what is said."""
    folder, slash, begun = said.rpartition("/")
    if said.startswith(("http:", "https:", "data:", "{", "$")):
        return
    place = Path(f"{folder}{slash}" or ".").expanduser()
    for number, entry in enumerate(sorted(place.iterdir()) if place.is_dir() else ()):
        if number >= _MOST:
            return
        if entry.name.startswith(begun) and not entry.name.startswith("."):
            if entry.is_dir():
                yield f"{folder}{slash}{entry.name}/"
            elif entry.suffix.lower() in endings:
                yield f"{folder}{slash}{entry.name}"

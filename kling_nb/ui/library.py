"""`kn.presets` and `kn.elements`: requests, and characters and objects, saved by name in the log."""

from __future__ import annotations

import datetime
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from kling_nb.errors import ArgumentError, ArgumentTypeError, LogError, NotSaved, RequestError
from kling_nb.models import restore
from kling_nb.models.fields import plain, with_media
from kling_nb.models.lint import parse
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record, Reference
from kling_nb.models.request import Element, Request, given_fields
from kling_nb.render.formatting import shorten
from kling_nb.render.tables import SavedRow, saved_html, saved_text

if TYPE_CHECKING:
    from kling_nb.notebook.links import Links
    from kling_nb.store.log import Log

logger = logging.getLogger(__name__)

T = TypeVar("T")
_MAX_NAME = 80


class Library(MutableMapping[str, T], ABC):
    """Values saved by name in the log, with their images; every kernel on this log sees the same.

    Reading a missing name raises `NotSaved` (a `KeyError`).
    """

    kind: ClassVar[str]

    def __init__(self, store: Log, links: Links) -> None:
        self._store, self._links = store, links

    def __getitem__(self, name: str) -> T:
        return self._value_of(self.fields(name))

    def __setitem__(self, name: Any, value: Any) -> None:
        if not isinstance(name, str) or not 0 < len(name.strip()) <= _MAX_NAME:
            raise ArgumentError(f"The name of {self._a} must have 1 to {_MAX_NAME} characters, got {name!r}.")
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        saved = restore.serialize_fields(self._fields_of(value), self._store.add_reference)
        self._store.values.save(self.kind, name.strip(), {**saved, "at": now})

    def __delitem__(self, name: str) -> None:
        if name not in self._store.values.names(self.kind):
            raise self._not_saved(name)
        self._store.values.delete(self.kind, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.values.names(self.kind))

    def __len__(self) -> int:
        return len(self._store.values.names(self.kind))

    def rename(self, name: str, new: str) -> None:
        """Rename a saved value. Raises `ArgumentError` when the new name is taken."""
        if new.strip() == name:
            return
        if new.strip() in self:
            raise ArgumentError(f"{self._a.capitalize()} named {new.strip()!r} already exists.")
        self[new] = self[name]
        del self[name]

    def fields(self, name: str) -> dict[str, Any]:
        """Return a saved value as wire-named fields, with images as `Asset`."""
        return restore.deserialize_fields(self._load(name), self._store.read)

    def rows(self) -> list[SavedRow]:
        """Return a table row for every saved value. Values that cannot be read are left out, with a warning."""
        rows: list[SavedRow] = []
        for name in self:
            try:
                rows.append(self._row(name, self._load(name)))
            except LogError as exc:
                logger.warning("%s", exc)
        return rows

    @abstractmethod
    def _value_of(self, fields: dict[str, Any]) -> T:
        """Return the value with these fields."""

    @abstractmethod
    def _fields_of(self, value: Any) -> dict[str, Any]:
        """Return a value as wire-named fields. Raises `KlingError` for an invalid value."""

    @abstractmethod
    def _description(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        """Return the text and the note of a table row."""

    def _load(self, name: str) -> dict[str, Any]:
        saved = self._store.values.load(self.kind, name)
        if saved is None:
            raise self._not_saved(name)
        if not _is_valid(saved):
            raise LogError(
                f"The file of the {self.kind} {name!r} is damaged. Restore it from a copy, save another {self.kind} "
                f"under this name, or delete it: del kn.{self.kind}s[{name!r}]."
            )
        return saved

    def _not_saved(self, name: object) -> NotSaved:
        names = ", ".join(map(repr, self))
        return NotSaved(f"No {self.kind} is named {name!r}. Saved {self.kind}s: {names or 'none'}.")

    def _row(self, name: str, saved: Mapping[str, Any]) -> SavedRow:
        references = [Reference.model_validate(reference) for reference in saved["references"]]
        images = [uri for reference in references[:4] if (uri := self._links.thumbnail(reference))]
        text, note = self._description(saved["fields"])
        return SavedRow(name, text, note, tuple(images), datetime.datetime.fromisoformat(saved["at"]))

    @property
    def _a(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": saved_html(self.rows(), self.kind), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return saved_text(self.rows(), self.kind)


class Presets(Library[dict[str, Any]]):
    """Requests saved by name, complete or not.

    Example:
        >>> kn.presets["walk"] = request
        >>> kn.panel(kn.presets["walk"])
        >>> kn.generate(kn.presets["walk"], duration=9)
    """

    kind = "preset"

    def _value_of(self, fields: dict[str, Any]) -> dict[str, Any]:
        return fields

    def _fields_of(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Record):
            value = value.request()
        if isinstance(value, Request):
            return plain(given_fields(value))
        if not isinstance(value, Mapping):
            raise ArgumentTypeError(
                f"A preset must be a request, a record or a dict of fields, got {type(value).__name__}."
            )
        return _with_media(value)

    def _description(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        shots = fields.get("multi_prompt") or ()
        text = fields.get("prompt") or " / ".join(str(shot.get("prompt", "")) for shot in shots)
        parts = [f"{len(shots)} shots" if shots else "", f"{fields['duration']} s" if "duration" in fields else ""]
        return shorten(str(text), 120), " · ".join(filter(None, [*parts, fields.get("aspect_ratio", "")]))


class Elements(Library[Element]):
    """Characters and objects saved by name, for `elements=[...]` of any request.

    Example:
        >>> kn.elements["mara"] = kn.Element(frontal_image_url="mara.png")
        >>> kn.generate("@Element1 laughs", elements=[kn.elements["mara"]])
    """

    kind = "element"

    def _value_of(self, fields: dict[str, Any]) -> Element:
        return Element.model_validate(fields)

    def _fields_of(self, value: Any) -> dict[str, Any]:
        fields = _with_media(value if isinstance(value, Element | Mapping) else {"frontal_image_url": value})
        parsed = parse({"prompt": "@Element1", "elements": [fields]})
        if parsed.errors:
            raise RequestError(parsed.errors)
        return fields

    def _description(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        angles = len(fields.get("reference_image_urls") or ())
        views = {0: "front view only", 1: "front view and one other"}
        return "", views.get(angles, f"front view and {angles} others")


def _is_valid(saved: Any) -> bool:
    try:
        datetime.datetime.fromisoformat(saved["at"])
        for reference in saved["references"]:
            Reference.model_validate(reference)
        return isinstance(saved["fields"], dict)
    except (TypeError, ValueError, LookupError):
        return False


def _with_media(value: Any) -> dict[str, Any]:
    errors: list[Problem] = []
    fields = with_media(plain(value), errors)
    if errors:
        raise RequestError(errors)
    return fields

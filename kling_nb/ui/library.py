"""What a user keeps by name in the log: `Presets` (requests) and `Elements` (characters and objects)."""

from __future__ import annotations

import datetime
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, TypeVar

from kling_nb.errors import LogError, NotSaved, RequestError
from kling_nb.models import restore
from kling_nb.models.fields import Fault, plain, with_media
from kling_nb.models.lint import parse
from kling_nb.models.problem import error
from kling_nb.models.record import Record, Reference
from kling_nb.models.request import Element, Request, given_fields
from kling_nb.notebook.links import Links
from kling_nb.render import SavedRow, saved_html, saved_text
from kling_nb.render.formatting import shorten
from kling_nb.store.log import Log

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LONGEST = 80


class Library(MutableMapping[str, T], ABC):
    """Values kept by name, their pictures in the log's media; every kernel on this log sees the same.

    Reading a name that is not kept raises `NotSaved` (a `KeyError`).
    """

    kind: ClassVar[str]

    def __init__(self, store: Log, links: Links) -> None:
        self._store, self._links = store, links

    def __getitem__(self, name: str) -> T:
        return self._made(self.fields(name))

    def __setitem__(self, name: Any, value: Any) -> None:
        if not isinstance(name, str) or not 0 < len(name.strip()) <= _LONGEST:
            raise LogError(f"{name!r} is no name for {self._a}: give 1 to {_LONGEST} characters.")
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        kept = restore.serialize_fields(self._fields_of(value), self._store.add_reference)
        self._store.save_value(self.kind, name.strip(), {**kept, "at": now})

    def __delitem__(self, name: str) -> None:
        if name not in self._store.value_names(self.kind):
            self._kept(name)
        self._store.delete_value(self.kind, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.value_names(self.kind))

    def __len__(self) -> int:
        return len(self._store.value_names(self.kind))

    def rename(self, name: str, new: str) -> None:
        """Give a kept value another name. Raises `LogError` when that name is taken."""
        if new.strip() == name:
            return
        if new.strip() in self:
            raise LogError(f"There is {self._a} {new.strip()!r} already: delete it first, or take another name.")
        self[new] = self[name]
        del self[name]

    def fields(self, name: str) -> dict[str, Any]:
        """Return what is kept as wire-named fields, pictures as `Asset`."""
        return restore.deserialize_fields(self._kept(name), self._store.read)

    def rows(self) -> list[SavedRow]:
        """Return every kept value as a row of a table; what cannot be read is left out, with a warning."""
        rows: list[SavedRow] = []
        for name in self:
            try:
                rows.append(self._row(name, self._kept(name)))
            except LogError as exc:
                logger.warning("%s", exc)
        return rows

    @abstractmethod
    def _made(self, fields: dict[str, Any]) -> T:
        """Return the value for what was kept."""

    @abstractmethod
    def _fields_of(self, value: Any) -> dict[str, Any]:
        """Return wire-named fields for what is to be kept."""

    @abstractmethod
    def _words(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        """Say what is kept: the first line and a quiet second."""

    def _kept(self, name: str) -> dict[str, Any]:
        kept = self._store.load_value(self.kind, name)
        if kept is None:
            there = ", ".join(self) or "none yet"
            raise NotSaved(f"There is no {self.kind} {name!r}; kept are: {there}.")
        if not _is_sound(kept):
            raise LogError(
                f"The file of the {self.kind} {name!r} does not hold {self._a}: it was edited. Restore it from a "
                f"copy, or keep another under that name, or delete it: del kn.{self.kind}s[{name!r}]."
            )
        return kept

    def _row(self, name: str, kept: Mapping[str, Any]) -> SavedRow:
        references = [Reference.model_validate(reference) for reference in kept["references"]]
        pictures = [uri for reference in references[:4] if (uri := self._links.thumbnail(reference))]
        text, note = self._words(kept["fields"])
        return SavedRow(name, text, note, tuple(pictures), datetime.datetime.fromisoformat(kept["at"]))

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
    """Requests kept by name, finished or not.

    >>> kn.presets["walk"] = request
    >>> kn.panel(kn.presets["walk"])
    >>> kn.generate(kn.presets["walk"], duration=9)
    """

    kind = "preset"

    def __init__(self, store: Log, links: Links, request_of: Callable[[Record], Request]) -> None:
        super().__init__(store, links)
        self._request_of = request_of

    def _made(self, fields: dict[str, Any]) -> dict[str, Any]:
        return fields

    def _fields_of(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Record):
            value = self._request_of(value)
        if isinstance(value, Request):
            return plain(given_fields(value))
        if not isinstance(value, Mapping):
            raise LogError(f"A {type(value).__name__} is no preset: give a request, a record, or fields in a dict.")
        return _read(value)

    def _words(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        shots = fields.get("multi_prompt") or ()
        text = fields.get("prompt") or " / ".join(str(shot.get("prompt", "")) for shot in shots)
        said = [f"{len(shots)} shots" if shots else "", f"{fields['duration']} s" if "duration" in fields else ""]
        return shorten(str(text), 120), " · ".join(filter(None, [*said, fields.get("aspect_ratio", "")]))


class Elements(Library[Element]):
    """Characters and objects kept by name, for `elements=[...]` of any request.

    >>> kn.elements["mara"] = kn.Element(frontal_image_url="mara.png")
    >>> kn.generate("@Element1 laughs", elements=[kn.elements["mara"]])
    """

    kind = "element"

    def _made(self, fields: dict[str, Any]) -> Element:
        return Element.model_validate(fields)

    def _fields_of(self, value: Any) -> dict[str, Any]:
        fields = _read(value if isinstance(value, Element | Mapping) else {"frontal_image_url": value})
        _, faults = parse({"prompt": "@Element1", "elements": [fields]})
        wrong = [problem for problem in faults if problem.severity == "error"]
        if wrong:
            raise RequestError(wrong)
        return fields

    def _words(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        angles = len(fields.get("reference_image_urls") or ())
        views = {0: "front view alone", 1: "front and one more view"}
        return "", views.get(angles, f"front and {angles} more views")


def _is_sound(kept: Any) -> bool:
    try:
        datetime.datetime.fromisoformat(kept["at"])
        for reference in kept["references"]:
            Reference.model_validate(reference)
        return isinstance(kept["fields"], dict)
    except (TypeError, ValueError, LookupError):
        return False


def _read(value: Any) -> dict[str, Any]:
    faults: list[Fault] = []
    fields = with_media(plain(value), faults)
    if faults:
        raise RequestError([error(*fault) for fault in faults])
    return fields

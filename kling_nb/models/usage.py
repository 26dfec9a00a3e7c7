"""The quantities that a request is billed by: its seconds, resolution, sound, number of files and source videos.

A field that is left out counts with the schema's default. What a request leaves open, with a field that has no default
or with `"auto"`, counts as the most that the schema allows, so that a price is never said too low.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple, cast

from kling_nb.models.asset import Asset
from kling_nb.models.fields import assets_in, media_kind
from kling_nb.models.request import HubRequest, Request, model_of, request_type
from kling_nb.models.rules import Draft
from kling_nb.models.schema import Schema, list_in, mapping_in, options_of

# Names of fields, in lower case and without underscores.
_LENGTHS = (
    "duration", "seconds", "length", "durationseconds", "durationinseconds", "durationsec", "durations", "numseconds",
    "lengthseconds", "videolength", "videoduration", "cliplength", "clipduration", "outputduration", "targetduration",
    "durationms", "lengthms",
)  # fmt: skip
_FRAMES = ("numframes", "frames", "framecount", "numberofframes", "framenum", "framesnumber", "videoframes")
_FRAME_RATES = ("fps", "framerate", "framespersecond", "outputfps", "targetfps", "videofps")
RESOLUTIONS = (
    "resolution", "outputresolution", "videoresolution", "targetresolution", "imageresolution", "size", "imagesize",
    "videosize", "outputsize",
)  # fmt: skip
QUALITIES = ("quality", "imagequality", "videoquality", "outputquality")
_SOUNDS = (
    "generateaudio", "audio", "withaudio", "enableaudio", "includeaudio", "generatesound", "sound", "withsound",
    "enablesound",
)  # fmt: skip
_COUNTS = (
    "numimages", "n", "numoutputs", "numvideos", "numsamples", "numresults", "numberofimages", "numberofvideos",
    "numberofoutputs", "imagecount", "videocount", "samplecount", "outputcount", "batchsize", "maximages",
)  # fmt: skip

_TIERS = frozenset({"pro", "high", "hd", "ultra", "premium", "max"})
_OPEN = frozenset({"", "auto", "automatic", "adaptive", "default", "smart", "-1"})
_OFF = frozenset({"false", "off", "no", "none", "0", "mute", "muted", "silent", "disabled"})
_UNITS: Mapping[str, Decimal] = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), Decimal(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Decimal(60)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), Decimal("0.001")),
}
_LENGTH = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)")
_HEIGHTS = {
    "sd": 480,
    "hd": 720,
    "fhd": 1080,
    "fullhd": 1080,
    "2k": 1440,
    "4k": 2160,
    "uhd": 2160,
    "8k": 4320,
    **dict.fromkeys(("low", "basic", "draft"), 480),
    **dict.fromkeys(("std", "standard", "normal", "medium"), 720),
}
#: A number above this one is a mistake.
_LARGEST = 10**9
#: The height above which a resolution is high, and the one above which it is if the model has no higher one.
_HIGH, _RAISED = 1080, 720


class Amount(NamedTuple):
    """A number, and whether it is the most that a request leaves open."""

    value: Decimal
    most: bool = False


class _Field(NamedTuple):
    """A field of a request: its value (None if it is open), and its alternatives in the schema.

    `rank` is 2 for a field that the draft gives, 1 for one with a default, 0 for one without. Also 1 for a field
    under a name that the schema does not have: the hub may ignore it, and use a default.
    """

    name: str
    value: Any
    rank: int
    options: list[Schema]

    def choices(self) -> list[Any]:
        """Return the values that the schema lists, without `"auto"`."""
        listed = [choice for option in self.options for choice in _listed(option)]
        return [choice for choice in listed if not _is_open(choice)]

    def is_single(self) -> bool:
        """Return whether it is neither a list (of frames) nor a file."""
        kinds = {option.get("type") for option in self.options[:1]}
        return not isinstance(self.value, list | tuple | Mapping | Asset) and not kinds & {"array", "object"}


class Usage:
    """The usage of a draft by a model with this `request_schema`; names and choices are compared without case."""

    def __init__(self, draft: Draft, schema: Schema | None = None) -> None:
        kind = request_type(model_of(draft))
        self._typed = kind is not HubRequest
        self._draft = draft
        given = dict(_with_nested(draft))
        self._given = {_name(key): value for key, value in given.items() if value is not None and value != ""}
        self._schema = _schema_of(kind) if self._typed else schema or {}
        self._known = _typed_fields(kind) if self._typed else _fields(self._schema)
        names = _typed_names(kind) if self._typed else _names(self._schema)
        self._listed = {_name(key) for key in given if not names or key in names}

    def length(self) -> Amount | None:
        """Return the seconds that are asked for; None if they are not known."""
        shots = self._shots()
        if shots and self._typed:  # a shot has its own duration, in place of the request's
            return _total(shots)
        found = [(field.rank, _seconds(field)) for field in self._present(_LENGTHS) if field.is_single()]
        found += [(field.rank, self._seconds_of(field)) for field in self._present(_FRAMES) if field.is_single()]
        found += [(2, _total(shots))] if shots else []
        rank = max((rank for rank, _ in found), default=0)
        return _largest([amount for each, amount in found if each == rank])

    def source(self) -> Decimal | None:
        """Return the whole seconds of the input videos, 0 without one; None if a length is not known."""
        assets = [asset for _, asset in assets_in(self._draft) if asset.kind == "video"]
        # A file's last frame ends a little after the second that it was made for.
        known = [math.ceil(facts.seconds - 0.1) for asset in assets if (facts := asset.video_facts) and facts.seconds]
        return Decimal(sum(known)) if len(known) == len(assets) and not self._unread_videos() else None

    def keeps_length(self) -> bool:
        """Return whether the clip will be as long as its source, even if the source is not given yet."""
        has_video = self._unread_videos() or any(asset.kind == "video" for _, asset in assets_in(self._draft))
        for field in self._present(["videomode"]):
            return has_video and _text(field.value or "edit") == "edit"
        if any(self._present((*_LENGTHS, *_FRAMES))):
            return False
        return has_video or any(media_kind(str(name)) == "video" for name in list_in(self._schema, "required"))

    def count(self) -> Amount:
        """Return how many files one generation makes."""
        counts = [_amount(field, _number) for field in self._present(_COUNTS) if field.rank]
        return max([Amount(Decimal(1)), *(count for count in counts if count)])

    def has_sound(self) -> bool:
        """Return whether sound is asked for, or left open."""
        for field in _foremost(self._present(_SOUNDS)):
            if field.value is None:
                is_switch = any(option.get("type") == "boolean" or "enum" in option for option in field.options)
                if is_switch:
                    return True
            elif _text(field.value) not in _OFF:
                return True
        return False

    def is_high_resolution(self) -> bool:
        """Return whether the resolution may be one that costs `cost_per_second_high_res`."""
        for field in _foremost(self._present((*RESOLUTIONS, *QUALITIES))):
            heights = [_height(choice) for choice in field.choices()]
            limit = _HIGH if any(height and height > _HIGH for height in heights) else _RAISED
            asked = [_height(field.value)] if field.value is not None else heights or [None]
            if any(height is None or height > limit for height in asked):
                return True
        return any(
            field.value is None or _text(field.value) in _TIERS for field in self._present(["mode", "tier", "variant"])
        )

    def entries(self, table: Mapping[str, Any], names: Collection[str]) -> list[Any] | None:
        """Return the entries of a price table that apply; None if it has none for a value that is asked for.

        The field is one of these names, or another one whose choices are those of the table; without any, every entry
        may apply.
        """
        by_key: dict[str, list[Any]] = {}
        for name, entry in table.items():
            words = re.split(r"[^a-z0-9.]+", name.lower()) if self.has_sound() else []  # "720p_with_audio"
            for key in {_key(name), *map(_key, words)}:
                by_key.setdefault(key, []).append(entry)
        named = self._present(names)
        likely = [field for field in [*named, *self._present([*self._known, *self._given])] if _matches(field, by_key)]
        found: list[Any] = []
        for field in _foremost(likely or named):
            asked = [field.value] if field.value is not None else field.choices() or list(table)
            for value in asked:
                if not (entries := by_key.get(_key(value))):
                    return None
                found += entries
        return found or list(table.values())

    def _present(self, names: Iterable[str]) -> list[_Field]:
        """Return the fields of these names that the draft or the schema has."""
        fields: list[_Field] = []
        for name in names:
            options = self._known.get(name, [])
            if name in self._given:
                fields.append(_Field(name, _closed(self._given[name]), 2 if name in self._listed else 1, options))
            if options and not (name in self._given and name in self._listed):
                default = options[0].get("default", options[0].get("const"))
                fields.append(_Field(name, _closed(default), 1 if default is not None else 0, options))
        return fields

    def _seconds_of(self, frames: _Field) -> Amount | None:
        """Return the seconds of a number of frames at the lowest frame rate that may be used."""
        count, rates = _amount(frames, _number), [_slowest(field) for field in self._present(_FRAME_RATES)]
        rate = next((rate for rate in rates if rate), None)
        return Amount(count.value / rate.value, count.most or rate.most) if count and rate else None

    def _shots(self) -> list[Amount | None]:
        """Return the length of each shot; empty without shots."""
        field = next(iter(self._present(["multiprompt", "shots"])), None)
        if field is None or not isinstance(field.value, list | tuple):
            return []
        item = next((_item_fields(option, self._schema) for option in field.options if "items" in option), {})
        options = item.get("duration") or [{"default": 5, "maximum": 15}]
        lengths = [shot.get("duration") if isinstance(shot, Mapping) else None for shot in cast(list[Any], field.value)]
        default = options[0].get("default")
        return [
            _seconds(_Field("duration", _closed(default if length is None else length), 2, options))
            for length in lengths
        ]

    def _unread_videos(self) -> bool:
        """Return whether a video field has a value that is not an asset yet."""
        values = [value for name, value in self._draft.items() if media_kind(str(name)) == "video"]
        items = [item for value in values for item in (cast(list[Any], value) if isinstance(value, list) else [value])]
        return any(isinstance(item, str) and item for item in items)


def _foremost(fields: list[_Field]) -> list[_Field]:
    """Return the fields of the highest rank."""
    return [field for field in fields if field.rank == max(each.rank for each in fields)]


def is_count(name: str) -> bool:
    """Return whether a field multiplies the price."""
    return name == "num_generations" or _name(name) in _COUNTS


def _name(name: object) -> str:
    return str(name).lower().replace("_", "").replace("-", "")


def _fields(schema: Schema) -> dict[str, list[Schema]]:
    return {_name(name): options for name, options in _properties(schema, schema)}


def _properties(schema: Schema, whole: Schema, depth: int = 3) -> Iterator[tuple[str, list[Schema]]]:
    """Yield the fields of a schema with their alternatives, those of objects in it first."""
    for name, field in mapping_in(schema, "properties").items():
        options = options_of(field, whole)
        if depth:
            yield from _properties(next(iter(options), {}), whole, depth - 1)
        yield str(name), options


def _with_nested(draft: Mapping[Any, Any], depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a draft, those of objects in it first."""
    for name, value in draft.items():
        if depth and isinstance(value, Mapping):
            yield from _with_nested(cast(Mapping[Any, Any], value), depth - 1)
        yield str(name), value


@cache
def _schema_of(kind: type[Request]) -> Schema:
    return kind.model_json_schema()


@cache
def _typed_names(kind: type[Request]) -> frozenset[str]:
    return _names(_schema_of(kind))


def _names(schema: Schema) -> frozenset[str]:
    return frozenset(name for name, _ in _properties(schema, schema))


@cache
def _typed_fields(kind: type[Request]) -> dict[str, list[Schema]]:
    return _fields(_schema_of(kind))


def _item_fields(schema: Schema, whole: Schema) -> dict[str, list[Schema]]:
    items = options_of(schema.get("items"), whole)
    parts = [part for item in items for part in mapping_in(item, "properties").items()]
    return {_name(name): options_of(field, whole) for name, field in parts}


def _listed(option: Schema) -> list[Any]:
    return [*list_in(option, "enum"), *([option["const"]] if "const" in option else [])]


def _is_open(value: Any) -> bool:
    return value is None or _text(value) in _OPEN


def _text(value: Any) -> str:
    """Return a choice in lower case; nothing for a value that is not one, such as a file."""
    is_choice = isinstance(value, str | bool | float) or (isinstance(value, int) and abs(value) <= _LARGEST)
    return str(value).strip().lower() if is_choice else "(another value)"


def _closed(value: Any) -> Any:
    return None if _is_open(value) else value


def _matches(field: _Field, keys: Collection[str]) -> bool:
    return any(_key(value) in keys for value in [field.value, *field.choices()] if isinstance(value, str | int))


def _number(value: Any) -> Decimal | None:
    """Read a positive number, which some schemas give as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # the latter for an integer of 5,000 digits
        return None
    return number if number.is_finite() and 0 < number <= _LARGEST else None


def _seconds(field: _Field) -> Amount | None:
    unit = Decimal("0.001") if field.name.endswith("ms") else Decimal(1)

    def read(value: Any) -> Decimal | None:
        number = _number(value)
        if number is None and isinstance(value, str) and (found := _LENGTH.fullmatch(value.strip().lower())):
            number = _number(found[1])
            return number * _UNITS[found[2]] if number and found[2] in _UNITS else None
        return number * unit if number else None

    return _amount(field, read)


def _amount(field: _Field, read: Callable[[Any], Decimal | None]) -> Amount | None:
    """Return a field's number, or the most that the schema allows if it is open or no number; None without a limit."""
    if (value := read(field.value)) is not None:
        return Amount(value)
    limits = [option.get(key) for option in field.options for key in ("maximum", "exclusiveMaximum", "le")]
    choices = [choice for option in field.options for choice in _listed(option)]
    known = [number for each in (*limits, *choices) if (number := read(each)) is not None]
    return Amount(max(known), most=True) if known else None


def _slowest(field: _Field) -> Amount | None:
    if (value := _number(field.value)) is not None:
        return Amount(value)
    limits = [option.get(key) for option in field.options for key in ("minimum", "exclusiveMinimum", "ge")]
    known = [number for each in (*limits, *field.choices()) if (number := _number(each)) is not None]
    return Amount(min(known), most=True) if known else None


def _total(amounts: list[Amount | None]) -> Amount | None:
    known = [amount for amount in amounts if amount]
    if len(known) < len(amounts):
        return None
    return Amount(sum((each.value for each in known), Decimal(0)), any(each.most for each in known))


def _largest(amounts: list[Amount | None]) -> Amount | None:
    known = [amount for amount in amounts if amount]
    return max(known) if known and len(known) == len(amounts) else None


def _key(value: Any) -> str:
    """Return a choice as tables are read: `1080P`, `1080` and `1920x1080` are `1080p`."""
    height = _height(value)
    return f"{height}p" if height else _text(value)


def _height(value: Any) -> int | None:
    text = re.sub(r"[\s_-]", "", _text(value))
    if text in _HEIGHTS:
        return _HEIGHTS[text]
    if sides := re.fullmatch(r"([0-9]{2,5})[x×*]([0-9]{2,5})", text):
        return min(int(sides[1]), int(sides[2]))
    found = re.fullmatch(r"([0-9]{3,5})p?", text)
    return int(found[1]) if found else None

"""Field specs: the properties of each field that a form needs, from a class or from a model's `request_schema`.

Both are JSON Schema, the hub's with extras (`renderType`, `x-order`, `x-hidden`, `basic`, `nullable`), so that one
function turns either into an ordered list of specs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from kling_nb.models.catalogue import Model
from kling_nb.models.fields import media_kind
from kling_nb.models.prompts import MAX_SHOT_PROMPT, MAX_SHOTS
from kling_nb.models.request import OMNI, TARGET, TYPED, HubRequest, Request, request_type
from kling_nb.models.rules import MAX_REFERENCES
from kling_nb.models.schema import Schema, fields_of, flat, list_in

if TYPE_CHECKING:
    from kling_nb.models.storyboard.board import Limits

Kind = Literal[
    "prompt", "shots", "images", "image", "elements", "video", "choice", "integer", "number", "toggle", "text", "json"
]
#: The value of an unset field, by kind; None for the others.
_BLANK: Mapping[str, Any] = {"prompt": "", "text": "", "json": "", "shots": [], "images": [], "elements": []}
#: A field of the queue, which no schema lists.
GENERATIONS = "num_generations"


@dataclass(frozen=True)
class FieldSpec:
    """One field of a form.

    Attributes:
        name: The hub's name of the field.
        kind: The kind of control that it needs.
        basic: Whether it is shown first; the others are folded.
        default: The value of an unset field. It is only sent if `always` is set; otherwise the hub fills it in.
        requires: The name of a field without which this one has no effect.
    """

    name: str
    kind: Kind
    title: str
    note: str = ""
    required: bool = False
    basic: bool = True
    default: Any = None
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    max_items: int | None = None
    always: bool = False
    requires: str = ""

    @property
    def unset(self) -> Any:
        """The value of the field while it is not set."""
        return self.default if self.always else _BLANK.get(self.kind)

    def blank(self, value: Any) -> bool:
        """Return whether a value counts as not set."""
        return value is None or (isinstance(value, str | list) and not value)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON for the browser."""
        return {**asdict(self), "choices": list(self.choices), "unset": self.unset}


@dataclass(frozen=True)
class Form:
    """The fields of a model in order; `family` is the catalogue's `model_type`, `makes` the kind of output.

    `known` is False for a model that is neither typed nor in the catalogue: its form is a guess.
    """

    model: str
    title: str
    specs: tuple[FieldSpec, ...]
    family: str = ""
    makes: Literal["video", "image"] = "video"
    known: bool = True

    def spec(self, name: str) -> FieldSpec | None:
        """Return the field of that name."""
        return next((spec for spec in self.specs if spec.name == name), None)

    def of_kind(self, kind: Kind) -> FieldSpec | None:
        """Return the first field of a kind."""
        return next((spec for spec in self.specs if spec.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """Return the form as JSON for the browser."""
        specs = [spec.to_json() for spec in self.specs]
        return {"model": self.model, "title": self.title, "makes": self.makes, "known": self.known, "specs": specs}


def form_of(model_id: str, entry: Model | None = None) -> Form:
    """Return the form of a model: from its class, else from the catalogue's entry, else a guess."""
    title = (entry.display_name if entry else "") or _TITLES.get(model_id, model_id)
    family = (entry.model_type if entry else None) or ("reference-to-video" if model_id in TYPED else "")
    kind = request_type(model_id)
    if kind is not HubRequest:
        return Form(model_id, title, _typed(kind), family)
    schema = entry.request_schema if entry else {}
    makes = "image" if entry and entry.makes == "image" else "video"
    specs = specs_of(schema) or (_PROMPT,)
    return Form(model_id, title, (*specs, _GENERATIONS), family, makes, known=bool(schema))


def specs_of(schema: Schema) -> tuple[FieldSpec, ...]:
    """Return the specs of a `request_schema`, by `x-order`, then as listed, without hidden and invalid fields.

    If the schema does not name its basic fields, all are basic.
    """
    basic, required = list_in(schema, "basic"), list_in(schema, "required")
    shown = [
        (name, field)
        for name, field in fields_of(schema).items()
        if not field.get("x-hidden") and name not in _QUEUE_FIELDS
    ]
    shown.sort(key=lambda pair: _order(pair[1]))
    return tuple(
        _field(name, field, schema, required=name in required, basic=not basic or name in basic)
        for name, field in shown
    )


def _field(name: str, schema: Schema, whole: Schema, *, required: bool, basic: bool) -> FieldSpec:
    return FieldSpec(
        name=name,
        kind=_kind(name, schema, whole),
        title=_text(schema.get("title")) or name.replace("_", " ").capitalize(),
        note=_text(schema.get("description")),
        required=required,
        basic=basic or required,
        default=_plain(schema.get("default")),
        choices=tuple(choice for each in list_in(schema, "enum") if (choice := _plain(each)) is not None),
        minimum=_number(schema.get("minimum")),
        maximum=_number(schema.get("maximum")),
        max_length=_count(schema.get("maxLength")),
        max_items=_count(schema.get("maxItems")),
        always=bool(schema.get("x-always")),
        requires=_text(schema.get("x-requires")),
    )


def _kind(name: str, schema: Schema, whole: Schema) -> Kind:
    kind, render = schema.get("type"), schema.get("renderType")
    if isinstance(schema.get("enum"), list) and kind != "array":
        return "choice"
    match kind:
        case "boolean":
            return "toggle"
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "array":
            return _list_kind(name, flat(schema.get("items"), whole), render)
        case "string":
            return _string_kind(name, schema, render)
        case _:
            return "json"


def _list_kind(name: str, items: Mapping[str, Any], render: Any) -> Kind:
    parts = items.get("properties")
    if isinstance(parts, Mapping):
        return (
            "elements" if "frontal_image_url" in parts else "shots" if {"prompt", "duration"} <= set(parts) else "json"
        )
    renders = {render, items.get("renderType")}
    is_address = items.get("format") == "uri" and media_kind(name) == "image"
    return "images" if items.get("type") == "string" and ("image-url" in renders or is_address) else "json"


def _string_kind(name: str, schema: Mapping[str, Any], render: Any) -> Kind:
    if render in ("image-url", "video-url"):
        return "image" if render == "image-url" else "video"
    media = media_kind(name) if schema.get("format") == "uri" else None
    if media:
        return "image" if media == "image" else "video"
    return "prompt" if name == "prompt" or name.endswith("_prompt") else "text"


_TITLES = {TARGET: "Kling O3 Pro Reference to Video", OMNI: "Kling O3 Omni"}
_QUEUE_FIELDS = frozenset({"model", "hub", "response_format", "target_namespace", GENERATIONS})
_PROMPT = FieldSpec("prompt", "prompt", "Prompt")
_GENERATIONS = FieldSpec(
    GENERATIONS, "choice", "Generations", "Each one is a separate clip that is paid for.",
    default=1, choices=(1, 2, 3, 4), always=True,
)  # fmt: skip
_BASIC = [
    "prompt", "multi_prompt", "input_image", "duration", "aspect_ratio", "resolution", "generate_audio", GENERATIONS,
]  # fmt: skip
#: Keywords that the classes' own JSON Schema lacks: texts, and rules that span fields.
_EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "prompt": {"title": "Prompt", "description": "Describe the clip. @ mentions a reference."},
    "multi_prompt": {"title": "Shots"},
    "duration": {"title": "Duration"},
    "input_image": {"title": "References", "maxItems": MAX_REFERENCES},
    "elements": {
        "title": "Elements", "maxItems": MAX_REFERENCES, "description": "a character or object from several sides",
    },
    "start_image_url": {"title": "Start frame"},
    "tail_image_url": {"title": "Tail frame"},
    "negative_prompt": {"title": "Negative prompt", "description": "blur, distort, low quality"},
    "aspect_ratio": {"title": "Aspect"},
    "resolution": {"title": "Resolution"},
    "generate_audio": {"title": "Audio"},
    "input_video": {"title": "Input video", "description": "a clip to edit, or to take motion and style from"},
    "video_mode": {"title": "Use video to", "x-requires": "input_video"},
    "keep_audio": {"title": "Keep audio", "x-requires": "input_video"},
}  # fmt: skip


@cache
def _typed(kind: type[Request]) -> tuple[FieldSpec, ...]:
    schema = kind.model_json_schema()
    fields = {name: _with_extras(name, field) for name, field in fields_of(schema).items()}
    return (*specs_of({**schema, "properties": fields, "basic": _BASIC}), _GENERATIONS)


def _with_extras(name: str, schema: Schema) -> Schema:
    # Pydantic calls the limits of a number "ge" and "le" after a `BeforeValidator`.
    limits = {"minimum": schema.get("ge"), "maximum": schema.get("le")}
    always = schema.get("default") is not None and schema.get("type") != "array"
    return {**limits, **schema, **_EXTRAS.get(name, {}), "x-always": always}


def _order(schema: Mapping[str, Any]) -> float:
    order = _number(schema.get("x-order"))
    return order if order is not None else float("inf")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _plain(value: Any) -> Any:
    """Return a default or a choice if a control can show it; None for a list or an object."""
    return value if isinstance(value, str | int | float | bool) else None


def storyboard_limits(form: Form) -> Limits:
    """Return the limits that a model's form sets to a storyboard."""
    from kling_nb.models.storyboard.board import Limits

    length, aspect, prompt = form.spec("duration"), form.spec("aspect_ratio"), form.spec("prompt")
    allowed: tuple[int, ...] = ()
    if length is not None:
        allowed = tuple(sorted(int(one) for one in length.choices if re.fullmatch(r"\d+", str(one))))
        if not allowed and length.minimum is not None and length.maximum is not None:
            allowed = tuple(range(int(length.minimum), int(length.maximum) + 1))
    has_shots = form.of_kind("shots") is not None
    return Limits(
        shots=MAX_SHOTS if has_shots else 0,
        characters=MAX_SHOT_PROMPT if has_shots else (prompt.max_length if prompt and prompt.max_length else 2500),
        seconds=tuple(range(3, 16)) if has_shots else allowed,
        aspects=tuple(str(choice) for choice in aspect.choices) if aspect else (),
        audio=form.spec("generate_audio") is not None,
        negative=form.spec("negative_prompt") is not None,
    )

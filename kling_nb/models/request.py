"""The requests: typed for the headline model and its successor, open for the rest of the family.

Fields carry the wire's names (HUB_API section 6). A request that exists is one that the hub would take:
making an impossible one raises `RequestError` with every fault (`model_validate`, as pydantic has it, a
`ValidationError`); `lint` lists the same faults, and the doubts, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypedDict

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kling_nb.errors import RequestError
from kling_nb.models import rules
from kling_nb.models.asset import Asset, ImageInput, VideoInput, VideoKind
from kling_nb.models.fields import (
    Fault,
    assets_in,
    listed,
    plain,
    resolved,
    scalar,
    unsendable,
    with_media,
    without_empty,
)
from kling_nb.models.problem import error
from kling_nb.models.rules import Rule

__all__ = [
    "DELIVERY",
    "OMNI",
    "TARGET",
    "TYPED",
    "Element",
    "HubRequest",
    "Omni",
    "OmniFields",
    "ReferenceToVideo",
    "ReferenceToVideoFields",
    "Request",
    "RequestFields",
    "Shot",
    "given_fields",
    "plain",
    "request_type",
    "without_empty",
]

TARGET = "kling-video-o3-pro-reference-to-video"
OMNI = "kling-video-o3-omni"

AspectRatio = Literal["16:9", "9:16", "1:1"]
Whole = Annotated[StrictInt, BeforeValidator(scalar)]
Truth = Annotated[StrictBool, BeforeValidator(scalar)]
Count = Annotated[Whole, Field(ge=1, le=4)]
Seconds = Annotated[Whole, Field(ge=3, le=15)]

#: How a request is carried out, which is not part of what it asks for: left out of its hash.
DELIVERY = frozenset({"num_generations", "response_format", "target_namespace"})


def _ordered(value: Any) -> Any:
    """Refuse what has no order: the first picture is `@Image1`, and a set would make it any of them.

    What pydantic takes for a list beyond ours would pass by every check: `plain` would not look into it.
    """
    items = listed(value)
    if items is None:
        raise PydanticCustomError("tuple_type", "Input should be a list: a set has no first")
    return items


InOrder = BeforeValidator(_ordered)
Pictures = Annotated[tuple[Asset, ...], InOrder]


class _Wire(BaseModel):
    # An address may be signed, and pydantic's own message would print its beginning and its end.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, hide_input_in_errors=True)

    def __init__(self, /, *given: Any, **fields: Any) -> None:
        from kling_nb.models.messages import problems_of, short_repr  # it imports this module

        if given:
            name, known = type(self).__name__, type(self).model_fields
            field = "prompt" if "prompt" in known else next(iter(known))
            raise RequestError([error((), f"{short_repr(given[0])} has no field's name", f"write {name}({field}=...)")])
        try:
            super().__init__(**fields)
        except ValidationError as exc:
            raise RequestError(problems_of(exc, type(self))) from None

    # So that pydantic makes nested ones, and those of `model_validate`, without it: their faults keep their place.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined] -- a function takes attributes


class Shot(_Wire):
    """One shot of a multi-shot request: its own prompt, for `duration` whole seconds (1 to 15)."""

    prompt: str = Field(min_length=1, max_length=512)
    duration: Annotated[Whole, Field(ge=1, le=15)] = 5


class Element(_Wire):
    """A character or object, `@Element1` in a prompt: a frontal view and up to three further angles."""

    frontal_image_url: Asset
    reference_image_urls: Pictures = Field(default=(), max_length=3)


class Request(_Wire):
    """What every request has: a model, how many generations of it, and where they go.

    `num_generations` is 1 to 4; each is a job of its own and is paid for (HUB_API section 3).
    """

    RULES: ClassVar[tuple[Rule, ...]] = ()

    model: str = Field(min_length=1)
    num_generations: Count = 1
    response_format: Literal["url", "b64_json"] | None = None
    target_namespace: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        problems = [p for p in rules.broken(self.RULES, self.draft()) if p.severity == "error"]
        if problems:
            raise RequestError(problems)
        return self

    def draft(self) -> dict[str, Any]:
        """The fields as plain values, assets kept as they are; what rules and prices are worked out from."""
        return plain(self)

    def body(self, resolve: Callable[[Asset], str]) -> dict[str, Any]:
        """The JSON body that the hub gets; `resolve` gives the address of each asset (HUB_API sections 2 and 3)."""
        return resolved(self._relevant(self.draft()), resolve)

    def assets(self) -> Iterator[tuple[str, Asset]]:
        """Every asset with its field's path, in order: `("input_image.0", asset)`."""
        for path, asset in assets_in(self.draft()):
            yield ".".join(map(str, path)), asset

    def _relevant(self, draft: dict[str, Any]) -> dict[str, Any]:
        """Leave out what the hub would ignore, so that equal requests are equal on the wire too."""
        return _without_empty_lists(draft)


class _SharedFields(TypedDict, total=False):
    model: str
    num_generations: int
    response_format: Literal["url", "b64_json"] | None
    target_namespace: str | None
    prompt: str | None
    duration: int
    input_image: Iterable[ImageInput]
    start_image_url: ImageInput | None
    tail_image_url: ImageInput | None
    elements: Iterable[Element | Mapping[str, Any]]
    aspect_ratio: AspectRatio
    generate_audio: bool


class ReferenceToVideoFields(_SharedFields, total=False):
    """The keyword arguments of `ReferenceToVideo`."""

    multi_prompt: Iterable[Shot | Mapping[str, Any]] | None
    negative_prompt: str | None


class ReferenceToVideo(Request):
    """Kling O3 Pro, reference-to-video: a prompt (or up to six shots) and up to seven reference pictures.

    >>> ReferenceToVideo(prompt="@Image1 turns to the camera", input_image=["face.png"], duration=5)
    """

    RULES: ClassVar[tuple[Rule, ...]] = rules.REFERENCE_TO_VIDEO

    model: str = Field(default=TARGET, min_length=1)
    prompt: str | None = Field(default=None, max_length=2500)
    multi_prompt: Annotated[tuple[Shot, ...], InOrder] | None = Field(default=None, max_length=6)
    duration: Seconds = 5
    input_image: Pictures = ()
    start_image_url: Asset | None = None
    tail_image_url: Asset | None = None
    elements: Annotated[tuple[Element, ...], InOrder] = ()
    negative_prompt: str | None = Field(default=None, max_length=2500)
    aspect_ratio: AspectRatio = "16:9"
    generate_audio: Truth = False

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        return without_empty(data)

    def _relevant(self, draft: dict[str, Any]) -> dict[str, Any]:
        relevant = super()._relevant(draft)
        if self.multi_prompt:
            relevant.pop("duration")  # each shot has its own
        return relevant


class OmniFields(_SharedFields, total=False):
    """The keyword arguments of `Omni`."""

    input_video: VideoInput | None
    video_mode: Literal["edit", "reference"]
    resolution: Literal["720p", "1080p", "4k"]
    keep_audio: bool


class RequestFields(ReferenceToVideoFields, OmniFields, total=False):
    """The keyword arguments of a request to either of the typed models: `**fields: Unpack[RequestFields]`."""


class Omni(Request):
    """Kling O3 Omni, the headline model's successor in the catalogue: references, frames, or a video to edit."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.OMNI

    model: str = Field(default=OMNI, min_length=1)
    prompt: str = Field(min_length=1, max_length=2500)
    input_image: Pictures = ()
    elements: Annotated[tuple[Element, ...], InOrder] = ()
    start_image_url: Asset | None = None
    tail_image_url: Asset | None = None
    input_video: Annotated[Asset, VideoKind] | None = None
    video_mode: Literal["edit", "reference"] = "edit"
    resolution: Literal["720p", "1080p", "4k"] = "1080p"
    duration: Seconds = 5
    aspect_ratio: AspectRatio = "16:9"
    generate_audio: Truth = False
    keep_audio: Truth = True

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        return without_empty(data)

    def _relevant(self, draft: dict[str, Any]) -> dict[str, Any]:
        relevant = super()._relevant(draft)
        if self.input_video is None:
            del relevant["video_mode"], relevant["keep_audio"]
        elif self.video_mode == "edit":
            del relevant["duration"]  # ignored: the clip is as long as its source
        return relevant


class HubRequest(Request):
    """Any other model of the catalogue: its fields are checked against its own `request_schema`.

    Fields whose name says image or video take what the typed requests take: a URL, a path, bytes, ...
    """

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _media_are_assets(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        fields, faults = cls.read(data)
        for path, message, remedy in faults:
            said = f"{'.'.join(map(str, path))}: {message}"
            raise PydanticCustomError("asset", "{message}", {"message": said, "remedy": remedy})
        return fields

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
        """Return the fields with their media as assets, and every value that cannot be sent."""
        faults: list[Fault] = []
        draft = with_media(plain(without_empty(fields)), faults)
        refused = {path for path, _, _ in faults}
        faults += [fault for fault in unsendable(draft) if fault[0] not in refused]
        return draft, faults


TYPED: Mapping[str, type[Request]] = {TARGET: ReferenceToVideo, OMNI: Omni}


def request_type(model: str) -> type[Request]:
    """Return the class for a model id: `ReferenceToVideo`, `Omni`, or `HubRequest` for any other."""
    return TYPED.get(model, HubRequest)


def given_fields(request: Request) -> dict[str, Any]:
    """Return the fields that were given when a request was made, with its model; what was left out is not there."""
    given = {name: value for name, value in request.__dict__.items() if name in request.model_fields_set}
    return {"model": request.model, **given, **(request.model_extra or {})}


def _without_empty_lists(value: Any) -> Any:
    match value:
        case str() | int() | float() | None:
            return value
        case Mapping():
            return {key: _without_empty_lists(item) for key, item in value.items() if item != []}
        case list():
            return [_without_empty_lists(item) for item in value]
        case _:
            return value

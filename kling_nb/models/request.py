"""Requests: typed for Kling O3 Pro and its successor, open for the other models of the catalogue.

Fields have the hub's names. A request that exists keeps the rules: a wrong one raises `RequestError` with its errors
when it is made (`model_validate` raises pydantic's `ValidationError`). `lint` returns the same errors, and warnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypedDict, Unpack

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kling_nb.errors import ArgumentTypeError, RequestError
from kling_nb.models import rules
from kling_nb.models.asset import Asset, ImageField, ImageInput, VideoField, VideoInput
from kling_nb.models.fields import (
    assets_in,
    listed,
    mapped,
    plain,
    resolved,
    scalar,
    unsendable,
    with_lists,
    with_media,
    without_empty,
)
from kling_nb.models.images import ImageError
from kling_nb.models.messages import problems_of, short_repr
from kling_nb.models.problem import Problem
from kling_nb.models.reprs import BriefModel
from kling_nb.models.rules import Rule
from kling_nb.models.signatures import own_names

TARGET = "kling-video-o3-pro-reference-to-video"
OMNI = "kling-video-o3-omni"

AspectRatio = Literal["16:9", "9:16", "1:1"]
Whole = Annotated[StrictInt, BeforeValidator(scalar)]
Truth = Annotated[StrictBool, BeforeValidator(scalar)]
Count = Annotated[Whole, Field(ge=1, le=4)]
Seconds = Annotated[Whole, Field(ge=3, le=15)]

#: Fields about the delivery of a clip, not about the clip. They are not part of a request's hash.
DELIVERY = frozenset({"num_generations", "response_format", "target_namespace"})

#: A validation context: the fields were read by `parse`, which reports the broken rules.
READ = object()


def _ordered(value: Any) -> Any:
    """Return a collection as a list. Refuses one without an order, such as a set: the first image is `@Image1`.

    Pydantic alone would accept more types than `plain` takes apart, and their items would not be checked.
    """
    items = listed(value)
    if items is None:
        raise PydanticCustomError("tuple_type", "Input should be a list: a set has no order")
    return items


Ordered = BeforeValidator(_ordered)
Images = Annotated[tuple[ImageField, ...], Ordered]


class _Wire(BriefModel):
    # An address may be signed, and pydantic's own message would print its beginning and its end.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, hide_input_in_errors=True)

    def __init__(self, /, *args: Any, **fields: Any) -> None:
        if args:
            name, known = type(self).__name__, type(self).model_fields
            field = "prompt" if "prompt" in known else next(iter(known))
            meant = f"{name}({field}={short_repr(args[0])})"
            raise ArgumentTypeError(f"{name}() takes keyword arguments only. Write {meant}.")
        try:
            super().__init__(**fields)
        except ValidationError as exc:
            raise RequestError(problems_of(exc, type(self))) from None

    # Pydantic then makes nested models, and those of `model_validate`, without it: their errors keep their paths.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined] -- a function takes attributes

    def __dir__(self) -> list[str]:
        return sorted(own_names(self))


class Shot(_Wire):
    """One shot of a request: a prompt, and its duration in whole seconds (1 to 15)."""

    prompt: str = Field(min_length=1, max_length=512)
    duration: Annotated[Whole, Field(ge=1, le=15)] = 5


class Element(_Wire):
    """A character or an object, `@Element1` in a prompt: a front view and up to three more views."""

    frontal_image_url: ImageField
    reference_image_urls: Images = Field(default=(), max_length=3)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        return with_lists(data)

    if TYPE_CHECKING:  # what the fields take, which is more than what they hold

        def __init__(
            self, *, frontal_image_url: ImageInput, reference_image_urls: ImageInput | Iterable[ImageInput] = ()
        ) -> None: ...


class Request(_Wire):
    """The fields of every request: the model, the hub, the number of clips, and their delivery.

    `hub` names a provider (`"oxen"`, `"fal"`), in place of the one in use. Each of the 1 to 4 generations is a job that
    is paid for by itself.
    """

    RULES: ClassVar[tuple[Rule, ...]] = rules.ANY_MODEL
    #: Names that Tab does not offer: they are for the engine.
    HIDDEN: ClassVar[frozenset[str]] = frozenset(
        {"assets", "body", "broken_rules", "draft", "prepared", "read", "sendable"}
    )

    model: str = Field(min_length=1)
    hub: str | None = Field(default=None, min_length=1, max_length=200)
    num_generations: Count = 1
    response_format: Literal["url", "b64_json"] | None = None
    target_namespace: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any, info: ValidationInfo) -> Any:
        return data if info.context is READ else with_lists(without_empty(data))

    @model_validator(mode="after")
    def _keep_rules(self, info: ValidationInfo) -> Self:
        errors = [problem for problem in self.broken_rules if problem.severity == "error"]
        if errors and info.context is not READ:
            raise RequestError(errors)
        return self

    def draft(self) -> Mapping[str, Any]:
        """Return the fields as plain values, with their assets; rules and prices are worked out from it."""
        return self._draft

    @cached_property
    def _draft(self) -> dict[str, Any]:
        return plain(self)

    @cached_property
    def broken_rules(self) -> list[Problem]:
        """The errors and warnings of the rules that span fields."""
        return rules.check_rules(self.RULES, self._draft)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with changes, which are not checked."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("_draft", "broken_rules"):
            vars(copied).pop(name, None)
        return copied

    def body(self, resolve: Callable[[Asset], str]) -> dict[str, Any]:
        """Return the JSON body for the hub, with the address that `resolve` gives for each asset."""
        return resolved(self.sendable(), resolve)

    def sendable(self) -> dict[str, Any]:
        """Return the fields that have an effect, with their assets."""
        return {name: value for name, value in self._relevant(self.draft()).items() if name != "hub"}

    def assets(self) -> Iterator[tuple[str, Asset]]:
        """Yield every asset with the path of its field, in order: `("input_image.0", asset)`."""
        for path, asset in assets_in(self.draft()):
            yield ".".join(map(str, path)), asset

    def prepared(self) -> Self:
        """Return the request with its images as they are sent; see `Asset.prepared`. Raises `ImageError`."""
        if all(asset.prepared is asset for _, asset in self.assets()):
            return self
        given = mapped(plain(given_fields(self)), lambda _, item: item.prepared if isinstance(item, Asset) else item)
        return self.model_validate(given, context=READ)

    def _relevant(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        """Return the draft without what the hub ignores, so that equal requests have equal bodies."""
        return _without_empty_lists(draft)


class _AnyFields(TypedDict, total=False):
    """The fields of both typed models."""

    model: str
    hub: str | None
    response_format: Literal["url", "b64_json"] | None
    target_namespace: str | None
    prompt: str | None
    duration: int
    input_image: ImageInput | Iterable[ImageInput]
    start_image_url: ImageInput | None
    tail_image_url: ImageInput | None
    elements: Iterable[Element | Mapping[str, Any]]
    aspect_ratio: AspectRatio
    generate_audio: bool


class ReferenceFields(_AnyFields, total=False):
    """The keyword arguments of `ReferenceToVideo`, without the number of clips."""

    multi_prompt: Iterable[Shot | Mapping[str, Any]] | None
    negative_prompt: str | None


class OmniFields(_AnyFields, total=False):
    """The keyword arguments of `Omni`, without the number of clips."""

    input_video: VideoInput | None
    video_mode: Literal["edit", "reference"]
    resolution: Literal["720p", "1080p", "4k"]
    keep_audio: bool


class SingleFields(ReferenceFields, OmniFields, total=False):
    """The keyword arguments of a request to either of the typed models, without the number of clips."""


class RequestFields(SingleFields, total=False):
    """The keyword arguments of a request to either of the typed models: `**fields: Unpack[RequestFields]`."""

    num_generations: int


class ReferenceToVideo(Request):
    """A request to Kling O3 Pro: a prompt or up to six shots, and up to seven reference images and elements.

    >>> ReferenceToVideo(prompt="@Image1 turns to the camera", input_image=["face.png"], duration=5)
    """

    RULES: ClassVar[tuple[Rule, ...]] = rules.REFERENCE_TO_VIDEO

    model: str = Field(default=TARGET, min_length=1)
    prompt: str | None = Field(default=None, max_length=2500)
    multi_prompt: Annotated[tuple[Shot, ...], Ordered] | None = Field(default=None, max_length=6)
    duration: Seconds = 5
    input_image: Images = ()
    start_image_url: ImageField | None = None
    tail_image_url: ImageField | None = None
    elements: Annotated[tuple[Element, ...], Ordered] = ()
    negative_prompt: str | None = Field(default=None, max_length=2500)
    aspect_ratio: AspectRatio = "16:9"
    generate_audio: Truth = False

    if TYPE_CHECKING:  # what the fields take, which is more than what they hold

        def __init__(self, *, num_generations: int = 1, **fields: Unpack[ReferenceFields]) -> None: ...

    def _relevant(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        relevant = super()._relevant(draft)
        if self.multi_prompt:
            relevant.pop("duration")  # each shot has its own
        return relevant


class Omni(Request):
    """A request to Kling O3 Omni, the successor of Kling O3 Pro: references, frames, or a video to edit."""

    RULES: ClassVar[tuple[Rule, ...]] = rules.OMNI

    model: str = Field(default=OMNI, min_length=1)
    prompt: str = Field(min_length=1, max_length=2500)
    input_image: Images = ()
    elements: Annotated[tuple[Element, ...], Ordered] = ()
    start_image_url: ImageField | None = None
    tail_image_url: ImageField | None = None
    input_video: VideoField | None = None
    video_mode: Literal["edit", "reference"] = "edit"
    resolution: Literal["720p", "1080p", "4k"] = "1080p"
    duration: Seconds = 5
    aspect_ratio: AspectRatio = "16:9"
    generate_audio: Truth = False
    keep_audio: Truth = True

    if TYPE_CHECKING:

        def __init__(self, *, num_generations: int = 1, **fields: Unpack[OmniFields]) -> None: ...

    def _relevant(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        relevant = super()._relevant(draft)
        if self.input_video is None:
            del relevant["video_mode"], relevant["keep_audio"]
        elif self.video_mode == "edit":
            del relevant["duration"], relevant["aspect_ratio"]  # the clip is as long as its source, and has its shape
        only_frames = self.start_image_url is not None and not (self.input_image or self.elements or self.input_video)
        if only_frames:
            del relevant["aspect_ratio"]  # the start frame sets the shape
        return relevant


class HubRequest(Request):
    """A request to any other model of the catalogue, whose `request_schema` its fields are checked against.

    Fields with the name of an image or a video take what those of typed requests take: a URL, a path, bytes, ...
    """

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any, info: ValidationInfo) -> Any:
        if info.context is READ or not isinstance(data, Mapping):
            return data
        fields, errors = cls.read(without_empty(plain(data)))
        for problem in errors:
            raise ImageError(f"{problem.field}: {problem.message}", problem.remedy)
        return fields

    @classmethod
    def read(cls, draft: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return a draft with its media as assets, and an error for each value that cannot be sent."""
        errors: list[Problem] = []
        fields = with_media(draft, errors)
        reported = {problem.path for problem in errors}
        return fields, [*errors, *(problem for problem in unsendable(fields) if problem.path not in reported)]


TYPED: Mapping[str, type[Request]] = {TARGET: ReferenceToVideo, OMNI: Omni}

#: The value of each of `RequestFields` that is not given.
DEFAULTS: Mapping[str, Any] = {
    name: field.default for kind in (Omni, ReferenceToVideo) for name, field in kind.model_fields.items()
}


def request_type(model: str) -> type[Request]:
    """Return the class for a model: `ReferenceToVideo`, `Omni`, or `HubRequest` for any other."""
    return TYPED.get(model, HubRequest)


def model_of(draft: Mapping[str, Any]) -> str:
    """Return the model of a draft, Kling O3 Pro by default."""
    model = draft.get("model")
    return model if isinstance(model, str) and model else TARGET


def is_kling(model: str) -> bool:
    """Return whether a model is one of Kling's, whose limits on images are known here."""
    return "kling" in model.lower()


def given_fields(request: Request) -> dict[str, Any]:
    """Return the fields that a request was made with, and its model."""
    given = {name: value for name, value in request.__dict__.items() if name in request.model_fields_set}
    return {"model": request.model, **given, **(request.model_extra or {})}


def _without_empty_lists(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _without_empty_lists(item) for key, item in value.items() if item != []}
        case list():
            return [_without_empty_lists(item) for item in value]
        case _:
            return value

"""What an image or video field takes: a URL, a path, bytes, a PIL image or an array, made into one value.

A local file is read at once, so that what was checked, hashed and sent are the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from kling_nb.models.images import (
    ImageError,
    ImageFacts,
    VideoFacts,
    describe_pil,
    facts_of,
    figure_of,
    image_of,
    png_of,
    video_facts,
)
from kling_nb.models.urls import media_type_of, redact_url, redact_urls, sha256, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

__all__ = ["Asset", "ImageFacts", "Kind", "VideoKind", "redact_url", "sha256", "suffix_of"]

Kind = Literal["image", "video"]


@dataclass(frozen=True)
class Asset:
    """A picture or a video that a request refers to.

    `identity` names its content and is the same on every machine: the URL itself, `sha256:` of a file's bytes, or
    `pixels-sha256:` for a PIL image or an array (whose encoding into a file may differ between library versions).
    `given` says in words what the caller handed in. `data` is None for a URL; `url` may be signed and is not shown.
    """

    identity: str
    given: str
    name: str = ""
    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    kind: Kind = "image"
    original: Asset | None = field(default=None, repr=False)
    """What was given, where this is it mended (`models/mend.py`)."""
    fixes: tuple[str, ...] = ()
    """What was done to it, in words."""

    @classmethod
    def parse(cls, value: Any, kind: Kind = "image") -> Asset:
        """Return the asset for anything that a request field takes.

        Raises `PydanticCustomError` (inside a model: a `ValidationError` at that field) for anything else.
        """
        match value:
            case Asset():
                return value if value.kind == kind else replace(value, kind=kind)
            case str() if re.match(r"\s*data:", value, re.IGNORECASE):
                return cls.from_bytes(_data_uri_bytes(value.strip()), given="data URI", kind=kind)
            case str() if re.match(r"\s*https?://", value, re.IGNORECASE):
                return cls.from_url(value, kind=kind)
            case str() if scheme := re.match(r"\s*([a-z][a-z0-9+.-]*)://", value, re.IGNORECASE):
                raise _refused(f"{scheme[1]}:// is not an http(s) address", "give an https URL or a local file")
            case str() | Path():
                return cls.from_path(value, kind=kind)
            case bytes() | bytearray() | memoryview():
                return cls.from_bytes(bytes(value), given="bytes", kind=kind)
            case _ if kind == "image" and hasattr(value, "getbands"):
                return cls.from_pil(value, given=describe_pil(value))
            case _ if kind == "image" and hasattr(value, "__array_interface__"):
                return cls.from_array(value)
            case _ if kind == "image" and hasattr(value, "savefig"):
                return cls.from_figure(value)
            case _ if isinstance(path := getattr(value, "path", None), Path):
                return cls.from_path(path, kind=kind)
            case _:
                pass
        raise _refused(
            f"{'None' if value is None else _a(type(value).__name__)} is not {_a(kind)}",
            f"give a URL, a path, bytes{_or_pixels(kind)}",
        )

    @classmethod
    def from_url(cls, url: str, *, kind: Kind = "image") -> Asset:
        """Return the asset behind a public address; it is not fetched. Raises for a URL without a host."""
        address = url.strip()
        try:
            parts, public = urlsplit(address), redact_url(address)
            named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:  # an IPv6 bracket left open, a port that is no number
            raise _refused("the address cannot be read", "give a complete https URL") from None
        if not named:
            raise _refused(f"{public!r} names no host", "give a complete https URL")
        return cls(public, public, Path(parts.path).name, url=address, kind=kind)

    @classmethod
    def from_path(cls, path: str | Path, *, kind: Kind = "image") -> Asset:
        """Read a local file. Raises when there is none or it cannot be read."""
        said = _shown(path)
        if not str(path).strip():
            raise _refused("the path is empty", f"give a URL or the path of {_a(kind)}")
        try:
            file = Path(path).expanduser()
            size = _readable_size(file, said, kind)
            data = file.read_bytes() if size else b""
        except FileNotFoundError:
            raise _refused(f"there is no file {said}", f"it was looked for in {Path.cwd()}") from None
        except IsADirectoryError:
            raise _refused(f"{said} is a folder", f"give the path of {_a(kind)} in it") from None
        except OSError as exc:
            raise _refused(f"{said} cannot be read ({exc.strerror})", "check the path and its rights") from None
        except PydanticCustomError:
            raise
        except (ValueError, RuntimeError):  # a NUL byte, a lone surrogate; the home of a user who is not there
            raise _refused(f"{said} is no path", f"give a URL or the path of {_a(kind)}") from None
        return replace(cls.from_bytes(data, given=str(path), kind=kind), name=file.name)

    @classmethod
    def from_bytes(cls, data: bytes, *, given: str = "bytes", kind: Kind = "image") -> Asset:
        """Return the asset for a file's bytes."""
        name = f"{kind}{suffix_of(data) or ('.png' if kind == 'image' else '.mp4')}"
        return cls(sha256(data), given, name, data=data, kind=kind)

    @classmethod
    def from_pil(cls, image: PILImage, *, given: str) -> Asset:
        """Encode a PIL image as PNG, upright; its identity is that of its pixels. Raises when they cannot be had."""
        try:
            identity, data = png_of(image)
        except ImageError as exc:
            raise _refused(str(exc), exc.remedy) from exc
        return cls(identity, given, "image.png", data=data)

    @classmethod
    def from_array(cls, array: Any) -> Asset:
        """Encode an H×W, H×W×3 or H×W×4 array: 0 to 255, or floats of 0.0 to 1.0. Raises for any other."""
        try:
            image, given = image_of(array)
        except ImageError as exc:
            raise _refused(str(exc), exc.remedy) from exc
        return cls.from_pil(image, given=given)

    @classmethod
    def from_figure(cls, figure: Any) -> Asset:
        """Draw a figure (matplotlib's, or anything with `savefig`) as PNG. Raises when it cannot be drawn."""
        try:
            image, given = figure_of(figure)
        except ImageError as exc:
            raise _refused(str(exc), exc.remedy) from exc
        return cls.from_pil(image, given=given)

    @cached_property
    def digest(self) -> str | None:
        """`sha256:` of the bytes that are sent; None for a URL."""
        return None if self.data is None else sha256(self.data)

    @cached_property
    def facts(self) -> ImageFacts | None:
        """Format and size of a local image, read to its end; None for a URL or a video."""
        return None if self.data is None or self.kind == "video" else facts_of(self.data)

    @cached_property
    def video_facts(self) -> VideoFacts | None:
        """How long a local video runs; None for a URL or a picture."""
        return None if self.data is None or self.kind == "image" else video_facts(self.data)

    @property
    def media_type(self) -> str:
        """The MIME type told from the bytes, not from the name."""
        return media_type_of(self.data or b"")

    def __hash__(self) -> int:
        return hash((self.identity, self.kind))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.identity, self.kind) == (other.identity, other.kind)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return _schema_for("image")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "uri"}


class VideoKind:
    """Annotation that makes an `Asset` field take a video: `Annotated[Asset, VideoKind]`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return _schema_for("video")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "uri"}


class PilImage(Protocol):
    """A PIL image."""

    def getbands(self) -> tuple[str, ...]: ...


class Array(Protocol):
    """A numpy array of pixels, or one of another library with the same interface."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


class Figure(Protocol):
    """A matplotlib figure."""

    def savefig(self, fname: Any, /, *, format: str) -> Any: ...


class HasPath(Protocol):
    """A clip, or any other object with the path of a file."""

    @property
    def path(self) -> Path: ...


#: What a video field takes, and what an image field takes.
VideoInput: TypeAlias = Asset | str | Path | bytes | bytearray | memoryview | HasPath
ImageInput: TypeAlias = VideoInput | PilImage | Array | Figure


def _schema_for(kind: Kind) -> core_schema.CoreSchema:
    serialize = core_schema.plain_serializer_function_ser_schema(_serialize)
    return core_schema.no_info_plain_validator_function(lambda value: Asset.parse(value, kind), serialization=serialize)


def _serialize(asset: Any) -> Any:
    return asset.identity if isinstance(asset, Asset) else asset


def _data_uri_bytes(uri: str) -> bytes:
    head, comma, body = uri.partition(",")
    if not comma:
        raise _refused("the data URI has no comma", "give a path or bytes instead")
    try:
        if head.lower().endswith(";base64"):
            return base64.b64decode(body, validate=True)
        return unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        raise _refused("the data URI is not base64", "give a path or bytes instead") from None


def _readable_size(file: Path, said: str, kind: Kind) -> int:
    """Return a file's size. Raises for a pipe, which would never end, and for what is read in vain."""
    facts = file.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(facts.st_mode):
        raise _refused(f"{said} is no file", f"give the path of {_a(kind)}")
    if facts.st_size > _LARGEST[kind]:
        raise _refused(
            f"{said} has {facts.st_size / 2**20:,.0f} MB", f"at most {_LARGEST[kind] // 2**20:,} MB are read here"
        )
    return facts.st_size


#: Bytes that are read at all; what the model takes is far less (`lint`).
_LARGEST: Mapping[Kind, int] = {"image": 512 * 2**20, "video": 2 * 2**30}


def _shown(path: str | Path) -> str:
    text = redact_urls(str(path))
    return repr(text if len(text) <= 120 else f"{text[:60]}…{text[-59:]}")


def _or_pixels(kind: Kind) -> str:
    return ", a PIL image, an array or a figure" if kind == "image" else " or a clip"


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"


def _refused(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("asset", "{message}", {"message": message, "remedy": remedy})

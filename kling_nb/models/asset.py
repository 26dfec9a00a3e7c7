"""`Asset`: an image or a video of a request, from a URL, a path, bytes, a PIL image, an array or a figure.

A local file is read immediately, so that the same bytes are checked, hashed and sent.
"""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from kling_nb.models.images import (
    SOURCE,
    ImageError,
    ImageFacts,
    image_facts,
    image_from,
    png_of,
    prepared_image,
)
from kling_nb.models.reprs import format_size, parts, shorten
from kling_nb.models.urls import media_type_of, printable, redact_url, redact_urls, sha256, suffix_of
from kling_nb.models.videos import VideoFacts, video_facts

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

Kind = Literal["image", "video"]


@dataclass(frozen=True, repr=False)
class Asset:
    """An image or a video of a request.

    Attributes:
        identity: The same for the same content on every machine: the URL, the `sha256:` of a file's bytes, or
            `pixels-sha256:` for a PIL image or an array, whose encoding may differ between versions of libraries.
        given: A description of the value that the caller gave.
        url: The address, which may be signed and is not shown; None for a local file.
        data: The bytes; None for a URL.
        original: The asset before it was fixed, if it was.
        fixes: The changes made to it, such as `converted from WEBP to JPEG`.
        source: The ID of the record whose clip it is a frame of, if it is one.
    """

    identity: str
    given: str
    name: str = ""
    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    kind: Kind = "image"
    original: Asset | None = field(default=None, repr=False)
    fixes: tuple[str, ...] = ()
    source: str = ""

    def __repr__(self) -> str:
        size = format_size(len(self.data)) if self.data is not None else None
        return f"<Asset {shorten(self.name or self.given, 60)}: {parts(self.kind, size, *self.fixes)}>"

    @property
    def named(self) -> str:
        """The file as the subject of a message: as it was given, or `the image` if it was given as bytes."""
        return f"the {self.kind}" if self.given == "bytes" else self.given

    @classmethod
    def parse(cls, value: Any, kind: Kind = "image") -> Asset:
        """Return the asset for any value that a request's field accepts.

        Raises:
            ImageError: For any other value; within a model it becomes a `ValidationError` at the field.
        """
        match value:
            case Asset():
                return value if value.kind == kind else replace(value, kind=kind)
            case str() if re.match(r"\s*data:", value, re.IGNORECASE):
                return cls.from_bytes(_data_uri_bytes(value.strip()), given="data URI", kind=kind)
            case str() if re.match(r"\s*https?://", value, re.IGNORECASE):
                return cls.from_url(value, kind=kind)
            case str() if scheme := re.match(r"\s*([a-z][a-z0-9+.-]*)://", value, re.IGNORECASE):
                raise ImageError(f"{scheme[1]}:// addresses are not supported", "use an https URL or a local file")
            case str() | Path():
                return cls.from_path(value, kind=kind)
            case bytes() | bytearray() | memoryview():
                return cls.from_bytes(bytes(value), given="bytes", kind=kind)
            case _ if kind == "image" and (asset := cls._from_pixels(value)):
                return asset
            case _ if isinstance(path := getattr(value, "path", None), Path):
                return cls.from_path(path, kind=kind)
            case _:
                given = "None" if value is None else _a(type(value).__name__)
                others = ", a PIL image, an array or a figure" if kind == "image" else " or a clip"
                raise ImageError(f"{given} is not {_a(kind)}", f"use a URL, a path, bytes{others}")

    @classmethod
    def from_url(cls, url: str, *, kind: Kind = "image") -> Asset:
        """Return the asset at an address, without fetching it. Raises `ImageError` for an invalid one."""
        address = url.strip()
        try:
            parts, public = urlsplit(address), redact_url(address)
            if not address.isprintable():
                raise ValueError("a control character, or half a surrogate pair")
            complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:  # an open IPv6 bracket, a port that is not a number
            raise ImageError("the URL is invalid", "use a complete https URL") from None
        if not complete:
            raise ImageError(f"the URL {public!r} is incomplete", "use a complete https URL")
        return cls(public, public, Path(parts.path).name, url=address, kind=kind)

    @classmethod
    def from_path(cls, path: str | Path, *, kind: Kind = "image") -> Asset:
        """Read a local file. Raises `ImageError` if it cannot be read."""
        shown = _short_path(path)
        if not str(path).strip():
            raise ImageError("the path is empty", f"use a URL or the path of {_a(kind)}")
        try:
            file = Path(path).expanduser()
            size = _readable_size(file, shown, kind)
            data = file.read_bytes() if size else b""
        except FileNotFoundError:
            raise ImageError(f"the file {shown} does not exist", f"the current directory is {Path.cwd()}") from None
        except IsADirectoryError:
            raise ImageError(f"{shown} is a folder", f"use the path of {_a(kind)} in it") from None
        except OSError as exc:
            raise ImageError(f"{shown} cannot be read ({exc.strerror})", "check its path and permissions") from None
        except ImageError:
            raise
        except (ValueError, RuntimeError):  # a NUL byte, a lone surrogate; the home folder of an unknown user
            raise ImageError(f"{shown} is not a valid path", f"use a URL or the path of {_a(kind)}") from None
        return replace(cls.from_bytes(data, given=printable(str(path)), kind=kind), name=printable(file.name))

    @classmethod
    def from_bytes(cls, data: bytes, *, given: str = "bytes", kind: Kind = "image") -> Asset:
        """Return the asset for the bytes of a file."""
        name = f"{kind}{suffix_of(data) or ('.png' if kind == 'image' else '.mp4')}"
        return cls(sha256(data), given, name, data=data, kind=kind)

    @classmethod
    def from_pil(cls, image: PILImage, *, given: str) -> Asset:
        """Return the asset for a PIL image, as an upright PNG. Raises `ImageError` if it cannot be encoded."""
        identity, data = png_of(image)
        return cls(identity, given, "image.png", data=data)

    @classmethod
    def _from_pixels(cls, value: Any) -> Asset | None:
        found = image_from(value)
        if found is None:
            return None
        source = found[0].info.get(SOURCE)  # `Clip.frame` notes it
        return replace(cls.from_pil(found[0], given=found[1]), source=source if isinstance(source, str) else "")

    @cached_property
    def digest(self) -> str | None:
        """The `sha256:` of the bytes; None for a URL."""
        return None if self.data is None else sha256(self.data)

    @cached_property
    def facts(self) -> ImageFacts | None:
        """The format and size of a local image, which is decoded to its end; None for a URL or a video."""
        return None if self.data is None or self.kind == "video" else image_facts(self.data)

    @cached_property
    def video_facts(self) -> VideoFacts | None:
        """The length, size and frame rate of a local video; None for a URL or an image."""
        return None if self.data is None or self.kind == "image" else video_facts(self.data)

    @cached_property
    def prepared(self) -> Asset:
        """The asset to send: what viewers show of an image, with the changes in `fixes`; itself if that is its file.

        Raises `ImageError` if it cannot be converted.
        """
        if self.data is None or not self.facts or not self.facts.is_sent_changed:
            return self
        try:
            data, changes = prepared_image(self.data, self.facts)
        except Exception as exc:  # decoders fed foreign bytes raise anything
            raise ImageError(f"{self.named} cannot be converted: {exc}", "save it as JPEG or PNG yourself") from exc
        return replace(self, data=data, original=self.original or self, fixes=(*self.fixes, *changes))

    @property
    def media_type(self) -> str:
        """The MIME type, from the bytes."""
        return media_type_of(self.data or b"")

    def __hash__(self) -> int:
        return hash((self.identity, self.kind))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.identity, self.kind) == (other.identity, other.kind)


_ON_THE_WIRE = PlainSerializer(lambda asset: asset.identity), WithJsonSchema({"type": "string", "format": "uri"})
#: The fields of a model that take an image or a video in any form.
ImageField: TypeAlias = Annotated[Asset, PlainValidator(Asset.parse), *_ON_THE_WIRE]
VideoField: TypeAlias = Annotated[Asset, PlainValidator(partial(Asset.parse, kind="video")), *_ON_THE_WIRE]


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


def _data_uri_bytes(uri: str) -> bytes:
    head, comma, body = uri.partition(",")
    if not comma:
        raise ImageError("the data URI has no comma", "use a path or bytes instead")
    try:
        if head.lower().endswith(";base64"):
            return base64.b64decode(body, validate=True)
        return unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        raise ImageError("the data URI is not valid base64", "use a path or bytes instead") from None


#: The size in bytes up to which a file is read at all; models accept far less (`lint`).
_LARGEST: Mapping[Kind, int] = {"image": 512 * 2**20, "video": 2 * 2**30}


def _readable_size(file: Path, shown: str, kind: Kind) -> int:
    """Return a file's size. Raises for a pipe, which may never end, and for a file that is far too large."""
    facts = file.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(facts.st_mode):
        raise ImageError(f"{shown} is not a regular file", f"use the path of {_a(kind)}")
    if facts.st_size > _LARGEST[kind]:
        size = f"{facts.st_size / 2**20:,.0f} MB"
        raise ImageError(f"{shown} is {size}, which is too large", f"at most {_LARGEST[kind] // 2**20:,} MB")
    return facts.st_size


def _short_path(path: str | Path) -> str:
    text = redact_urls(str(path))
    return repr(text if len(text) <= 120 else f"{text[:60]}…{text[-59:]}")


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"

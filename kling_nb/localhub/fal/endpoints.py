"""The endpoints that the stand-in offers, each with the OpenAPI of its queue and its price (section 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kling_nb.localhub.faults import Fault

_MB = 1024 * 1024
_IMAGE = {
    "type": "string",
    "x-fal": {
        "max_file_size": 10 * _MB,
        "min_width": 300,
        "min_height": 300,
        "min_aspect_ratio": 0.4,
        "max_aspect_ratio": 2.5,
        "timeout": 20,
    },
    "limit_description": "Max file size: 10.0MB, Min width: 300px, Min height: 300px, Min aspect ratio: 0.40,"
    " Max aspect ratio: 2.50, Timeout: 20.0s",
}
_CLIP = {
    "type": "string",
    "x-fal": {
        "max_file_size": 200 * _MB,
        "min_width": 720,
        "min_height": 720,
        "max_width": 3840,
        "max_height": 3840,
        "min_duration": 3,
        "max_duration": 15.05,
        "timeout": 30,
    },
    "limit_description": "Max file size: 200.0MB, Min duration: 3.0s, Max duration: 15.05s",
}
_SECONDS = [str(seconds) for seconds in range(3, 16)]


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _list(items: Mapping[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description, **more}


def _choice(values: Iterable[str], default: str | None, description: str) -> dict[str, Any]:
    chosen = {} if default is None else {"default": default}
    return {"type": "string", "enum": list(values), "description": description, **chosen}


_PROMPT = _text("Either prompt or multi_prompt must be provided, but not both.", maxLength=2500)
_SHOTS = _list({"$ref": "#/components/schemas/Shot"}, "Prompts of the shots of a multi-shot video.")
_SHOT_TYPE = _choice(["customize", "intelligent"], "customize", "How a multi-shot video is cut.")
_DURATION = _choice(_SECONDS, "5", "Length of the video in seconds.")
_RATIO = _choice(["16:9", "9:16", "1:1"], "16:9", "Aspect ratio of the video.")
_START = {**_IMAGE, "description": "The first frame of the video."}
_END = {**_IMAGE, "description": "The last frame of the video."}
_PICTURES = _list(_IMAGE, "Reference images, @Image1, @Image2, ... in the prompt.")
_ELEMENTS = _list({"$ref": "#/components/schemas/Element"}, "Characters and objects, @Element1, ... in the prompt.")
_SOURCE = {**_CLIP, "description": "The clip, @Video1 in the prompt."}


def _sound(default: bool) -> dict[str, Any]:  # a schema's default
    return {"type": "boolean", "default": default, "description": "Whether the video has sound."}


_KEEP_SOUND = {"type": "boolean", "default": True, "description": "Whether to keep the sound of the clip."}
_O3: Mapping[str, dict[str, Any]] = {
    "text-to-video": {
        "prompt": _PROMPT,
        "multi_prompt": _SHOTS,
        "duration": _DURATION,
        "aspect_ratio": _RATIO,
        "generate_audio": _sound(False),
        "shot_type": _SHOT_TYPE,
    },
    "image-to-video": {
        "prompt": _PROMPT,
        "image_url": _START,
        "end_image_url": _END,
        "multi_prompt": _SHOTS,
        "duration": _DURATION,
        "generate_audio": _sound(False),
        "shot_type": _SHOT_TYPE,
    },
    "reference-to-video": {
        "prompt": _PROMPT,
        "multi_prompt": _SHOTS,
        "start_image_url": _START,
        "end_image_url": _END,
        "image_urls": _PICTURES,
        "elements": _ELEMENTS,
        "duration": _DURATION,
        "aspect_ratio": _RATIO,
        "generate_audio": _sound(False),
        "shot_type": _SHOT_TYPE,
    },
    "video-to-video/edit": {
        "prompt": _PROMPT,
        "video_url": _SOURCE,
        "image_urls": _PICTURES,
        "elements": _ELEMENTS,
        "keep_audio": _KEEP_SOUND,
        "shot_type": _choice(["customize"], "customize", "How a multi-shot video is cut."),
    },
    "video-to-video/reference": {
        "prompt": _PROMPT,
        "video_url": _SOURCE,
        "image_urls": _PICTURES,
        "elements": _ELEMENTS,
        "duration": _choice(_SECONDS, None, "Length of the video in seconds."),
        "aspect_ratio": _choice(["auto", "16:9", "9:16", "1:1"], "auto", "Aspect ratio of the video."),
        "keep_audio": _KEEP_SOUND,
        "shot_type": _choice(["customize"], "customize", "How a multi-shot video is cut."),
    },
}
_V3_ONLY = {
    "negative_prompt": _text("What to avoid.", maxLength=2500, default="blur, distort, and low quality"),
    "cfg_scale": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "description": "Guidance."},
}
_V3: Mapping[str, dict[str, Any]] = {
    "text-to-video": {**_O3["text-to-video"], "generate_audio": _sound(True), **_V3_ONLY},
    "image-to-video": {
        "prompt": _PROMPT,
        "start_image_url": _START,
        "end_image_url": _END,
        "multi_prompt": _SHOTS,
        "elements": _ELEMENTS,
        "duration": _DURATION,
        "aspect_ratio": _RATIO,
        "generate_audio": _sound(True),
        "shot_type": _SHOT_TYPE,
        **_V3_ONLY,
    },
}
_V4_BASE = {
    "prompt": _PROMPT,
    "multi_prompt": _list({"$ref": "#/components/schemas/LongShot"}, "Prompts of the shots."),
    "duration": {"type": "integer", "minimum": 3, "maximum": 30, "default": 5, "description": "Seconds."},
    "resolution": _choice(["720p", "1080p"], "720p", "Resolution of the video."),
}
_V4: Mapping[str, dict[str, Any]] = {
    "text-to-video": {**_V4_BASE, "aspect_ratio": _RATIO},
    "image-to-video": {**_V4_BASE, "image_url": _START, "end_image_url": _END},
    "reference-to-video": {
        **_V4_BASE,
        "aspect_ratio": _RATIO,
        "image_urls": {**_PICTURES, "maxItems": 10},
        "video_urls": _list(_CLIP, "Reference videos, @Video1, ... in the prompt.", maxItems=5),
        "elements": _list({"$ref": "#/components/schemas/NamedElement"}, "Named elements, @name in the prompt."),
    },
}
_REQUIRED = {
    "image-to-video": {"image_url", "start_image_url"},
    "video-to-video/edit": {"prompt", "video_url"},
    "video-to-video/reference": {"prompt", "video_url"},
}
_ELEMENT = {
    "frontal_image_url": {**_IMAGE, "description": "The element seen from the front."},
    "reference_image_urls": _list(_IMAGE, "Up to three further angles.", maxItems=3),
    "video_url": {**_CLIP, "description": "A video of the element, in place of images."},
    "voice_id": _text("A voice for the element."),
}
_HELPERS: Mapping[str, dict[str, Any]] = {
    "Shot": {
        "prompt": _text("The prompt of this shot.", maxLength=512),
        "duration": {**_DURATION, "enum": [*"12", *_SECONDS]},
    },
    "LongShot": {
        "prompt": _text("The prompt of this shot."),
        "duration": {"type": "integer", "minimum": 1, "maximum": 30},
    },
    "Element": _ELEMENT,
    "NamedElement": {"name": _text("What the prompt calls it, as @name."), **_ELEMENT},
}

_FILE = {
    "url": _text("Where to download it."),
    "content_type": _text("Its MIME type."),
    "file_name": _text("Its name."),
    "file_size": {"type": "integer", "description": "Its size in bytes."},
}


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: its id, its input fields, and the base price of a second, None where the price API has none."""

    id: str
    fields: Mapping[str, Mapping[str, Any]]
    price: float | None
    required: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def mode(self) -> str:
        """`text-to-video`, `video-to-video/edit` and so on."""
        return next(mode for mode in _O3 if self.id.endswith(mode))

    @property
    def app(self) -> str:
        """The owner and the name of the app, by which its requests are addressed."""
        return "/".join(self.id.split("/")[:2])

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the input."""
        return {
            "title": f"{_camel(self.mode)}Request",
            "type": "object",
            "properties": {name: {"title": _title(name), **spec} for name, spec in self.fields.items()},
            "x-fal-order-properties": list(self.fields),
            "required": [name for name in self.fields if name in self.required],
        }

    @property
    def schemas(self) -> dict[str, Any]:
        """All schemas of its OpenAPI."""
        name = _camel(self.id.partition("/")[2])
        file = {"$ref": "#/components/schemas/File"}
        output = {"video": {"description": "The generated video.", "allOf": [file]}}
        helpers = {each: _object(each, fields, {"prompt"} & set(fields)) for each, fields in _HELPERS.items()}
        return {
            f"{name}Input": self.schema,
            f"{name}Output": _object("Output", output, {"video"}),
            "File": _object("File", _FILE, {"url"}),
            **helpers,
        }

    @property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI of its queue."""
        schemas = self.schemas
        sent = {"$ref": f"#/components/schemas/{next(iter(schemas))}"}
        return {
            "openapi": "3.0.4",
            "info": {
                "title": f"Queue OpenAPI for {self.id}",
                "version": "1.0.0",
                "x-fal-metadata": {"endpointId": self.id, "category": self.mode.partition("/")[0]},
            },
            "components": {"schemas": schemas},
            "paths": {
                f"/{self.id}": {"post": {"requestBody": {"content": {"application/json": {"schema": sent}}}}},
            },
            "servers": [{"url": "https://queue.fal.run"}],
            "security": [{"apiKeyAuth": list[str]()}],
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """The entry of the catalogue."""
        return {
            "display_name": _title(self.id.partition("/")[2].replace("/", " ").replace("-", " ")),
            "category": self.mode.partition("/")[0],
            "description": "Makes a video of a few seconds.",
            "status": "active",
            "tags": ["stylized", "transform"],
            "updated_at": "2026-08-22T00:00:00Z",
            "model_url": f"https://fal.ai/models/{self.id}",
        }


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Return all endpoints."""
    kling, found = "fal-ai/kling-video", list[Endpoint]()
    for tier, price, edit in (("standard", 0.084, 0.126), ("pro", 0.112, 0.168), ("4k", 0.42, None)):
        for mode, fields in _O3.items():
            rate = edit if mode.startswith("video") else price
            if rate is not None:
                found.append(_endpoint(f"{kling}/o3/{tier}/{mode}", fields, rate))
    for tier, price in (("standard", 0.084), ("pro", 0.112), ("4k", 0.42)):
        found += [_endpoint(f"{kling}/v3/{tier}/{mode}", fields, price) for mode, fields in _V3.items()]
    found += [_endpoint(f"kling/v4/{mode}", fields, 0.157) for mode, fields in _V4.items()]
    return tuple(found)


def current(faults: Iterable[Fault]) -> tuple[Endpoint, ...]:
    """Return the endpoints as the faults `withdrawn`, `changed_schema` and `changed_price` leave them."""
    return tuple(changed for one in endpoints() if (changed := _changed(one, faults)) is not None)


def find(endpoint_id: str, among: Iterable[Endpoint]) -> Endpoint | None:
    """Return the endpoint with this id, or None."""
    return next((one for one in among if one.id == endpoint_id), None)


def _endpoint(endpoint_id: str, fields: Mapping[str, Any], price: float | None) -> Endpoint:
    plain = Endpoint(endpoint_id, fields, price)
    return Endpoint(endpoint_id, fields, price, frozenset(_REQUIRED.get(plain.mode, set[str]())) & set(fields))


def _changed(endpoint: Endpoint, faults: Iterable[Fault]) -> Endpoint | None:
    fields, price = dict(endpoint.fields), endpoint.price
    for fault in faults:
        if fault.match.get("model") != endpoint.id:
            continue
        if fault.name == "withdrawn":
            return None
        if fault.name == "changed_price" and price is not None:
            price *= float(fault.extra.get("factor", 2))
        if fault.name == "changed_schema":
            for name, change in fault.extra.get("properties", {}).items():
                fields[name] = {**fields.get(name, {}), **(change or {})}
                if change is None:
                    del fields[name]
    return Endpoint(endpoint.id, fields, price, endpoint.required & set(fields))


def _object(title: str, fields: Mapping[str, Any], required: set[str]) -> dict[str, Any]:
    properties = {name: {"title": _title(name), **spec} for name, spec in fields.items()}
    return {"title": title, "type": "object", "properties": properties, "required": sorted(required)}


def _title(name: str) -> str:
    return name.replace("_", " ").title()


def _camel(text: str) -> str:
    return text.replace("/", " ").replace("-", " ").title().replace(" ", "")

"""The storyboard of a request: its shots, when they begin, and the images of each."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .inputs import SourceVideo

FPS = 24
_MENTION = re.compile(r"@(Image|Element)\s?(\d+)", re.IGNORECASE)
_AREAS = {"90p": 160 * 90, "180p": 320 * 180, "360p": 640 * 360, "720p": 1280 * 720, "1080p": 1920 * 1080}
_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4}
# Fields that do not change the video.
_IGNORED = {"num_generations", "target_namespace", "target_repo", "target_directory", "response_format"}

Images = Mapping[str, Image.Image]


@dataclass(frozen=True)
class Element:
    """An `@ElementN`: its frontal image and its further angles."""

    label: str
    frontal: Image.Image
    angles: tuple[Image.Image, ...]


@dataclass(frozen=True)
class Shot:
    """A shot: its number, prompt, first frame and length in frames, and the images and elements it shows."""

    number: int
    prompt: str
    first_frame: int
    frame_count: int
    images: tuple[Image.Image, ...]
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Storyboard:
    """The shots of a video with all that is needed to draw it."""

    size: tuple[int, int]
    shots: tuple[Shot, ...]
    start_image: Image.Image | None
    tail_image: Image.Image | None
    has_sound: bool
    seed: bytes

    @property
    def frame_count(self) -> int:
        """The length of the video in frames."""
        return sum(shot.frame_count for shot in self.shots)

    @classmethod
    def of(
        cls,
        body: Mapping[str, Any],
        images: Images,
        *,
        size: str = "720p",
        index: int = 0,
        edited: SourceVideo | None = None,
    ) -> Storyboard:
        """Return the storyboard of a request, without the images that are missing; see `animatic.write_video`."""
        given = body.get("input_image")
        # Image-to-video models take a single image, which is their first frame.
        start = images.get(str(body.get("start_image_url") or (given if isinstance(given, str) else "")))
        references = {f"image{n}": images.get(url) for n, url in enumerate(given if isinstance(given, list) else [], 1)}
        elements = {f"element{n}": _element(n, spec, images) for n, spec in enumerate(body.get("elements") or [], 1)}
        shots: list[Shot] = []
        for number, (prompt, seconds) in enumerate(_timing(body, edited), 1):
            first_frame = sum(shot.frame_count for shot in shots)
            shown = edited.frames if edited else _mentioned(prompt, references)
            frame_count = max(1, round(seconds * FPS))
            shots.append(Shot(number, prompt, first_frame, frame_count, shown, _mentioned(prompt, elements)))
        return cls(
            size=size_of(edited.frames[0] if edited else start, str(body.get("aspect_ratio") or "16:9"), size),
            shots=tuple(shots),
            start_image=start,
            tail_image=images.get(str(body.get("tail_image_url") or "")),
            has_sound=bool(body.get("generate_audio")),
            seed=seed_of(body, {**images, str(body["input_video"]): edited.frames[0]} if edited else images, index),
        )


def size_of(start_image: Image.Image | None, ratio: str, size: str = "720p") -> tuple[int, int]:
    """Return an even width and height, in the shape of the start image, else in the aspect ratio."""
    shape = start_image.width / start_image.height if start_image is not None else _RATIOS.get(ratio, 16 / 9)
    height = math.sqrt(_AREAS[size] / shape)
    return _even(height * shape), _even(height)


def seed_of(body: Mapping[str, Any], images: Images, index: int = 0) -> bytes:
    """Return a digest of the request and the content of its images, which determines all random choices."""

    def with_digests(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: with_digests(each) for key, each in value.items()}
        if isinstance(value, list):
            return [with_digests(each) for each in value]
        image = images.get(value) if isinstance(value, str) else None
        return value if image is None else hashlib.sha256(image.resize((64, 64)).tobytes()).hexdigest()

    fields = {name: with_digests(value) for name, value in body.items() if name not in _IGNORED}
    return hashlib.sha256(f"{index}\n{json.dumps(fields, sort_keys=True)}".encode()).digest()


def _timing(body: Mapping[str, Any], edited: SourceVideo | None) -> list[tuple[str, float]]:
    """Return the prompt and the seconds of each shot."""
    if edited:
        return [(str(body.get("prompt") or ""), edited.seconds)]
    return [
        (str(part.get("prompt") or ""), int(part.get("duration") or 5)) for part in body.get("multi_prompt") or [body]
    ]


def _element(number: int, spec: Mapping[str, Any], images: Images) -> Element | None:
    frontal = images.get(str(spec.get("frontal_image_url")))
    angles = (images.get(str(url)) for url in spec.get("reference_image_urls") or [])
    return None if frontal is None else Element(f"@Element{number}", frontal, tuple(each for each in angles if each))


def _mentioned(prompt: str, named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the images or elements that the prompt mentions, in its order, or all if it mentions none."""
    mentions = [f"{kind.lower()}{int(number)}" for kind, number in _MENTION.findall(prompt)]
    names = [name for name in dict.fromkeys(mentions) if name in named] if mentions else list(named)
    return tuple(named[name] for name in names if named[name] is not None)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)

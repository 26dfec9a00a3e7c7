"""What a film shows and when: the shots of a request, and the pictures of each. Pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .inputs import Footage

__all__ = ["FPS", "Element", "Plan", "Shot", "plan", "seed_of", "size_of"]

FPS = 24
_MENTION = re.compile(r"@(Image|Element)\s?(\d+)", re.IGNORECASE)
_AREA = {"180p": 320 * 180, "720p": 1280 * 720, "1080p": 1920 * 1080}
_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4}
_NOT_SEEN = {"num_generations", "target_namespace", "target_repo", "target_directory", "response_format"}

Pictures = Mapping[str, Image.Image]


@dataclass(frozen=True)
class Element:
    """One `@ElementN`: its frontal view and its further angles."""

    label: str
    frontal: Image.Image
    angles: tuple[Image.Image, ...]


@dataclass(frozen=True)
class Shot:
    """One shot: its place in time in frames, its text, and what is seen in it."""

    number: int
    prompt: str
    first: int
    frames: int
    pictures: tuple[Image.Image, ...]
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Plan:
    """A whole film, decided."""

    size: tuple[int, int]
    shots: tuple[Shot, ...]
    start: Image.Image | None
    tail: Image.Image | None
    sound: bool
    seed: bytes

    @property
    def frames(self) -> int:
        """The length of the film."""
        return sum(shot.frames for shot in self.shots)


def plan(
    body: Mapping[str, Any], pictures: Pictures, *, size: str = "720p", index: int = 0, edited: Footage | None = None
) -> Plan:
    """The film of a request; pictures that could not be had are left out. `edited` is the video that it edits."""
    given = body.get("input_image")
    # A model of one picture takes it for its first frame (section 6, image-to-video).
    start = pictures.get(str(body.get("start_image_url") or (given if isinstance(given, str) else "")))
    images = {f"image{n}": pictures.get(url) for n, url in enumerate(given if isinstance(given, list) else [], 1)}
    elements = {f"element{n}": _element(n, spec, pictures) for n, spec in enumerate(body.get("elements") or [], 1)}
    shots: list[Shot] = []
    for number, (prompt, seconds) in enumerate(_timing(body, edited), 1):
        first = sum(shot.frames for shot in shots)
        shown, cast = edited.stills if edited else _chosen(prompt, images), _chosen(prompt, elements)
        shots.append(Shot(number, prompt, first, max(1, round(seconds * FPS)), shown, cast))
    seen = {**pictures, str(body["input_video"]): edited.stills[0]} if edited else pictures
    return Plan(
        size=size_of(edited.stills[0] if edited else start, str(body.get("aspect_ratio") or "16:9"), size),
        shots=tuple(shots),
        start=start,
        tail=pictures.get(str(body.get("tail_image_url") or "")),
        sound=bool(body.get("generate_audio")),
        seed=seed_of(body, seen, index),
    )


def size_of(start: Image.Image | None, ratio: str, size: str = "720p") -> tuple[int, int]:
    """Width and height, even: the start frame's shape, else the aspect ratio's, in the area of the size class."""
    shape = start.width / start.height if start is not None else _RATIOS.get(ratio, 16 / 9)
    height = math.sqrt(_AREA[size] / shape)
    return _even(height * shape), _even(height)


def seed_of(body: Mapping[str, Any], pictures: Pictures, index: int = 0) -> bytes:
    """What decides every free choice: the request and the bytes of its pictures, so that the same gives the same."""
    seen = json.dumps(_with_digests({k: v for k, v in body.items() if k not in _NOT_SEEN}, pictures), sort_keys=True)
    return hashlib.sha256(f"{index}\n{seen}".encode()).digest()


def _with_digests(value: Any, pictures: Pictures) -> Any:
    if isinstance(value, dict):
        return {key: _with_digests(each, pictures) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_digests(each, pictures) for each in value]
    picture = pictures.get(value) if isinstance(value, str) else None
    return value if picture is None else hashlib.sha256(picture.resize((64, 64)).tobytes()).hexdigest()


def _timing(body: Mapping[str, Any], edited: Footage | None) -> list[tuple[str, float]]:
    if edited:
        return [(str(body.get("prompt") or ""), edited.seconds)]
    shots = body.get("multi_prompt")
    if shots:
        return [(str(shot["prompt"]), int(shot.get("duration") or 5)) for shot in shots]
    return [(str(body.get("prompt") or ""), int(body.get("duration") or 5))]


def _element(number: int, spec: Mapping[str, Any], pictures: Pictures) -> Element | None:
    frontal = pictures.get(str(spec.get("frontal_image_url")))
    angles = (pictures.get(str(url)) for url in spec.get("reference_image_urls") or [])
    return None if frontal is None else Element(f"@Element{number}", frontal, tuple(each for each in angles if each))


def _chosen(prompt: str, named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Those that the prompt mentions, in its order; all of them when it mentions none of any kind."""
    mentioned = [f"{kind.lower()}{int(number)}" for kind, number in _MENTION.findall(prompt)]
    names = [name for name in dict.fromkeys(mentioned) if name in named] if mentioned else list(named)
    return tuple(named[name] for name in names if named[name] is not None)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)

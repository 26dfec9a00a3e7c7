"""Likeness of the frames to the pictures that the request refers to."""

from __future__ import annotations

from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.models.images import on_white
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Frames looked at in a second, about; and the spread of grey values below which a picture has nothing to compare.
_A_SECOND, _PLAIN = 6, 2.0
#: Two pictures that have nothing in common differ in half of the 64 bits.
_UNLIKE = 32


@scorer(version="1", unit="", request=True)
def likeness(clip: Footage) -> Measure:
    """How like a reference picture the frames get: the best frame for each reference, and of these the lowest.

    Range: 0 (as unlike as two pictures that have nothing in common) to 1 (the same picture). `parts` has each
    reference. Source: the perceptual hash of ImageHash (`phash`, 64 bits), frames cut to the reference's shape. It
    compares the layout of light and dark of the whole picture. It does not know faces, things or colours: a reference
    that comes back in another place, size or pose counts as unlike, however well it was met.
    """
    from PIL import Image, ImageOps

    every = max(1, round(1 / clip.step / _A_SECOND))
    frames = [Image.fromarray(frame.rgb) for frame in list(clip.frames())[::every]]
    parts: dict[str, float] = {}
    names: dict[str, str] = {}
    for picture in clip.pictures:
        with Image.open(picture.file) as opened:
            reference = on_white(ImageOps.exif_transpose(opened))
        if _is_plain(reference):
            continue
        parts[picture.path], names[picture.path] = _best(reference, frames), picture.name
    if not parts:
        raise NotApplicable(_why_none(clip))
    lowest = min(parts, key=lambda path: parts[path])
    left = len(clip.pictures) - len(parts) + clip.missing
    among = f"the lowest of {len(parts)}: {names[lowest]}" if len(parts) > 1 else names[lowest]
    return Measure(parts[lowest], among + (f"; {left} could not be compared" if left else ""), parts)


def _best(reference: Any, frames: list[Any]) -> float:
    import imagehash

    wanted = imagehash.phash(reference)
    ratio = reference.width / reference.height
    bits = min(int(wanted - imagehash.phash(_cut(frame, ratio))) for frame in frames)
    return max(0.0, 1 - bits / _UNLIKE)


def _cut(frame: Any, ratio: float) -> Any:
    """The middle of a frame, in the shape of the reference."""
    width, height = min(frame.width, frame.height * ratio), min(frame.height, frame.width / ratio)
    left, top = (frame.width - width) / 2, (frame.height - height) / 2
    return frame.crop((round(left), round(top), max(1, round(left + width)), max(1, round(top + height))))


def _is_plain(picture: Any) -> bool:
    from PIL import ImageStat

    return ImageStat.Stat(picture.convert("L")).stddev[0] < _PLAIN


def _why_none(clip: Footage) -> str:
    if clip.pictures:
        return "its reference pictures are plain surfaces"
    return "its reference pictures are addresses only" if clip.missing else "the request has no reference picture"

"""The likeness of frames to the reference images of the request."""

from __future__ import annotations

from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Frames compared per second, about, and the spread of grey values below which an image is a plain surface.
_PER_SECOND, _PLAIN = 6, 2.0
#: Two unrelated images differ in half of the 64 bits.
_UNRELATED = 32


@scorer(version="2", unit="", request=True)
def likeness(clip: Footage) -> Measure:
    """Likeness to the reference images: the best frame for each reference, and the lowest of these.

    Range: 0 (two unrelated images) to 1 (the same image). `parts` has each reference. Source: the perceptual hash of
    ImageHash (`phash`, 64 bits), frames cropped to the reference's shape. It compares the light and dark areas of
    whole images. It does not recognize faces, objects or colours: a reference that appears in another place, size or
    pose counts as unlike.
    """
    if not clip.images:
        raise NotApplicable(_reason(clip))
    from PIL import Image, ImageOps

    from kling_nb.models.images import on_white

    parts: dict[str, float] = {}
    names: dict[str, str] = {}
    every = max(1, round(1 / clip.step / _PER_SECOND))
    frames = [Image.fromarray(image) for image in clip.grey()[::every]]
    for image in clip.images:
        with Image.open(image.file) as opened:
            reference = on_white(ImageOps.exif_transpose(opened))
        if _is_plain(reference):
            continue
        parts[image.path], names[image.path] = _best(reference, frames), image.name
    if not parts:
        raise NotApplicable(_reason(clip))
    lowest = min(parts, key=lambda path: parts[path])
    left = len(clip.images) - len(parts) + clip.missing_images
    among = f"the lowest of {len(parts)}: {names[lowest]}" if len(parts) > 1 else names[lowest]
    return Measure(parts[lowest], among + (f"; {left} not compared" if left else ""), parts)


def _best(reference: Any, frames: list[Any]) -> float:
    import imagehash

    wanted = imagehash.phash(reference)
    ratio = reference.width / reference.height
    bits = min(int(wanted - imagehash.phash(_crop(frame, ratio))) for frame in frames)
    return max(0.0, 1 - bits / _UNRELATED)


def _crop(frame: Any, ratio: float) -> Any:
    """Return the middle of a frame in the shape of the reference."""
    width, height = min(frame.width, frame.height * ratio), min(frame.height, frame.width / ratio)
    left, top = (frame.width - width) / 2, (frame.height - height) / 2
    return frame.crop((round(left), round(top), max(1, round(left + width)), max(1, round(top + height))))


def _is_plain(image: Any) -> bool:
    from PIL import ImageStat

    return ImageStat.Stat(image.convert("L")).stddev[0] < _PLAIN


def _reason(clip: Footage) -> str:
    if clip.images:
        return "the reference images are plain surfaces"
    return "the reference images are URLs" if clip.missing_images else "the request has no reference images"

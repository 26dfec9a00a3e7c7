"""Colours and the backdrop of a shot that has no picture, derived from the request's digest."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

__all__ = ["Palette", "backdrop", "palette"]


@dataclass(frozen=True)
class Palette:
    """Five colours that go together, from the darkest ground to the brightest accent."""

    deep: str
    ground: str
    mid: str
    glow: str
    accent: str


_PALETTES = (
    Palette("#0b1020", "#14213d", "#27467a", "#5f8fc4", "#f7b955"),
    Palette("#120d1d", "#2a1a43", "#5b2a6e", "#c2527a", "#ffb997"),
    Palette("#071a1c", "#0d3336", "#1b6a67", "#56b19c", "#f4e285"),
    Palette("#17100c", "#3a2318", "#7c4326", "#d2824a", "#ffd9a0"),
    Palette("#0d1411", "#1d3327", "#3c6a4c", "#93b77b", "#f2efc7"),
    Palette("#100f1a", "#232347", "#46459a", "#8a86e0", "#8ff0d0"),
    Palette("#180b12", "#431728", "#8a2b42", "#e0685f", "#ffd6c9"),
    Palette("#0c1418", "#1c323d", "#3b6479", "#9dbcc8", "#ff9f6b"),
)


def palette(seed: bytes) -> Palette:
    """The palette of a request."""
    return _PALETTES[seed[0] % len(_PALETTES)]


def backdrop(seed: bytes, number: int, size: tuple[int, int], *, figure: bool = True) -> Image.Image:
    """A soft field of colour with one large figure; every shot of a film has its own, in the film's palette."""
    colours = palette(seed)
    dice = random.Random(seed + bytes([number % 256]))  # noqa: S311  # a drawing, no secret
    field = _field(colours, dice, size)
    if figure:
        drawn = _figure(colours, dice, size)
        field.paste(drawn, (0, 0), drawn)
    return ImageChops.add(field, _grain(dice, size), 1, -6)


def _field(colours: Palette, dice: random.Random, size: tuple[int, int]) -> Image.Image:
    """A mesh gradient: few large cells of colour, smoothed twice on the way up."""
    mesh = Image.new("RGB", (5, 4), colours.ground)
    tones = [colours.deep] * 4 + [colours.ground] * 5 + [colours.mid] * 3
    for x in range(5):
        for y in range(4):
            mesh.putpixel((x, y), _rgb(dice.choice(tones)))
    bright = (dice.randrange(2, 5), dice.randrange(0, 2))
    mesh.putpixel(bright, _rgb(colours.glow))
    mesh.putpixel((bright[0] - 1, bright[1] + 1), _rgb(colours.mid))
    for x in range(3):
        mesh.putpixel((x, 2), _rgb(colours.ground))
        mesh.putpixel((x, 3), _rgb(colours.deep))
    small = mesh.resize((160, 90), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(9))
    return small.resize(size, Image.Resampling.BICUBIC)


def _figure(colours: Palette, dice: random.Random, size: tuple[int, int]) -> Image.Image:
    """Rings around a disc, or a fan of leaves, or a staircase of bars: large, quiet, off centre."""
    width, height = size[0] * 2, size[1] * 2  # drawn at twice the size: Pillow's edges are not smoothed
    across = (0.66, 0.8) if width > height else (0.56, 0.64)
    layer = Image.new("RGBA", (width, height))
    centre = (width * dice.uniform(*across), height * dice.uniform(0.28, 0.42))
    kind = dice.choice((_rings, _fan, _bars))
    kind(ImageDraw.Draw(layer), centre, min(width, height), colours, dice)
    return layer.reduce(2)


def _rings(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], unit: int, colours: Palette, dice: random.Random
) -> None:
    disc = unit * dice.uniform(0.14, 0.2)
    for step in range(7, 0, -1):
        radius = disc + step * unit * 0.085
        draw.ellipse(_around(at, radius), outline=(*_rgb(colours.glow), 70 - step * 7), width=max(3, unit // 420))
    draw.ellipse(_around(at, disc + unit * 0.085), fill=(*_rgb(colours.glow), 40))
    draw.ellipse(_around(at, disc), fill=(*_rgb(colours.accent), 225))


def _fan(draw: ImageDraw.ImageDraw, at: tuple[float, float], unit: int, colours: Palette, dice: random.Random) -> None:
    turn = dice.uniform(0, 360)
    for step in range(6):
        radius = unit * (0.62 - step * 0.085)
        tone = colours.glow if step % 2 else colours.mid
        draw.pieslice(_around(at, radius), turn + step * 14, turn + 200 + step * 14, fill=(*_rgb(tone), 46 + step * 12))
    draw.ellipse(_around(at, unit * 0.075), fill=(*_rgb(colours.accent), 235))


def _bars(draw: ImageDraw.ImageDraw, at: tuple[float, float], unit: int, colours: Palette, dice: random.Random) -> None:
    wide = unit * 0.1
    chosen = dice.randrange(7)
    for step in range(7):
        x = at[0] + (step - 3.5) * wide * 1.18
        tall = unit * (0.16 + 0.32 * (0.5 + 0.5 * dice.uniform(-1, 1)) + 0.04 * step)
        tone = (*_rgb(colours.accent), 225) if step == chosen else (*_rgb(colours.glow), 48 + step * 9)
        draw.rounded_rectangle((x, at[1] - tall / 2, x + wide, at[1] + tall / 2), wide / 2, fill=tone)


def _grain(dice: random.Random, size: tuple[int, int]) -> Image.Image:
    # A little grain keeps the gradients from banding in eight bits.
    tile = Image.frombytes("L", (256, 256), dice.randbytes(256 * 256)).point(
        [round(level / 255 * 12) for level in range(256)]
    )
    grain = Image.new("L", size)
    for x in range(0, size[0], 256):
        for y in range(0, size[1], 256):
            grain.paste(tile, (x, y))
    return Image.merge("RGB", (grain, grain, grain))


def _around(centre: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)

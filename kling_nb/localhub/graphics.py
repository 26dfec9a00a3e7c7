"""What lies over the pictures of a shot: caption, element cards, and the small mark that says what this is."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .storyboard import Element, Shot
from .typography import draw_lines, draw_spaced, fitted, font, line_height

__all__ = ["MARK", "Palette", "backdrop", "overlay", "palette"]

MARK = "LOCAL HUB · ANIMATIC"
_INK = "#ffffff"


def overlay(shot: Shot, count: int, size: tuple[int, int], colours: Palette, *, bare: bool) -> Image.Image:
    """The layer of one shot, RGBA; `bare` when the shot has no picture and its text is the picture."""
    layer = Image.new("RGBA", size)
    unit = min(size) / 720
    top = _scrim(layer, 0.2, 0.46, upwards=False)
    layer.alpha_composite(top)
    if bare:
        _title(layer, shot, unit, colours)
    else:
        _caption(layer, shot, unit, colours)
    if shot.elements:
        _cast(layer, shot, unit)
    _mark(layer, shot, count, unit, colours)
    return layer


def _caption(layer: Image.Image, shot: Shot, unit: float, colours: Palette) -> None:
    width, height = layer.size
    margin = round(56 * unit)
    tall = height > width
    face, lines = fitted(
        shot.prompt or "…",
        width=min(width - 2 * margin, round(940 * unit)),
        lines=6 if tall else 3,
        sizes=range(round(36 * unit), round(23 * unit), -2),
    )
    block = line_height(face) * len(lines)
    top = height - margin - round(10 * unit) - block
    share = min(0.85, (height - top) / height + 0.2)
    layer.alpha_composite(_scrim(layer, share, 0.82, upwards=True))
    draw = ImageDraw.Draw(layer)
    draw_lines(draw, (margin, top), lines, face, ink=_INK, accent=colours.accent)


def _title(layer: Image.Image, shot: Shot, unit: float, colours: Palette) -> None:
    """A typeset card: a rule, the text as large as it goes, on the left and above the foot."""
    width, height = layer.size
    margin = round(72 * unit)
    tall = height > width
    face, lines = fitted(
        shot.prompt or "Untitled",
        width=width - 2 * margin if tall else round(width * 0.66),
        lines=9 if tall else 5,
        sizes=range(round(72 * unit), round(26 * unit), -4),
    )
    top = height - round(76 * unit) - line_height(face) * len(lines)
    layer.alpha_composite(_scrim(layer, min(0.9, 1 - top / height + 0.25), 0.5, upwards=True))
    draw = ImageDraw.Draw(layer)
    rule = top - round(26 * unit)
    draw.rectangle((margin, rule, margin + round(64 * unit), rule + round(4 * unit)), fill=colours.accent)
    draw_lines(draw, (margin, top), lines, face, ink=_INK, accent=colours.accent)


def _mark(layer: Image.Image, shot: Shot, count: int, unit: float, colours: Palette) -> None:
    draw = ImageDraw.Draw(layer)
    face = font(round(15 * unit))
    margin, top = round(56 * unit), round(40 * unit)
    dot = round(5 * unit)
    middle = top + round(9.5 * unit)
    spot = Image.new("RGBA", (2 * dot, 2 * dot), colours.accent)
    spot.putalpha(_rounded(spot.size, dot))
    layer.alpha_composite(spot, (margin, round(middle) - dot))
    x = draw_spaced(draw, (margin + round(22 * unit), top), MARK, face, ink="#ffffffe6", spacing=1.6 * unit)
    if count > 1:
        draw_spaced(
            draw, (x + 14 * unit, top), f"SHOT {shot.number}/{count}", face, ink="#ffffff99", spacing=1.6 * unit
        )


def _cast(layer: Image.Image, shot: Shot, unit: float) -> None:
    """The elements as cards: in a row at the top right, or large in the middle when they are all there is to see."""
    width, height = layer.size
    alone = not shot.pictures
    tall = height > width
    side = height * ((0.34 if tall else 0.5) if alone else (0.16 if tall else 0.28))
    gap = round(18 * unit)
    room = width - 2 * 56 * unit
    cards = [_card(element, round(side), unit) for element in shot.elements]
    while sum(card.width for card in cards) + gap * (len(cards) - 1) > room and side > 40:
        side *= 0.9
        cards = [_card(element, round(side), unit) for element in shot.elements]
    total = sum(card.width for card in cards) + gap * (len(cards) - 1)
    x = round((width - total) / 2) if alone else round(width - 56 * unit - total)
    y = round(height * (0.3 if tall else 0.14)) if alone else round((96 if tall else 40) * unit)
    for card in cards:
        _shadow(layer, (x, y, x + card.width, y + card.height), unit)
        layer.alpha_composite(card, (x, y))
        x += card.width + gap


def _card(element: Element, height: int, unit: float) -> Image.Image:
    """The frontal view, the further angles in a column beside it, and the label."""
    gap = max(3, round(5 * unit))
    views = [_view(element.frontal, (round(height * 0.78), height), unit)]
    if element.angles:
        each = (height - gap * (len(element.angles) - 1)) // len(element.angles)
        column = Image.new("RGBA", (round(height * (0.5 if len(element.angles) == 1 else 0.42)), height))
        for number, angle in enumerate(element.angles):
            column.alpha_composite(_view(angle, (column.width, each), unit), (0, number * (each + gap)))
        views.append(column)
    card = Image.new("RGBA", (sum(view.width for view in views) + gap * (len(views) - 1), height))
    x = 0
    for view in views:
        card.alpha_composite(view, (x, 0))
        x += view.width + gap
    _label(card, element.label, height, unit)
    return card


def _label(card: Image.Image, text: str, height: int, unit: float) -> None:
    face = font(max(11, min(round(17 * unit), height // 9)))
    pad = round(face.size * 0.55)
    wide, high = round(face.getlength(text)) + 2 * pad, round(face.size * 1.6)
    at = (round(10 * unit), height - high - round(10 * unit))
    pill = Image.new("RGBA", (wide, high), (8, 10, 16, 255))
    pill.putalpha(_rounded(pill.size, high // 2).point([round(level * 0.75) for level in range(256)]))
    ImageDraw.Draw(pill).text((pad, high / 2), text, font=face, fill="#ffffff", anchor="lm")
    card.alpha_composite(pill, at)


def _view(picture: Image.Image, size: tuple[int, int], unit: float) -> Image.Image:
    # A face stands in the upper part of a portrait: crop there rather than in the middle.
    fitted_picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS, centering=(0.5, 0.35)).convert("RGBA")
    fitted_picture.putalpha(_rounded(size, round(14 * unit)))
    edge = Image.new("RGBA", size)
    ImageDraw.Draw(edge).rounded_rectangle(
        (0, 0, size[0] - 1, size[1] - 1), round(14 * unit), outline=(255, 255, 255, 60), width=max(1, round(1.5 * unit))
    )
    fitted_picture.alpha_composite(edge)
    return fitted_picture


def _shadow(layer: Image.Image, box: tuple[int, int, int, int], unit: float) -> None:
    spread = round(22 * unit)
    left, top, right, bottom = box
    size = (right - left + 2 * spread, bottom - top + 2 * spread)
    dark = Image.new("L", (size[0] // 4, size[1] // 4))
    ImageDraw.Draw(dark).rounded_rectangle(
        (spread // 4, spread // 4, dark.width - spread // 4, dark.height - spread // 4), 4 * unit, fill=150
    )
    dark = dark.filter(ImageFilter.GaussianBlur(spread / 9)).resize(size, Image.Resampling.BICUBIC)
    shadow = Image.new("RGBA", size, (0, 0, 0, 255))
    shadow.putalpha(dark)
    at = (left - spread, top - spread + round(8 * unit))
    layer.alpha_composite(shadow.crop((max(0, -at[0]), max(0, -at[1]), *size)), (max(0, at[0]), max(0, at[1])))


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def _scrim(layer: Image.Image, share: float, darkness: float, *, upwards: bool) -> Image.Image:
    """A soft dark gradient over `share` of the height, from one edge."""
    width, height = layer.size
    rows = max(2, round(height * share))
    # A smooth start and no edge where it ends: the square of a cosine's half wave.
    ramp = Image.new("L", (1, rows))
    for row in range(rows):
        part = row / (rows - 1)
        ramp.putpixel((0, row), round(255 * darkness * part * part * (3 - 2 * part)))
    if not upwards:
        ramp = ramp.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    scrim = Image.new("RGBA", (width, height), (6, 8, 14, 0))
    band = Image.new("RGBA", (width, rows), (6, 8, 14, 255))
    band.putalpha(ramp.resize((width, rows)))
    scrim.paste(band, (0, height - rows if upwards else 0))
    return scrim


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

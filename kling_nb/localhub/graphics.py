"""The drawings of an animatic: palettes, backdrops, and the overlay with captions, elements and the label."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .storyboard import Element, Shot
from .typography import draw_lines, draw_spaced, fit, font_for, line_height

_LABEL = "LOCAL HUB · ANIMATIC"
_INK = "#ffffff"

Size = tuple[int, int]
Point = tuple[float, float]
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """Five matching colours, from the darkest to the accent."""

    deep: RGB
    ground: RGB
    mid: RGB
    glow: RGB
    accent: RGB


def draw_overlay(shot: Shot, count: int, size: Size, palette: Palette, *, as_title: bool) -> Image.Image:
    """Draw what lies over the images of a shot, in RGBA.

    Args:
        shot: The shot.
        count: The number of shots of the video.
        size: Width and height.
        palette: The colours of the video.
        as_title: Draw the prompt as a title card, because the shot has no images, instead of a caption.
    """
    layer = Image.new("RGBA", size)
    unit = min(size) / 720
    layer.alpha_composite(_gradient(size, 0.2, 0.46, upwards=False))
    if as_title:
        _draw_title(layer, shot, unit, palette)
    else:
        _draw_caption(layer, shot, unit, palette)
    if shot.elements:
        _draw_elements(layer, shot, unit)
    _draw_label(layer, shot, count, unit, palette)
    return layer


def _draw_caption(layer: Image.Image, shot: Shot, unit: float, palette: Palette) -> None:
    width, height = layer.size
    margin = round(56 * unit)
    font, lines = fit(
        shot.prompt or "…",
        width=min(width - 2 * margin, round(940 * unit)),
        lines=6 if height > width else 3,
        sizes=range(round(36 * unit), round(23 * unit), -2),
    )
    top = height - margin - round(10 * unit) - line_height(font) * len(lines)
    share = min(0.85, (height - top) / height + 0.2)
    layer.alpha_composite(_gradient(layer.size, share, 0.82, upwards=True))
    draw_lines(ImageDraw.Draw(layer), (margin, top), lines, font, ink=_INK, accent=palette.accent)


def _draw_title(layer: Image.Image, shot: Shot, unit: float, palette: Palette) -> None:
    """Draw a short rule, and below it the prompt as large as possible."""
    width, height = layer.size
    margin = round(72 * unit)
    tall = height > width
    font, lines = fit(
        shot.prompt or "Untitled",
        width=width - 2 * margin if tall else round(width * 0.66),
        lines=9 if tall else 5,
        sizes=range(round(72 * unit), round(26 * unit), -4),
    )
    top = height - round(76 * unit) - line_height(font) * len(lines)
    layer.alpha_composite(_gradient(layer.size, min(0.9, 1 - top / height + 0.25), 0.5, upwards=True))
    draw = ImageDraw.Draw(layer)
    rule = top - round(26 * unit)
    draw.rectangle((margin, rule, margin + round(64 * unit), rule + round(4 * unit)), fill=palette.accent)
    draw_lines(draw, (margin, top), lines, font, ink=_INK, accent=palette.accent)


def _draw_label(layer: Image.Image, shot: Shot, count: int, unit: float, palette: Palette) -> None:
    draw = ImageDraw.Draw(layer)
    font = font_for(round(15 * unit))
    left, top, radius, spacing = round(56 * unit), round(40 * unit), round(5 * unit), 1.6 * unit
    dot = Image.new("RGBA", (2 * radius, 2 * radius), palette.accent)
    dot.putalpha(_rounded_mask(dot.size, radius))
    layer.alpha_composite(dot, (left, top + round(9.5 * unit) - radius))
    x = draw_spaced(draw, (left + round(22 * unit), top), _LABEL, font, ink="#ffffffe6", spacing=spacing)
    if count > 1:
        text = f"SHOT {shot.number}/{count}"
        draw_spaced(draw, (x + 14 * unit, top), text, font, ink="#ffffff99", spacing=spacing)


def _draw_elements(layer: Image.Image, shot: Shot, unit: float) -> None:
    """Draw the elements as cards: at the top right, or large in the middle if the shot has no images."""
    width, height = layer.size
    alone, tall = not shot.images, height > width
    side = height * ((0.34 if tall else 0.5) if alone else (0.16 if tall else 0.28))
    gap = round(18 * unit)
    cards, total = _cards(shot, side, gap, unit)
    while total > width - 2 * 56 * unit and side > 40:
        side *= 0.9
        cards, total = _cards(shot, side, gap, unit)
    x = round((width - total) / 2) if alone else round(width - 56 * unit - total)
    y = round(height * (0.3 if tall else 0.14)) if alone else round((96 if tall else 40) * unit)
    for card in cards:
        _draw_shadow(layer, (x, y, x + card.width, y + card.height), unit)
        layer.alpha_composite(card, (x, y))
        x += card.width + gap


def _cards(shot: Shot, side: float, gap: int, unit: float) -> tuple[list[Image.Image], int]:
    """Return the cards of all elements, and their width with the gaps between them."""
    cards = [_card(element, round(side), unit) for element in shot.elements]
    return cards, sum(card.width for card in cards) + gap * (len(cards) - 1)


def _card(element: Element, height: int, unit: float) -> Image.Image:
    """Return the frontal image with its label, and the further angles in a column beside it."""
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
    _draw_card_label(card, element.label, unit)
    return card


def _draw_card_label(card: Image.Image, text: str, unit: float) -> None:
    font = font_for(max(11, min(round(17 * unit), card.height // 9)))
    padding = round(font.size * 0.55)
    width, height = round(font.getlength(text)) + 2 * padding, round(font.size * 1.6)
    pill = Image.new("RGBA", (width, height), (8, 10, 16, 255))
    pill.putalpha(_rounded_mask(pill.size, height // 2).point([round(level * 0.75) for level in range(256)]))
    ImageDraw.Draw(pill).text((padding, height / 2), text, font=font, fill="#ffffff", anchor="lm")
    card.alpha_composite(pill, (round(10 * unit), card.height - height - round(10 * unit)))


def _view(image: Image.Image, size: Size, unit: float) -> Image.Image:
    """Return the image cropped to a rounded rectangle with a thin outline."""
    # A face is in the upper part of a portrait, so the crop is above the middle.
    view = ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=(0.5, 0.35)).convert("RGBA")
    view.putalpha(_rounded_mask(size, round(14 * unit)))
    outline = Image.new("RGBA", size)
    ImageDraw.Draw(outline).rounded_rectangle(
        (0, 0, size[0] - 1, size[1] - 1), round(14 * unit), outline=(255, 255, 255, 60), width=max(1, round(1.5 * unit))
    )
    view.alpha_composite(outline)
    return view


def _draw_shadow(layer: Image.Image, box: tuple[int, int, int, int], unit: float) -> None:
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
    x, y = left - spread, top - spread + round(8 * unit)
    layer.alpha_composite(shadow.crop((max(0, -x), max(0, -y), *size)), (max(0, x), max(0, y)))


def _rounded_mask(size: Size, radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 2, size[1] * 2))  # at twice the size, because Pillow does not smooth edges
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def _gradient(size: Size, share: float, darkness: float, *, upwards: bool) -> Image.Image:
    """Return a soft dark gradient over a share of the height, which fades upwards or downwards."""
    width, height = size
    rows = max(2, round(height * share))
    ramp = Image.new("L", (1, rows))
    for row in range(rows):
        part = row / (rows - 1)
        # Smoothstep has no visible edge at either end.
        ramp.putpixel((0, row), round(255 * darkness * part * part * (3 - 2 * part)))
    if not upwards:
        ramp = ramp.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    gradient = Image.new("RGBA", size, (6, 8, 14, 0))
    band = Image.new("RGBA", (width, rows), (6, 8, 14, 255))
    band.putalpha(ramp.resize((width, rows)))
    gradient.paste(band, (0, height - rows if upwards else 0))
    return gradient


def _palette(*colours: str) -> Palette:
    return Palette(*((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in colours))


_PALETTES = (
    _palette("#0b1020", "#14213d", "#27467a", "#5f8fc4", "#f7b955"),
    _palette("#120d1d", "#2a1a43", "#5b2a6e", "#c2527a", "#ffb997"),
    _palette("#071a1c", "#0d3336", "#1b6a67", "#56b19c", "#f4e285"),
    _palette("#17100c", "#3a2318", "#7c4326", "#d2824a", "#ffd9a0"),
    _palette("#0d1411", "#1d3327", "#3c6a4c", "#93b77b", "#f2efc7"),
    _palette("#100f1a", "#232347", "#46459a", "#8a86e0", "#8ff0d0"),
    _palette("#180b12", "#431728", "#8a2b42", "#e0685f", "#ffd6c9"),
    _palette("#0c1418", "#1c323d", "#3b6479", "#9dbcc8", "#ff9f6b"),
)


def palette_of(seed: bytes) -> Palette:
    """Return the palette of a video."""
    return _PALETTES[seed[0] % len(_PALETTES)]


def draw_backdrop(seed: bytes, number: int, size: Size, *, figure: bool = True) -> Image.Image:
    """Draw the background of a shot without images: soft colours of the video's palette, and one large figure."""
    palette = palette_of(seed)
    rng = random.Random(seed + bytes([number % 256]))  # noqa: S311  # not for security
    field = _colour_field(palette, rng, size)
    if figure:
        drawn = _figure(palette, rng, size)
        field.paste(drawn, (0, 0), drawn)
    return ImageChops.add(field, _grain(rng, size), 1, -6)


def _colour_field(palette: Palette, rng: random.Random, size: Size) -> Image.Image:
    """Return a mesh gradient: few large cells of colour, smoothed while they are enlarged."""
    mesh = Image.new("RGB", (5, 4), palette.ground)
    colours = [palette.deep] * 4 + [palette.ground] * 5 + [palette.mid] * 3
    for x in range(5):
        for y in range(4):
            mesh.putpixel((x, y), rng.choice(colours))
    bright = (rng.randrange(2, 5), rng.randrange(0, 2))
    mesh.putpixel(bright, palette.glow)
    mesh.putpixel((bright[0] - 1, bright[1] + 1), palette.mid)
    for x in range(3):
        mesh.putpixel((x, 2), palette.ground)
        mesh.putpixel((x, 3), palette.deep)
    small = mesh.resize((160, 90), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(9))
    return small.resize(size, Image.Resampling.BICUBIC)


def _figure(palette: Palette, rng: random.Random, size: Size) -> Image.Image:
    """Draw rings around a disc, a fan of leaves, or bars, off centre."""
    width, height = size[0] * 2, size[1] * 2  # at twice the size, because Pillow does not smooth edges
    layer = Image.new("RGBA", (width, height))
    low, high = (0.66, 0.8) if width > height else (0.56, 0.64)
    centre = (width * rng.uniform(low, high), height * rng.uniform(0.28, 0.42))
    draw_figure = rng.choice((_draw_rings, _draw_fan, _draw_bars))
    draw_figure(ImageDraw.Draw(layer), centre, min(width, height), palette, rng)
    return layer.reduce(2)


def _draw_rings(draw: ImageDraw.ImageDraw, centre: Point, unit: int, palette: Palette, rng: random.Random) -> None:
    disc = unit * rng.uniform(0.14, 0.2)
    for step in range(7, 0, -1):
        colour = (*palette.glow, 70 - step * 7)
        draw.circle(centre, disc + step * unit * 0.085, outline=colour, width=max(3, unit // 420))
    draw.circle(centre, disc + unit * 0.085, fill=(*palette.glow, 40))
    draw.circle(centre, disc, fill=(*palette.accent, 225))


def _draw_fan(draw: ImageDraw.ImageDraw, centre: Point, unit: int, palette: Palette, rng: random.Random) -> None:
    turn = rng.uniform(0, 360)
    for step in range(6):
        radius = unit * (0.62 - step * 0.085)
        box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
        colour = (*(palette.glow if step % 2 else palette.mid), 46 + step * 12)
        draw.pieslice(box, turn + step * 14, turn + 200 + step * 14, fill=colour)
    draw.circle(centre, unit * 0.075, fill=(*palette.accent, 235))


def _draw_bars(draw: ImageDraw.ImageDraw, centre: Point, unit: int, palette: Palette, rng: random.Random) -> None:
    width = unit * 0.1
    accented = rng.randrange(7)
    for step in range(7):
        left = centre[0] + (step - 3.5) * width * 1.18
        half = unit * (0.16 + 0.32 * (0.5 + 0.5 * rng.uniform(-1, 1)) + 0.04 * step) / 2
        colour = (*palette.accent, 225) if step == accented else (*palette.glow, 48 + step * 9)
        box = (left, centre[1] - half, left + width, centre[1] + half)
        draw.rounded_rectangle(box, width / 2, fill=colour)


def _grain(rng: random.Random, size: Size) -> Image.Image:
    """Return noise, which keeps the gradients from banding in eight bits."""
    noise = Image.frombytes("L", (256, 256), rng.randbytes(256 * 256))
    tile = noise.point([round(level / 255 * 12) for level in range(256)])
    grain = Image.new("L", size)
    for x in range(0, size[0], 256):
        for y in range(0, size[1], 256):
            grain.paste(tile, (x, y))
    return Image.merge("RGB", (grain, grain, grain))

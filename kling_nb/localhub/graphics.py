"""What lies over the pictures of a shot: caption, element cards, and the small mark that says what this is."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from .palette import Palette
from .storyboard import Element, Shot
from .typography import draw_lines, draw_spaced, fitted, font, line_height

__all__ = ["MARK", "overlay"]

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

"""Fonts that cover a text, and lines that fit a box."""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import suppress
from functools import cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
Ink = str | tuple[int, int, int]

_MENTION = re.compile(r"(@(?:Image|Element)\s?\d+)", re.IGNORECASE)
# Chinese, Japanese and Korean lines break between any two characters, others after a space.
_WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
_PIECE = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")
# Tried in this order for characters that Pillow's own font lacks.
_FALLBACKS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "malgun.ttf",
    "YuGothM.ttc",
    "seguisym.ttf",
    "WenQuanYi Zen Hei.ttf",
    "DroidSansFallbackFull.ttf",
)


@cache
def font_for(size: int, text: str = "") -> Font:
    """Return the first font that has every character of the text, else the one that lacks the fewest."""
    characters = frozenset(text) - frozenset(" \n\t")
    best, fewest = None, len(characters) + 1
    for font in _fonts(size):
        missing = sum(_lacks(font, character) for character in characters)
        if missing == 0:
            return font
        if missing < fewest:
            best, fewest = font, missing
    return best or _fonts(size)[0]


def fit(text: str, *, width: int, lines: int, sizes: range) -> tuple[Font, list[str]]:
    """Wrap the text in the largest of the sizes that fits; in the smallest, cut it off with an ellipsis."""
    text = " ".join(text.split())
    for size in sizes:
        font = font_for(size, text)
        wrapped = _wrap(text, font, width)
        if len(wrapped) <= lines:
            return font, _balance(text, font, width, len(wrapped))
    font = font_for(sizes[-1], text)
    *kept, last = _wrap(text, font, width)[:lines]
    last = last.rstrip()
    while last and font.getlength(f"{last}…") > width:
        last = last[:-1].rstrip(" ,.;:–-")
    return font, [*kept, f"{last}…"]


def line_height(font: Font) -> int:
    """Return the distance between two base lines."""
    return round(font.size * (1.18 if font.size > 48 else 1.3))


def draw_lines(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], lines: list[str], font: Font, *, ink: Ink, accent: Ink
) -> None:
    """Draw lines of text, with mentions of images and elements in the accent colour."""
    left, top = at
    for number, line in enumerate(lines):
        x = left
        for piece in _MENTION.split(line):
            colour = accent if _MENTION.fullmatch(piece) else ink
            draw.text((x, top + number * line_height(font)), piece, font=font, fill=colour)
            x += font.getlength(piece)


def draw_spaced(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, font: Font, *, ink: Ink, spacing: float
) -> float:
    """Draw text with extra space between its letters, and return where the next letter would start."""
    x, y = at
    for letter in text:
        draw.text((x, y), letter, font=font, fill=ink)
        x += font.getlength(letter) + spacing
    return x


@cache
def _fonts(size: int) -> tuple[Font, ...]:
    default = ImageFont.load_default(size)
    assert isinstance(default, ImageFont.FreeTypeFont)  # noqa: S101  # Pillow's wheels include FreeType
    fonts = [default]
    for name in _FALLBACKS:
        with suppress(OSError):
            fonts.append(ImageFont.truetype(name, size))
    return tuple(fonts)


@cache
def _lacks(font: Font, character: str) -> bool:
    return character.isprintable() and _glyph(font, character) == _glyph(font, "\U0010fffe")


@cache
def _glyph(font: Font, character: str) -> bytes:
    box = Image.new("L", (int(font.size * 2), int(font.size * 2)))
    ImageDraw.Draw(box).text((4, 4), character, font=font, fill=255)
    return box.tobytes()


def _wrap(text: str, font: Font, width: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _PIECE.findall(text):
        if line and font.getlength((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
            piece = piece.lstrip()
        while font.getlength(piece.rstrip()) > width:
            lengths = range(1, len(piece) + 1)
            cut = max(1, bisect_right(lengths, width, key=lambda length: font.getlength(piece[:length])))
            lines.append(piece[:cut])
            piece = piece[cut:]
        line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _balance(text: str, font: Font, width: int, count: int) -> list[str]:
    """Wrap the text at the narrowest width that takes `count` lines, so that no word is alone on the last line."""
    narrow, wide = width // 2, width
    while wide - narrow > 8:
        middle = (narrow + wide) // 2
        if len(_wrap(text, font, middle)) <= count:
            wide = middle
        else:
            narrow = middle
    return _wrap(text, font, wide)

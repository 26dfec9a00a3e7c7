"""Type: fonts that cover the text, and lines that fit their box."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Font", "draw_lines", "draw_spaced", "fitted", "font", "line_height"]

Font = ImageFont.FreeTypeFont
Lines = list[str]

_MENTION = re.compile(r"(@(?:Image|Element)\s?\d+)", re.IGNORECASE)
_WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
_PIECE = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")
# Pillow's own Aileron is the face of the house; these are asked, in order, for letters that it has not.
_OTHERS = (
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
def font(size: int, text: str = "") -> Font:
    """The first font that has every letter of the text, else the one that lacks fewest."""
    letters = frozenset(text) - frozenset(" \n\t")
    best, fewest = None, len(letters) + 1
    for candidate in _candidates(size):
        lacking = sum(_lacks(candidate, letter) for letter in letters)
        if lacking == 0:
            return candidate
        if lacking < fewest:
            best, fewest = candidate, lacking
    return best or _house(size)


def fitted(text: str, *, width: int, lines: int, sizes: range) -> tuple[Font, Lines]:
    """The largest size at which the text fits; at the smallest it is cut and ends in an ellipsis."""
    text = " ".join(text.split())
    for size in sizes:
        face = font(size, text)
        wrapped = _wrapped(text, face, width)
        if len(wrapped) <= lines:
            return face, _balanced(text, face, width, wrapped)
    face = font(sizes[-1], text)
    kept = _wrapped(text, face, width)[:lines]
    last = kept[-1].rstrip()
    while last and face.getlength(f"{last}…") > width:
        last = last[:-1].rstrip(" ,.;:–-")
    return face, [*kept[:-1], f"{last}…"]


def line_height(face: Font) -> int:
    """From one base line to the next."""
    return round(face.size * (1.18 if face.size > 48 else 1.3))


def draw_lines(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], lines: Lines, face: Font, *, ink: str, accent: str
) -> None:
    """Draw the lines; mentions of pictures and elements take the accent."""
    left, top = at
    for number, line in enumerate(lines):
        x = left
        for piece in _MENTION.split(line):
            colour = accent if _MENTION.fullmatch(piece) else ink
            draw.text((x, top + number * line_height(face)), piece, font=face, fill=colour)
            x += face.getlength(piece)


def draw_spaced(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, face: Font, *, ink: str, spacing: float
) -> float:
    """Draw letters with space between them, as small capitals like it; the result is where the next would stand."""
    x, y = at
    for letter in text:
        draw.text((x, y), letter, font=face, fill=ink)
        x += face.getlength(letter) + spacing
    return x


@cache
def _candidates(size: int) -> tuple[Font, ...]:
    return (_house(size), *(face for name in _OTHERS if (face := _system(name, size)) is not None))


@cache
def _house(size: int) -> Font:
    face = ImageFont.load_default(size)
    assert isinstance(face, ImageFont.FreeTypeFont)  # noqa: S101  # Pillow's wheels are built with FreeType
    return face


@cache
def _system(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@cache
def _lacks(face: Font, letter: str) -> bool:
    return letter.isprintable() and _look(face, letter) == _look(face, "\U0010fffe")


@cache
def _look(face: Font, letter: str) -> bytes:
    box = Image.new("L", (int(face.size * 2), int(face.size * 2)))
    ImageDraw.Draw(box).text((4, 4), letter, font=face, fill=255)
    return box.tobytes()


def _wrapped(text: str, face: Font, width: float) -> Lines:
    lines: Lines = []
    line = ""
    for piece in _pieces(text):
        if line and face.getlength((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
            piece = piece.lstrip()
        while face.getlength(piece.rstrip()) > width:
            letters = range(1, len(piece) + 1)
            cut = max(1, bisect_right(letters, width, key=lambda count: face.getlength(piece[:count])))
            lines.append(piece[:cut])
            piece = piece[cut:]
        line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _balanced(text: str, face: Font, width: int, wrapped: Lines) -> Lines:
    """The same number of lines at the narrowest width: no single word left over on the last line."""
    narrow, wide = width // 2, width
    while wide - narrow > 8:
        middle = (narrow + wide) // 2
        if len(_wrapped(text, face, middle)) <= len(wrapped):
            wide = middle
        else:
            narrow = middle
    return _wrapped(text, face, wide)


def _pieces(text: str) -> list[str]:
    # Chinese and Japanese break between any two letters; the rest after a space.
    return _PIECE.findall(text)

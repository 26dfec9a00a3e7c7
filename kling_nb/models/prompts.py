"""Prompts as people write and paste them: mentions in any spelling, speech and times.

`ui/static/mentions.js` finds the same mentions in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

#: Control characters, apart from line breaks and tabs.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Invisible characters: white space, control characters, and those of zero width or without a glyph.
_UNSEEN = re.compile(
    r"(?:\s|[\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff])*"
)


def is_blank(text: str) -> bool:
    """Return whether a text has nothing to read: it is empty, or only white space and characters of zero width."""
    return _UNSEEN.fullmatch(text) is not None


_AT_SIGN, _NOUN, _NUMBER = "[@\uff20\ufe6b]", "(image|img|element|video|audio)", "([0-9\uff10-\uff19]{1,3})"
#: Mentions with a name and a number in brackets, after an @, or stuck to letters; and any other word after an @.
_MENTION = re.compile(
    rf"(?:<{{1,3}}|\[{{1,2}}|\{{{{1,2}}) *{_AT_SIGN}?{_NOUN}[ _#-]?{_NUMBER} *(?:>{{1,3}}|\]{{1,2}}|\}}{{1,2}})"
    rf"|{_AT_SIGN}{_NOUN}[ _#-]?{_NUMBER}(?![A-Za-z0-9_])"
    rf"|{_AT_SIGN}({_NOUN}[0-9]+[A-Za-z0-9_]*)"
    rf"|(?<![A-Za-z0-9_@.]){_AT_SIGN}([A-Za-z0-9_]+)",
    re.IGNORECASE | re.ASCII,
)
_NOUNS = {"img": "Image"}
#: The characters in which speech and times are looked for: a longer prompt is refused anyway.
_MOST = 5000


class Mention(NamedTuple):
    """A mention in a prompt as it is written, and the name that it stands for: `<<<image_1>>>` is `Image1`."""

    start: int
    written: str
    name: str

    @property
    def exact(self) -> bool:
        """Whether it is written as the hub reads it."""
        return self.written == f"@{self.name}"


def mentions_in(prompt: str) -> Iterator[Mention]:
    """Yield the mentions in a prompt, in order. An e-mail address is not a mention."""
    for found in _MENTION.finditer(prompt):
        before, after = prompt[max(0, found.start() - 1) : found.start()], prompt[found.end() : found.end() + 2]
        if re.fullmatch(r"[A-Za-z0-9_.+-]", before) and re.fullmatch(r"\.[A-Za-z]", after):
            continue
        noun, number = found[1] or found[3], found[2] or found[4]
        name = f"{_NOUNS.get(noun.lower(), noun.capitalize())}{int(number)}" if noun else found[5] or found[7]
        yield Mention(found.start(), found[0], name)


def with_exact_mentions(prompt: str, known: Collection[str]) -> str:
    """Return a prompt with each mention of a known name as the hub reads it."""
    for mention in reversed(list(mentions_in(prompt))):
        rest = prompt[mention.start + len(mention.written) :]
        if mention.name in known:
            prompt = f"{prompt[: mention.start]}@{mention.name}{rest}"
        elif stuck := stuck_name(mention.name, known):
            prompt = f"{prompt[: mention.start]}@{stuck} {mention.name[len(stuck) :]}{rest}"
    return prompt


def stuck_name(word: str, known: Collection[str]) -> str | None:
    """Return the known name at the start of a word that continues with letters: `Image1` of `Image1runs`."""
    return next((name for name in known if re.match(rf"{name}[A-Za-z_]", word)), None)


_QUOTED = re.compile(
    r"\"([^\"\n]{1,300})\"|“([^”\n]{1,300})”|„([^“”\n]{1,300})[“”]|«([^»\n]{1,300})»|「([^」\n]{1,300})」"
    r"|『([^』\n]{1,300})』|(?<!\w)‘([^’\n]{1,300})’(?!\w)|(?<!\w)'([^'\n]{1,300} [^'\n]{1,300})'(?!\w)"
)
SPEAKS = (
    r"(?:says?|said|saying|asks?|asked|asking|shout\w*|whisper\w*|yell\w*|scream\w*|cries|cried|repl(?:y|ies|ied|ying)"
    r"|answer\w*|mutter\w*|murmur\w*|sings?|sang|singing|speaks?|speaking|spoke|tells?|told|telling|announc\w+"
    r"|exclaim\w*|calls? out|called out|greet\w*|narrat\w+|dialogue|voice|voice-?over|line)"
)
_SPOKEN_BEFORE = re.compile(rf"\b{SPEAKS}\b(?:\W+\w+){{0,5}}\W*$|：\s*$|[说道喊问答叫唱讲白词]\W*$", re.IGNORECASE)
_SPOKEN_AFTER = re.compile(rf"^\W*(?:\w+\W+){{0,3}}{SPEAKS}\b|^\W*\w{{0,4}}[说道喊问答叫唱讲]", re.IGNORECASE)
#: Words before text that is visible, not spoken: `a sign that says "OPEN"`.
WRITTEN = re.compile(
    r"\b(?:signs?|banner|poster|label\w*|texts?|titles?|titled|captions?|logo|letter\w*|words?|reads?|reading|written"
    r"|writes?|writing|screen|note|book|card|shirt|neon|subtitles?|graffiti|headline|badge|tattoo|named)"
    r"(?:\W+(?!and\b)\w+){0,2}\W*$|[字牌标]\W*$",
    re.IGNORECASE,
)


def speech_in(prompt: str) -> list[str]:
    """Return the speech in a prompt: quoted text that is spoken, not the text of a sign."""
    spoken: list[str] = []
    for found in islice(_QUOTED.finditer(prompt[:_MOST]), 50):
        text = next(filter(None, found.groups()))
        before, after = prompt[max(0, found.start() - 80) : found.start()], prompt[found.end() : found.end() + 40]
        words = re.findall(r"\w+", text)
        sentence = len(words) > 3 or (len(words) > 1 and text.rstrip()[-1:] in ".!?…。！？")
        if not WRITTEN.search(before) and (sentence or _SPOKEN_BEFORE.search(before) or _SPOKEN_AFTER.search(after)):
            spoken.append(text)
    return spoken


def is_shouted(speech: str) -> bool:
    """Return whether speech is all in capitals: at least two words, or one of five letters."""
    words = re.findall(r"[^\W\d_]{2,}", speech)
    return speech.isupper() and (len(words) > 1 or any(len(word) > 4 for word in words))


MAX_SHOTS, MAX_SHOT_PROMPT = 6, 512
_UNIT = r"(?:seconds?|secs?|s|秒)"
_CLOCK = r"(?:(\d{1,2}):)?(\d{1,3}(?:\.\d+)?)"
#: The end of a range in brackets or between clock times: `[0-8]`, `0:00 - 0:08`.
_UNTIL = re.compile(
    rf"(?:[\[(（【]\s{{0,3}}[\d:.]{{1,7}}|\d{{1,2}}:\d\d)\s{{0,3}}{_UNIT}?\s{{0,3}}(?:-|–|—|~|to|until|至|到)\s{{0,3}}{_CLOCK}",
    re.IGNORECASE,
)


_AT = re.compile(
    rf"(?:\b(?:at|after|until|till|by|from|to|for|within|second)\s{{1,3}}|第\s{{0,3}}|[\[(（~–-]\s{{0,3}})([0-9]{{1,3}}(?:\.[0-9]+)?)\s{{0,3}}{_UNIT}(?![A-Za-z0-9])"
    r"|(?<![\d.:-])([0-9]{1,3}(?:\.[0-9]+)?)\s{0,3}(?:seconds?|secs?|秒)(?![A-Za-z0-9-])|\b0{1,2}:([0-5][0-9])\b",
    re.IGNORECASE,
)


def latest_time(prompt: str) -> float:
    """Return the latest time in seconds that a prompt names; 0 without one. `the 80s` and `7:30 pm` are not times."""
    named = [float(next(filter(None, found.groups()))) for found in _AT.finditer(prompt[:_MOST])]
    ends = [int(found[1] or 0) * 60 + float(found[2]) for found in _UNTIL.finditer(prompt[:_MOST])]
    return max([*named, *ends], default=0)


_NO = re.compile(
    r"^\s*(?:(?:no|not|without|do not|don['’]?t|never|avoid|exclude)\b(?:\s+(?:have|any|show|add|include)\b)?"
    r"|不要|没有|无|禁止)\s*",
    re.IGNORECASE,
)


def without_no(negative: str) -> str:
    """Return a negative prompt without the `no` before what it names: `no blur, no text` is `blur, text`."""
    return re.sub(r"[^,;，；、\n]+", lambda item: _leading(item[0]) + _NO.sub("", item[0]), negative)


def _leading(item: str) -> str:
    return item[: len(item) - len(item.lstrip())] if _NO.match(item) else ""

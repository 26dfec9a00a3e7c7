"""Screenplays as shots: scene headings, action, and the speech of characters, as in Fountain and on paper."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kling_nb.models.storyboard.lists import Script, Shot
from kling_nb.models.storyboard.times import take_time
from kling_nb.models.storyboard.words import as_sentences, cleaned, named, speech

_HEADING = re.compile(
    r"^\s*(?:\d{1,3}[A-Z]?\.?\s+)?(?P<place>(?:INT|EXT|EST)\.?\s*/\s*(?:INT|EXT)\.?|I\s*/\s*E\.?|INT\.?|EXT\.?|EST\.?)"
    r"(?:\s*[-–—:]\s*|\s+|(?<=\.))(?P<where>\S.*?)(?:\s+#?\d{1,3}[A-Z]?\.?#?)?\s*$",
    re.IGNORECASE,
)
_TRANSITION = re.compile(
    r"^\s*>?\s*(?:(?:[A-Z]+ ){0,3}(?:CUT|FADE|DISSOLVE|WIPE|IRIS|BACK)(?: [A-Z]+){0,2}(?: TO)?[:.]?|FADE (?:IN"
    r"|OUT)[:.]?|CUT TO [A-Z ]+[:.]"
    r"|THE END\.?|END\.?|CONTINUED:?|\(CONTINUED\)|\(MORE\)|OMITTED)\s*<?\s*$"
)
_CUE = re.compile(
    r"^\s*@?(?P<who>[^\W\d_a-z][^\Wa-z]*(?:[ .'’&/-]+[^\Wa-z]+)*)\.?\s*(?P<marks>(?:\([^()]*\)\s*)*)\^?\s*$"
)
_SHOT = re.compile(
    r"^\s*(?:ANGLE ON|CLOSE(?:[- ]?UP)?(?: ON| OF)?|EXTREME CLOSE[- ]?UP|ECU|CU|WIDE(?: SHOT)?|WIDER"
    r"|MEDIUM(?: SHOT)?|TWO[- ]SHOT|INSERT|POV|REVERSE"
    r"(?: ANGLE| SHOT)?|ESTABLISHING(?: SHOT)?|AERIAL(?: SHOT)?|TRACKING(?: SHOT)?|OVER THE SHOULDER|OTS|LATER"
    r"|MOMENTS LATER|BACK TO SCENE|ON)\b[^a-z]*"
    r"(?:[-–—:].*)?$"
)
_PLACES = {"int": "Interior", "ext": "Exterior", "est": "Establishing shot"}
_FORMAL = re.compile(r"\((?:CONT['’]?D\.?|CONTINUED|CONTINUING)\)", re.IGNORECASE)


@dataclass
class _Beat:
    """One shot: what is visible, and the speech that goes with it."""

    heading: str
    parts: list[str] = field(default_factory=list[str])
    acts: bool = False


def screenplay(text: str) -> Script | None:
    """Return the shots of a screenplay: one for each paragraph of action, with the speech that follows it.

    None unless there is a scene heading, or two characters' cues with speech.
    """
    lines = [_undressed(line.replace("\t", "    ").rstrip()) for line in text.split("\n")]
    has_heading = any(map(_is_heading, lines))
    cues = {index for index in range(len(lines)) if _is_cue(lines, index)}
    if not has_heading and len(cues) < 2:
        return None
    names = {_cue_name(lines[index]) for index in cues}
    return _Reader(lines, cues, names).read()


def _undressed(line: str) -> str:
    plain = cleaned(line)
    return plain if _is_heading(plain) or plain.isupper() else line


class _Reader:
    """Reads the lines of a screenplay one after another."""

    def __init__(self, lines: list[str], cues: set[int], names: set[str]) -> None:
        self._lines, self._cues, self._names = lines, cues, names
        self._beats: list[_Beat] = []
        self._lead: list[str] = []
        self._left_out: list[str] = []
        self._heading = ""
        self._first = next((index for index, line in enumerate(lines) if _is_heading(line)), 0)

    def read(self) -> Script:
        at = 0
        while at < len(self._lines):
            at = self._read_from(at)
        shots = tuple(_shot(beat, self._names) for beat in self._beats if beat.parts or beat.heading)
        lead = "\n".join(self._lead)
        return Script("a screenplay", shots, lead, tuple(dict.fromkeys(self._left_out)))

    def _read_from(self, at: int) -> int:
        line = self._lines[at].strip()
        if not line:
            return at + 1
        if _is_heading(line):
            self._heading = _heading_text(line)
            self._beats.append(_Beat(self._heading))
            return at + 1
        if _TRANSITION.match(line):
            self._left_out.append(line.strip("<> "))
            return at + 1
        if at in self._cues:
            return self._read_speech(at)
        return self._read_action(at)

    def _read_action(self, at: int) -> int:
        end = at
        while end < len(self._lines) and self._lines[end].strip() and not self._starts_other(end, at):
            end += 1
        text = "\n".join(self._lines[at:end])
        if at < self._first:  # a title page, or a list of characters
            self._lead.append(text)
            return end
        beat = self._beats[-1] if self._beats else None
        if beat is None or beat.acts or (beat.parts and beat.heading == self._heading) or beat.heading != self._heading:
            beat = _Beat(self._heading)
            self._beats.append(beat)
        beat.parts.append(text)
        beat.acts = not _SHOT.match(text.strip())
        return end

    def _starts_other(self, index: int, first: int) -> bool:
        line = self._lines[index]
        return index > first and (_is_heading(line) or index in self._cues or bool(_TRANSITION.match(line)))

    def _read_speech(self, at: int) -> int:
        cue = self._lines[at].strip()
        if formal := _FORMAL.search(cue):
            self._left_out.append(formal[0])
            cue = _FORMAL.sub("", cue)
        match = _CUE.match(cue)
        marks = re.findall(r"\(([^()]*)\)", match["marks"]) if match else []
        name = named(_cue_name(cue))
        if not self._beats:
            self._beats.append(_Beat(self._heading))
        beat = self._beats[-1]
        manner, said = list(marks), list[str]()
        at += 1
        while (
            at < len(self._lines) and (line := self._lines[at].strip()) and not (at in self._cues or _is_heading(line))
        ):
            if re.fullmatch(r"\([^()]*\)", line):
                if said:
                    beat.parts.append(speech(name, ", ".join(manner), f'"{" ".join(said)}"'))
                    manner, said = [], []
                if re.fullmatch(r"\((?:a )?(?:beat|pause|silence)\.?\)", line, re.IGNORECASE):
                    beat.parts.append("A pause.")
                else:
                    manner.append(line.strip("()"))
            else:
                said.append(line.strip('"“”'))
            at += 1
        if said:
            beat.parts.append(speech(name, ", ".join(filter(None, manner)), f'"{" ".join(said)}"'))
        elif manner:
            beat.parts.append(f"{name} ({', '.join(manner)}).")
        return at


def _is_heading(line: str) -> bool:
    match = _HEADING.match(line)
    if not match:
        return bool(re.match(r"^\.[A-Z][^a-z]+$", line.strip()))
    return match["place"].isupper() or "." in match["place"]


def _heading_text(line: str) -> str:
    match = _HEADING.match(line)
    if not match:
        return f"{named(line.strip().lstrip('.'))}."
    places: list[str] = [_PLACES[part] for part in re.findall(r"int|ext|est", match["place"].lower())]
    if re.match(r"i\s*/\s*e", match["place"], re.IGNORECASE):
        places = ["Interior", "Exterior"]
    where = match["where"].strip(" .")
    return f"{' and '.join(dict.fromkeys(places)).capitalize()}: {named(where) if where.isupper() else where}."


def _is_cue(lines: list[str], index: int) -> bool:
    line = lines[index]
    if index + 1 >= len(lines) or not lines[index + 1].strip() or (index and lines[index - 1].strip()):
        return False
    match = _CUE.match(_FORMAL.sub("", line).strip())
    if (
        not match
        or len(match["who"]) > 34
        or len(match["who"].split()) > 4
        or not re.search(r"[^\W\d_]{2}", match["who"])
    ):
        return False
    return not (_is_heading(line) or _TRANSITION.match(line) or _SHOT.match(line.strip()))


def _cue_name(line: str) -> str:
    match = _CUE.match(_FORMAL.sub("", line).strip())
    return match["who"].strip(" .") if match else line.strip()


def _shot(beat: _Beat, names: set[str]) -> Shot:
    text = "\n".join(beat.parts)
    for name in names:  # a name in capitals is how a screenplay introduces a character, not a shout
        text = re.sub(rf"\b{re.escape(name)}\b", named(name), text)
    text, length, begin = take_time(text)
    whole = as_sentences(f"{beat.heading}\n{text}".strip())
    return Shot(whole, length, begin)

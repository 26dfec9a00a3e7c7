"""The words of a pasted text: settings, the cast, speech, and lines as sentences. Dropped lines are noted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_nb.models.prompts import SPEAKS, WRITTEN, mentions_in

_BULLET = re.compile(r"^\s*(?:>\s*)*(?:#{1,6}\s+|[-*•–]\s+)?")
_STRONG = re.compile(r"\*\*|__(?=\S)|(?<=\S)__|`")
_RULE = re.compile(r"^\s*(?:-{3,}|\*{3,}|_{3,}|={3,}|~{3,})\s*$")
_ENDS = '.!?…:;,。！？：；，、—–"”’»」』'
#: A line of this length continues in the next one, unless that begins with a label (`Camera:`).
_WRAPPED, _LABELLED = 50, re.compile(r"[^\W\d_][\w ]{1,20}[:：]")

_SETTINGS = {
    "aspect_ratio": re.compile(
        r"(?:aspect(?:[ _]?ratio)?|ratio|format|画幅|比例)\s*[:=：]?\s*(\d{1,2}\s*[:x/：]\s*\d{1,2})"
        r"(?:\s*\(?[a-z]*\)?)?",
        re.IGNORECASE,
    ),
    "duration": re.compile(
        r"(?:total\s+)?(?:duration|length|run(?:ning)?[ -]?time|total(?:\s+time)?|总?时长)\s*[:=：]\s*(?:about"
        r"|approx\.?|~|≈)?\s*"
        r"(\d{1,3}(?:\.\d+)?)\s*-?\s*(?:seconds?|secs?\.?|s|秒)?(?:\s+total)?",
        re.IGNORECASE,
    ),
    "negative_prompt": re.compile(r"(?:negative(?:[ _]?prompts?)?|avoid|负面提示词?)\s*[:=：]\s*(.+)", re.IGNORECASE),
    "generate_audio": re.compile(
        r"(?:generate[ _])?(?:audio|sound)\s*[:=：]\s*(on|off|yes|no|none|true|false)", re.IGNORECASE
    ),
}
_TOTAL = re.compile(_SETTINGS["duration"].pattern.replace(r"(?:total\s+)?", r"total\s+", 1), re.IGNORECASE)
_INLINE = {
    "aspect_ratio": re.compile(r"(?:^|\s)--(?:ar|aspect)\s+(\d{1,2}:\d{1,2})(?=\s|$)"),
    "negative_prompt": re.compile(r"(?:^|\s)--no\s+([^\n]+?)(?=\s--|\s*$)", re.MULTILINE),
}
#: Lines about the text, not about the clip.
_ABOUT = re.compile(
    r"(?:title|logline|author|credit|written by|by|source|draft(?: date)?|contact|copyright|model|seed|fps"
    r"|frame rate|resolution"
    r"|cfg(?:[ _]scale)?|version|date|project|client|page|revision)\s*[:=：]\s*\S.*"
    r"|(?:here(?:['’]s| is| are)|this is|below is)\b.*[:：]|(?:the\s+)?(?:shot[ -]?list|story[ -]?board"
    r"|screenplay|script"
    r"|prompts?|multi-?shot(?:\s+prompt)?|shots|time[ -]?line|scene breakdown|breakdown|cast|characters"
    r"|references|global rules)\W*"
    r"|(?:sure|certainly|of course)\b.*",
    re.IGNORECASE,
)


@dataclass
class Found:
    """The findings beside the shots: settings by the hub's names, references by name, and notes.

    `untimed` is the length in seconds if the text has no times.
    """

    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    cast: dict[str, str] = field(default_factory=dict[str, str])
    left_out: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    references: Collection[str] = ()
    untimed: int | None = None


def cleaned(line: str) -> str:
    """Return a line without the marks of Markdown."""
    return _STRONG.sub("", _BULLET.sub("", line)).strip()


def as_sentences(text: str) -> str:
    """Return lines as one paragraph; a line without an end gets a full stop."""
    joined, before = "", ""
    for raw in text.splitlines():
        line = "" if _RULE.match(raw) else cleaned(raw)
        if not line:
            continue
        goes_on = line[0].islower() or (len(before) >= _WRAPPED and line[0] not in '[@"“' and not _LABELLED.match(line))
        stop = "" if not joined or joined[-1] in _ENDS or goes_on else "."
        joined, before = f"{joined}{stop} {line}".strip(), line
    return joined


def with_mentions(text: str, found: Found) -> str:
    """Return a text with numbered mentions as the hub reads them: `<<<image_1>>>` becomes `@Image1`."""
    changed: list[str] = []
    for mention in reversed(list(mentions_in(text))):
        if not mention.exact and re.fullmatch(r"(?:Image|Element|Video|Audio)\d+", mention.name):
            end = mention.start + len(mention.written)
            text = f"{text[: mention.start]}@{mention.name}{text[end:]}"
            changed.append(f"{mention.written} → @{mention.name}")
    if changed:
        found.notes.append(f"Mentions: {', '.join(dict.fromkeys(reversed(changed)))}.")
    return text


def take_settings(text: str, found: Found, *, lead: bool = False) -> str:
    """Return a text without the lines that set a field, which are added to `found`.

    In the lead, above the shots, a duration is that of the clip, and lines about the text itself are left out too.
    """
    for name, pattern in _INLINE.items():
        if matched := pattern.search(text):
            _set(name, matched[1], found)
            text = text[: matched.start()] + text[matched.end() :]
    lines = [kept for line in text.split("\n") if (kept := _kept(line, found, lead)) is not None]
    return "\n".join(lines)


def _kept(line: str, found: Found, lead: bool) -> str | None:
    """Return the part of a line that is not a setting; None if the whole line is."""
    parts = line.split("|") if line.count("|") and not line.strip().startswith("|") else [line]
    rest: list[str] = []
    for part in parts:
        plain = cleaned(part).strip(" .;")
        if lead and (headed := re.match(r"\[([^\]@]{1,40})\][ :]*(?=\S)", plain)) and not headed[1].strip().isdigit():
            found.left_out.append(headed[0].strip())
            plain = plain[headed.end() :]
            part = plain
        patterns = _SETTINGS if lead else {**_SETTINGS, "duration": _TOTAL}
        setting = next(((name, hit) for name, pattern in patterns.items() if (hit := pattern.fullmatch(plain))), None)
        if setting:
            _set(setting[0], setting[1][1], found)
        elif lead and plain and _ABOUT.fullmatch(plain) and not mentions_of(plain):
            found.left_out.append(plain)
        else:
            rest.append(part)
    return None if not rest and parts else "|".join(rest)


def _set(name: str, value: str, found: Found) -> None:
    match name:
        case "aspect_ratio":
            found.settings.setdefault(name, re.sub(r"\s*[:x/：]\s*", ":", value))
        case "duration":
            found.settings.setdefault(name, float(value))
        case "generate_audio":
            found.settings.setdefault(name, value.lower() in ("on", "yes", "true"))
        case _:
            before = found.settings.get(name)
            found.settings[name] = f"{before}, {value.strip()}" if before else value.strip()


def mentions_of(text: str) -> list[str]:
    """Return the names of the numbered references that a text mentions, each once."""
    names = (mention.name for mention in mentions_in(text) if mention.exact)
    return list(dict.fromkeys(name for name in names if re.fullmatch(r"(?:Image|Element|Video|Audio)\d+", name)))


_LONG = re.compile(
    r"\b(\d{1,2})\s*-?\s*(?:s|secs?|seconds?)\s+(?:long\b|(?:[a-z-]+\s+){0,2}(?:video|clip|film|movie|ad|advert"
    r"|spot|trailer|sequence|teaser)\b)"
    r"|\b(?:video|clip|film|spot|ad)\s+(?:of|is|lasts|for)\s+(\d{1,2})\s*(?:s|secs?|seconds?)\b",
    re.IGNORECASE,
)


def length_named(lead: str, found: Found) -> None:
    """Note the length of the clip that a sentence names: `a 10 second video`. The sentence stays."""
    if match := _LONG.search(lead):
        found.settings.setdefault("duration", float(match[1] or match[2]))


_IS = r"\s*(?:=|:|：|→|->|\bis\b|–|—|\s-\s)\s*"
_REFERENCE = r"(@(?:Image|Element)\d+|(?:image|element|reference(?: image)?|ref)\s*#?\s*(\d))"
_REFERENCE_FIRST = re.compile(rf"{_REFERENCE}{_IS}(?P<who>\S.*)", re.IGNORECASE)
_NAME_FIRST = re.compile(
    rf"(?P<who>[^@:=\n]{{1,40}}?)(?:{_IS}|\s*[(\[])\s*{_REFERENCE}\s*[)\]]?\s*(?P<rest>[,.;–—-].*)?", re.IGNORECASE
)
_CAST = re.compile(r"^(?:cast|characters?|references?|elements|who is who)\s*[:：]\s*(?=\S)", re.IGNORECASE)


def take_cast(lead: str, found: Found) -> str:
    """Return the lead without lines that only name a reference (`@Image1 = Mara`)."""
    kept: list[str] = []
    for line in lead.split("\n"):
        plain = cleaned(line)
        listed = _CAST.sub("", plain)
        parts = re.split(r"\s*[;,]\s*(?=[^;,]*@)", listed) if listed.count("@") > 1 else [listed]
        rest = [_cast_member(part.strip(" ."), found) for part in parts]
        if all(part is None for part in rest):
            kept.append(line)
        else:
            kept += [
                part for part in (old if new is None else new for old, new in zip(parts, rest, strict=True)) if part
            ]
    return "\n".join(kept)


def _cast_member(text: str, found: Found) -> str | None:
    """Add the reference that a text names to the cast and return the words left over; None if it names none."""
    match = _REFERENCE_FIRST.fullmatch(text) or _NAME_FIRST.fullmatch(text)
    if not match:
        return None
    written, number = next(
        (match[i], match[i + 1]) for i in (1, 2) if str(match[i] or "").lower().startswith(("@", "i", "e", "r"))
    )
    noun = "Element" if written.lower().startswith("el") else "Image"
    mention = written if written.startswith("@") else f"@{noun}{number}"
    who, _, more = match["who"].partition(",")
    who, more = who.strip(' *"“”'), (more + (match.groupdict().get("rest") or "")).strip(" ,.;–—-")
    name = re.sub(r"^(?:the|an?|our)\s+", "", who, flags=re.IGNORECASE)
    if not name or len(name.split()) > 3:
        return None
    found.cast.setdefault(name, mention)
    return f"{who} is {mention}, {more}" if more else ""


def with_cast(text: str, cast: Mapping[str, str]) -> str:
    """Return a shot's text with the reference behind the first mention of each name."""
    for name, mention in cast.items():
        hits = list(re.finditer(rf"\b{re.escape(name)}\b", text, re.IGNORECASE))
        if hits and mention.lstrip("@") not in mentions_of(text):
            own = [re.match(r"(?:['’]s?)?", text[one.end() :]) for one in hits]
            at = next((i for i, possessive in enumerate(own) if not (possessive and possessive[0])), 0)
            end = hits[at].end() + len((own[at] or [""])[0])
            text = f"{text[:end]} ({mention}){text[end:]}"
    return text


_LABELS = frozenset(
    re.findall(
        r"\S+",
        """
        camera action audio sound sounds sfx fx vfx music score lighting light lights style mood tone setting
        location place scene shot visual visuals description dialogue dialog note notes transition duration
        negative aspect subject subjects background lens color colour palette motion movement text title prompt
        character characters cast time angle framing frame environment ambience ambient wide close medium pov
        insert montage super look pacing continuity quality details detail foreground composition effect effects
        cut end start opening ending beginning first second third next then finally atmosphere weather element
        elements image images reference references global overall goal hook cta product logo brand technical int
        ext fade dolly pan tilt zoom tracking static handheld crane aerial drone overhead close-up closeup extreme
        establishing
        """,
    )
)
_LINE = re.compile(
    r"^(?P<label>(?:dialogue|dialog|speech"
    r"|line)\s*[-–—:：]?\s*)?(?P<who>@?[^\W\d_][\w.'’ -]{0,30}?)\s*(?:\((?P<how>[^()]{1,60})\)"
    r"|,\s*(?P<tone>[a-z][\w ]{1,40}))?"
    r"\s*[:：]\s*(?P<said>\S.*)$",
    re.IGNORECASE,
)
_SPEECH = re.compile(
    r"^(?:dialogue|dialog|speech|line|spoken)\s*(?:\((?P<who>[^()]{1,40})\))?\s*[:：]\s*(?P<said>\S.*)$", re.IGNORECASE
)
_VOICE_OVER = re.compile(r"^(?:narrator|narration|voice[- ]?over|v\.?\s?o\.?)\b", re.IGNORECASE)
_QUOTES = '"“”„«»「」『』'


def with_speech(text: str, cast: Iterable[str] = ()) -> str:
    """Return a text with lines such as `MARA: Come in.` as speech: `Mara says: "Come in."`."""
    names = {name.lower() for name in cast}
    lines = [cleaned(line) for line in text.split("\n")]
    speakers = [match["who"].lower() for line in lines if (match := _LINE.match(line)) and not _is_label(match["who"])]
    if len(speakers) > 1 and len(speakers) == sum(map(bool, lines)):
        names |= set(speakers)  # only lines of speech
    return "\n".join(_speech_of_line(line, names, speakers) if line else "" for line in lines)


def _speech_of_line(line: str, names: set[str], speakers: list[str]) -> str:
    if found := _SPEECH.match(line):
        inner = _LINE.match(found["said"])
        if inner and not _is_label(inner["who"]):
            return _speech_line(inner["who"], inner["how"] or inner["tone"] or "", inner["said"])
        if found["who"]:
            return _speech_line(found["who"], "", found["said"])
        return (
            line
            if found["said"][0] in _QUOTES or found["said"].lower().rstrip(".") in ("none", "no", "-", "n/a")
            else f'Dialogue: "{found["said"]}"'
        )
    found = _LINE.match(line)
    if not found or _is_label(found["who"]):
        return line
    who, said = found["who"], found["said"]
    quoted, upper = said[0] in _QUOTES, who.isupper() and len(who) > 1
    known = who.lower().lstrip("@") in names or speakers.count(who.lower()) > 1 or _VOICE_OVER.match(who)
    says = re.search(rf"\b{SPEAKS}\b", who, re.IGNORECASE) or WRITTEN.search(f"{who} ")
    if (says and not upper and not _VOICE_OVER.match(who)) or not (upper or known or (quoted and who[0].isupper())):
        return line
    return _speech_line(who, found["how"] or found["tone"] or "", said)


def _is_label(who: str) -> bool:
    return not who.split() or who.split()[0].lower().strip("-") in _LABELS


def _speech_line(who: str, how: str, said: str) -> str:
    name = named(who)
    words = said.strip()
    if words[0] in _QUOTES and words.count(words[0]) + len([one for one in words[1:] if one in _QUOTES]) >= 2:
        quoted = words
    else:
        quoted = f'"{words.strip(_QUOTES)}"'
    return speech(name, how, quoted)


def speech(name: str, how: str, quoted: str) -> str:
    """Return a sentence in which a character speaks; `how` may hold `V.O.`, `O.S.` or a manner."""
    manner = how.strip(" ().")
    place = ""
    if _VOICE_OVER.match(name) or re.search(r"\bv\.?\s?o\b", manner, re.IGNORECASE):
        place = " in voice-over"
    elif re.search(r"\bo\.?\s?[sc]\b|off[- ]?(?:screen|camera)", manner, re.IGNORECASE):
        place = " off screen"
    manner = re.sub(r"(?i)\b(?:v\.?\s?o|o\.?\s?[sc])\b\.?|\boff[- ]?(?:screen|camera)\b", "", manner).strip(" ,.;/()")
    who = "A voice" if re.match(r"(?i)(?:voice[- ]?over|v\.?\s?o\.?)$", name) else name
    return f"{who} says{place}{f' ({manner})' if manner else ''}: {quoted}"


def named(who: str) -> str:
    """Return a name in capitals as a name: `OLD MAN` is `Old Man`."""
    return re.sub(r"\b([A-Z])([A-Z'’]+)\b", lambda one: one[1] + one[2].lower(), who) if who.isupper() else who

"""Lists of shots in a text: labelled (`Shot 1`), timed (`[0-3s]`), numbered, in bullets, in a table, or with cuts."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kling_nb.models.storyboard.times import CLOCK, RANGE, UNIT, is_range, seconds, take_time
from kling_nb.models.storyboard.words import cleaned


@dataclass(frozen=True)
class Shot:
    """A shot as it was found: its text, its length in seconds if it is given, and the second at which it begins."""

    text: str
    length: float | None = None
    begin: float | None = None


@dataclass(frozen=True)
class Script:
    """A text as shots; `kind` says what was recognised, `lead` is the text that belongs to all of them."""

    kind: str
    shots: tuple[Shot, ...]
    lead: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Mark:
    """The mark that begins a shot in a text, from `start` to `end`."""

    start: int
    end: int
    label: str = ""
    number: int = 0
    begin: float | None = None
    until: float | None = None


def marked_list(text: str) -> Script | None:
    """Return the shots of a table, or of a list with labels or ranges of time; None for any other text."""
    return _table(text) or _first((_labelled, _ranges), text)


def plain_list(text: str) -> Script | None:
    """Return the shots of a list with start times, numbers, lengths, bullets or cuts; None for any other text."""
    return _first((_starts, _numbered, _lengths, _bullets, _cuts), text)


def _first(readers: Sequence[Callable[[str], Script | None]], text: str) -> Script | None:
    body, tail = _without_tail(text)
    script = next((script for read in readers if (script := read(body))), None)
    return replace(script, lead=f"{script.lead}\n{tail}".strip()) if script else None


_ORDERS = (
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    ("first", "second", "third", "fourth", "fifth", "sixth"),
    "一二三四五六七八九十",
    "①②③④⑤⑥⑦⑧⑨⑩",
)
_NUMBERS = {word: index for order in _ORDERS for index, word in enumerate(order, 1)}
_COUNT = (
    r"(?P<number>[0-9０-９]{1,2}(?:\.[0-9])?[A-Za-z]?|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|[一二三四五六七八九十])"
)
_WORDS = r"shot|scene|cut|clip|panel|frame|part|beat|segment|take|sequence|镜头|分镜|场景|画面|镜"
_BEFORE = r"(?P<before>^[\s>*_#•\[【(–-]*|(?<=[\s.;,。；，!?！？\])】）])[\[【(*_]{0,3})"
_LABEL = re.compile(
    rf"{_BEFORE}(?:(?P<label>{_WORDS})\s{{0,2}}(?:no\.?|number|nr\.?|#)?\s{{0,2}}{_COUNT}(?![A-Za-z0-9])"
    rf"|第\s?(?P<ordinal>[0-9一二三四五六七八九十]{{1,2}})\s?(?:个)?(?P<chinese>镜头?|幕|场)"
    rf"|(?P<first>first|second|third|fourth|fifth|sixth)\s+(?P<noun>shot|scene))[\]】)*_]{{0,3}}"
    rf"(?P<after>\s*(?=[:：.\n(\[（【–—|-])|,\s*(?=\d)|[ \t]+(?=\S)|\s*$)",
    re.IGNORECASE | re.MULTILINE,
)


def _number(written: str) -> int:
    plain = written.lower()
    if plain in _NUMBERS:
        return _NUMBERS[plain]
    digits = re.match(r"[0-9０-９]+", plain)
    return int(digits[0]) if digits else 0


def _labelled(text: str) -> Script | None:
    marks: list[_Mark] = []
    for found in _LABEL.finditer(text):
        follows = text[found.end() : found.end() + 1]
        marked = found["after"].startswith(",") or (follows and follows in ":：([（【–—|-")
        if not marked and not _starts_line(text, found.start() + len(found["before"])):
            continue  # `in shot 2, he`
        label = (found["label"] or found["chinese"] or found["noun"]).lower()
        number = _number(found["number"] or found["ordinal"] or found["first"])
        marks.append(_Mark(found.start() + _blank_length(found["before"]), found.end(), label, number))
    if len(marks) < 2:
        return None
    counts = Counter(mark.label for mark in marks)
    main = max(counts, key=lambda label: (counts[label], label == "shot"))
    if sum(1 for mark in marks if mark.label == main) < 2 or not _counts_up(
        [m for m in marks if m.label == main], counts
    ):
        return None
    return _nested(text, marks, main)


def _counts_up(marks: Sequence[_Mark], counts: Counter[str]) -> bool:
    """Return whether the numbers count up; the shots of each scene may begin at 1 again."""
    falls = sum(later.number < earlier.number for earlier, later in pairwise(marks))
    return falls <= (max(counts.values()) if len(counts) > 1 else 0)


def _nested(text: str, marks: Sequence[_Mark], main: str) -> Script:
    """Return the shots of the main label. Other labels (a scene above its shots) go before the shot that follows."""
    ends = [*(mark.start for mark in marks[1:]), len(text)]
    shots: list[Shot] = []
    above = ""
    for mark, end in zip(marks, ends, strict=True):
        block = text[mark.end : end].lstrip(" \t:：.,|)]】*_–—-")
        if mark.label == main:
            shot = _shot(block)
            shots.append(replace(shot, text=f"{above}\n{shot.text}".strip()))
            above = ""
        else:
            above = "\n".join(filter(None, [above, block.strip(" \t\n|–—-")]))
    if above:
        shots.append(_shot(above))
    return Script("a shot list", tuple(shots), text[: marks[0].start].strip())


def _shot(block: str) -> Shot:
    rest, length, begin = take_time(block.strip("\n"))
    return Shot(rest.strip(" \t\n|"), length, begin)


def _starts_line(text: str, at: int) -> bool:
    return text[text.rfind("\n", 0, at) + 1 : at].strip(" \t>*_#•[【(–-") == ""


def _blank_length(before: str) -> int:
    return len(before) - len(before.lstrip("\n"))


_RANGE = re.compile(
    rf"(?P<line>^[ \t>*_#•-]*)?(?P<word>(?:from|between|seconds?|time(?:code"
    rf"|stamp)?s?)\s*[:：]?\s*)?(?P<open>[\[(（【]\s*)?"
    rf"(?<![\d:.]){RANGE}(?P<close>\s*[\])）】])?[*_]*[ \t]*(?P<colon>[:：|,–—-]|$)?",
    re.IGNORECASE | re.MULTILINE,
)


def _ranges(text: str) -> Script | None:
    text = re.sub(r"(?m)^\s*\d{1,3}\s*\n(?=\s*\d{2}:\d{2}:\d{2})", "", text)  # the numbers of subtitles
    marks: list[_Mark] = []
    for found in _RANGE.finditer(text):
        groups = [found[4], found[5], found[6], found[7]]
        bracketed = bool(found["open"] and found["close"])
        at_line = _starts_line(text, found.start() + len(found["line"] or ""))
        if not is_range(groups, bracketed=bracketed or bool(found["word"])) or not (
            at_line or bracketed or found["colon"] in (":", "：")
        ):
            continue
        begin, until = seconds(str(found[4])), seconds(str(found[6]))
        if not marks or begin > (marks[-1].begin or 0):
            marks.append(_Mark(found.start(), found.end(), "", 0, begin, until))
    if not marks or (len(marks) == 1 and text[: marks[0].start].strip(" \t\n*_#-")):
        return None
    blocks = _blocks(text, marks)
    shots = [
        Shot(block.strip(" \t\n|:：–—-"), (mark.until or 0) - (mark.begin or 0), mark.begin)
        for mark, block in zip(marks, blocks, strict=True)
    ]
    return Script("time ranges", tuple(shots), text[: marks[0].start].strip())


_START = re.compile(
    rf"^[ \t>*_#•-]*(?:(?:at|t\s*=|second)\s*)?(?P<open>[\[(（【]\s*)?(?P<clock>{CLOCK})[ \t]*(?P<unit>{UNIT})?"
    r"(?:\s*[\])）】])?[*_]*[ \t]*(?P<sep>[:：|–—-])?[ \t]*(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)


def _timed_lines(text: str) -> list[tuple[_Mark, float]]:
    found = [one for one in _START.finditer(text) if one["unit"] or ":" in one["clock"]]
    found = [one for one in found if one["open"] or one["sep"] or ":" in one["clock"]]
    return [(_Mark(one.start(), one.end()), seconds(one["clock"])) for one in found]


def _starts(text: str) -> Script | None:
    timed = _timed_lines(text)
    times = [time for _, time in timed]
    if len(timed) < 2 or times[0] > 1 or any(later <= earlier for earlier, later in pairwise(times)):
        return None
    marks = [mark for mark, _ in timed]
    lengths: list[float | None] = [later - earlier for earlier, later in pairwise(times)]
    shots = [
        Shot(block.strip(), length, begin)
        for block, length, begin in zip(_blocks(text, marks), [*lengths, None], times, strict=True)
    ]
    return Script("start times", tuple(shots), text[: marks[0].start].strip())


def _lengths(text: str) -> Script | None:
    timed = [(mark, time) for mark, time in _timed_lines(text) if 0 < time <= 60]
    if len(timed) < 2:
        return None
    marks = [mark for mark, _ in timed]
    shots = [Shot(block.strip(), time) for block, (_, time) in zip(_blocks(text, marks), timed, strict=True)]
    return Script("a list with lengths", tuple(shots), text[: marks[0].start].strip())


_ITEM = re.compile(
    r"^[ \t>*_#•-]*(?:(?P<dot>\d{1,2})[*_]*[.)、．][*_]*(?=\s|[^\s\d])|(?P<colon>\d{1,2})[:：](?=\s)"
    r"|#(?P<hash>\d{1,2})\b[.:：]?"
    r"|[(（](?P<paren>\d{1,2})[)）]|(?P<dash>\d{1,2})[ \t]+[–—-](?=\s)|(?P<circle>[①②③④⑤⑥⑦⑧⑨⑩]))[ \t]*(?=\S)",
    re.MULTILINE,
)


def _numbered(text: str) -> Script | None:
    marks: list[_Mark] = []
    for found in _ITEM.finditer(text):
        number = _number(next(filter(None, found.groups())))
        if (not marks and number in (0, 1)) or (marks and number == marks[-1].number + 1):
            marks.append(_Mark(found.start(), found.end(), "", number))
    if len(marks) < 2:
        return None
    shots = [_shot(block) for block in _blocks(text, marks)]
    return Script("a numbered list", tuple(shots), text[: marks[0].start].strip())


def _bullets(text: str) -> Script | None:
    marks = [_Mark(found.start(), found.end()) for found in re.finditer(r"(?m)^[ \t]*[-*•–][ \t]+(?=\S)", text)]
    if len(marks) < 2:
        return None
    shots = [_shot(block) for block in _blocks(text, marks)]
    return Script("a list", tuple(shots), text[: marks[0].start].strip())


_CUT = re.compile(
    r"(?mi)^[ \t>*_\[(]*(?:(?:smash|hard|match|jump|then)\s+)?cuts?(?:\s+to)?[ \t*_\])]*[:.]?[ \t*_]*$\n?"
    r"|^[ \t>*_\[(]*(?:(?:smash|hard|match|jump|then)\s+)?cuts?\s+to[ \t]*:[ \t]*(?=\S)"
    r"|(?<=[.!?;。！？])\s*(?:then\s+)?(?:we\s+)?(?:(?:smash|hard|match|jump)\s+)?cuts?\s+to(?!\s+black)\s*:?\s+(?=\S)"
    r"|[ \t]*\[(?:cut|new shot)\][ \t]*|^[ \t]*(?:-{3,}|\*{3,}|={3,})[ \t]*$\n?"
)


def _cuts(text: str) -> Script | None:
    blocks: list[str] = []
    left_out: list[str] = []
    at = 0
    for found in _CUT.finditer(text):
        blocks.append(text[at : found.start()])
        left_out.append(found[0].strip(" \t\n*_-=[]()"))
        at = found.end()
    blocks.append(text[at:])
    shots = tuple(_shot(block) for block in blocks if block.strip())
    return Script("cuts", shots, "", tuple(filter(None, dict.fromkeys(left_out)))) if len(shots) > 1 else None


def _blocks(text: str, marks: Sequence[_Mark]) -> Iterator[str]:
    ends = [*(mark.start for mark in marks[1:]), len(text)]
    return (text[mark.end : end] for mark, end in zip(marks, ends, strict=True))


_OVERALL = re.compile(
    r"(?:\W*)(?:(?:overall|global|visual|general)\b.*?[:：]|style|look|mood|tone|aesthetics?|technical|quality"
    r"|palette|colou?r palette"
    r"|colou?r grad(?:e|ing)|notes?|music|soundtrack|score|风格|整体).*",
    re.IGNORECASE,
)


_DURATION = re.compile(r"\W*(?:duration|length|runtime|running time|时长)\s*[:=：]", re.IGNORECASE)


def _without_tail(text: str) -> tuple[str, str]:
    """Split off the last paragraphs if they apply to the whole text (`Style: …`, one `Duration: …`)."""
    body, tail = text.rstrip(), ""
    while True:
        rest, gap, last = body.rpartition("\n\n")
        lines = [cleaned(line) for line in last.strip().split("\n")]
        once = sum(bool(_DURATION.match(line)) for line in body.split("\n")) == 1
        overall = _OVERALL.match(lines[0]) or (once and all(_DURATION.match(line) for line in lines))
        if not gap or not overall:
            return body, tail
        body, tail = rest.rstrip(), f"{last.strip()}\n{tail}".strip()


_COLUMNS = {
    "number": re.compile(
        r"(?:shot|scene|#|no\.?|nr\.?|number|id|n|index|镜头|镜号|序号)(?:\s*(?:#|no\.?|number|nr\.?|id))?",
        re.IGNORECASE,
    ),
    "time": re.compile(
        r"(?:time|timing|time ?codes?|time ?stamps?|duration|dur\.?|seconds?|secs?|length|时长"
        r"|时间)\s*(?:[(\[]\s*\w+\.?\s*[)\]])?",
        re.IGNORECASE,
    ),
    "text": re.compile(
        r"(?:shot )?(?:description|prompt|action|visuals?|content|image|picture|what happens|text|画面|内容"
        r"|描述)(?:\s*/\s*\w+)?",
        re.IGNORECASE,
    ),
    "label": re.compile(
        r"(?:camera|dialogue|dialog|speech|voice-?over|vo|audio|sound|sfx|music|lighting|light|movement|motion"
        r"|angle|framing|shot type"
        r"|shot size|size|type|lens|location|setting|notes?|character|mood|style|台词|声音|景别|运镜)(?:[ /]+\w+)*",
        re.IGNORECASE,
    ),
}


def _table(text: str) -> Script | None:
    lines = text.split("\n")
    for split in (_piped, _tabbed, _comma):
        rows = [split(line) for line in lines]
        head = next((i for i, row in enumerate(rows) if row and len(row) > 1 and _is_head(row)), None)
        if head is None:
            continue
        last = head + 1
        while last < len(rows) and (row := rows[last]) and len(row) > 1:
            last += 1
        header = rows[head] or []
        body = [row for row in rows[head + 1 : last] if row and not all(re.fullmatch(r":?-+:?|", cell) for cell in row)]
        if len(body) > 0:
            rest = "\n".join([*lines[:head], *lines[last:]]).strip()
            return Script("a table", tuple(_row_shot(header, row) for row in body), rest)
    return None


def _piped(line: str) -> list[str] | None:
    return [cleaned(cell) for cell in line.strip().strip("|").split("|")] if "|" in line else None


def _tabbed(line: str) -> list[str] | None:
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else None


def _comma(line: str) -> list[str] | None:
    for mark in ",;":
        if mark in line:
            cells = next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
            if len(cells) > 1:
                return [cell.strip() for cell in cells]
    return None


def _is_head(row: Sequence[str]) -> bool:
    kinds = [_column(cell) for cell in row]
    return all(kinds) and bool({"text", "label"} & set(kinds)) and (len(set(kinds)) > 1 or len(kinds) > 1)


def _column(title: str) -> str:
    return next((kind for kind, pattern in _COLUMNS.items() if pattern.fullmatch(title.strip(" *_"))), "")


def _row_shot(header: Sequence[str], row: Sequence[str]) -> Shot:
    texts: list[str] = []
    length: float | None = None
    begin: float | None = None
    for index, cell in enumerate(row):
        title = header[index].strip(" *_") if index < len(header) else ""
        kind = _column(title) if title else "label"
        bare = re.fullmatch(rf"({CLOCK})\s*(?:{UNIT})?", cell, re.IGNORECASE)
        if kind == "time" and cell:
            rest, length, begin = take_time(f"({cell})")
            if length is None and bare:
                length, rest = seconds(bare[1]), ""
            texts += [rest.strip("()")] if rest else []
        elif kind == "number" and re.fullmatch(r"(?:shot|scene)?\s*#?\d{1,3}[A-Za-z]?\.?|", cell, re.IGNORECASE):
            continue
        elif cell and cell not in ("-", "–", "—"):
            texts.append(cell if kind == "text" or not title else f"{title}: {cell}")
    return Shot("\n".join(texts), length, begin)

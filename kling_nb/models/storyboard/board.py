"""`read_storyboard`: a pasted text as the fields of a request, within a model's limits, and notes on what was done."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, cast

from kling_nb.models.prompts import MAX_SHOT_PROMPT, MAX_SHOTS, is_blank, speech_in
from kling_nb.models.reprs import shorten
from kling_nb.models.storyboard.lists import Script, Shot, marked_list, plain_list
from kling_nb.models.storyboard.screenplay import screenplay
from kling_nb.models.storyboard.times import allot
from kling_nb.models.storyboard.words import (
    Found,
    as_sentences,
    length_named,
    mentions_of,
    take_cast,
    take_settings,
    with_cast,
    with_mentions,
    with_speech,
)

#: The longest text that is read, in characters: a longer one is a whole script, not a clip of 15 seconds.
MOST_TEXT = 20_000
_NATURAL, _WORDS_A_SECOND = 3.0, 2.5
_SOUND = re.compile(
    r"\b(?:sound|sounds|sfx|audio|music|soundtrack|ambience|foley)\s*[:：]\s*(?!none\b|no\b|off\b|silent)\S",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^\s*```[\w.-]*\s*$")


class Reading(NamedTuple):
    """The fields that a text gives, by the hub's names; what kind of text it is; and notes on what was done."""

    fields: dict[str, Any]
    kind: str
    notes: list[str]


@dataclass(frozen=True)
class Limits:
    """The limits of a model: shots (0 for one prompt), characters, whole lengths in seconds, and fields."""

    shots: int = MAX_SHOTS
    characters: int = MAX_SHOT_PROMPT
    seconds: tuple[int, ...] = tuple(range(3, 16))
    aspects: tuple[str, ...] = ("16:9", "9:16", "1:1")
    audio: bool = True
    negative: bool = True


def read_storyboard(
    text: str,
    limits: Limits | None = None,
    *,
    duration: int | None = None,
    untimed: int | None = None,
    references: Collection[str] = (),
) -> Reading:
    """Return a screenplay, a shot list, time ranges, a table or a prompt as the fields of a request.

    Args:
        text: The text as it was pasted.
        limits: What the model takes; by default Kling O3 Pro reference-to-video.
        duration: The length of the clip in seconds. By default the times in the text, or what its shots need.
        untimed: The length if the text has no times.
        references: The names of the references that the request has (`Image1`); others that are mentioned are noted.
    """
    limits, found = limits or Limits(), Found(references=references, untimed=untimed)
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\xa0", " ")
    text = "\n".join(line for line in text.split("\n") if not _FENCE.match(line))
    text = with_mentions(text, found)
    script = _json(text)
    if script is None:
        text = take_settings(text, found)
        script = marked_list(text) or screenplay(text) or plain_list(text)
    if script is None or not script.shots:
        return _prompt(text, found, limits, duration)
    lead = take_cast(take_settings(script.lead, found, lead=True), found)
    length_named(lead, found)
    if script.kind == "cuts":  # a screenplay has no lead: names are above the first shot
        first = replace(script.shots[0], text=take_cast(script.shots[0].text, found))
        script = replace(script, shots=(first, *script.shots[1:]))
    found.left_out += script.left_out
    spoken = script.kind == "a screenplay"
    texts = [as_sentences(shot.text if spoken else with_speech(shot.text, found.cast)) for shot in script.shots]
    shots = [replace(shot, text=each) for shot, each in zip(script.shots, texts, strict=True)]
    shots = _without_blank(shots, found)
    if not shots:
        return _prompt(text, found, limits, duration)
    shots = _with_references(shots, found)
    shots = _with_lead(as_sentences(lead), _fitted(shots, limits, found), limits, found)
    return _board(script.kind, shots, found, limits, duration)


def _json(text: str) -> Script | None:
    """Return the shots of a list in JSON, as APIs have it: `[{"prompt": …, "duration": "3"}]`."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    listed: Any = (
        cast("dict[str, Any]", data).get("multi_prompt") or cast("dict[str, Any]", data).get("shots")
        if isinstance(data, dict)
        else data
    )
    if not isinstance(listed, list):
        return None
    shots: list[Shot] = []
    for one in cast("list[Any]", listed):
        item: Mapping[str, Any] = cast("Mapping[str, Any]", one) if isinstance(one, Mapping) else {"prompt": one}
        length = re.match(r"\s*(\d+(?:\.\d+)?)", str(item.get("duration", item.get("seconds", ""))))
        words = item.get("prompt", item.get("description", item.get("text", "")))
        rest = "\n".join(f"{name}: {value}" for name, value in item.items() if name not in _JSON_NAMES)
        shots.append(Shot(f"{words}\n{rest}".strip(), float(length[1]) if length else None))
    return Script("a list in JSON", tuple(shots))


_JSON_NAMES = frozenset({"prompt", "description", "text", "duration", "seconds", "index", "shot", "id", "number"})


def _prompt(text: str, found: Found, limits: Limits, duration: int | None) -> Reading:
    """Return a text without shots as one prompt, its line breaks kept."""
    rest = take_cast(take_settings(text, found, lead=True), found)
    prompt = re.sub(r"\n{3,}", "\n\n", with_speech(rest, found.cast)).strip()
    if not prompt:
        found.notes.append("The text is empty.")
    (shot,) = _with_references([Shot(prompt)], found)
    return _finished("a prompt", {"prompt": shot.text} if shot.text else {}, [shot], found, limits, duration)


def _without_blank(shots: Sequence[Shot], found: Found) -> list[Shot]:
    """Return the shots that have text; the seconds of the others go to the shot before."""
    kept: list[Shot] = []
    for number, shot in enumerate(shots, 1):
        if not is_blank(shot.text):
            kept.append(shot)
            continue
        found.notes.append(f"Shot {number} has no text and was left out.")
        if kept and kept[-1].length and shot.length:
            kept[-1] = replace(kept[-1], length=kept[-1].length + shot.length)
    return kept


def _with_references(shots: Sequence[Shot], found: Found) -> list[Shot]:
    """Return the shots with `(@Image1)` after the first mention of each name that the text gives to a reference."""
    texts: list[str] = []
    where: dict[str, list[str]] = {name: [] for name in found.cast}
    for number, shot in enumerate(shots, 1):
        text = with_cast(shot.text, found.cast)
        texts.append(text)
        for name, mention in found.cast.items():
            if mention.lstrip("@") in mentions_of(text):
                where[name].append(str(number))
    for name, numbers in where.items():
        mention = found.cast[name]
        if not numbers:
            texts[0] = f"{name} is {mention}. {texts[0]}"
            found.notes.append(f"{name} ({mention}) is not named in any shot, and was put before the first.")
        else:
            found.notes.append(f"{name} is {mention}{f' in {_shots_text(numbers)}' if len(shots) > 1 else ''}.")
    return [replace(shot, text=text) for shot, text in zip(shots, texts, strict=True)]


def _shots_text(numbers: Sequence[str]) -> str:
    return f"shot {numbers[0]}" if len(numbers) == 1 else f"shots {', '.join(numbers[:-1])} and {numbers[-1]}"


def _fitted(shots: Sequence[Shot], limits: Limits, found: Found) -> list[Shot]:
    """Return at most as many shots as the model takes: the shortest neighbours are joined."""
    fitted, most = list(shots), limits.shots or max(1, max(limits.seconds, default=15))
    while len(fitted) > most:
        at = min(range(len(fitted) - 1), key=lambda index: len(fitted[index].text) + len(fitted[index + 1].text))
        one, other = fitted[at], fitted[at + 1]
        length = one.length + other.length if one.length and other.length else None
        stop = "" if one.text[-1] in '.!?;:,…。！？"”' else "."
        fitted[at : at + 2] = [Shot(f"{one.text}{stop} Then: {other.text}", length, one.begin)]
    if len(fitted) < len(shots):
        found.notes.append(f"{len(shots)} shots are too many: neighbours were joined into {len(fitted)}, the maximum.")
    return fitted


def _with_lead(lead: str, shots: Sequence[Shot], limits: Limits, found: Found) -> list[Shot]:
    """Return the shots with the text that applies to all: before each one if there is room, else before the first."""
    if not lead:
        return list(shots)
    stop = "" if lead[-1] in ".!?:;,…。！？：；，" else "."
    whole = [replace(shot, text=f"{lead}{stop} {shot.text}") for shot in shots]
    if not limits.shots:
        return [whole[0], *shots[1:]]
    shown = f"“{shorten(lead, 80)}”"
    if all(len(shot.text) <= limits.characters for shot in whole):
        found.notes.append(f"The text above the list was added to every shot: {shown}.")
        return whole
    found.notes.append(f"The text above the list was added to shot 1 only, since it does not fit into all: {shown}.")
    return [whole[0], *shots[1:]]


def _board(kind: str, shots: Sequence[Shot], found: Found, limits: Limits, duration: int | None) -> Reading:
    if len(shots) == 1:
        return _finished(kind, {"prompt": shots[0].text}, shots, found, limits, duration)
    if limits.shots:
        shots = _split_long(shots, limits, found)
    return _finished(kind, {}, shots, found, limits, duration)


def _split_long(shots: Sequence[Shot], limits: Limits, found: Found) -> list[Shot]:
    """Return the shots, with long ones split in two at a sentence, while there is room for more shots."""
    split = list(shots)
    at = 0
    while at < len(split):
        shot = split[at]
        sentences = re.split(r"(?<=[.!?。！？\"”])\s+", shot.text)
        if len(shot.text) > limits.characters and len(split) < limits.shots and len(sentences) > 1:
            sizes = [abs(len(" ".join(sentences[:cut])) - len(shot.text) / 2) for cut in range(1, len(sentences))]
            cut = sizes.index(min(sizes)) + 1
            first, second = " ".join(sentences[:cut]), " ".join(sentences[cut:])
            share = shot.length * len(first) / len(shot.text) if shot.length else None
            rest = shot.length - share if shot.length and share else None
            split[at : at + 1] = [Shot(first, share, shot.begin), Shot(second, rest)]
            found.notes.append(
                f"Shot {at + 1} had {len(shot.text)} characters and was split: a shot has at most {limits.characters}."
            )
            continue
        if len(shot.text) > limits.characters:
            found.notes.append(f"Shot {at + 1} has {len(shot.text)} characters; shorten it to {limits.characters}.")
        at += 1
    return split


def _finished(
    kind: str, fields: dict[str, Any], shots: Sequence[Shot], found: Found, limits: Limits, duration: int | None
) -> Reading:
    lengths = _lengths(shots, found, limits, duration)
    count, total = len(shots), sum(lengths)
    if count > 1 and limits.shots:
        fields["multi_prompt"] = [
            {"prompt": shot.text, "duration": one} for shot, one in zip(shots, lengths, strict=True)
        ]
    elif count > 1:
        lines = (
            f"Shot {n} ({one} s): {shot.text}" for n, (shot, one) in enumerate(zip(shots, lengths, strict=True), 1)
        )
        fields["prompt"] = (
            "\n".join(lines) if lengths else "\n".join(f"Shot {n}: {shot.text}" for n, shot in enumerate(shots, 1))
        )
        found.notes.append("This model has no shots: they became lines of one prompt.")
    if (
        lengths
        and "multi_prompt" not in fields
        and (duration or "duration" in found.settings or count > 1 or shots[0].length)
    ):
        fields["duration"] = total
    _set_fields(fields, found, limits, shots)
    if found.left_out:
        found.notes.append(f"Left out: {'; '.join(each.rstrip('.: ') for each in dict.fromkeys(found.left_out))}.")
    named = [name for name in mentions_of("\n".join(shot.text for shot in shots)) if name not in found.references]
    if named:
        each = "it needs a reference" if len(named) == 1 else "each needs a reference"
        found.notes.append(f"Mentions {', '.join(f'@{name}' for name in named)}: {each}.")
    seconds = f", {total} s" if lengths and (count > 1 or "duration" in fields) else ""
    what = f"{kind}: {count} shot{'' if count == 1 else 's'}" if kind != "a prompt" else "one prompt"
    first = f"Read as {what}{seconds}."
    return Reading(fields, kind, [first, *found.notes])


def _lengths(shots: Sequence[Shot], found: Found, limits: Limits, duration: int | None) -> list[int]:
    """Return whole seconds for each shot, with a sum that the model can make, and note how they were chosen."""
    if not limits.seconds:
        if any(shot.length for shot in shots) or "duration" in found.settings:
            found.notes.append("The length of this model's clips cannot be set: the times were left out.")
        return []
    natural = [max(_NATURAL, _speech_seconds(shot.text)) for shot in shots]
    given = [shot.length for shot in shots]
    wanted = duration or found.settings.get("duration") or (None if any(given) else found.untimed)
    needed = sum(natural[i] if length is None else length for i, length in enumerate(given))
    total = _allowed(wanted or needed, limits.seconds, len(shots))
    lengths = allot(given, natural, total)
    if wanted and total != wanted:
        found.notes.append(f"{wanted:g} s is not possible with this model: {total} s.")
    if len(shots) == 1 and given[0] is None:
        return lengths
    _say_lengths(given, lengths, total, needed, found)
    _say_gaps(shots, found)
    return lengths


def _say_lengths(
    given: Sequence[float | None], lengths: Sequence[int], total: int, needed: float, found: Found
) -> None:
    shown = " + ".join(map(str, lengths))
    known = [length for length in given if length is not None]
    if not known:
        found.notes.append(
            f"No times are given: the shots share {total} s ({shown}), longer where there is more speech."
        )
    elif all(length is None or length == one for length, one in zip(given, lengths, strict=True)):
        if len(known) < len(given):
            found.notes.append(f"Some shots have no time; the lengths are {shown} s.")
    elif len(known) == len(given) and abs(needed - total) >= 1:
        found.notes.append(f"The times add up to {needed:g} s and were scaled to {total} s: {shown}.")
    else:
        found.notes.append(f"The times were changed to whole seconds that add up to {total} s: {shown}.")


def _say_gaps(shots: Sequence[Shot], found: Found) -> None:
    for number, (one, other) in enumerate(pairwise(shots), 1):
        if one.begin is None or other.begin is None or one.length is None:
            continue
        gap = other.begin - one.begin - one.length
        if abs(gap) > 0.01:
            found.notes.append(
                f"Shots {number} and {number + 1} {'leave a gap' if gap > 0 else 'overlap'} of {abs(gap):g} s."
            )


def _allowed(wanted: float, seconds: Sequence[int], count: int) -> int:
    """Return the length nearest to the wanted one that the model can make, with at least a second for each shot."""
    enough = [each for each in seconds if each >= count] or [max(seconds)]
    return min(enough, key=lambda each: (abs(each - wanted), -each))


def _speech_seconds(text: str) -> float:
    words = sum(len(re.findall(r"\w+", said)) for said in speech_in(text))
    return words / _WORDS_A_SECOND + 1 if words else 0


def _set_fields(fields: dict[str, Any], found: Found, limits: Limits, shots: Sequence[Shot]) -> None:
    aspect, negative = found.settings.get("aspect_ratio"), found.settings.get("negative_prompt")
    if aspect in limits.aspects:
        fields["aspect_ratio"] = aspect
        found.notes.append(f"Aspect ratio: {aspect}.")
    elif aspect:
        found.notes.append(
            f"The aspect ratio {aspect} is not available: {', '.join(limits.aspects) or 'the model has none'}."
        )
    if negative and limits.negative:
        fields["negative_prompt"] = negative
        found.notes.append(f"Negative prompt: {negative}.")
    elif negative:
        found.notes.append(f"This model has no negative prompt. Left out: {negative}.")
    heard = [str(number) for number, shot in enumerate(shots, 1) if speech_in(shot.text) or _SOUND.search(shot.text)]
    audio = found.settings.get("generate_audio", True if heard else None)
    if audio is not None and limits.audio:
        fields["generate_audio"] = audio
        where = f" for the speech and sound in {_shots_text(heard)}" if heard and audio and len(shots) > 1 else ""
        found.notes.append(f"Audio is {'on' if audio else 'off'}{where}.")
    elif heard:
        found.notes.append("The text has speech or sound, but this model makes no audio.")

"""The rules that span fields, each with the fields that it reads.

A rule reads a draft: the fields as plain values, perhaps not all of them. It is skipped if one of its fields already
has an error, so that each mistake is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from kling_nb.models.mentions import changed_prompt, check_mentions, prompts_of
from kling_nb.models.problem import Draft, Fix, Path, Problem, error, warning
from kling_nb.models.prompts import (
    CONTROL,
    is_blank,
    is_shouted,
    latest_time,
    speech_in,
    without_no,
)
from kling_nb.models.reprs import shorten
from kling_nb.models.videos import edits_video

MIN_SECONDS, MAX_SECONDS = 3, 15
MAX_REFERENCES, USUAL_REFERENCES = 7, 4
MAX_PROMPT, USUAL_PROMPT = 2500, 512

#: An ID as the engine makes them. In place of a prompt it stands for the record, not for its own letters.
_RECORD_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}-\d+")


@dataclass(frozen=True)
class Rule:
    """A check of a draft, and the fields (`multi_prompt.*.duration`) that must be free of errors for it to run."""

    fields: tuple[str, ...]
    check: Callable[[Draft], Iterator[Problem]]


def check_rules(rules: Sequence[Rule], draft: Draft, skip: Collection[str] = ()) -> list[Problem]:
    """Return the problems that the rules find in a draft, without the rules that read one of the fields in `skip`."""
    return [problem for rule in rules if not set(rule.fields) & set(skip) for problem in rule.check(draft)]


def seconds_of(draft: Draft) -> int:
    """Return the length of the clip in seconds: the sum of its shots, or its `duration` (5 by default)."""
    shots = draft.get("multi_prompt")
    return sum(shot.get("duration", 5) for shot in shots) if shots else draft.get("duration", 5)


def references_of(draft: Draft) -> int:
    """Return the number of references: images in `input_image`, and one for each element."""
    return len(draft.get("input_image") or ()) + len(draft.get("elements") or ())


def _has_text(draft: Draft, name: str) -> bool:
    return not is_blank(str(draft.get(name) or ""))


def _prompt_or_shots(draft: Draft) -> Iterator[Problem]:
    if _has_text(draft, "prompt") and draft.get("multi_prompt"):
        yield error(("multi_prompt",), "a prompt and shots cannot be combined", "remove one of the two")
    elif not draft.get("multi_prompt"):
        remedy, form_remedy = "describe the clip, or give shots in multi_prompt", "describe the clip, or add shots"
        yield from _prompt_required(draft, remedy, form_remedy)


def _prompt_required(draft: Draft, remedy: str = "describe the clip", form_remedy: str = "") -> Iterator[Problem]:
    if not _has_text(draft, "prompt"):
        yield error(("prompt",), "the prompt is missing", remedy, form_remedy)


def _total_duration(draft: Draft) -> Iterator[Problem]:
    total = seconds_of(draft)
    if draft.get("multi_prompt") and not MIN_SECONDS <= total <= MAX_SECONDS:
        size = "short" if total < MIN_SECONDS else "long"
        remedy = f"the shots must add up to {MIN_SECONDS} to {MAX_SECONDS} s"
        yield error(("multi_prompt",), f"{total} s in total is too {size}", remedy)


def _unused_duration(draft: Draft) -> Iterator[Problem]:
    if draft.get("multi_prompt") and draft.get("duration", 5) != 5:
        message = f"{draft['duration']} s is not used: each shot has its own duration"
        yield warning(("duration",), message, "remove it, and set the duration of each shot")


def _blank_shots(draft: Draft) -> Iterator[Problem]:
    for index, shot in enumerate(draft.get("multi_prompt") or ()):
        if not _has_text(shot, "prompt"):
            yield error(("multi_prompt", index, "prompt"), "the shot has no prompt", "describe the shot")


def _tail_needs_start(draft: Draft) -> Iterator[Problem]:
    if draft.get("tail_image_url") is not None and draft.get("start_image_url") is None:
        yield error(
            ("tail_image_url",), "a tail frame needs a start frame", "set start_image_url too", "add a start frame"
        )


def _too_many_references(draft: Draft) -> Iterator[Problem]:
    count, has_video = references_of(draft), draft.get("input_video") is not None
    most = USUAL_REFERENCES if has_video else MAX_REFERENCES
    if count > most:
        remedy = f"at most {most} in total{' with a video' if has_video else ''}"
        yield error(_longer_list(draft), f"{count} images and elements are too many", remedy)


def _many_references(draft: Draft) -> Iterator[Problem]:
    count = references_of(draft)
    if USUAL_REFERENCES < count <= MAX_REFERENCES:
        limits = f"the hub's walkthrough allows {USUAL_REFERENCES}, the model's page {MAX_REFERENCES}"
        message = f"{count} images and elements may be too many"
        yield warning(_longer_list(draft), message, f"{limits}; up to {USUAL_REFERENCES} are safe")


def _longer_list(draft: Draft) -> Path:
    images, elements = len(draft.get("input_image") or ()), len(draft.get("elements") or ())
    return ("elements",) if elements > images else ("input_image",)


def _single_view(draft: Draft) -> Iterator[Problem]:
    for index, element in enumerate(draft.get("elements") or ()):
        if not element.get("reference_image_urls"):
            message = f"@Element{index + 1} has a front view only"
            path = ("elements", index, "reference_image_urls")
            yield warning(path, message, "add 1 to 3 more views for a better likeness")


def _ignored_aspect(draft: Draft) -> Iterator[Problem]:
    aspect = draft.get("aspect_ratio", "16:9")
    if draft.get("start_image_url") is not None and aspect != "16:9":
        message = f"{aspect} has no effect: the start frame sets the shape"
        yield warning(("aspect_ratio",), message, "crop the start frame, or remove the aspect ratio")


def _id_as_prompt(draft: Draft) -> Iterator[Problem]:
    if _RECORD_ID.fullmatch(prompt := str(draft.get("prompt") or "").strip()):
        remedy = f'run it again with kn.log()["{prompt}"].rerun()'
        yield error(("prompt",), f"{prompt!r} is the ID of a record", remedy, "describe the clip")


def _long_prompt(draft: Draft) -> Iterator[Problem]:
    length = len(draft.get("prompt") or "")
    if USUAL_PROMPT < length <= MAX_PROMPT:
        limits = f"the hub's walkthrough allows {USUAL_PROMPT}, the model {MAX_PROMPT:,}"
        message = f"{length:,} characters may be too many"
        yield warning(("prompt",), message, f"{limits}; up to {USUAL_PROMPT} are safe")


def _audio_with_video(draft: Draft) -> Iterator[Problem]:
    if draft.get("input_video") is not None and draft.get("generate_audio"):
        message = "audio cannot be generated with an input video"
        yield error(("generate_audio",), message, "set generate_audio to False", "turn it off")


def _ignored_duration(draft: Draft) -> Iterator[Problem]:
    if edits_video(draft) and draft.get("duration", 5) != 5:
        message = f"{draft['duration']} s is not used: an edited clip is as long as its source"
        yield warning(("duration",), message, "remove it")


def _edit_with_frames(draft: Draft) -> Iterator[Problem]:
    for name, noun in (("start_image_url", "start frame"), ("tail_image_url", "tail frame")):
        if edits_video(draft) and draft.get(name) is not None:
            message = f"an edit of a video takes no {noun}"
            yield error((name,), message, 'remove it, or set video_mode to "reference"', "remove it")


def _aspect_of_edit(draft: Draft) -> Iterator[Problem]:
    if edits_video(draft) and (aspect := draft.get("aspect_ratio", "16:9")) != "16:9":
        message = f"{aspect} is not used: an edited clip has the shape of its source"
        yield warning(("aspect_ratio",), message, "remove it")


def _mode_without_video(draft: Draft) -> Iterator[Problem]:
    if draft.get("input_video") is None and draft.get("video_mode", "edit") != "edit":
        message = f"{draft['video_mode']!r} has no effect without a video"
        yield warning(("video_mode",), message, "set input_video", "add a video")


def _control_characters(draft: Draft) -> Iterator[Problem]:
    texts = {(name,): value for name, value in draft.items() if isinstance(value, str)}
    for path, text in {**texts, **dict(prompts_of(draft))}.items():
        if found := CONTROL.search(text):
            message = f"the text contains the control character U+{ord(found[0]):04X}"
            fix = Fix("Remove control characters", changed_prompt(draft, path, CONTROL.sub("", text)))
            yield error(path, message, "remove it", fix=fix)


def _unheard_speech(draft: Draft) -> Iterator[Problem]:
    if draft.get("generate_audio") is not False or draft.get("input_video") is not None:
        return
    spoken = [(path, speech[0]) for path, prompt in prompts_of(draft) if (speech := speech_in(prompt))]
    if spoken:
        path, speech = spoken[0]
        message = f"“{shorten(speech, 40)}” is spoken, but the clip has no audio"
        fix = Fix("Turn audio on", {"generate_audio": True})
        yield warning(path, message, "set generate_audio to True, or leave the speech out", "turn audio on", fix)


def _shouted_speech(draft: Draft) -> Iterator[Problem]:
    for path, prompt in prompts_of(draft) if draft.get("generate_audio") else ():
        quieter = prompt
        shouted = [speech for speech in speech_in(prompt) if is_shouted(speech)]
        for speech in shouted:
            quieter = quieter.replace(speech, re.sub(r"\bi\b", "I", speech.capitalize()))
        if shouted:
            message = f"“{shorten(shouted[0], 40)}” is in capitals, which may be spelt out letter by letter"
            fix = Fix("Write in lower case", changed_prompt(draft, path, quieter))
            yield warning(path, message, "write speech in lower case", fix=fix)


#: Words and numbers of which every list of shots has some; only then the text is read as one.
_MAY_LIST = re.compile(
    r"\b(?:shot|scene|cut|clip|panel)\b|镜头|分镜|场景"
    r"|\d ?(?:s|secs?|seconds?|秒)?\s{0,3}(?:[-–—~]|to|至|到)|^\W*\d+[.)、]",
    re.IGNORECASE | re.MULTILINE,
)
_LISTS = frozenset({"a shot list", "time ranges", "a table", "a numbered list"})


def _listed_shots(draft: Draft) -> Iterator[Problem]:
    prompt = str(draft.get("prompt") or "")
    if draft.get("multi_prompt") or not _MAY_LIST.search(prompt):
        return
    from kling_nb.models.storyboard.board import MOST_TEXT, read_storyboard

    fields, kind, _ = read_storyboard(prompt[:MOST_TEXT])
    shots = fields.get("multi_prompt", ())
    if kind not in _LISTS or not shots:
        return
    usable = all(0 < len(shot["prompt"]) <= USUAL_PROMPT for shot in shots)
    total = sum(shot["duration"] for shot in shots)
    fix = Fix(f"Make {len(shots)} shots ({total} s)", {"prompt": "", "duration": 5, **fields})
    remedy = "give the shots in multi_prompt, each with its duration"
    message = f"the prompt lists {len(shots)} shots, but one prompt makes one shot"
    yield warning(("prompt",), message, remedy, "make them shots", fix if usable else None)


def _late_times(draft: Draft) -> Iterator[Problem]:
    if edits_video(draft):
        return
    for path, prompt in prompts_of(draft):
        shot = draft["multi_prompt"][path[1]] if len(path) > 1 else draft
        length, latest = shot.get("duration", 5), latest_time(prompt)
        if latest > length:
            what = "shot" if len(path) > 1 else "clip"
            message = f"{latest:g} s is after the end of the {what}, which is {length} s long"
            yield warning(path, message, f"change the time, or make the {what} longer")


def _negated(draft: Draft) -> Iterator[Problem]:
    negative = draft.get("negative_prompt")
    if isinstance(negative, str) and (better := without_no(negative)) != negative:
        fix = None if is_blank(better) else Fix(f"Write “{shorten(better, 40)}”", {"negative_prompt": better})
        message = "a negative prompt names what to avoid, without “no”"
        yield warning(("negative_prompt",), message, f"write {shorten(better, 40)!r}", fix=fix)


def _negative_without_effect(draft: Draft) -> Iterator[Problem]:
    if _has_text(draft, "negative_prompt") and "o3" in str(draft.get("model")).split("-"):
        message = "O3 models probably ignore a negative prompt"
        yield warning(("negative_prompt",), message, "say in the prompt what should be there instead")


#: The rules of every request, the other models' too.
ANY_MODEL = (
    Rule((), check_mentions),
    Rule((), _control_characters),
    Rule(("generate_audio", "input_video"), _unheard_speech),
    Rule(("generate_audio",), _shouted_speech),
    Rule((), _negated),
    Rule((), _negative_without_effect),
)

_ELEMENTS = ("elements", "elements.*", "elements.*.reference_image_urls", "elements.*.reference_image_urls.*")
_SHARED = (
    Rule(("start_image_url", "tail_image_url"), _tail_needs_start),
    Rule(("input_image", "elements", "input_video"), _too_many_references),
    Rule(_ELEMENTS, _single_view),
    Rule(("aspect_ratio",), _ignored_aspect),
    Rule(("prompt",), _long_prompt),
    Rule(("prompt",), _id_as_prompt),
    Rule(("duration", "multi_prompt", "multi_prompt.*", "multi_prompt.*.duration"), _late_times),
)

REFERENCE_TO_VIDEO = (
    Rule(("prompt", "multi_prompt"), _prompt_or_shots),
    Rule(("multi_prompt", "multi_prompt.*", "multi_prompt.*.duration"), _total_duration),
    Rule(("multi_prompt", "multi_prompt.*", "multi_prompt.*.prompt"), _blank_shots),
    Rule(("multi_prompt", "duration"), _unused_duration),
    Rule(("input_image", "elements"), _many_references),
    Rule(("prompt", "multi_prompt", "duration"), _listed_shots),
    *_SHARED,
    *ANY_MODEL,
)

OMNI = (
    Rule(("prompt",), _prompt_required),
    *_SHARED,
    Rule(("input_video", "generate_audio"), _audio_with_video),
    Rule(("input_video", "video_mode", "duration"), _ignored_duration),
    Rule(("input_video", "video_mode", "start_image_url", "tail_image_url"), _edit_with_frames),
    Rule(("input_video", "video_mode", "aspect_ratio"), _aspect_of_edit),
    Rule(("input_video", "video_mode"), _mode_without_video),
    *ANY_MODEL,
)

"""The rules that span fields (HUB_API section 6), each with the fields that it needs.

A rule reads a *draft*: the fields as plain values, perhaps not all of them. It is left out when one of its fields
already has a fault of its own, so that one mistake is said once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kling_nb.models.problem import Problem, error, warning

Draft = Mapping[str, Any]

MIN_SECONDS, MAX_SECONDS = 3, 15
#: As the engine makes them; where one stands for a prompt, the record was meant, and not these letters.
_RECORD_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}-\d+")
MAX_REFERENCES, USUAL_REFERENCES = 7, 4


@dataclass(frozen=True)
class Rule:
    """A check over a draft and the fields (`multi_prompt.*.duration`) that must be sound for it to make sense."""

    fields: tuple[str, ...]
    check: Callable[[Draft], Iterator[Problem]]


def broken(rules: Sequence[Rule], draft: Draft, unsound: Collection[str] = ()) -> list[Problem]:
    """Return what the draft breaks, leaving out rules about fields that are unsound already."""
    return [problem for rule in rules if not set(rule.fields) & set(unsound) for problem in rule.check(draft)]


def seconds_of(draft: Draft) -> int:
    """The length in seconds of what the draft asks for: of all its shots, or its `duration` (default 5)."""
    shots = draft.get("multi_prompt")
    return sum(shot.get("duration", 5) for shot in shots) if shots else draft.get("duration", 5)


def references_of(draft: Draft) -> int:
    """How many references the draft has: pictures in `input_image`, and one for each element."""
    return len(draft.get("input_image") or ()) + len(draft.get("elements") or ())


def edits_video(draft: Draft) -> bool:
    """Whether the draft edits a video, whose length the clip then keeps; `edit` is what is done to one by default."""
    return draft.get("input_video") is not None and draft.get("video_mode", "edit") == "edit"


def _one_prompt(draft: Draft) -> Iterator[Problem]:
    has_prompt, has_shots = bool(str(draft.get("prompt") or "").strip()), bool(draft.get("multi_prompt"))
    if has_prompt and has_shots:
        yield error(("multi_prompt",), "there are both a prompt and shots", "keep one: the prompt, or the shots")
    if not has_prompt and not has_shots:
        yield error(
            ("prompt",), "there is no prompt", "write one, or give shots in multi_prompt", "write one, or add shots"
        )


def _a_prompt(draft: Draft) -> Iterator[Problem]:
    if not str(draft.get("prompt") or "").strip():
        yield error(("prompt",), "there is no prompt", "say what is to be seen")


def _total(draft: Draft) -> Iterator[Problem]:
    shots, total = draft.get("multi_prompt"), seconds_of(draft)
    if not shots or MIN_SECONDS <= total <= MAX_SECONDS:
        return
    size = "short" if total < MIN_SECONDS else "long"
    yield error(
        ("multi_prompt",),
        f"{total} s in all is too {size}",
        f"the shots must add up to {MIN_SECONDS}–{MAX_SECONDS} s",
    )


def _unused_duration(draft: Draft) -> Iterator[Problem]:
    if draft.get("multi_prompt") and draft.get("duration", 5) != 5:
        yield warning(
            ("duration",),
            f"{draft['duration']} s is not used, because there are shots",
            "set each shot's own duration, and leave this one out",
        )


def _blank_shots(draft: Draft) -> Iterator[Problem]:
    for index, shot in enumerate(draft.get("multi_prompt") or ()):
        if not str(shot.get("prompt", "")).strip():
            yield error(("multi_prompt", index, "prompt"), "the shot has no prompt", "say what this shot shows")


def _tail_needs_start(draft: Draft) -> Iterator[Problem]:
    if draft.get("tail_image_url") is not None and draft.get("start_image_url") is None:
        yield error(
            ("tail_image_url",), "a tail frame needs a start frame", "set start_image_url too", "add a start frame too"
        )


def _reference_count(draft: Draft) -> Iterator[Problem]:
    count, most = references_of(draft), USUAL_REFERENCES if draft.get("input_video") is not None else MAX_REFERENCES
    if count > most:
        beside = " beside a video" if most == USUAL_REFERENCES else ""
        yield error(
            _longest(draft), f"{count} pictures and elements in all are too many", f"at most {most} together{beside}"
        )


def _usual_count(draft: Draft) -> Iterator[Problem]:
    count = references_of(draft)
    if USUAL_REFERENCES < count <= MAX_REFERENCES:
        yield warning(
            _longest(draft),
            f"{count} pictures and elements in all may be too many",
            f"the hub's walkthrough allows {USUAL_REFERENCES}, the model's page {MAX_REFERENCES}: "
            f"{USUAL_REFERENCES} are safe",
        )


def _longest(draft: Draft) -> tuple[str]:
    pictures, elements = len(draft.get("input_image") or ()), len(draft.get("elements") or ())
    return ("elements",) if elements > pictures else ("input_image",)


def _angles(draft: Draft) -> Iterator[Problem]:
    for index, element in enumerate(draft.get("elements") or ()):
        if not element.get("reference_image_urls"):
            yield warning(
                ("elements", index, "reference_image_urls"),
                f"@Element{index + 1} has no further angle",
                "the model keeps a likeness better with 1 to 3 more views",
            )


def _overridden_aspect(draft: Draft) -> Iterator[Problem]:
    aspect = draft.get("aspect_ratio", "16:9")
    if draft.get("start_image_url") is not None and aspect != "16:9":
        yield warning(
            ("aspect_ratio",), f"{aspect} has no effect", "the start frame sets the shape; crop it, or drop the ratio"
        )


def _id_as_prompt(draft: Draft) -> Iterator[Problem]:
    if _RECORD_ID.fullmatch(prompt := str(draft.get("prompt") or "").strip()):
        yield error(
            ("prompt",),
            f"{prompt!r} is the id of a record",
            f'kn.log()["{prompt}"].rerun() makes it again',
            "write one",
        )


def _long_prompt(draft: Draft) -> Iterator[Problem]:
    length = len(draft.get("prompt") or "")
    if 512 < length <= 2500:
        yield warning(
            ("prompt",),
            f"{length:,} characters may be too many",
            "the hub's walkthrough allows 512, the model 2,500: 512 are safe",
        )


def _video_needs_silence(draft: Draft) -> Iterator[Problem]:
    if draft.get("input_video") is not None and draft.get("generate_audio"):
        yield error(
            ("generate_audio",),
            "audio cannot be generated beside a video",
            "set generate_audio to False",
            "turn it off",
        )


def _edit_keeps_length(draft: Draft) -> Iterator[Problem]:
    if edits_video(draft) and draft.get("duration", 5) != 5:
        yield warning(
            ("duration",), f"{draft['duration']} s is ignored when editing", "the clip keeps its source's length"
        )


def _mode_needs_video(draft: Draft) -> Iterator[Problem]:
    if draft.get("input_video") is None and draft.get("video_mode", "edit") != "edit":
        yield warning(
            ("video_mode",), f"{draft['video_mode']!r} has no effect without a video", "give input_video", "add one"
        )


_SHARED = (
    Rule(("start_image_url", "tail_image_url"), _tail_needs_start),
    Rule(("input_image", "elements", "input_video"), _reference_count),
    Rule(("elements", "elements.*", "elements.*.reference_image_urls", "elements.*.reference_image_urls.*"), _angles),
    Rule(("aspect_ratio",), _overridden_aspect),
    Rule(("prompt",), _long_prompt),
    Rule(("prompt",), _id_as_prompt),
)

REFERENCE_TO_VIDEO = (
    Rule(("prompt", "multi_prompt"), _one_prompt),
    Rule(("multi_prompt", "multi_prompt.*", "multi_prompt.*.duration"), _total),
    Rule(("multi_prompt", "multi_prompt.*", "multi_prompt.*.prompt"), _blank_shots),
    Rule(("multi_prompt", "duration"), _unused_duration),
    Rule(("input_image", "elements"), _usual_count),
    *_SHARED,
)

OMNI = (
    Rule(("prompt",), _a_prompt),
    *_SHARED,
    Rule(("input_video", "generate_audio"), _video_needs_silence),
    Rule(("input_video", "video_mode", "duration"), _edit_keeps_length),
    Rule(("input_video", "video_mode"), _mode_needs_video),
)


Path = tuple[str | int, ...]

# ASCII only: Chinese is written without spaces, and its characters would count as part of the name.
_MENTION = re.compile(r"(?<![\w@.])@(\w+)", re.ASCII)
_NOUNS = {"Image": "picture", "Element": "element", "Video": "video"}


def check_mentions(draft: Draft) -> Iterator[Problem]:
    """Yield mentions that no reference answers to, and references that no prompt mentions."""
    known = names(draft)
    by_lower = {name.lower(): name for name in known}
    mentioned: set[str] = set()
    for path, prompt in _prompts(draft):
        words: list[str] = _MENTION.findall(prompt)
        for word in dict.fromkeys(words):
            if word not in known:
                yield _unknown(path, word, known)
            mentioned.add(by_lower.get(word.lower(), word))  # a slip of case is one mistake, said once
    for name, path in known.items():
        edited = name == "Video1" and edits_video(draft)  # what the prompt is about, if unnamed
        if name not in mentioned and not edited:
            yield warning(path, f"no prompt mentions @{name}", f"write @{name} where it is to be seen, or remove it")


def names(draft: Draft) -> dict[str, Path]:
    """Return what a prompt can mention, and the field where it stands."""
    named: dict[str, Path] = {f"Image{i + 1}": ("input_image", i) for i in range(len(_listed(draft, "input_image")))}
    named |= {f"Element{i + 1}": ("elements", i) for i in range(len(_listed(draft, "elements")))}
    return named | ({"Video1": ("input_video",)} if draft.get("input_video") is not None else {})


def _prompts(draft: Draft) -> Iterator[tuple[Path, str]]:
    if isinstance(prompt := draft.get("prompt"), str):
        yield ("prompt",), prompt
    for index, shot in enumerate(_listed(draft, "multi_prompt")):
        if isinstance(shot, Mapping) and isinstance(prompt := shot.get("prompt"), str):
            yield ("multi_prompt", index, "prompt"), prompt


def _listed(draft: Draft, name: str) -> Sequence[Any]:
    value = draft.get(name)
    return value if isinstance(value, list | tuple) else ()


def _unknown(path: Path, word: str, known: Mapping[str, Path]) -> Problem:
    numbered = re.fullmatch(r"(Image|Element|Video)([0-9]+)", word)
    if numbered:
        noun = _NOUNS[numbered[1]]
        count = sum(name.startswith(numbered[1]) for name in known)
        have = f"there {'is' if count == 1 else 'are'} {count or 'no'} {noun}{'' if count == 1 else 's'}"
        return warning(path, f"@{word} is mentioned, but {have}", f"add the {noun}, or change the mention")
    by_lower = {name.lower(): name for name in (*known, "Image1", "Element1")}
    near = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.7)
    remedy = f"did you mean @{by_lower[near[0]]}?" if near else "it will be read as plain text"
    return warning(path, f"@{word} is no reference of this request", remedy)

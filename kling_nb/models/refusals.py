"""Failures in the words of the hub: whether the content was refused, and which field a message names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kling_nb.models.problem import Path

#: The `kind` of a failure whose content was refused.
MODERATION = "moderation"
MODERATION_REMEDY = (
    "Change the prompt or the images: the model refuses what they say or show, "
    "and would most likely refuse the same request again."
)

#: The words with which Kling, fal and resellers refuse content.
_REFUSED = re.compile(
    r"risk[ _-]?control|content[ _-]?(?:check|filter|polic|moderat|security|safety|review|guideline|violation)"
    r"|safety|moderat(?:ion|ed|or\b)|\bnsfw\b|(?<!case)(?<!case[ -])(?<!time[ -])(?<!in)sensitive\b(?! to\b)"
    r"|sensitive(?:content|information|word)|responsible[ _-]?ai|polic(?:y|ies) (?:block|restrict)"
    r"|(?:prompt|image|video|content|output|result)s? (?:was|were|is|are|ha(?:s|ve) been) (?:blocked|filtered|rejected)"
    r"|(?:usage|our|use|community|acceptable[ -]use) (?:polic|guideline)|polic(?:y|ies)[ _-]violat|guidelines? violat"
    r"|violat\w*\b[^.]{0,60}\b(?:polic|guideline|terms|standard)|\bflagged\b|inappropriate|guardrail"
    r"|(?:prohibited|forbidden|disallowed|unsafe|harmful|explicit|adult) (?:content|word|image|material|prompt|input)"
    r"|\b(?:sexual|nudity|nude|porn|gore|violen(?:t|ce)|hate speech|self-harm|minors?\b)"
    r"|public figure|celebrit|real (?:person|people)|copyright"
    r"|敏感|违规|违禁|风控|审核|涉黄|不合规|内容安全",
    re.IGNORECASE,
)
#: The words that providers use for fields, and the hub's names of them.
_ALIASES: Mapping[str, Sequence[str]] = {
    "image_url": ("start_image_url", "input_image", "input_images"),
    "image": ("input_image", "input_images", "start_image_url"),
    "image_urls": ("input_image", "input_images"),
    "images": ("input_image", "input_images"),
    "end_image_url": ("tail_image_url",),
    "image_tail": ("tail_image_url",),
    "video_url": ("input_video", "input_videos"),
    "video_urls": ("input_videos", "input_video"),
    "video": ("input_video", "input_videos"),
}
_LOCATION = re.compile(r"\b(?:body|loc)\b((?:['\"]?\s*[:.,\[\]]+\s*['\"]?\w+)+)")


def refuses_content(message: str) -> bool:
    """Return whether a message of the hub says that the content of a request was refused."""
    return _REFUSED.search(message) is not None


def named_field(message: str, fields: Mapping[str, Any]) -> Path | None:
    """Return the path of the first field that a message names: `body.image_url: …`, or a field by its wire name.

    Args:
        message: A message of the hub.
        fields: The fields that were sent.
    """
    for steps in map(_steps, _LOCATION.findall(message)):
        for name in (steps[0], *_ALIASES.get(steps[0], ())) if steps else ():
            if name in fields:
                return _existing((name, *steps[1:]), fields)
    found = list(_mentioned(message, fields))
    # "prompt" is an everyday word too: it counts if it is quoted, or if no other field is named.
    certain = [each for each in found if "_" in each[1][0] or f"'{each[1][0]}'" in message or each[1][0] != "prompt"]
    return min(certain or found, default=(0, None))[1]


def _steps(location: str) -> list[str]:
    """Return the steps of `.elements.0.frontal_image_url` or `", "image_url"`."""
    return [step for step in re.findall(r"\w+", location) if step not in ("body", "loc")]


def _mentioned(message: str, fields: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    for name in fields:
        if found := re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])((?:\.\w+|\[\d+\])*)", message):
            yield found.start(), _existing((name, *_steps(found[1])), fields)


def _existing(steps: Sequence[str], fields: Mapping[str, Any]) -> Path:
    """Return the part of a path that exists in the fields."""
    path: list[str | int] = []
    value: Any = fields
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            path.append(step)
            value = value[step]
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            path.append(int(step))
            value = value[int(step)]
        else:
            break
    return tuple(path)

"""The names by which a prompt speaks of its references: `@Image1`, `@Element2`, `@Video1`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kling_nb.models.problem import Problem, warning
from kling_nb.models.rules import Draft, edits_video

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

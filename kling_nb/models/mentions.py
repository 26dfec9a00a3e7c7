"""Mentions of a request's references: which names there are, and which of them its prompts use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kling_nb.models.problem import Draft, Fix, Path, Problem, warning
from kling_nb.models.prompts import Mention, mentions_in, stuck_name, with_exact_mentions
from kling_nb.models.videos import edits_video

_NOUNS = {"Image": "image", "Element": "element", "Video": "video", "Audio": "audio file"}
#: The fields whose items a prompt can mention, by the noun of the mention. Frames and masks are not among them.
_MENTIONED = {
    "Image": re.compile(r"(?:input_?|reference_?)?images?(?:_?ur[il]s?)?", re.IGNORECASE),
    "Element": re.compile(r"elements"),
    "Video": re.compile(r"(?:input_?|reference_?)?videos?(?:_?ur[il]s?)?", re.IGNORECASE),
    "Audio": re.compile(r"(?:input_?|reference_?)?audios?(?:_?ur[il]s?)?", re.IGNORECASE),
}


def check_mentions(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each mention without a reference, and for each reference that no prompt mentions."""
    known = mentionable(draft)
    mentioned: set[str] = set()
    for path, prompt in prompts_of(draft):
        found = list(mentions_in(prompt))
        yield from _other_spellings(draft, path, prompt, found, known)
        for written, name in dict.fromkeys((mention.written, mention.name) for mention in found):
            if name not in known and not stuck_name(name, known):
                yield _unknown_mention(path, written, name, known)
        mentioned |= {stuck_name(mention.name, known) or mention.name for mention in found}
    places = {known[name] for name in mentioned if name in known}  # an element has its number and perhaps a name
    for name, path in known.items():
        edited = name == "Video1" and edits_video(draft)  # a prompt is about the edited video even if it has no name
        if path not in places and not edited and name != _name_at(draft, path) and _must_be_mentioned(path):
            yield warning(path, f"no prompt mentions @{name}", f"write @{name} where it should appear, or remove it")


def mentionable(draft: Draft) -> dict[str, Path]:
    """Return the names that a prompt can mention, each with the path of its field."""
    named: dict[str, Path] = {}
    for noun, pattern in _MENTIONED.items():
        fields = [name for name in draft if pattern.fullmatch(str(name))]
        paths = [path for name in fields for path in _places(name, draft[name])]
        named |= {f"{noun}{index + 1}": path for index, path in enumerate(paths)}
    for index in range(len(_listed(draft, "elements"))):
        if (name := _name_at(draft, ("elements", index))) and name not in named:
            named[name] = ("elements", index)
    return named


def _places(name: str, value: Any) -> list[Path]:
    """Return the path of each file in a field, which holds one or several."""
    if isinstance(value, list | tuple):
        return [(name, index) for index in range(len(value))]
    is_file = bool(value) and not isinstance(value, int | float | Mapping) and name != "elements"
    return [(name,)] if is_file else []


def _name_at(draft: Draft, path: Path) -> str | None:
    """Return the name that an element has, if any."""
    element = draft["elements"][path[1]] if path[0] == "elements" else None
    name = element.get("name") if isinstance(element, Mapping) else None
    return name if isinstance(name, str) else None


def _must_be_mentioned(path: Path) -> bool:
    """Return whether a reference has no effect unless a prompt mentions it, as with Kling, except for a first frame."""
    return path == ("input_video",) or (len(path) > 1 and path[0] in ("input_image", "elements"))


def prompts_of(draft: Draft) -> Iterator[tuple[Path, str]]:
    if isinstance(prompt := draft.get("prompt"), str):
        yield ("prompt",), prompt
    for index, shot in enumerate(_listed(draft, "multi_prompt")):
        if isinstance(shot, Mapping) and isinstance(prompt := shot.get("prompt"), str):
            yield ("multi_prompt", index, "prompt"), prompt


def _listed(draft: Draft, name: str) -> Sequence[Any]:
    value = draft.get(name)
    return value if isinstance(value, list | tuple) else ()


def _other_spellings(
    draft: Draft, path: Path, prompt: str, found: Sequence[Mention], known: Mapping[str, Path]
) -> Iterator[Problem]:
    """Yield a warning if a prompt mentions references of the request in a way that the hub does not read."""
    names = {mention.written: mention.name for mention in found if mention.name in known and not mention.exact}
    names |= {mention.written: name for mention in found if (name := stuck_name(mention.name, known))}
    if names:
        written, exact = " and ".join(names), " and ".join(f"@{name}" for name in dict.fromkeys(names.values()))
        message = f"the hub does not read {written} as {'a mention' if len(names) == 1 else 'mentions'}"
        fix = Fix(f"Write {exact}", changed_prompt(draft, path, with_exact_mentions(prompt, known)))
        yield warning(path, message, f"write {exact}", fix=fix)


def changed_prompt(draft: Draft, path: Path, text: str) -> dict[str, Any]:
    """Return a draft's field with another text at a path of a prompt."""
    if path[0] != "multi_prompt":
        return {str(path[0]): text}
    shots = [dict(shot) for shot in draft["multi_prompt"]]
    shots[int(path[1])]["prompt"] = text
    return {"multi_prompt": shots}


def _unknown_mention(path: Path, written: str, word: str, known: Mapping[str, Path]) -> Problem:
    if numbered := re.fullmatch(r"(Image|Element|Video|Audio)([0-9]+)", word):
        noun = _NOUNS[numbered[1]]
        count = sum(name.startswith(numbered[1]) for name in known)
        number = f"is 1 {noun}" if count == 1 else f"are {count or 'no'} {noun}s"
        return warning(path, f"{written} is mentioned, but there {number}", f"add the {noun}, or change the mention")
    by_lower = {name.lower(): name for name in (*known, "Image1", "Element1")}
    near = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.7)
    remedy = f"did you mean @{by_lower[near[0]]}?" if near else "it will be read as plain text"
    return warning(path, f"{written} is not a reference of this request", remedy)

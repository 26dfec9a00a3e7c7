"""The panel's "Code" fold: the request as it stands, as text for another program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_nb.code import FLAVOURS, FLOWS, Flavour, Flow, read_request
from kling_nb.models.fields import Fault, Path, with_media
from kling_nb.models.problem import Problem, warning
from kling_nb.render.formatting import shorten
from kling_nb.ui.outlet import JobLike
from kling_nb.ui.panel.controller import PanelController, Verdict

_UNFINISHED = "The code comes when nothing is left to mend."


def code_reply(content: Mapping[str, Any], verdict: Verdict, actions: PanelController) -> dict[str, Any]:
    """Return the answer to a browser that asks for code; a request with faults has none."""
    flavours: list[Flavour] = [name for name in FLAVOURS if name == content.get("flavour")]
    flows: list[Flow] = [name for name in FLOWS if name == content.get("flow")]
    reply: dict[str, Any] = {"kind": "code", "id": content.get("id"), "code": "", "notes": [_UNFINISHED]}
    faulty = any(problem.severity == "error" for problem in verdict.problems)
    if verdict.request is None or faulty:
        return reply
    made = actions.code(verdict.request, flavours[0] if flavours else "kling_nb", flows[0] if flows else "poll")
    return reply | {"code": made.code, "notes": [f"{note[:1].upper()}{note[1:]}." for note in made.notes]}


#: What a prompt has no use for. Half a request must not be taken for the words of one.
_CODE = re.compile(r"[{}\[\]=<>\\`]|\w\(|\bcurl\b|\bhttps?:", re.IGNORECASE)


def pasted(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the fields in a cURL command, a JSON body or a Python call, and what of it was not understood.

    Text in which there is none, and which does not look like code either, is the prompt. A picture that cannot be read
    is named and left out, since the form has no place for one that is not there.
    """
    fields, notes = read_request(text)
    if not fields and text.strip() and not _CODE.search(text):
        return {"prompt": text.strip()}, []
    faults: list[Fault] = []
    read = with_media(fields, faults)
    notes += [f"{'.'.join(map(str, path))}: {message}; {_moved(path)}" for path, message, _ in faults]
    return _without(read, {path for path, _, _ in faults}), notes


def _moved(path: Path) -> str:
    """A list closes up: `@Image2` would silently be another picture."""
    in_list = isinstance(path[-1], int)
    return "it was left out, and those after it have moved up" if in_list else "it was left out"


def _without(value: Any, lost: set[Path], path: Path = ()) -> Any:
    match value:
        case dict():
            return {key: _without(item, lost, (*path, key)) for key, item in value.items() if (*path, key) not in lost}
        case list():
            items = enumerate(value)
            return [_without(item, lost, (*path, index)) for index, item in items if (*path, index) not in lost]
        case _:
            return value


@dataclass
class HubErrors:
    """The words of failed jobs, by the field that they speak of; each holds while that field is as it was sent."""

    _sent: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    _said: dict[str, tuple[Any, Problem]] = field(default_factory=dict[str, tuple[Any, Problem]])

    def sent(self, jobs: Iterable[JobLike], fields: Mapping[str, Any]) -> None:
        """Remember what some jobs were sent with."""
        self._sent |= {job.id: dict(fields) for job in jobs}

    def ended(self, job: JobLike) -> bool:
        """Take in how a job ended; return whether there is something new to show at a field."""
        fields, failure = self._sent.pop(job.id, None), job.progress.failure
        name = named_in(failure.message, fields) if failure and fields else None
        if failure is None or fields is None or name is None:
            return False
        words = f"the hub refused this: {shorten(failure.message, 240)}"
        self._said[name] = fields.get(name), warning((name,), words, "change it before you send it again")
        return True

    def problems(self, fields: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return what still holds for fields as they are now."""
        return tuple(problem for name, (value, problem) in self._said.items() if fields.get(name) == value)


def named_in(message: str, fields: Iterable[str]) -> str | None:
    """Return which field a message speaks of: the first that it names in the wire's own word; None for none."""
    found = [(match.start(), name) for name in fields if (match := re.search(rf"(?<![\w-]){name}(?![\w-])", message))]
    # "prompt" is an everyday word too: it counts when it is quoted, or when nothing else is named.
    sure = [each for each in found if "_" in each[1] or f"'{each[1]}'" in message or each[1] != "prompt"]
    return min(sure or found, default=(0, None))[1]

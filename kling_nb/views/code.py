"""The panel's "Code" fold: the request as it stands, as text for another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kling_nb.code import FLAVOURS, FLOWS, Flavour, Flow
from kling_nb.views.actions import PanelActions, Verdict

_UNFINISHED = "The code comes when nothing is left to mend."


def code_reply(content: Mapping[str, Any], verdict: Verdict, actions: PanelActions) -> dict[str, Any]:
    """Return the answer to a browser that asks for code; a request with faults has none."""
    flavours: list[Flavour] = [name for name in FLAVOURS if name == content.get("flavour")]
    flows: list[Flow] = [name for name in FLOWS if name == content.get("flow")]
    reply: dict[str, Any] = {"kind": "code", "id": content.get("id"), "code": "", "notes": [_UNFINISHED]}
    faulty = any(problem.severity == "error" for problem in verdict.problems)
    if verdict.request is None or faulty:
        return reply
    made = actions.code(verdict.request, flavours[0] if flavours else "kling_nb", flows[0] if flows else "poll")
    return reply | {"code": made.code, "notes": [f"{note[:1].upper()}{note[1:]}." for note in made.notes]}

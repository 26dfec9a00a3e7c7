"""The panel's Code section: the request as code for other programs, and pasted code as fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kling_nb.code.literal import FAL_FLAVOURS, FLAVOURS, FLOWS, Flavour, Flow
from kling_nb.code.read import read_request
from kling_nb.models.fields import with_media
from kling_nb.models.problem import Path, Problem

if TYPE_CHECKING:
    from kling_nb.ui.panel.controller import PanelController, Verdict

_INVALID = "Fix the errors above to see the code."


def code_reply(content: Mapping[str, Any], verdict: Verdict, controller: PanelController) -> dict[str, Any]:
    """Return the reply to a `code` message; there is no code for a request with errors.

    `flavours` are those of the hub that the request goes to, and `key` is the variable of its key.
    """
    flavours: list[Flavour] = [name for name in (*FLAVOURS, *FAL_FLAVOURS) if name == content.get("flavour")]
    flows: list[Flow] = [name for name in FLOWS if name == content.get("flow")]
    reply: dict[str, Any] = {"kind": "code", "id": content.get("id"), "code": "", "notes": [_INVALID]}
    if verdict.request is None or any(problem.severity == "error" for problem in verdict.problems):
        return reply
    written = controller.code(verdict.request, flavours[0] if flavours else "kling_nb", flows[0] if flows else "poll")
    return reply | {
        "code": written.code,
        "notes": [f"{note[:1].upper()}{note[1:]}." for note in written.notes],
        "flavour": written.flavour,
        "flavours": list(FAL_FLAVOURS if written.for_fal else FLAVOURS),
        "key": "FAL_KEY" if written.for_fal else "OXEN_API_KEY",
    }


#: Characters that no prompt needs. An incomplete request must not be taken for a prompt.
_CODE = re.compile(r"[{}\[\]=<>\\`]|\w\(|\bcurl\b|\bhttps?:", re.IGNORECASE)


def read_pasted(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the fields in cURL, JSON, or a call in Python or JavaScript, and notes on what was not understood.

    Text that does not look like code is the prompt. An image that cannot be read is left out and named, since the form
    cannot show a missing file.
    """
    fields, notes = read_request(text)
    if not fields and text.strip() and not _CODE.search(text):
        return {"prompt": text.strip()}, []
    errors: list[Problem] = []
    read = with_media(fields, errors)
    for error in errors:
        # In a list the rest moves up: `@Image2` would silently be another image.
        moved = (
            "; it was left out, and those after it have moved up" if isinstance(error.path[-1], int) else "; left out"
        )
        notes.append(f"{error.field}: {error.message}{moved}")
    return _without(read, {error.path for error in errors}), notes


def _without(value: Any, paths: set[Path], path: Path = ()) -> Any:
    match value:
        case dict():
            items = value.items()
            return {key: _without(item, paths, (*path, key)) for key, item in items if (*path, key) not in paths}
        case list():
            items = enumerate(value)
            return [_without(item, paths, (*path, index)) for index, item in items if (*path, index) not in paths]
        case _:
            return value

"""`read_request`: pasted code as the fields of a request, with notes on what was not understood."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from kling_nb.code.curl import read_curl
from kling_nb.code.found import Found, Reading, presentable
from kling_nb.code.javascript import looks_like_javascript, read_javascript
from kling_nb.code.python import read_python
from kling_nb.models.fal import with_oxens_names
from kling_nb.models.fields import unsendable
from kling_nb.models.request import TARGET, TYPED

__all__ = ["read_request"]

_FENCE = re.compile(r"\A\s*```[\w.-]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_NOTHING = "no request was found: paste a cURL command, a JSON body, or a call in Python or JavaScript"
_SECRET = re.compile(r"(?i)(?:x-)?(?:\w+_)?(?:api[_-]?key|authorization|token|secret|password)\Z|key\Z")


def read_request(text: str) -> Reading:
    """Return the fields in a cURL command, a JSON body, or a call in Python or JavaScript, by their wire names.

    fal's own snippets are read too, into the fields of this package where each has a counterpart there.

    The text is only read: nothing is run, opened or fetched. Images stay as written: a URL, a path or a data URI.
    Keys and passwords are left out and never shown. A value that cannot be told from the text alone is left out and
    named in `not_understood`.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    if fenced := _FENCE.match(text):
        text = fenced[1]
    found = _found(text)
    if found.body is None:
        return Reading({}, [presentable(note) for note in found.notes] or [_NOTHING])
    body = with_oxens_names({**found.body, "model": found.endpoint}) if found.endpoint else found.body
    fields, misfits = fitted(body)
    notes = list(dict.fromkeys(presentable(note) for note in [*found.notes, *misfits]))
    return Reading(fields, notes or ([] if fields else [_NOTHING]))


def _found(text: str) -> Found:
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return Found(cast(dict[str, Any], body))
    found = read_javascript(text) if looks_like_javascript(text) else read_python(text)
    if found.body is None and not found.notes and re.search(r"\bcurl\b", text):
        found = read_curl(text)
        if found.body is None and (mention := re.search(r"\bcurl\s+(?:-|[\"']?http)", text)):
            alone = read_curl(text[mention.start() :])  # within a sentence: "Try this: curl …"
            return found if alone.body is None else alone
    return found


def fitted(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that a form can show, and a note on each of the others.

    A value of the right kind that breaks a rule (21 seconds) stays: the form shows what is wrong with it. A model
    without a class here may have any field.
    """
    model = body.get("model")
    kind = TYPED.get(model if isinstance(model, str) else TARGET)
    kinds = {} if isinstance(model, str) and "/" in model else _KINDS  # fal's durations are texts
    fields: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in body.items():
        if value is None:
            continue
        if _SECRET.match(name):
            notes.append(f"{name}: keys are not part of a request")
        elif kind is not None and name not in kind.model_fields:
            notes.append(f"{name}: the model has no such field")
        else:
            try:
                for problem in unsendable(value, (name,)):
                    raise _Misfit(problem.field, problem.message)
                fields[name] = _fit(name, value, kinds[name], notes) if name in kinds else value
            except _Misfit as exc:
                notes.append(": ".join(exc.args))
    return fields, notes


class _Misfit(Exception):
    """A path and the reason why its field cannot have this value."""


#: What a form can show. A list has items of one kind, a dictionary fields.
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("model", "prompt", "negative_prompt", "aspect_ratio"), str),
    **dict.fromkeys(("duration", "num_generations"), int),
    "generate_audio": bool,
    "multi_prompt": [{"prompt": str, "duration": int}],
    "elements": [{"frontal_image_url": str, "reference_image_urls": [str]}],
}
_NAMES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object with fields"}


def _fit(path: str, value: Any, kind: Any, notes: list[str]) -> Any:
    if isinstance(kind, list) and isinstance(value, list):
        items = enumerate(cast(list[Any], value))
        return [_fit(f"{path}.{index}", item, cast(list[Any], kind)[0], notes) for index, item in items]
    if isinstance(kind, dict) and isinstance(value, dict):
        known = cast(dict[str, Any], kind)
        given = {name: item for name, item in cast(dict[str, Any], value).items() if item is not None}
        notes += [f"{path}.{name}: unknown field" for name in given if name not in known]
        return {name: _fit(f"{path}.{name}", item, known[name], notes) for name, item in given.items() if name in known}
    if type(value) is kind:
        return value
    if kind is int and re.fullmatch(r"\s*[0-9]{1,9}(\.0)?\s*", str(value)):
        return int(float(value))  # some providers write "5"
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    text = repr(value)
    short = text if len(text) <= 60 else f"{text[:59]}…"
    raise _Misfit(path, f"{short} is not {_NAMES[kind if isinstance(kind, type) else type(kind)]}")

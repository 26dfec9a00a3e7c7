"""The request in Python code: read as a syntax tree, never run."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

from kling_nb.code.found import Found, elsewhere, is_hub
from kling_nb.code.values import Unknown, Values
from kling_nb.models.request import OMNI

_VERBS = frozenset({"generate", "preview", "price", "lint", "panel", "request", "fill", "run"})
_KINDS = frozenset({"ReferenceToVideo", "Omni", "HubRequest"})
_SENDERS = frozenset({"post", "request", "stream", "Request", "urlopen"})


def read_python(text: str) -> Found:
    """Return the fields of the first call in the code that is a request: ours, or a POST to the hub."""
    tree = _tree(text)
    if tree is None:
        return Found()
    values = Values(tree)
    calls = sorted(
        (node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=lambda call: (call.lineno, call.col_offset)
    )
    requests = [(call, found) for call in calls if (found := _request(call, values)) is not None]
    if not requests:
        return _bare(tree, values)
    first, found = requests[0]
    inside = set(ast.walk(first))
    others = [call.lineno for call, _ in requests[1:] if call not in inside]
    if others:
        found.notes.append(f"another request in line {others[0]}: only the first was read")
    return found


def _tree(text: str) -> ast.Module | None:
    plain = re.sub(r"(?m)^[ \t]*[%!].*$", "", text)
    plain = re.sub(r"(?m)^(?:>>>|\.\.\.) ?", "", plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in foreign code
        try:
            return ast.parse(plain.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _request(call: ast.Call, values: Values) -> Found | None:
    name = _name(call.func)
    values.stand_at(call)
    if name in _KINDS:
        return _own(call, values, OMNI if name == "Omni" else None)
    if name in _VERBS and not _sends(call, values):
        return _own(call, values, None)
    return _post(call, values) if name in _SENDERS else None


def _sends(call: ast.Call, values: Values) -> bool:
    """Whether `request(...)` or `generate(...)` is an HTTP library's: it has a `json=`, or an address first."""
    names = {keyword.arg for keyword in call.keywords}
    return bool(names & {"json", "data", "content", "headers"})


def _own(call: ast.Call, values: Values, model: str | None) -> Found | None:
    """Read a call of this package: a prompt, a request or a mapping first, and fields by name."""
    body: dict[str, Any] = {} if model is None else {"model": model}
    notes: list[str] = []
    for argument in call.args[:1]:
        if isinstance(argument, ast.Call) and _name(argument.func) in _KINDS:
            inner = _request(argument, values)
            body, notes = (inner.body or {}, inner.notes) if inner else (body, notes)
            continue
        value = values.of(argument, "prompt", notes)
        if isinstance(value, str):
            body["prompt"] = value
        elif isinstance(value, dict):
            body |= value
        elif isinstance(value, Unknown):
            notes.append(value.note)
    if len(call.args) > 1:
        notes.append(f"{len(call.args) - 1} more arguments without a name in line {call.lineno}; left out")
    body |= values.keywords(call, notes)
    return Found(body, notes) if body or notes else None


def _post(call: ast.Call, values: Values) -> Found | None:
    """Read a POST: its `json=`, or `data=` and `content=` with JSON in them."""
    sent = {keyword.arg: keyword.value for keyword in call.keywords}
    payload = next((sent[name] for name in ("json", "data", "content") if name in sent), None)
    if payload is None:
        return None
    url = _url(call, values)
    notes: list[str] = []
    value = values.body(payload, notes)
    if is_hub(url):
        if not isinstance(value, dict):
            return Found(notes=[*notes, value.note if isinstance(value, Unknown) else "the body is no JSON object"])
        return Found(value, notes)
    if isinstance(value, dict) and ("prompt" in value or "multi_prompt" in value):
        return Found(value, [*notes, elsewhere(url)])
    return None


def _url(call: ast.Call, values: Values) -> str:
    candidates = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "url")]
    texts = [text for node in candidates if isinstance(text := values.of(node, "url", []), str)]
    pieces = [values.pieces(node) for node in candidates]
    return next((text for text in [*texts, *pieces] if "/" in text), "")


def _bare(tree: ast.Module, values: Values) -> Found:
    """Fall back on a mapping that looks like a body: `payload = {"model": …, "prompt": …}`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            names = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if names & {"prompt", "multi_prompt"} and not (names & {"duration"} and len(names) <= 2):
                notes: list[str] = []
                body = values.body(_bound_to(tree, node) or node, notes)
                return Found(body if isinstance(body, dict) else None, notes)
    return Found()


def _bound_to(tree: ast.Module, value: ast.Dict) -> ast.expr | None:
    """Return the name that a mapping is assigned to, so that what is set in it later is seen too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.value is value and isinstance(node.targets[0], ast.Name):
            return node.targets[0]
    return None


def _name(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""

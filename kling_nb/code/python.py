"""The request in Python code: literals, and names that are set once to literals. Nothing is run."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import warnings
from typing import Any, cast

from kling_nb.code.found import Found, endpoint_in, is_hub, wrong_address
from kling_nb.models.fal import is_endpoint
from kling_nb.models.request import OMNI

_VERBS = frozenset({"generate", "preview", "price", "lint", "panel"})
_TYPES = frozenset({"ReferenceToVideo", "Omni", "HubRequest"})
_PARTS = frozenset({"Shot", "Element", "dict", *_TYPES})
_SENDERS = frozenset({"post", "request", "stream", "Request"})
#: fal's own client: the endpoint first, then `arguments`.
_FAL = frozenset({"subscribe", "submit", "run", "subscribe_async", "submit_async", "run_async"})
#: Calls that leave a list or a dictionary as it is.
_READERS = frozenset({"print", "dumps", "len", "str", *_VERBS, *_PARTS, *_SENDERS, *_FAL})
#: Calls that stand for the path they are given: `Path`, and uploads.
_PATHS = frozenset({"Path", "address_of", "upload_file", "upload_file_async", "encode_file"})
_UNKNOWN = object()


def read_python(text: str) -> Found:
    """Return the fields of the first call that is a request: one of `kling_nb`, or a POST to the hub."""
    if (tree := _tree(text)) is None:
        return Found()
    try:
        return _found(_Code(tree))
    except RecursionError:
        return Found(notes=["the code is too deeply nested"])


def _tree(text: str) -> ast.Module | None:
    # First as it is: a line of a prompt may look like a magic.
    for source in (text, re.sub(r"(?m)^[ \t]*[%!].*$|^(?:>>>|\.\.\.) ?", "", text)):
        with warnings.catch_warnings(), contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            warnings.simplefilter("ignore")  # an invalid escape in pasted code
            return ast.parse(source.strip())
    return None


class _Code:
    """A syntax tree with the parent of each node, and the places where each name is used."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.uses: dict[str, list[ast.Name | ast.arg]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name | ast.arg):
                self.uses.setdefault(node.id if isinstance(node, ast.Name) else node.arg, []).append(node)


def _found(code: _Code) -> Found:
    calls = sorted((node for node in code.nodes if isinstance(node, ast.Call)), key=_place)
    requests = [(call, found) for call in calls if (found := _request(code, call)) is not None]
    # A request that is built before it is sent is not another one.
    sent = [(call, found) for call, found in requests if _name(call.func) not in _TYPES] or requests
    if not sent:
        return _bare(code)
    (_, found), *others = sent
    if others:
        found.notes.append(f"line {others[0][0].lineno}: another request; only the first was read")
    return found


def _request(code: _Code, call: ast.Call) -> Found | None:
    reader, name = _Reader(code, call), _name(call.func)
    if name in _VERBS:
        return _own(reader, call)
    if name in _TYPES:
        return Found(reader.part(call, ""), reader.notes)
    if name in _FAL and (found := _fal(reader, call)) is not None:
        return found
    return _post(reader, call) if name in _SENDERS else None


def _own(reader: _Reader, call: ast.Call) -> Found | None:
    """Read a call of this package: a prompt, a dictionary or a request first, then fields by name."""
    body: dict[str, Any] = {}
    if call.args:
        is_text = isinstance(call.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
        value = reader.value(call.args[0], "prompt" if is_text else "")
        body = value if isinstance(value, dict) else {"prompt": value} if isinstance(value, str) else {}
        if not body and value is not None and value is not _UNKNOWN:
            reader.note("", f"{_source(call.args[0])} is not a prompt or a request")
    if len(call.args) > 1:
        reader.note("", f"{', '.join(map(_source, call.args[1:]))}: arguments need a name")
    body |= reader.keywords(call, "")
    return Found(body, reader.notes) if body or reader.notes else None


def _fal(reader: _Reader, call: ast.Call) -> Found | None:
    """Read a call of fal's client; None for any other call of that name."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    target = call.args[0] if call.args else given.get("application")
    endpoint = reader.text(target) if target is not None else ""
    arguments = call.args[1] if len(call.args) > 1 else given.get("arguments")
    if not is_endpoint(endpoint) or arguments is None:
        return None
    body = reader.value(arguments, "")
    return Found(cast(dict[str, Any], body) if isinstance(body, dict) else None, reader.notes, endpoint)


def _post(reader: _Reader, call: ast.Call) -> Found | None:
    """Read a POST: its `json=`, or the JSON in `data=` or `content=`."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    payload = next((given[name] for name in ("json", "data", "content") if name in given), None)
    if payload is None:
        return None
    body = reader.value(payload, "")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            body = None
    addresses = [reader.text(node) for node in [*call.args[:2], *([given["url"]] if "url" in given else [])]]
    url = next((address for address in addresses if "/" in address), "")
    if is_hub(url):
        if isinstance(body, dict):
            return Found(cast(dict[str, Any], body), reader.notes, endpoint_in(url))
        return Found(notes=reader.notes or ["the body is not a JSON object"])
    if isinstance(body, dict) and ("prompt" in body or "multi_prompt" in body):
        return Found(cast(dict[str, Any], body), [*reader.notes, wrong_address(url)])
    return None


def _bare(code: _Code) -> Found:
    """Return a dictionary that looks like a body, when no call sends one: `payload = {"prompt": …}`."""
    for node in code.nodes:
        keys = (
            {key.value for key in node.keys if isinstance(key, ast.Constant)} if isinstance(node, ast.Dict) else set()
        )
        if isinstance(node, ast.Dict) and keys & {"prompt", "multi_prompt"}:
            reader, parent = _Reader(code, None), code.parents[node]
            target = parent.targets[0] if isinstance(parent, ast.Assign) else node
            body = reader.value(target if isinstance(target, ast.Name) else node, "")
            return Found(body if isinstance(body, dict) else None, reader.notes)
    return Found()


class _Reader:
    """Evaluates expressions as of one call, without running them, and notes each one that it cannot evaluate."""

    def __init__(self, code: _Code, call: ast.Call | None) -> None:
        self.notes: list[str] = []
        self._code = code
        self._following: set[str] = set()
        around: ast.AST | None = call
        while around and not isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            around = code.parents.get(around)
        # A function may be called at any time: then all of the text may come before the call.
        self._end = None if call is None or around else _place(call)

    def value(self, node: ast.expr, path: str) -> Any:
        """Return the value of an expression as JSON has it, or `_UNKNOWN`; unknown parts are noted and left out."""
        try:
            return json.loads(json.dumps(ast.literal_eval(node)))
        except (ValueError, TypeError, SyntaxError, MemoryError):
            pass
        match node:
            case ast.Dict():
                return self._mapping(node, path)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                values = [self.value(item, f"{path}.{index}") for index, item in enumerate(items)]
                if _UNKNOWN in values:
                    self.notes.append(f"{path}: the items after those left out have moved up")
                return [value for value in values if value is not _UNKNOWN]
            case ast.Name(id=name):
                return self._named(name, path)
            case ast.Await(value=inner):
                return self.value(inner, path)
            case ast.Call(func=ast.Attribute(value=inner, attr="encode")):
                return self.value(inner, path)
            case ast.Call(args=[inner, *_]) if _name(node.func) == "dumps":
                return self.value(inner, path)
            case ast.Call(args=[inner], keywords=[]) if _name(node.func) in _PATHS:
                return self.value(inner, path)
            case ast.Call(args=[]) if _name(node.func) in _PARTS:
                return self.part(node, path)
            case _:
                return self.note(path, f"{_source(node)} is not a literal value")

    def part(self, call: ast.Call, path: str) -> dict[str, Any]:
        """Return the fields of a call of one of the package's types."""
        return ({"model": OMNI} if _name(call.func) == "Omni" else {}) | self.keywords(call, path)

    def keywords(self, call: ast.Call, path: str) -> dict[str, Any]:
        """Return the arguments that a call gives by name, those in a `**mapping` too."""
        keywords = sorted(call.keywords, key=lambda keyword: keyword.arg is not None)  # none replaces another
        keys: list[ast.expr | None] = [ast.Constant(keyword.arg) if keyword.arg else None for keyword in keywords]
        return self._mapping(ast.Dict(keys, [keyword.value for keyword in keywords]), path)

    def text(self, node: ast.expr) -> str:
        """Return the fixed text in a URL, whose host may be a variable."""
        if isinstance(node, ast.Name):
            node = next((value for use in self._code.uses[node.id] if (value := self._given(use))), node)
        texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        return "".join(text for text in texts if isinstance(text, str))

    def note(self, path: str, why: str) -> Any:
        """Name a part that is left out; return `_UNKNOWN`."""
        self.notes.append(f"{path}: {why}" if path else why)
        return _UNKNOWN

    def _mapping(self, node: ast.Dict, path: str) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self.value(key, path) if key else ""
            item = self.value(value, f"{path}.{name}".strip(".") if key else path)
            if key is None and isinstance(item, dict):
                mapping |= cast(dict[str, Any], item)
            elif key is None or not isinstance(name, str):
                mapping.clear()  # it may replace any field before it
            else:
                mapping[name] = item
        return {name: item for name, item in mapping.items() if item is not _UNKNOWN}

    def _named(self, name: str, path: str) -> Any:
        uses = [use for use in self._code.uses[name] if self._end is None or _place(use) < self._end]
        given = [self._given(use) for use in uses if not _loaded(use)]
        if len(given) != 1 or given[0] is None or name in self._following:
            why = "set more than once" if len(given) > 1 else "not set to a literal value" if given else "not set"
            return self.note(path, f"{name} is {why} in the text")
        self._following.add(name)
        value = self.value(given[0], path)
        self._following.discard(name)
        changes = [use for use in uses if _loaded(use) and not self._only_read(use)]
        for use in changes if isinstance(value, dict | list) else ():
            why = f"{self._statement(use)} in line {use.lineno} is not followed"
            match self._code.parents[use]:
                case ast.Subscript(slice=ast.Constant(value=str(key))) if isinstance(value, dict):
                    self.note(f"{path}.{key}".strip("."), why)
                    value.pop(key, None)
                case _:
                    return self.note(path or name, why)
        return value

    def _given(self, use: ast.Name | ast.arg) -> ast.expr | None:
        """Return the value that a name is set to; None for any but a plain assignment."""
        match self._code.parents[use]:
            case ast.Assign(targets=[_], value=value) | ast.AnnAssign(value=value):
                return value
            case _:
                return None

    def _only_read(self, use: ast.AST) -> bool:
        """Whether a use of a name leaves its value as it is, and gives it no second name."""
        parent = self._code.parents[use]
        while isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is use:
            use, parent = parent, self._code.parents[parent]
        if isinstance(parent, ast.keyword):
            parent = self._code.parents[parent]
        if isinstance(parent, ast.Call):
            return parent.func is not use and _name(parent.func) in _READERS
        containers = ast.Dict | ast.List | ast.Tuple | ast.FormattedValue | ast.Compare | ast.Expr
        return isinstance(parent, containers) and _loaded(use)

    def _statement(self, node: ast.AST) -> str:
        while not isinstance(node, ast.stmt):
            node = self._code.parents[node]
        return _source(node)


def _loaded(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load)


def _place(node: ast.expr | ast.arg) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _source(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "…"

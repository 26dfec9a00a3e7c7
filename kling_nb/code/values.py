"""What an expression stands for, as far as the text alone tells: literals, names that are set once, simple calls."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Calls that stand for the one text that they are given: our own snippets' upload, and what people write.
_WRAPPERS = frozenset({"address_of", "data_uri", "Path", "PurePath", "upload", "upload_image", "open", "str", "dedent"})
_PARTS = frozenset({"Shot", "Element", "dict", "ReferenceToVideo", "Omni", "HubRequest"})
#: Methods that give what they are called on: `Path("face.png").read_bytes()` is that file.
_OF_A_TEXT = frozenset({"encode", "strip", "open", "read_bytes"})
_JSON_NAMES = {"true": True, "false": False, "null": None}
_DEPTH = 60


@dataclass(frozen=True)
class Unknown:
    """A value that the text does not tell, and how to say so."""

    note: str


_Place = tuple[int, int]


class Values:
    """Reads the expressions of one module, as they stand at one place of it: what is done later does not count."""

    def __init__(self, tree: ast.Module) -> None:
        self._set: dict[str, list[tuple[_Place, ast.expr]]] = {}
        self._changed: dict[str, list[tuple[_Place, str, ast.expr]]] = {}
        self._odd: dict[str, list[tuple[_Place, str]]] = {}
        self._functions: list[tuple[_Place, _Place]] = []
        self._here: _Place | None = None
        self._around: tuple[_Place, _Place] | None = None
        for node in ast.walk(tree):
            self._note(node)

    def stand_at(self, call: ast.Call) -> None:
        """Read from now on what holds when this call is made."""
        self._here = _start(call)
        # A function is called at a time of its own: what is done outside of it may come before.
        around = [span for span in self._functions if span[0] <= self._here < span[1]]
        self._around = min(around, default=None)

    def of(self, node: ast.expr, path: str, notes: list[str], depth: int = 0) -> Any:
        """Return the value of an expression, or `Unknown`; unknown parts of it are noted and left out."""
        if depth > _DEPTH:
            return Unknown(f"{path}: too deep")
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return value
            case ast.Dict():
                return self._mapping(node, path, notes, depth)
            case ast.List() | ast.Tuple():
                return list(self._items(node.elts, path, notes, depth))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                text = self._joined(node, path, depth)
                return _unknown(node, path) if text is None else text
            case ast.Name():
                return self._named(node, path, notes, depth)
            case ast.Call():
                return self._called(node, path, notes, depth)
            case _:
                return _unknown(node, path)

    def body(self, node: ast.expr, notes: list[str]) -> Any:
        """Return a request's body: a mapping, or JSON text of one."""
        value = self.of(node, "body", notes)
        if isinstance(value, str):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return Unknown("the body is no JSON")
        return value

    def keywords(self, call: ast.Call, notes: list[str], path: str = "", depth: int = 0) -> dict[str, Any]:
        """Return the arguments that a call gives by name, `**mapping` too."""
        fields: dict[str, Any] = {}
        for keyword in call.keywords:
            name = keyword.arg or ""
            value = self.of(keyword.value, f"{path}.{name}".strip(".") or "**", notes, depth + 1)
            if isinstance(value, Unknown):
                notes.append(value.note)
            elif keyword.arg is not None:
                fields[name] = value
            elif isinstance(value, dict):
                fields |= value
        return fields

    def pieces(self, node: ast.expr) -> str:
        """Return the fixed text in an f-string or a sum, for an address whose host is a variable."""
        return "".join(
            part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )

    # --- inside ---

    def _note(self, node: ast.AST) -> None:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self._set.setdefault(name, []).append((_start(node), value))
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key)))], value=value
            ):
                self._changed.setdefault(name, []).append((_start(node), key, value))
            case (
                ast.AugAssign(target=ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)))
                | ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))])
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update" | "append" | "pop" | "setdefault"))
            ):
                self._odd.setdefault(name, []).append((_start(node), ast.unparse(node)))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._functions.append((_start(node), (node.end_lineno or 0, node.end_col_offset or 0)))
            case _:
                pass

    def _counts(self, place: _Place) -> bool:
        """Whether what is done there is done before the call that is read."""
        inside = self._around is None or self._around[0] <= place < self._around[1]
        return self._here is None or place < self._here or not inside

    def _given(self, name: str) -> list[ast.expr]:
        """What a name is set to, by the time of the call where some of it is."""
        known = self._set.get(name, [])
        return [value for place, value in known if self._counts(place)] or [value for _, value in known]

    def _alike(self, name: str) -> set[str]:
        """The name, and those that are set to it alone and so stand for the same."""
        others: dict[str, list[str]] = {}
        for other in self._set:
            others.setdefault(self._stands_for(other), []).append(other)
        found, left = {name}, [name]
        while left:
            new = [other for other in others.get(left.pop(), []) if other not in found]
            found.update(new)
            left += new
        return found

    def _stands_for(self, name: str) -> str:
        given = self._given(name)
        return given[0].id if len(given) == 1 and isinstance(given[0], ast.Name) else ""

    def _named(self, node: ast.Name, path: str, notes: list[str], depth: int) -> Any:
        if node.id in _JSON_NAMES and node.id not in self._set:
            return _JSON_NAMES[node.id]
        given = self._given(node.id)
        if len(given) != 1:
            why = "set more than once" if given else "not set in the text"
            return Unknown(f"{path}: {node.id} is {why}")
        value = self.of(given[0], path, notes, depth + 1)
        if isinstance(given[0], ast.Name) and given[0].id in self._set:
            return value  # what is done to either name was done to the other there
        names = self._alike(node.id)
        if isinstance(value, dict):
            changes = [change for name in names for change in self._changed.get(name, [])]
            for place, key, changed in sorted(changes, key=lambda change: change[0]):
                if self._counts(place):
                    self._put(value, key, changed, path, notes, depth)
        odd = sorted(one for name in names for one in self._odd.get(name, []))
        notes += [f"{said}: not followed" for place, said in odd if self._counts(place)]
        return value

    def _put(self, into: dict[str, Any], key: str, node: ast.expr, path: str, notes: list[str], depth: int) -> None:
        value = self.of(node, f"{path}.{key}".removeprefix("body."), notes, depth + 1)
        if isinstance(value, Unknown):
            notes.append(value.note)
            into.pop(key, None)
        else:
            into[key] = value

    def _mapping(self, node: ast.Dict, path: str, notes: list[str], depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.of(value, path, notes, depth + 1)
                if isinstance(inner, dict):
                    mapping |= inner
                else:
                    notes.append(_unknown(value, f"{path}.**").note)
            elif isinstance(name := self.of(key, path, notes, depth + 1), str):
                self._put(mapping, name, value, path, notes, depth)
            else:
                notes.append(_unknown(key, f"{path} (a name)").note)
        return mapping

    def _items(self, nodes: list[ast.expr], path: str, notes: list[str], depth: int) -> Iterator[Any]:
        for index, node in enumerate(nodes):
            value = self.of(node, f"{path}.{index}", notes, depth + 1)
            if isinstance(value, Unknown):
                notes.append(f"{value.note}: what follows has moved up")
            else:
                yield value

    def _joined(self, node: ast.expr, path: str, depth: int) -> str | None:
        """Return the text of an f-string or a sum of texts whose parts are all known."""
        if isinstance(node, ast.BinOp):
            parts = [node.left, node.right]
        elif isinstance(node, ast.JoinedStr):
            plain = [part for part in node.values if not isinstance(part, ast.FormattedValue)]
            inner = [part for part in node.values if isinstance(part, ast.FormattedValue)]
            if any(part.format_spec or part.conversion != -1 for part in inner):
                return None
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
            parts = parts if plain or inner else []
        else:
            return None
        texts = [self.of(part, path, [], depth + 1) for part in parts]
        numbers = int if isinstance(node, ast.JoinedStr) else str
        known = all(isinstance(text, str | numbers) and not isinstance(text, bool) for text in texts)
        return "".join(map(str, texts)) if known else None

    def _called(self, node: ast.Call, path: str, notes: list[str], depth: int) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _PARTS and len(node.args) <= 1:
            first = {"Shot": "prompt", "Element": "frontal_image_url"}.get(name)
            part = self.keywords(node, notes, path, depth)
            if node.args and first:
                self._put(part, first, node.args[0], path, notes, depth)
            return part
        if name == "dumps" and node.args:
            return self.of(node.args[0], path, notes, depth + 1)
        if name in _OF_A_TEXT and isinstance(node.func, ast.Attribute):
            value = self.of(node.func.value, path, notes, depth + 1)
            if isinstance(value, str | dict):
                return value.strip() if name == "strip" and isinstance(value, str) else value
        if name in _WRAPPERS and node.args and isinstance(text := self.of(node.args[0], path, notes, depth + 1), str):
            return text
        return _unknown(node, path)


def _start(node: ast.stmt | ast.expr) -> _Place:
    return node.lineno, node.col_offset


def _unknown(node: ast.expr, path: str) -> Unknown:
    try:
        written = ast.unparse(node)
    except RecursionError:
        written = "…"
    return Unknown(f"{path.removeprefix('body.')}: {written}, which cannot be told without running it; it was left out")

"""The request in a call of fal's JavaScript client, or of `fetch`: literals, and names that are set once to literals.

Nothing is run. Any other expression is named and left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from kling_nb.code.found import Found, endpoint_in, is_hub
from kling_nb.models.fal import is_endpoint

_CALL = re.compile(r"\bfal\s*\.\s*(?:subscribe|run|stream|queue\s*\.\s*submit)\s*(?:<[^>()]*>\s*)?\(|\bfetch\s*\(")
_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<mark>\.\.\.|=>|[{}\[\]();,:]|.)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\n)|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_UPLOAD = re.compile(r'\s*upload\(("(?:[^"\\]|\\.)*"), "[\w/+.-]+"\)')
_OPEN, _CLOSE = {"{": "}", "[": "]", "(": ")"}, "}])"
_UNKNOWN = object()


def looks_like_javascript(text: str) -> bool:
    """Whether a text calls fal's JavaScript client or `fetch`."""
    return _CALL.search(text) is not None


def read_javascript(text: str) -> Found:
    """Return the input of the first call that submits a request."""
    found: Found | None = None
    for call in _CALL.finditer(text):
        reader = _Reader(text, call.end())
        try:
            read = _fetched(reader) if call[0].startswith("fetch") else _submitted(reader)
        except RecursionError:
            read = Found(notes=["the code is too deeply nested"])
        if read is None:
            continue
        if found is not None:
            line = text.count("\n", 0, call.start()) + 1
            found.notes.append(f"line {line}: another request; only the first was read")
            break
        found = read
    return found or Found()


def _submitted(reader: _Reader) -> Found | None:
    """Read `("endpoint", {input: {…}})`."""
    endpoint = reader.value("")
    if not isinstance(endpoint, str) or not is_endpoint(endpoint):
        return None
    reader.notes.clear()
    options = reader.options() if reader.take(",") else {}
    if "input" not in options:
        return Found(None, [*reader.notes, "input: not in the call"], endpoint)
    body = options["input"]
    return Found(cast(dict[str, Any], body) if isinstance(body, dict) else None, reader.notes, endpoint)


def _fetched(reader: _Reader) -> Found | None:
    """Read `("https://queue.fal.run/…", {body: JSON.stringify({…})})`."""
    url = reader.value("")
    if not isinstance(url, str) or not is_hub(url) or not reader.take(","):
        return None
    body = reader.options().get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            body = None
    if not isinstance(body, dict):
        return Found(notes=reader.notes or ["the body is not a JSON object"])
    return Found(cast(dict[str, Any], body), reader.notes, endpoint_in(url))


@dataclass
class _Reader:
    """Reads values from a place in a text, and notes each expression that is not a literal."""

    text: str
    at: int
    notes: list[str] = field(default_factory=list[str])
    following: frozenset[str] = frozenset()

    def peek(self) -> tuple[str, str]:
        """Return the kind and the text of the next token, without comments and space."""
        while (found := _TOKEN.match(self.text, self.at)) and found.lastgroup == "skip":
            self.at = found.end()
        return (str(found.lastgroup), found[0]) if found else ("end", "")

    def next(self) -> tuple[str, str]:
        kind, token = self.peek()
        self.at += len(token)
        return kind, token

    def take(self, mark: str) -> bool:
        """Step over a mark, if it is the next token."""
        if self.peek()[1] != mark:
            return False
        self.next()
        return True

    def options(self) -> dict[str, Any]:
        """Return the `input` and `body` of an object literal; its other entries, such as callbacks, are passed over."""
        found: dict[str, Any] = {}
        if not self.take("{"):
            source = self._skipped()
            self.notes.append(f"{source} is not an object literal")
            return found
        while self.peek()[1] not in ("}", ""):
            name = self._key()
            if name in ("input", "body") and self.take(":"):
                found[name] = self.value("")
            elif name in ("input", "body"):
                found[name] = self._named(name, "")
            else:
                self._skipped()
            self.take(",")
        return found

    def value(self, path: str) -> Any:
        """Return the next expression as JSON has it, or `_UNKNOWN`."""
        start = self.at
        value = self._literal(path)
        if value is not _UNKNOWN and self.peek()[1] in (",", "}", "]", ")", ";", ""):
            return value
        if value is not _UNKNOWN or self.peek()[1] not in (",", "}", "]", ")", ";", ""):
            self.at = start
            source = self._skipped()
            return self._note(path, f"{source} is not a literal value")
        return value

    def _literal(self, path: str) -> Any:
        kind, word = self.next()
        if kind == "text" and word[0] == "`" and "${" in word:
            return self._note(path, f"{word} is not a literal value")
        if kind == "text":
            return _ESCAPE.sub(_escaped, word[1:-1])
        if kind == "number":
            return float(word) if re.search(r"[.eE]", word) else int(word)
        if word == "{":
            return self._object(path)
        if word == "[":
            return self._list(path)
        if word in _WORDS:
            return _WORDS[word]
        if word == "JSON" and self.text.startswith(".stringify(", self.at):
            self.at += len(".stringify(")
            value = self.value(path)
            self._until(")")
            return value
        if word == "await" and (
            found := _UPLOAD.match(self.text, self.at)
        ):  # our own snippets upload a file by its path
            self.at = found.end()
            return json.loads(found[1])
        if kind == "name" and self.peek()[1] in (",", "}", "]", ")", ";", ""):
            return self._named(word, path)
        return _UNKNOWN

    def _object(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.peek()[1] not in ("}", ""):
            if self.peek()[1] == "...":
                self.notes.append(f"{path}: {self._skipped()} is not evaluated".removeprefix(": "))
                found.clear()  # it may replace any field before it
            else:
                name = self._key()
                inner = f"{path}.{name}".strip(".")
                value = self.value(inner) if self.take(":") else self._named(name, inner)
                if value is not _UNKNOWN:
                    found[name] = value
            self.take(",")
        self.next()
        return found

    def _list(self, path: str) -> list[Any]:
        found: list[Any] = []
        while self.peek()[1] not in ("]", ""):
            found.append(self.value(f"{path}.{len(found)}"))
            self.take(",")
        self.next()
        if _UNKNOWN in found:
            self.notes.append(f"{path}: the items after those left out have moved up")
        return [item for item in found if item is not _UNKNOWN]

    def _key(self) -> str:
        kind, token = self.next()
        return _ESCAPE.sub(_escaped, token[1:-1]) if kind == "text" else token

    def _named(self, name: str, path: str) -> Any:
        """Return the value of a name that is set once, to a literal."""
        given = list(re.finditer(rf"(?<![\w$.]){re.escape(name)}\s*(?::[^=;{{}}]*)?=(?![=>])", self.text))
        if len(given) != 1 or name in self.following:
            why = "set more than once" if len(given) > 1 else "not set"
            return self._note(path, f"{name} is {why} in the text")
        reader = _Reader(self.text, given[0].end(), following=self.following | {name})
        value = reader.value(path)
        self.notes += reader.notes
        return value

    def _skipped(self) -> str:
        """Step over an expression, and return its text."""
        self.peek()
        start, depth = self.at, 0
        while (token := self.peek()[1]) and (depth or token not in (",", ";", *_CLOSE)):
            depth += (token in _OPEN) - (token in _CLOSE and len(token) == 1)
            self.next()
        return self.text[start : self.at].strip()

    def _until(self, mark: str) -> None:
        while self.peek()[1] not in (mark, ""):
            self._skipped()
            self.take(",")
        self.next()

    def _note(self, path: str, why: str) -> Any:
        self.notes.append(f"{path}: {why}" if path else why)
        return _UNKNOWN


def _escaped(found: re.Match[str]) -> str:
    if digits := found[1] or found[2] or found[3]:
        return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else "\ufffd"
    return "" if found[4] else _ESCAPES.get(found[5], found[5])

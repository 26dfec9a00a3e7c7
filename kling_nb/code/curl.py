"""Reads the request in a cURL command, as documentation and browsers write it. `shlex` splits it; nothing is run."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from kling_nb.code.found import Found, endpoint_in, is_hub, wrong_address

_OPERATORS = "();<>|&\n"
#: Continued lines and comments, then everything that `shlex` reads differently from a shell, or slowly: a data URI in
#: quotes can be megabytes long.
_PIECE = re.compile(
    r"""\\\n | (?<![^\s;&|(])\#[^\n]*
    | \$'(?P<ansi>[^'\\]*(?:\\.[^'\\]*)*)' | '(?P<single>[^']*)' | "(?P<double>[^"\\]*(?:\\.[^"\\]*)*)"
    | \\(?P<escaped>.) | (?P<variable>\$\w+|\$\{\w+\}|`[^`]*`)""",
    re.DOTALL | re.VERBOSE,
)
_EXPANSION = r"\$\w+|\$\{[^}]*\}?|\$\([^)]*\)?|`[^`]*`?"
_IN_DOUBLE = re.compile(rf'\\(?:([\\"$`])|\n)|({_EXPANSION})')
_ANSI = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_ANSI_NAMES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v", "0": ""}
#: Our own snippets send a local file as `$(data_uri FILE TYPE)`, or to fal as `$(upload FILE TYPE)`.
_FILE = re.compile(r"\$\((?:data_uri|upload) (\S+) \S+\)")

#: One option, with the value when it is joined to it: `--json`, `-d{…}`, `-sSd{…}`, `--data={…}`.
_OPTION = re.compile(r"(?:(--[\w-]+)=?|-[fgikLNsSv#]*([A-Za-z]))(.*)", re.DOTALL)
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_UNREAD = frozenset({
    "-F", "--form", "--form-string", "--data-urlencode", "--url-query", "-G", "--get", "-T", "--upload-file", "-K",
    "--config",
})  # fmt: skip
_USUAL_HEADER = re.compile(
    r"(?i)authorization|content-|accept|user-agent|origin|referer|cookie|sec-|host|dnt|x-api-key|priority"
    r"|connection|te\Z|alt-used|cache-control|pragma"
)
_URL = re.compile(r"https?://|\$|[\w.-]+\.\w+/|localhost|/api/|[\w.-]+:[^/]*@")


@dataclass
class _Call:
    url: str = ""
    data: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def read_curl(text: str) -> Found:
    """Return the body of the first cURL command that sends one to the hub, or to any address if none does."""
    notes: list[str] = []
    try:
        calls = [_call(words, stdin) for words, stdin in _curls(_plain(text), notes)]
    except ValueError as exc:
        return Found(notes=[*notes, f"the command is incomplete: {exc}"])
    sending = [call for call in calls if call.data]
    if not sending:
        notes += [note for call in calls for note in call.notes]
        return Found(notes=notes or ["no cURL command in the text has a JSON body (-d '{…}')"])
    chosen = next((call for call in sending if is_hub(call.url)), sending[0])
    found = _body(chosen)
    found.notes += notes
    found.endpoint = endpoint_in(chosen.url)
    if not is_hub(chosen.url):
        found.notes.append(wrong_address(chosen.url))
    if others := sum(is_hub(call.url) for call in sending if call is not chosen):
        found.notes.append(f"{others} more request{'s' * (others > 1)} in the text: only the first was read")
    return found


def _body(call: _Call) -> Found:
    data = "&".join(call.data)
    expansions = dict.fromkeys(re.findall(f"\0({_EXPANSION})", data))
    notes = [*call.notes, *(f"{name}: shell variables and commands are not expanded" for name in expansions)]
    try:
        body: Any = json.loads(data.replace("\0", ""))
    except (ValueError, RecursionError) as exc:
        where = f" (line {exc.lineno}, column {exc.colno})" if isinstance(exc, json.JSONDecodeError) else ""
        return Found(notes=notes if expansions else [*notes, f"the body is not valid JSON{where}"])
    if not isinstance(body, dict):
        return Found(notes=[*notes, "the body is not a JSON object"])
    return Found(cast(dict[str, Any], body), notes)


def _plain(text: str) -> str:
    """Drop the prompt of a terminal or a notebook (`$ `, `!`, `%%bash`) and the carets of Windows."""
    text = re.sub(r"(?m)^[ \t]*(?:%%(?:bash|sh|script).*\n|\$[ \t]+|!(?=\s*curl))", "", text.replace("\0", ""))
    text = re.sub(r"\^[ \t]*\n", " ", text)
    is_cmd = re.search(r'\bcurl(?:\.exe)?\s+\^"', text)
    return re.sub(r"\^(.)", r"\1", text) if is_cmd else text


def _curls(text: str, notes: list[str]) -> Iterator[tuple[list[str], str | None]]:
    """Yield the words after each `curl`, with the text that `echo` or `printf` pipes into it."""
    words: list[str] = []
    stdin: str | None = None
    for word, operator in _words(text):
        if operator.startswith("<<"):
            kind = "here-documents" if operator == "<<" else "here-strings"
            notes.append(f"{operator}{word if operator == '<<' else ''}: {kind} are not read; paste the JSON itself")
            if operator == "<<":
                break  # the next lines are that text, not commands
        elif not operator:
            words.append(word)
        elif not set(operator) & set("<>") or "(" in operator:
            names = [re.split(r"[\\/]", name)[-1] for name in words]
            at = next((i for i, name in enumerate(names) if name in ("curl", "curl.exe")), -1)
            echoes = bool(words) and words[0] in ("echo", "printf")
            if at >= 0 and not echoes:
                yield words[at + 1 :], stdin
            stdin = words[-1] if echoes and operator.strip("\n") == "|" else None
            words = []


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word, or each operator (with the word after a `<<`), of a shell text."""
    pieces: list[str] = []

    def stash(piece: str) -> str:
        pieces.append(piece)
        return f"\0{len(pieces) - 1}\0"

    def whole(word: str) -> str:
        return re.sub("\0([0-9]+)\0", lambda found: pieces[int(found[1])], word)

    skeleton = _PIECE.sub(lambda found: stash(_decoded(found)) if found.lastgroup else "", text)
    skeleton = _FILE.sub(lambda found: stash(json.dumps(whole(found[1]), ensure_ascii=False)[1:-1]), skeleton)
    lexer = shlex.shlex(skeleton, posix=True, punctuation_chars=_OPERATORS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters, lexer.escape = " \t\r", True, "", ""
    for token in lexer:
        if set(token) - set(_OPERATORS):
            yield whole(token), ""
        else:
            yield whole(lexer.get_token() or "") if token.startswith("<<") else "", token
    yield "", "\n"


def _decoded(found: re.Match[str]) -> str:
    """Return a quoted or escaped piece as the shell passes it on; a `\0` marks each expansion that it would do."""
    match found.lastgroup:
        case "ansi":
            decoded = _ANSI.sub(_ansi, found["ansi"])
            return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # 🐱 may be two \uXXXX
        case "double":
            return _IN_DOUBLE.sub(lambda part: f"\0{part[2]}" if part[2] else part[1] or "", found["double"])
        case "variable":
            return f"\0{found['variable']}"
        case kind:
            return found[str(kind)]


def _ansi(found: re.Match[str]) -> str:
    if digits := found[1] or found[2] or found[3]:
        return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else "\ufffd"
    return _ANSI_NAMES.get(found[4], found[4])


def _call(words: list[str], stdin: str | None) -> _Call:
    call = _Call()
    rest = iter(words)
    for word in rest:
        if option := _OPTION.fullmatch(word):
            _take(call, option[1] or f"-{option[2]}", option[3], rest, stdin)
        elif _URL.match(plain := word.replace("\0", "")) and (not call.url or is_hub(plain)):
            call.url = plain
    return call


def _take(call: _Call, name: str, joined: str, rest: Iterator[str], stdin: str | None) -> None:
    if name in _DATA:
        value = joined or next(rest, "")
        if value == "@-" and stdin is not None:
            call.data.append(stdin)
        elif value == "@-":
            call.notes.append(f"{name} @-: the body comes from another command; paste the JSON itself")
        elif value.startswith("@"):
            call.notes.append(f"{name} {value}: the body is in a file; paste the JSON itself")
        else:
            call.data.append(value)
    elif name in ("-H", "--header"):
        header = (joined or next(rest, "")).partition(":")[0].strip()
        if header and not _USUAL_HEADER.match(header):
            call.notes.append(f"{header}: the header is not used")
    elif name in _UNREAD:
        call.notes.append(f"{name}: the option is not supported")

"""The request in a cURL command, alone or among others in a script."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from kling_nb.code.found import Found, elsewhere, is_hub
from kling_nb.code.shellwords import Command, ShellText

#: Options whose value says nothing of the request.
_OPTIONS = """
    -X --request -o --output -m --max-time --connect-timeout --retry --retry-delay --retry-max-time -A --user-agent -x
    --proxy --proxy-user -w --write-out --cacert --capath -e --referer --resolve --interface --limit-rate -D
    --dump-header -c --cookie-jar -C -r -y -Y -z -T --upload-file -K --config -P -Q -t
"""
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_SECRET = frozenset({"-u", "--user", "-b", "--cookie", "--oauth2-bearer", "-E", "--cert", "--key", "--pass", "-U"})
_QUIET = frozenset(_OPTIONS.split())
_FORM = frozenset({"-F", "--form", "--data-urlencode", "--form-string", "--url-query"})
_VALUED = _DATA | _SECRET | _QUIET | _FORM | {"-H", "--header", "--url"}
_USUAL = re.compile(
    r"(?i)authorization|content-|accept|user-agent|origin|referer|cookie|sec-|host|dnt|x-api-key|priority"
)


@dataclass
class _Call:
    url: str = ""
    data: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def read_curl(text: str) -> Found:
    """Return the body of the first cURL command that sends one to the hub, or to anywhere if none does."""
    try:
        shell = ShellText(_without_prompts(text))
        calls = [_call(words, stdin) for words, stdin in _curls(shell)]
    except ValueError as exc:
        return Found(notes=[f"the command cannot be taken apart: {exc}"])
    sending = [call for call in calls if call.data]
    if not sending:
        return Found(notes=["the cURL command sends no body that stands in the text", *_all_notes(calls)])
    chosen = next((call for call in sending if is_hub(call.url)), sending[0])
    found = _body(chosen, shell.unknown)
    if not is_hub(chosen.url):
        found.notes.append(elsewhere(chosen.url))
    others = sum(is_hub(call.url) for call in sending if call is not chosen)
    if others:
        found.notes.append(f"{others} further request{'s' * (others > 1)} in the text: only the first was read")
    return found


def _body(call: _Call, unknown: list[str]) -> Found:
    data = "&".join(call.data)
    try:
        body: Any = json.loads(data)
    except (ValueError, RecursionError) as exc:
        where = f" at line {exc.lineno}, column {exc.colno}" if isinstance(exc, json.JSONDecodeError) else ""
        return Found(notes=[f"the body is no JSON{where}", *call.notes])
    if not isinstance(body, dict):
        return Found(notes=["the body is no JSON object", *call.notes])
    open_ = [f"{name}: the text does not say what it stands for" for name in dict.fromkeys(unknown) if name in data]
    return Found(body, [*call.notes, *open_])


def _all_notes(calls: list[_Call]) -> list[str]:
    return [note for call in calls for note in call.notes]


def _without_prompts(text: str) -> str:
    """Drop what a terminal or a notebook puts before a command: `$ `, `!`, `%%bash`."""
    return re.sub(r"(?m)^[ \t]*(?:%%(?:bash|sh|script).*\n|\$[ \t]+|!(?=\s*curl))", "", text)


def _curls(shell: ShellText) -> list[tuple[list[str], str | None]]:
    """Return the words after each `curl`, with what is on its input; those inside `$(…)` too."""
    found: list[tuple[list[str], str | None]] = []
    before: Command | None = None
    for command in shell.commands():
        at = next(
            (i for i, word in enumerate(command.words) if re.split(r"[\\/]", word)[-1] in ("curl", "curl.exe")), -1
        )
        if at >= 0 and command.words[0] not in ("echo", "printf"):
            found.append((command.words[at + 1 :], _input(command, before)))
        for word in command.words:
            if inside := re.search(r"\$\((\s*curl\s.*)\)", word, re.DOTALL):
                found += _curls(ShellText(inside[1], unknown=shell.unknown))
        before = command
    return found


def _input(command: Command, before: Command | None) -> str | None:
    if command.stdin is not None or before is None or not before.piped:
        return command.stdin
    if before.words and before.words[0] in ("echo", "printf"):
        return before.words[-1]
    return before.stdin


def _call(words: list[str], stdin: str | None) -> _Call:
    call = _Call()
    rest = iter(words)
    for word in rest:
        option, value = _option(word)
        if not option:
            call.url = call.url or word if _is_address(word) or not call.url else call.url
            continue
        if option in _VALUED and value is None:
            value = next(rest, "")
        _take(call, option, value or "", stdin)
    return call


def _option(word: str) -> tuple[str, str | None]:
    """Return the option that takes a value in a word (or the word), and the value if it is joined to it."""
    if word.startswith("--"):
        name, sign, value = word.partition("=")
        return (name, value) if sign and name in _VALUED else (word, None)
    if not word.startswith("-") or word == "-":
        return "", None
    for index, letter in enumerate(word[1:], 1):
        if f"-{letter}" in _VALUED:
            return f"-{letter}", word[index + 1 :] or None
    return word, None


def _take(call: _Call, option: str, value: str, stdin: str | None) -> None:
    if option == "--url":
        call.url = value
    elif option in ("-H", "--header"):
        name = value.partition(":")[0].strip()
        if name and not _USUAL.match(name):
            call.notes.append(f"the header {name} was left out")
    elif option in _FORM:
        call.notes.append(
            f"{option} {value.partition('=')[0]}: a form field, which the hub does not read; it was left out"
        )
    elif option in _DATA:
        _take_data(call, option, value, stdin)


def _take_data(call: _Call, option: str, value: str, stdin: str | None) -> None:
    if not value.startswith("@") or option == "--data-raw":
        call.data.append(value)
    elif value != "@-":
        call.notes.append(f"{option} {value}: the body lies in a file; paste what is in it")
    elif stdin is None:
        call.notes.append(f"{option} @-: the body comes from elsewhere; paste what it is")
    else:
        call.data.append(stdin)


def _is_address(word: str) -> bool:
    return bool(re.match(r"https?://|\$|[\w.-]+\.\w+/|localhost|/api/", word))

"""A shell text taken apart into commands: words, and what goes to their input. Nothing is expanded by running it.

It knows quotes (`'…'`, `"…"`, `$'…'`), continued lines (`\\`, and `^` of Windows), comments, here-documents, pipes and
variables that the text itself sets. A `$(…)` stays as it is written, but for `$(cat <<EOF …)`, which is its document,
and the `$(data_uri FILE)` of our own snippets, which becomes the file's path.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v", "0": "\0"}
_NAME = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
_SET = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
#: Runs of letters that mean nothing to a shell, outside and inside of double quotes: a data URI has millions.
_PLAIN, _QUIET = re.compile(r"[\w./:=,@%+-]+"), re.compile(r'[^\\"$`\n]+')
_HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([\w.-]+)['\"]?")


@dataclass
class Command:
    """One command: its words, and the text on its input (None when that is not in the text)."""

    words: list[str] = field(default_factory=list[str])
    stdin: str | None = None
    piped: bool = False
    """Whether its output is the next one's input."""


class ShellText:
    """Reads commands from a text, one `_step` for each piece of it. Raises `ValueError` for a quote left open."""

    def __init__(self, text: str, variables: dict[str, str] | None = None, unknown: list[str] | None = None) -> None:
        self.unknown: list[str] = [] if unknown is None else unknown
        self._text = re.sub(r"\^[ \t]*\n", " ", text)
        self._at = 0
        self._commands = [Command()]
        self._word: list[str] | None = None
        self._variables: dict[str, str] = {} if variables is None else variables
        self._documents: list[tuple[Command, str, bool, bool]] = []

    def commands(self) -> list[Command]:
        """Return all commands in order."""
        while self._at < len(self._text):
            self._step()
        self._end_command()
        return [command for command in self._commands if command.words]

    def _step(self) -> None:
        text, at = self._text, self._at
        letter = text[at]
        if text.startswith("\\\n", at):
            self._at += 2
        elif letter == "\n":
            self._end_command()
            self._at += 1
            self._read_documents()
        elif letter in " \t":
            self._end_word()
            self._at += 1
        elif letter == "#" and self._word is None:
            self._at = self._line_end()
        elif letter in ";&|":
            self._end_command(piped=letter == "|" and not text.startswith("||", at))
            self._at += 1
        elif found := _HEREDOC.match(text, at) if not text.startswith("<<<", at) else None:
            self._end_word()
            self._documents.append((self._commands[-1], found[3], not found[2], bool(found[1])))
            self._at = found.end()
        elif letter in "<>":
            self._redirect()
        else:
            self._put(self._piece())

    def _piece(self) -> str:
        """Read a quoted part, an escape, a substitution or one letter."""
        text, at = self._text, self._at
        letter = text[at]
        if run := _PLAIN.match(text, at):
            self._at = run.end()
            return run[0]
        if text.startswith("$'", at):
            return self._ansi()
        if text.startswith("$(", at):
            return self._substitution()
        if letter == "'":
            end = self._closing("'", at + 1)
            self._at = end + 1
            return text[at + 1 : end]
        if letter == '"':
            return self._double()
        if letter == "\\":
            self._at += 2
            return text[at + 1 : at + 2]
        if letter == "$" and (found := _NAME.match(text, at)):
            self._at = found.end()
            return self._value(found)
        self._at += 1
        return letter

    def _double(self) -> str:
        self._at += 1
        inside: list[str] = []
        while (letter := self._text[self._at : self._at + 1]) != '"':
            if not letter:
                raise ValueError('a " is left open')
            inside.append(self._inner(letter, '\\"$`\n'))
        self._at += 1
        return "".join(inside)

    def _inner(self, letter: str, escapable: str) -> str:
        """Read one piece of what is in double quotes or in a here-document."""
        text, at = self._text, self._at
        if run := _QUIET.match(text, at):
            self._at = run.end()
            return run[0]
        if letter == "\\" and at + 1 < len(text) and text[at + 1] in escapable:
            self._at += 2
            return "" if text[at + 1] == "\n" else text[at + 1]
        if text.startswith("$(", at):
            return self._substitution()
        if letter == "$" and (found := _NAME.match(text, at)):
            self._at = found.end()
            return self._value(found)
        self._at += 1
        return letter

    def _ansi(self) -> str:
        text, out = self._text, list[str]()
        self._at += 2
        while (letter := text[self._at : self._at + 1]) != "'":
            if not letter:
                raise ValueError("a $' is left open")
            if found := re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2}))").match(
                text, self._at
            ):
                code = int(found[1] or found[2] or found[3], 16)
                out.append(chr(code) if code < 0x110000 else "\ufffd")
                self._at = found.end()
            elif letter == "\\":
                after = text[self._at + 1 : self._at + 2]
                out.append(_ESCAPES.get(after, after))
                self._at += 2
            else:
                out.append(letter)
                self._at += 1
        self._at += 1
        return "".join(out)

    def _substitution(self) -> str:
        """Read a `$(…)` to its end, which a bracket in quotes is not."""
        text, start, depth = self._text, self._at, 0
        while self._at < len(text):
            letter = text[self._at]
            if letter == "'":
                self._at = self._closing("'", self._at + 1)
            elif letter == '"':
                inner = re.compile(r'"(?:[^"\\]|\\.)*', re.DOTALL).match(text, self._at)
                self._at = inner.end() if inner else len(text)
            elif letter == "\\":
                self._at += 1
            elif letter == "(":
                depth += 1
            elif letter == ")":
                depth -= 1
            self._at += 1
            if letter == ")" and not depth:
                return self._written(text[start + 2 : self._at - 1])
        raise ValueError("a $( is left open")

    def _value(self, found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in self._variables:
            self.unknown.append(found[0])
        return self._variables.get(name, found[0])

    def _redirect(self) -> None:
        """Read `> file`, `< file` and `<<< word`; only the last gives text."""
        here = self._text.startswith("<<<", self._at)
        sign = re.compile(r"[<>]+&?[ \t]*").match(self._text, self._at)
        if self._word is not None and "".join(self._word).isdigit():
            self._word = None  # the 2 of `2>`
        self._end_word()
        self._at = sign.end() if sign else self._at + 1
        word: list[str] = []
        while self._at < len(self._text) and self._text[self._at] not in " \t\n;&|<>)":
            word.append(self._piece())
        if here:
            self._commands[-1].stdin = "".join(word)

    def _read_documents(self) -> None:
        for command, mark, expands, indented in self._documents:
            start, lines = self._at, list[str]()
            while True:
                end = self._line_end()
                line = self._text[self._at : end]
                if (line.lstrip("\t") if indented else line).rstrip("\r") == mark:
                    break
                if end >= len(self._text):
                    raise ValueError(f"the here-document {mark} has no end")
                lines.append(line)
                self._at = end + 1
            document = self._text[start : self._at]
            command.stdin = self._expanded(document) if expands else document
            self._at = min(end + 1, len(self._text))
        self._documents.clear()

    def _put(self, piece: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(piece)

    def _end_word(self) -> None:
        if self._word is not None:
            self._commands[-1].words.append("".join(self._word))
            self._word = None

    def _end_command(self, *, piped: bool = False) -> None:
        self._end_word()
        command = self._commands[-1]
        if not command.words and not piped:
            return
        if all(_SET.match(word) for word in command.words):
            for word in command.words:
                name, _, value = word.partition("=")
                self._variables[name] = value
        command.piped = piped
        self._commands.append(Command())

    def _line_end(self) -> int:
        end = self._text.find("\n", self._at)
        return len(self._text) if end < 0 else end

    def _closing(self, mark: str, start: int) -> int:
        end = self._text.find(mark, start)
        if end < 0:
            raise ValueError(f"a {mark} is left open")
        return end

    def _expanded(self, document: str) -> str:
        """Return a here-document as the shell would hand it on."""
        inner = ShellText("", self._variables, self.unknown)
        inner._text = document  # carets mean nothing in it
        out: list[str] = []
        while inner._at < len(document):
            out.append(inner._inner(document[inner._at], "\\$`\n"))
        return "".join(out)

    def _written(self, inside: str) -> str:
        commands = ShellText(inside, dict(self._variables), self.unknown).commands()
        match [command.words for command in commands], commands[0].stdin if commands else None:
            case [["data_uri", path, *_]], _:
                return json.dumps(path, ensure_ascii=False)[1:-1]  # it stands in a string of JSON
            case [["cat"]], str(document):
                return document.rstrip("\n")
            case _:
                self.unknown.append(f"$({inside})")
                return f"$({inside})"

"""The grammar of `%%kling` cells and `%kling` lines. Pure: a callable evaluates the Python expressions in a cell."""

from __future__ import annotations

import ast
import datetime
import json
import keyword
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from kling_nb.errors import ArgumentError, RequestError, did_you_mean
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.request import TARGET, TYPED

#: Returns the value of an expression and raises what Python raises, such as `NameError`.
Evaluate = Callable[[str], Any]

#: Short names of fields. Their names on the wire work too.
SHORT: Mapping[str, str] = {
    "image": "input_image",
    "element": "elements",
    "start": "start_image_url",
    "tail": "tail_image_url",
    "video": "input_video",
    "negative": "negative_prompt",
    "aspect": "aspect_ratio",
    "audio": "generate_audio",
    "count": "num_generations",
}
FLAGS: Mapping[str, str] = {
    "--dry": "check the request and print its price; send nothing",
    "--preview": "draw a free animatic on the local hub",
    "--wait": "wait for the clip; if the job fails, so does the cell",
}
#: Options that are not fields: a tag of the record (repeatable), and the variable for the job or its clip.
OWN = ("tag", "into")
_IN_BODY = ("prompt", "multi_prompt")
_LISTS = ("input_image", "elements", "tag")
_INTEGERS = ("duration", "num_generations")
_SWITCHES = ("generate_audio", "keep_audio")
_ON_OFF = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}

#: One word of the option line. Expressions in braces and quoted text may contain spaces.
_WORD = re.compile(r"""(?:\{[^{}]*\}|"(?:[^"\\]|\\.)*"|'[^']*'|\S)+""")
_QUOTED = re.compile(r"""(\{[^{}]*\})|"((?:[^"\\]|\\.)*)"|'([^']*)'""")
_SHOT = re.compile(r"^[ \t]*---(?!-)(.*)$", re.MULTILINE)
_SECONDS = re.compile(r"(\d{1,4})\s*s?\Z")
#: `{expression}`, `{value:.1f}` and `$name`; `{{`, `}}` and `$$` are the signs themselves.
_VALUE = re.compile(r"\{\{|\}\}|\$\$|\{((?:[^{}]|\{[^{}]*\})*)\}|\$([A-Za-z_]\w*)")
_SIGNS = {"{{": "{", "}}": "}", "$$": "$"}
_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"": lambda value: value, "r": repr, "s": str, "a": ascii}
#: The format of a number, a text or a time. `{note: a fox}` has none.
_FORMAT = re.compile(r"(?:.?[<>=^])?[-+ ]?z?#?0?\d*[_,]?(?:\.\d+)?[bcdeEfFgGnosxX%]?|.*%[A-Za-z].*|.*\{.*")
_NOT_A_VALUE = object()
_SHOWN = 60


@dataclass(frozen=True)
class CellRequest:
    """The content of a cell: the fields of a request by their wire names, and what to do with it."""

    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    into: str | None = None
    dry: bool = False
    preview: bool = False
    wait: bool = False
    warnings: tuple[Problem, ...] = ()


def option_names(model: str = TARGET) -> list[str]:
    """Return every option that the first line takes for a model, short names first."""
    kind = TYPED.get(model)
    fields = [name for name in kind.model_fields if name not in _IN_BODY] if kind else []
    short = [name for name, whole in SHORT.items() if kind is None or whole in fields]
    return [*short, *OWN, *fields]


def read_cell(line: str, body: str, evaluate: Evaluate) -> CellRequest:
    """Return the request in a cell.

    On the line, `image=a.png image=b.png` is a list, `element=mara` a saved element and `element=front.png,side.png` a
    new one. In the body, a line `---` starts the next shot, and `--- 3` one of three seconds; `duration=` is for each
    shot without its own length. `{expression}` and `$name` stand for Python values in both, and `{value:.1f}` and
    `{value!r}` for text, as in an f-string. Braces around anything else stay as text, with a warning.

    Args:
        line: The options after `%%kling`.
        body: The rest of the cell.
        evaluate: Returns the value of a Python expression.

    Raises:
        RequestError: With every option, shot and value that cannot be read.
    """
    reader = _CellReader(evaluate)
    reader.read_line(line)
    reader.read_body(body)
    if reader.errors:
        raise RequestError(reader.errors)
    tags, into = (reader.given.pop(name, None) for name in OWN)
    flags = {name[2:]: name in reader.flags for name in FLAGS}
    return CellRequest(reader.given, tuple(tags or ()), into, **flags, warnings=tuple(dict.fromkeys(reader.warnings)))


@dataclass
class _CellReader:
    evaluate: Evaluate
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    flags: set[str] = field(default_factory=set[str])
    errors: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])

    def read_line(self, line: str) -> None:
        options: list[tuple[str, str]] = []
        for word in _WORD.findall(line):
            name, sign, text = word.partition("=")
            if word in FLAGS:
                self.flags.add(word)
            elif word.startswith("-"):
                self._error(word, "unknown flag", _instead(word, "flags", FLAGS))
            elif not sign:
                self._error(word, "the option has no value", f"write {word}=...; the prompt goes below this line")
            else:
                options.append((name, text))
        if {"--dry", "--preview"} <= self.flags:
            self._error("--dry", "cannot be combined with --preview", "remove one of them")
        # The model comes first: it decides which other options there are.
        for name, text in sorted(options, key=lambda option: option[0] != "model"):
            self._option(name, text)

    def _option(self, name: str, text: str) -> None:
        whole, known = SHORT.get(name, name), option_names(str(self.given.get("model", TARGET)))
        if whole in _IN_BODY:
            self._error(
                name, "the prompt is the text of the cell", "write it below this line; --- starts the next shot"
            )
        elif self._typed_model and name not in known:
            self._error(name, "unknown option", _instead(name, "options", known))
        elif whole in self.given and whole not in _LISTS:
            self._error(name, "the option is given twice", "remove one of them")
        else:
            try:
                value = self._value_of(whole, text)
            except _Unreadable as exc:
                self._error(name, *exc.args)
                return
            if whole in _LISTS:
                self.given.setdefault(whole, []).extend(value if isinstance(value, list | tuple) else [value])
            else:
                self.given[whole] = value

    def _value_of(self, name: str, text: str) -> Any:
        if found := _VALUE.fullmatch(text):
            expression = found[1] or found[2]
            if expression and (value := self._evaluated(expression, text)) is not _NOT_A_VALUE:
                return self._checked(name, value)
        if text.startswith(('"', "'")) and not _QUOTED.match(text):
            raise _Unreadable(f"the quotation mark is not closed in {text}", "close it")
        plain = self._filled(_QUOTED.sub(_unquoted, text), name)
        if not plain.strip():
            raise _Unreadable("the value is empty", f"write {name}=..., or remove the option")
        if not self._typed_model and name not in OWN and not _QUOTED.fullmatch(text):
            try:
                return json.loads(plain)  # the type of the field is not known: a number, true, a list
            except ValueError:
                return plain
        return self._checked(name, plain)

    @property
    def _typed_model(self) -> bool:
        return str(self.given.get("model", TARGET)) in TYPED

    def _checked(self, name: str, value: Any) -> Any:
        """Return a text, or a value from Python, as the field takes it."""
        if isinstance(value, str) and self._typed_model:
            value = _typed(name, value)
        if name == "tag":
            return [str(tag).strip() for tag in (value if isinstance(value, list | tuple | set) else [value])]
        if name == "into" and not (isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)):
            raise _Unreadable(f"must be the name of a variable, got {value!r}", "write a name, such as into=job")
        return value

    def read_body(self, body: str) -> None:
        parts = _SHOT.split(body)
        if len(parts) == 1:
            if text := self._prompt(body, "prompt"):
                self.given["prompt"] = text
            return
        shared = self.given.pop("duration", None)
        shots = list(zip(["", *parts[1::2]], parts[::2], strict=True))
        if not shots[0][1].strip():
            shots = shots[1:]  # the body begins with the --- of the first shot
        self.given["multi_prompt"] = [self._shot(number, *shot, shared) for number, shot in enumerate(shots)]

    def _shot(self, number: int, after: str, text: str, shared: Any) -> dict[str, Any]:
        place = f"multi_prompt.{number}"
        shot: dict[str, Any] = {"prompt": self._prompt(text, f"{place}.prompt")}
        length = self._prompt(after, place)
        if found := _SECONDS.match(length):
            shot["duration"] = int(found[1])
        elif length:
            message = f"the length after --- must be a number of seconds, got {length!r}"
            self._error(place, message, "write --- or --- 3, and the prompt below it")
        elif shared is not None:
            shot["duration"] = shared
        return shot

    def _prompt(self, text: str, place: str) -> str:
        try:
            return self._filled(text, place).strip()
        except _Unreadable as exc:
            self._error(place, *exc.args)
            return ""

    def _filled(self, text: str, place: str) -> str:
        """Return a text with its Python values filled in. Braces without an expression stay, with a warning."""

        def fill(found: re.Match[str]) -> str:
            written = found[0]
            if written in _SIGNS:
                return _SIGNS[written]
            inside = found[2] or found[1]
            if (value := self._evaluated(inside, written)) is not _NOT_A_VALUE:
                return str(value)
            if "{" in inside:
                return f"{{{self._filled(inside, place)}}}"
            short = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
            message = f"{short} is not a Python expression and stays as text"
            self.warnings.append(
                warning(tuple(place.split(".")), message, f"fix it, or write {{{short}}} to keep it as text")
            )
            return written

        return _VALUE.sub(fill, text)

    def _evaluated(self, inside: str, written: str) -> Any:
        """Return the value in braces, as in an f-string; `_NOT_A_VALUE` if there is no expression in them."""
        if _is_expression(inside):
            return self._value(inside, written)
        if (parts := _formatted(inside)) is None:
            return _NOT_A_VALUE
        expression, conversion, spec = parts
        try:
            value = self._value(expression, written)
        except _Undefined:
            if _FORMAT.fullmatch(spec):
                raise
            return _NOT_A_VALUE
        try:
            return format(_CONVERSIONS[conversion](value), self._filled(spec, ""))
        except _Unreadable:
            raise
        except Exception as exc:  # noqa: BLE001 - the value's own format may raise anything
            raise _raised(written, exc) from None

    def _value(self, expression: str, written: str) -> Any:
        try:
            return self.evaluate(expression.strip())
        except NameError:
            text = f"{{{written}}}" if written.startswith("{") else f"${written}"
            raise _Undefined(f"{written} is not defined", f"define it, or write {text} to keep it as text") from None
        except Exception as exc:  # noqa: BLE001 - the user's own expression may raise anything
            raise _raised(written, exc) from None

    def _error(self, name: str, message: str, remedy: str) -> None:
        self.errors.append(error(tuple(name.split(".")), message, remedy))


class _Unreadable(Exception):
    """A value that cannot be read: the message and the remedy."""


class _Undefined(_Unreadable):
    """A name without a value."""


def _raised(written: str, exc: Exception) -> _Unreadable:
    return _Unreadable(f"{written} raised {type(exc).__name__}: {exc}", "fix the expression")


def _typed(name: str, text: str) -> Any:
    if name in _INTEGERS:
        if not re.fullmatch(r"[+-]?\d{1,9}", text.strip()):
            raise _Unreadable(f"must be a whole number, got {text!r}", f"for example {name}=5")
        return int(text)
    if name in _SWITCHES:
        if (value := _ON_OFF.get(text.strip().lower())) is None:
            raise _Unreadable(f"must be on or off, got {text!r}", "write on or off")
        return value
    return text


def _unquoted(found: re.Match[str]) -> str:
    return found[1] or (re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3])


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _formatted(text: str) -> tuple[str, str, str] | None:
    """Return the expression, the conversion and the format of `value!r:>9`; None if there is no expression."""
    try:
        ((literal, expression, spec, conversion),) = Formatter().parse(f"{{{text}}}")
    except ValueError:  # more than one field, or an unknown conversion
        return None
    if literal or not expression or (conversion or "") not in _CONVERSIONS or not _is_expression(expression):
        return None
    # At least one name: `{5:30}` is a time, and `{"a": 1}` is JSON.
    names = any(isinstance(node, ast.Name) for node in ast.walk(ast.parse(expression.strip(), mode="eval")))
    return (expression, conversion or "", spec or "") if names else None


def _instead(name: str, kind: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    return did_you_mean(name, names) or f"the {kind} are {', '.join(names)}"


COMMANDS = ("log", "spending", "hub", "resume")
_AGO = re.compile(r"(\d{1,5})([dhm])\Z")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def read_command(line: str) -> tuple[str, dict[str, Any]]:
    """Return the command after `%kling` (empty for an empty line) and its keyword arguments.

    Raises:
        ArgumentError: With everything in the line that cannot be read.
    """
    try:
        command, *words = shlex.split(line) or [""]
    except ValueError as exc:
        raise ArgumentError(f"%kling {line}: {exc}. Write text in a pair of quotation marks.") from None
    if command not in ("", *COMMANDS):
        raise ArgumentError(f"%kling {command}: unknown command – {_instead(command, 'commands', COMMANDS)}")
    if command == "log":
        return command, _filters(words)
    if command == "spending" and len(words) <= 1:
        return command, {"by": words[0]} if words else {}
    if words:
        raise ArgumentError(f"%kling {command} takes no arguments, got {' '.join(words)!r}.")
    return command, {}


def _filters(words: list[str]) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    free: list[str] = []
    errors: list[str] = []
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            free.append(word)
        elif name not in FILTERS:
            errors.append(f"{name}: unknown filter – {_instead(name, 'filters', FILTERS)}")
        else:
            try:
                filters[name] = FILTERS[name](value)
            except ValueError as exc:
                errors.append(f"{name}: {exc}")
    if errors:
        raise ArgumentError("\n".join(["%kling log: invalid filters", *(f"  ✗ {text}" for text in errors)]))
    return {**filters, **({"text": " ".join(free)} if free else {})}


def _stars(text: str) -> int:
    if text not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"must be 1 to 5, got {text!r}")
    return int(text)


def _time(text: str) -> datetime.date | datetime.timedelta:
    if ago := _AGO.match(text):
        return datetime.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a date (2026-11-24) or an age (7d, 12h, 30m), got {text!r}") from None


FILTERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("tag", "status", "model", "notebook", "plan", "kind"), str),
    "stars": _stars,
    "since": _time,
    "until": _time,
}

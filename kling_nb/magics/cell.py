"""`read_cell`: a `%%kling` cell as the fields of a request. Pure: a callable gives the Python values in it."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from kling_nb.errors import RequestError, did_you_mean
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.request import TARGET, TYPED

#: The value of an expression; raises what Python raises, `NameError` for a name that is not defined.
Evaluate = Callable[[str], Any]

#: Short names for the wire's own, which can be written too.
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
#: Flags, in words for the help.
FLAGS: Mapping[str, str] = {
    "--dry": "only say what is wrong and what it would cost",
    "--preview": "draw the animatic on the local hub, free",
    "--wait": "wait for the clip; a job that fails fails the cell",
}
#: Options that are no field: a tag of the record (may come again), and the variable that gets the job or its clip.
OWN = ("tag", "into")
_OF_THE_CELL = ("prompt", "multi_prompt")
_LISTS = ("input_image", "elements", "tag")
_WHOLE = ("duration", "num_generations")
_SWITCHES = ("generate_audio", "keep_audio")
_ON_OFF = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}

#: One word of the option line: expressions in braces and quoted texts may hold spaces.
_WORD = re.compile(r"""(?:\{[^{}]*\}|"(?:[^"\\]|\\.)*"|'[^']*'|\S)+""")
_QUOTED = re.compile(r"""(\{[^{}]*\})|"((?:[^"\\]|\\.)*)"|'([^']*)'""")
_SHOT = re.compile(r"^[ \t]*---(?!-)(.*)$", re.MULTILINE)
_SECONDS = re.compile(r"(\d{1,4})\s*s?\Z")
#: `{{`, `}}` and `$$` are those very signs; `{expression}` and `$name` stand for a value, `{value:.1f}` for its format.
_VALUE = re.compile(r"\{\{|\}\}|\$\$|\{((?:[^{}]|\{[^{}]*\})*)\}|\$([A-Za-z_]\w*)")
_SIGNS = {"{{": "{", "}}": "}", "$$": "$"}
_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"": lambda value: value, "r": repr, "s": str, "a": ascii}
#: What a format of a number, a text or a time looks like. `{note: a fox}` has none.
_FORMAT = re.compile(r"(?:.?[<>=^])?[-+ ]?z?#?0?\d*[_,]?(?:\.\d+)?[bcdeEfFgGnosxX%]?|.*%[A-Za-z].*|.*\{.*")
#: Stands for no value: what is in the braces is text.
_TEXT = object()
_SHOWN = 60


@dataclass(frozen=True)
class Ordered:
    """What a cell asks for: the request's fields by the wire's names, and what is done with it."""

    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    into: str | None = None
    dry: bool = False
    preview: bool = False
    wait: bool = False
    doubts: tuple[Problem, ...] = ()


def option_names(model: str = TARGET) -> list[str]:
    """Return every option that the line takes for a model, the short names first."""
    kind = TYPED.get(model)
    fields = [name for name in kind.model_fields if name not in _OF_THE_CELL] if kind else []
    short = [name for name, whole in SHORT.items() if kind is None or whole in fields]
    return [*short, *OWN, *fields]


def read_cell(line: str, body: str, evaluate: Evaluate) -> Ordered:
    """Return what the option line and the body ask for.

    `image=a.png image=b.png` is a list, `element=mara` a kept element and `element=front.png,side.png` a new one.
    In the body a line `---` starts the next shot, `--- 3` one of three seconds; `duration=` is for every shot that
    says none. `{expression}` and `$name` stand for Python values, in the line and in the body; `{value:.1f}` and
    `{value!r}` for texts of them, as in an f-string. What stands in braces and is nothing of this stays, as a doubt.
    Raises `RequestError` with all that cannot be read.
    """
    reading = _Reading(evaluate)
    reading.line(line)
    reading.body(body)
    if reading.problems:
        raise RequestError(reading.problems)
    own = {name: reading.given.pop(name, None) for name in OWN}
    flags = {name[2:]: name in reading.flags for name in FLAGS}
    doubts = tuple(dict.fromkeys(reading.doubts))
    return Ordered(reading.given, tuple(own["tag"] or ()), own["into"], **flags, doubts=doubts)


@dataclass
class _Reading:
    evaluate: Evaluate
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    flags: set[str] = field(default_factory=set[str])
    problems: list[Problem] = field(default_factory=list[Problem])
    doubts: list[Problem] = field(default_factory=list[Problem])

    # --- the line ---

    def line(self, line: str) -> None:
        options: list[tuple[str, str]] = []
        for word in _WORD.findall(line):
            name, sign, text = word.partition("=")
            if word.startswith("-"):
                self._flag(word)
            elif not sign:
                self._fault(word, "it has no value", f"write {word}=...; the prompt stands below the line")
            else:
                options.append((name, text))
        if {"--dry", "--preview"} <= self.flags:
            self._fault("--dry", "--dry starts nothing, and --preview does", "keep one")
        # The model first: what else may stand there depends on it.
        for name, text in sorted(options, key=lambda option: option[0] != "model"):
            self._option(name, text)

    def _flag(self, word: str) -> None:
        if word in FLAGS:
            self.flags.add(word)
        else:
            self._fault(word, "there is no such flag", _instead(word, FLAGS))

    def _option(self, name: str, text: str) -> None:
        whole, model = SHORT.get(name, name), str(self.given.get("model", TARGET))
        known = option_names(model)
        if whole in _OF_THE_CELL:
            self._fault(name, "the prompt is the cell's body", "write it below the line; --- starts the next shot")
        elif model in TYPED and name not in known and name not in OWN:
            self._fault(name, "there is no such option", _instead(name, known))
        elif whole in self.given and whole not in _LISTS:
            self._fault(name, "it is given twice", "keep one")
        else:
            self._take(whole, name, text)

    def _take(self, whole: str, name: str, text: str) -> None:
        try:
            value = self._read(whole, text)
        except _Misfit as exc:
            self._fault(name, *exc.args)
            return
        if whole in _LISTS:
            self.given.setdefault(whole, []).extend(value if isinstance(value, list | tuple) else [value])
        else:
            self.given[whole] = value

    def _read(self, name: str, text: str) -> Any:
        if found := _VALUE.fullmatch(text):
            expression = found[1] or found[2]
            if expression and (value := self._slot(expression, text)) is not _TEXT:
                return self._checked(name, value)
        if text.startswith(('"', "'")) and not _QUOTED.match(text):
            raise _Misfit(f"{text} has no closing quotation mark", "write it in a pair of quotation marks")
        quoted = _QUOTED.fullmatch(text) is not None
        said = self.filled(_QUOTED.sub(_unquoted, text), name)
        if not said.strip():
            raise _Misfit("it has no value", f"write {name}=..., or leave it out")
        if not self._typed_model and name not in OWN and not quoted:
            return _open(said)
        return self._checked(name, said)

    @property
    def _typed_model(self) -> bool:
        return str(self.given.get("model", TARGET)) in TYPED

    def _checked(self, name: str, value: Any) -> Any:
        """Return a text, or a value that comes from Python, as the field takes it."""
        if isinstance(value, str) and self._typed_model:
            value = _typed(name, value)
        if name == "tag":
            return [str(tag).strip() for tag in (value if isinstance(value, list | tuple | set) else [value])]
        if name == "into" and not (isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)):
            raise _Misfit(f"{value!r} is no name of a variable", "give a name such as into=job")
        return value

    # --- the body ---

    def body(self, body: str) -> None:
        parts = _SHOT.split(body)
        if len(parts) == 1:
            if text := self._prompt(body, "prompt"):
                self.given["prompt"] = text
            return
        shared = self.given.pop("duration", None)
        shots = list(zip(["", *parts[1::2]], parts[::2], strict=True))
        if not shots[0][1].strip():
            shots = shots[1:]  # the body begins with the first shot's own line
        self.given["multi_prompt"] = [self._shot(number, *shot, shared) for number, shot in enumerate(shots)]

    def _shot(self, number: int, after: str, text: str, shared: Any) -> dict[str, Any]:
        place = f"multi_prompt.{number}"
        shot: dict[str, Any] = {"prompt": self._prompt(text, f"{place}.prompt")}
        said = self._prompt(after, place)
        if found := _SECONDS.match(said):
            shot["duration"] = int(found[1])
        elif said:
            self._fault(place, f"{said!r} after --- is no number of seconds", "write --- or --- 3, the prompt below it")
        elif shared is not None:
            shot["duration"] = shared
        return shot

    def _prompt(self, text: str, place: str) -> str:
        try:
            return self.filled(text, place).strip()
        except _Misfit as exc:
            self._fault(place, *exc.args)
            return ""

    # --- values of Python ---

    def filled(self, text: str, place: str) -> str:
        """Return a text with its values in their places. Braces around what is no expression are text, and a doubt."""

        def put(found: re.Match[str]) -> str:
            if found[0] in _SIGNS:
                return _SIGNS[found[0]]
            inside = found[2] or found[1]
            if (value := self._slot(inside, found[0])) is not _TEXT:
                return str(value)
            if "{" in inside:
                return f"{{{self.filled(inside, place)}}}"
            self._doubt(place, found[0])
            return found[0]

        return _VALUE.sub(put, text)

    def _slot(self, inside: str, written: str) -> Any:
        """Return what stands in braces as an f-string has it; `_TEXT` for what is no expression nor a format of one."""
        if _is_expression(inside):
            return self._value(inside, written)
        parts = _formatted(inside)
        if parts is None:
            return _TEXT
        expression, conversion, how = parts
        try:
            value = self._value(expression, written)
        except _Undefined:
            if _FORMAT.fullmatch(how):
                raise
            return _TEXT
        try:
            return format(_CONVERSIONS[conversion](value), self.filled(how, ""))
        except _Misfit:
            raise
        except Exception as exc:  # noqa: BLE001 - a format is the value's own, and may raise anything
            raise _fails(written, exc) from None

    def _doubt(self, place: str, written: str) -> None:
        short = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
        message = f"{short} is no expression of Python, and stays as it is written"
        self.doubts.append(
            warning(tuple(place.split(".")), message, f"mend it, or write {{{short}}} for the text itself")
        )

    def _value(self, expression: str, written: str) -> Any:
        try:
            return self.evaluate(expression.strip())
        except NameError:
            itself = f"{{{written}}}" if written.startswith("{") else f"${written}"
            raise _Undefined(f"nothing fills {written}", f"define it, or write {itself} for the text itself") from None
        except Exception as exc:  # noqa: BLE001 - the user's own expression may raise anything
            raise _fails(written, exc) from None

    def _fault(self, name: str, message: str, remedy: str) -> None:
        self.problems.append(error(tuple(name.split(".")), message, remedy))


class _Misfit(Exception):
    """A value that cannot be read: what is wrong, what to do."""


class _Undefined(_Misfit):
    """A name that nothing is defined for."""


def _fails(written: str, exc: Exception) -> _Misfit:
    return _Misfit(f"{written} fails: {type(exc).__name__}: {exc}", "mend the expression")


def _typed(name: str, text: str) -> Any:
    if name in _WHOLE:
        if not re.fullmatch(r"[+-]?\d{1,9}", text.strip()):
            raise _Misfit(f"{text!r} is not a whole number", f"give a whole number: {name}=5")
        return int(text)
    if name in _SWITCHES:
        if (value := _ON_OFF.get(text.strip().lower())) is None:
            raise _Misfit(f"{text!r} is neither on nor off", "give on or off")
        return value
    return text


def _open(text: str) -> Any:
    """Read a value of a model that has no class here: a number, true, a list; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
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
    """Return the expression, the conversion and the format of `value!r:>9`; None where there is no expression."""
    try:
        ((literal, expression, how, conversion),) = Formatter().parse(f"{{{text}}}")
    except ValueError:  # it is not one field, or its conversion is none
        return None
    if literal or not expression or (conversion or "") not in _CONVERSIONS or not _is_expression(expression):
        return None
    # A name at least: `{5:30}` is a time, and `{"a": 1}` is JSON.
    names = any(isinstance(node, ast.Name) for node in ast.walk(ast.parse(expression.strip(), mode="eval")))
    return (expression, conversion or "", how or "") if names else None


def _instead(name: str, known: Iterator[str] | Mapping[str, str] | list[str]) -> str:
    names = list(known)
    return did_you_mean(name, names) or f"there are {', '.join(dict.fromkeys(names))}"

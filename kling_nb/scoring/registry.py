"""Scorers by name: the built-in ones, those of other packages (found by entry point), and the user's.

Each scoring process imports this module, so what only the kernel needs is imported where it is used.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from kling_nb.errors import ArgumentError

if TYPE_CHECKING:
    from kling_nb.render.figures import ScorerRow

F = TypeVar("F", bound=Callable[..., Any])

#: A package adds scorers with `[project.entry-points."kling_nb.scorers"]`: a name, and a decorated function.
GROUP = "kling_nb.scorers"
_BUILT_IN = tuple(f"kling_nb.scoring.measures.{name}" for name in ("image", "shots", "still", "sound", "likeness"))
#: The attribute of a decorated function that has its scorer.
_ATTRIBUTE = "__scorer__"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Scorer:
    """A function that takes a clip and returns a number.

    Attributes:
        name: The name of its scores.
        version: A new version means that all clips are scored again: change it with the function.
        unit: The unit of the number.
        function: Takes a `Footage`; returns a number, a `Measure` or None.
        request: Whether the number depends on the request, and not on the file alone.
    """

    name: str
    version: str
    unit: str
    function: Callable[..., Any]
    request: bool = False

    @property
    def meaning(self) -> str:
        """The first line of its docstring."""
        lines = (self.function.__doc__ or "").strip().splitlines()
        return lines[0].strip() if lines else ""

    @property
    def built_in(self) -> bool:
        """Whether it is part of this package."""
        return self.function.__module__ in _BUILT_IN


class Scorers(Mapping[str, Scorer]):
    """All scorers by name, as a table of their meanings.

    Attributes:
        errors: The reasons why plug-ins were not loaded.
    """

    def __init__(self) -> None:
        self._known: dict[str, Scorer] = {}
        self._loaded = False
        self.errors: list[str] = []

    def add(self, scorer: Scorer) -> None:
        """Register a scorer. It replaces another one of its name, except a built-in one.

        Raises:
            ArgumentError: The name or the version is not valid, or a built-in scorer has the name.
        """
        if not _NAME.fullmatch(scorer.name):
            raise ArgumentError(
                f"The name of a scorer must be up to 40 lower-case letters, digits and _, got {scorer.name!r}."
            )
        if not scorer.version.strip():
            raise ArgumentError(f'version must not be empty. Give the scorer {scorer.name} version="1".')
        if not scorer.built_in:
            self._load()
        known = self._known.get(scorer.name)
        if known and known.built_in and not scorer.built_in:
            raise ArgumentError(f"{scorer.name!r} is the name of a built-in scorer. Choose another name.")
        if known and known.version == scorer.version and _differs(known.function, scorer.function):
            warnings.warn(
                f"The scorer {scorer.name!r} has changed, but its version {scorer.version!r} has not: scores in the "
                "log stay as they are. Give it a new version.",
                stacklevel=3,
            )
        self._known[scorer.name] = scorer

    def named(self, names: tuple[Any, ...]) -> list[Scorer]:
        """Return the scorers of these names or decorated functions; all of them if none is given.

        Raises:
            ArgumentError: There is no such scorer.
        """
        by_function: dict[Any, str] = {scorer.function: scorer.name for scorer in self.values()}
        chosen: list[Any] = [by_function.get(name, name) if callable(name) else name for name in names] or list(self)
        if unknown := [name for name in chosen if not isinstance(name, str) or name not in self]:
            from kling_nb.models.messages import short_repr

            given = ", ".join(map(short_repr, unknown))
            raise ArgumentError(f"Unknown scorer {given}. Choose from {', '.join(self)}.")
        return [self[name] for name in dict.fromkeys(chosen)]

    def rows(self) -> list[ScorerRow]:
        """Return the rows of the table."""
        from kling_nb.render.figures import ScorerRow

        return [ScorerRow(one.name, one.version, one.unit, one.meaning, one.built_in) for one in self.values()]

    def __getitem__(self, name: str) -> Scorer:
        self._load()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(list(self._known))

    def __len__(self) -> int:
        self._load()
        return len(self._known)

    def _load(self) -> None:
        if self._loaded:
            return
        from importlib.metadata import entry_points

        self._loaded = True
        for module in _BUILT_IN:
            for function in vars(import_module(module)).values():
                if built_in := getattr(function, _ATTRIBUTE, None):
                    self._known[built_in.name] = built_in
        for point in entry_points(group=GROUP):
            try:
                self.add(getattr(point.load(), _ATTRIBUTE))
            except Exception as exc:  # noqa: BLE001 - the code of others: an error there must not affect other scorers
                self.errors.append(f"The plug-in {point.name} ({point.value}) could not be loaded: {exc}")

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from kling_nb.render.figures import scorers_html

        return {"text/html": scorers_html(self.rows(), self.errors), "text/plain": repr(self)}

    def __repr__(self) -> str:
        from kling_nb.render.figures import scorers_text

        return scorers_text(self.rows(), self.errors)


scorers = Scorers()


def scorer(*, version: str | int, name: str | None = None, unit: str = "", request: bool = False) -> Callable[[F], F]:
    """Register a function of a clip as a scorer. The function itself is not changed.

    The function gets a `Footage` and returns a number or a `Measure`. If it does not apply to a clip, it returns None
    or raises `NotApplicable`. It runs in its own process: later changes of variables do not reach it. A package
    adds scorers with entry points of the group `kling_nb.scorers` that point to decorated functions.

    Args:
        version: Clips are scored again when it changes: change it with the function.
        name: The name of its scores; by default the function's.
        unit: The unit of the number.
        request: Whether it needs `clip.request`, `clip.images` or `clip.planned_cuts`.

    Raises:
        ArgumentError: The name or the version is not valid, or a built-in scorer has the name.

    Example:
        >>> @kn.scoring.scorer(version="1", unit="%")
        ... def redness(clip):
        ...     "Redness of the clip, 0 to 100."
        ...     reds = [frame.rgb[..., 0].mean() for frame in clip.frames()]
        ...     return 100 * sum(reds) / len(reds) / 255
    """

    def register(function: F) -> F:
        made = Scorer(name or function.__name__, str(version), unit, function, request)
        setattr(function, _ATTRIBUTE, made)
        if not made.built_in:
            scorers.add(made)
        return function

    return register


def _differs(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    code, other_code = (getattr(function, "__code__", None) for function in (one, other))
    if code is None or other_code is None:
        return False
    return (code.co_code, code.co_consts, code.co_names) != (
        other_code.co_code,
        other_code.co_consts,
        other_code.co_names,
    )

"""Scorers by name: the built-in ones, those of other packages (found by entry point), and your own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from kling_nb.errors import KlingError
from kling_nb.render.figures import ScorerRow, scorers_html, scorers_text

F = TypeVar("F", bound=Callable[..., Any])

#: What a package names in its metadata: `[project.entry-points."kling_nb.scorers"]`, a name, and a decorated function.
GROUP = "kling_nb.scorers"
_MODULES = ("picture", "shots", "stretches", "sound", "likeness")
_BUILT_IN = tuple(f"kling_nb.scoring.measures.{name}" for name in _MODULES)
#: Where a decorated function keeps its scorer.
_MARK = "__scorer__"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Scorer:
    """A function from `Footage` to a number, with the name, version and unit under which its scores are kept.

    A new `version` is a new number for every clip: change it with the function. `request` says that the number
    depends on what was asked, not on the file alone.
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
        """Whether it came with this package."""
        return self.function.__module__ in _BUILT_IN


class Scorers(Mapping[str, Scorer]):
    """Every scorer that is known, by name; shows itself with what each means."""

    def __init__(self) -> None:
        self._known: dict[str, Scorer] = {}
        self._looked = False
        self.trouble: list[str] = []
        """What kept a plug-in from being loaded."""

    def add(self, scorer: Scorer) -> None:
        """Register a scorer; one of your own replaces another of that name, never a built-in one.

        Raises `KlingError` for a name or a version that cannot be kept.
        """
        if not _NAME.fullmatch(scorer.name):
            raise KlingError(f"{scorer.name!r} is no name for a scorer: use up to 40 of a to z, 0 to 9 and _")
        if not scorer.version.strip():
            raise KlingError(f'the scorer {scorer.name} needs a version: version="1", and another when it changes')
        if not scorer.built_in:
            self._look()
        known = self._known.get(scorer.name)
        if known and known.built_in and not scorer.built_in:
            raise KlingError(f"there is a built-in scorer {scorer.name!r}: take another name")
        if known and known.version == scorer.version and _differs(known.function, scorer.function):
            warnings.warn(
                f"scorer {scorer.name!r} changed, its version {scorer.version!r} did not: scores in the log stay as "
                "they are. Give it a new version.",
                stacklevel=3,
            )
        self._known[scorer.name] = scorer

    def named(self, names: tuple[Any, ...]) -> list[Scorer]:
        """Return the scorers of these names (or decorated functions), all of them without any. Raises `KlingError`."""
        of_function: dict[Any, str] = {scorer.function: scorer.name for scorer in self.values()}
        asked: list[Any] = [of_function.get(name, name) if callable(name) else name for name in names] or list(self)
        if unknown := [repr(name) for name in asked if not isinstance(name, str) or name not in self]:
            raise KlingError(f"there is no scorer {', '.join(unknown)}: there are {', '.join(self)}")
        return [self[name] for name in dict.fromkeys(asked)]

    def rows(self) -> list[ScorerRow]:
        """Return each as a row of a table."""
        return [ScorerRow(one.name, one.version, one.unit, one.meaning, one.built_in) for one in self.values()]

    def __getitem__(self, name: str) -> Scorer:
        self._look()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter(list(self._known))

    def __len__(self) -> int:
        self._look()
        return len(self._known)

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        for module in _BUILT_IN:
            for function in vars(import_module(module)).values():
                if made := getattr(function, _MARK, None):
                    self._known[made.name] = made
        for point in entry_points(group=GROUP):
            try:
                self.add(getattr(point.load(), _MARK))
            except Exception as exc:  # noqa: BLE001 - somebody else's code: it must not take the others along
                self.trouble.append(f"the plug-in {point.name} ({point.value}) does not load: {exc}")

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": scorers_html(self.rows(), self.trouble), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return scorers_text(self.rows(), self.trouble)


scorers = Scorers()


def scorer(*, version: str | int, name: str | None = None, unit: str = "", request: bool = False) -> Callable[[F], F]:
    """Register a function of a clip as a scorer; it stays what it was, and can be called by itself.

    >>> @kn.scoring.scorer(version="1", unit="%")
    ... def redness(clip):
    ...     "How red the clip is, 0 to 100."
    ...     reds = [frame.rgb[..., 0].mean() for frame in clip.frames()]
    ...     return 100 * sum(reds) / len(reds) / 255

    It gets a `Footage` and returns a number, or a `Measure` (a number with words); None, or `NotApplicable` raised,
    when it has nothing to say. It runs in a process of its own, so it sees no variable that changes later. With
    `request=True` it may look at `clip.request`, `clip.pictures` and `clip.planned_cuts`. A package brings scorers
    along by the entry point group `kling_nb.scorers`, each pointing to a function decorated so.
    """

    def register(function: F) -> F:
        made = Scorer(name or function.__name__, str(version), unit, function, request)
        setattr(function, _MARK, made)
        if not made.built_in:
            scorers.add(made)
        return function

    return register


def _differs(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    mine, theirs = (getattr(function, "__code__", None) for function in (one, other))
    if mine is None or theirs is None:
        return False
    return (mine.co_code, mine.co_consts, mine.co_names) != (theirs.co_code, theirs.co_consts, theirs.co_names)

"""`Measure`: what a scorer says of a clip, and how its function is carried out where nothing of it can do harm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Asked, Footage
from kling_nb.scoring.registry import Scorer

_LONGEST = 300


@dataclass(frozen=True)
class Measure:
    """A number, what stands behind it in words, and the numbers it was made of.

    `value` is None where the scorer does not apply; with `failed`, where it broke: that is tried again next time.
    """

    value: float | None
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    failed: bool = False


def measured(scorer: Scorer, path: str, asked: Asked) -> Measure:
    """Carry a scorer out on a clip; whatever happens in it comes back as a `Measure`. Runs in a worker process."""
    footage = Footage(Path(path), asked if scorer.request else None, _frames_of(path))
    try:
        return _checked(scorer.function(footage))
    except NotApplicable as exc:
        return Measure(None, str(exc)[:_LONGEST])
    except ModuleNotFoundError as exc:
        return _broken(f"it needs {exc.name}: pip install 'kling-nb[metrics]'")
    except BaseException as exc:  # noqa: BLE001 - a scorer is anybody's code, and may call sys.exit
        return _broken(f"{type(exc).__name__}: {exc}")
    finally:
        _last[:] = [(path, footage.kept)]


def _checked(given: Any) -> Measure:
    if given is None:
        return Measure(None, "it does not apply")
    measure = given if isinstance(given, Measure) else Measure(given)
    if measure.value is None:
        return measure
    try:
        if isinstance(measure.value, str | bytes):
            raise TypeError
        value = float(measure.value)
        parts = {str(name): float(part) for name, part in measure.parts.items()}
    except (TypeError, ValueError):
        return _broken(f"it gave {measure.value!r}, which is no number")
    if not all(map(math.isfinite, (value, *parts.values()))):
        return _broken(f"it gave {value}, which is no score")
    return Measure(value, str(measure.note)[:_LONGEST], parts)


def _broken(said: str) -> Measure:
    return Measure(None, said[:_LONGEST], failed=True)


#: The small frames of the clip that was scored last: the next scorer of a worker looks at the same one.
_last: list[tuple[str, list[Any]]] = []


def _frames_of(path: str) -> list[Any]:
    return _last[0][1] if _last and _last[0][0] == path else []

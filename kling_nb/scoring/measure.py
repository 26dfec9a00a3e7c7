"""`Measure`: the result of a scorer for one clip, and the call of its function in a worker process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Decoded, Footage, RequestInfo
from kling_nb.scoring.registry import Scorer

_MAX_NOTE = 300


@dataclass(frozen=True)
class Measure:
    """The result of a scorer for one clip.

    Attributes:
        value: The number; None if the scorer does not apply to the clip.
        note: A comment on the number, or the reason why there is none.
        parts: The numbers that it was made of.
        failed: Whether the scorer failed. It is called again next time.
    """

    value: float | None
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    failed: bool = False


def measure(scorer: Scorer, path: str, info: RequestInfo) -> Measure:
    """Call a scorer on a clip, in a worker process; an exception becomes a failed `Measure`."""
    if _last and _last[0][0] != path:
        _last.clear()
    decoded = _last[0][1] if _last else Decoded()
    _last[:] = [(path, decoded)]
    footage = Footage(Path(path), info if scorer.request else None, decoded)
    try:
        return _checked(scorer.function(footage))
    except NotApplicable as exc:
        return Measure(None, str(exc)[:_MAX_NOTE])
    except ModuleNotFoundError as exc:
        return _failure(f"{exc.name} is missing: pip install 'kling-nb[metrics]'")
    except BaseException as exc:  # noqa: BLE001 - a scorer is anyone's code, and may call sys.exit
        return _failure(f"{type(exc).__name__}: {exc}")


#: What is decoded of the last clip: the next scorer of a worker reads the same clip.
_last: list[tuple[str, Decoded]] = []


def _checked(result: Any) -> Measure:
    if result is None:
        return Measure(None, "not applicable")
    given = result if isinstance(result, Measure) else Measure(result)
    if given.value is None:
        return given
    try:
        if isinstance(given.value, str | bytes):
            raise TypeError
        value = float(given.value)
        parts = {str(name): float(part) for name, part in given.parts.items()}
    except (TypeError, ValueError):
        return _failure(f"the score must be a number, got {given.value!r}")
    if not all(map(math.isfinite, (value, *parts.values()))):
        return _failure(f"the score must be a finite number, got {value}")
    return Measure(value, str(given.note)[:_MAX_NOTE], parts)


def _failure(note: str) -> Measure:
    return Measure(None, note[:_MAX_NOTE], failed=True)

"""The shared studio behind `kn.generate`, `kn.panel`, `kn.log` and the rest; made at the first use."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from kling_nb.errors import SettingsError, choose_from
from kling_nb.studio import Studio

_guard = threading.Lock()
_studio: Studio | None = None


def studio() -> Studio:
    """Return the shared studio."""
    global _studio
    with _guard:
        if _studio is None:
            _studio = Studio()
        return _studio


def configure(**settings: Any) -> Studio:
    """Use these settings from now on: `key`, `hub`, `log`, `upload`, `deadline`; see `Studio`. Running jobs go on.

    Raises `SettingsError` for a name that is none of these, and for what `Studio` cannot use.
    """
    global _studio
    known = list(inspect.signature(Studio).parameters)
    for name in settings:
        if name not in known:
            raise SettingsError(f"There is no setting {name}: {choose_from(name, known)}")
    with _guard:
        _studio = Studio(**settings)
        return _studio


def verb(name: str) -> Callable[..., Any]:
    """Return the shared studio's method of that name, bound when it is called."""
    method = getattr(Studio, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(studio(), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = method.__doc__
    call.__wrapped__ = method  # type: ignore[attr-defined] -- a function takes attributes
    return call

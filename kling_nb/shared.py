"""The shared studio behind `kn.generate`, `kn.panel`, `kn.log` and the other verbs of `kn`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from kling_nb.errors import SettingsError, did_you_mean
from kling_nb.studio import Studio

_lock = threading.Lock()
_studio: Studio | None = None


def studio() -> Studio:
    """Return the shared studio."""
    global _studio
    with _lock:
        if _studio is None:
            _studio = Studio()
        return _studio


def configure(**settings: Any) -> Studio:
    """Use these settings from now on. Running jobs go on.

    Args:
        settings: `key`, `hub`, `log`, `upload`, `deadline`; see `Studio`.

    Raises:
        SettingsError: A setting is unknown or cannot be used.
    """
    global _studio
    known = list(inspect.signature(Studio).parameters)
    for name in settings:
        if name not in known:
            remedy = did_you_mean(name, known).capitalize() or f"Choose from {', '.join(known)}."
            raise SettingsError(f"Unknown setting {name!r}. {remedy}")
    with _lock:
        _studio = Studio(**settings)
        return _studio


def verb(name: str) -> Callable[..., Any]:
    """Return a function that calls the shared studio's method of that name."""
    method = getattr(Studio, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(studio(), name)(*args, **kwargs)

    signature = inspect.signature(method)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = method.__doc__
    call.__module__ = "kling_nb"
    call.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined] -- a function takes attributes
    return call

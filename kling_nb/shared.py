"""The shared studio behind `kn.generate`, `kn.panel`, `kn.log` and the other verbs of `kn`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

from pydantic import SecretStr

from kling_nb.errors import SettingsError, did_you_mean
from kling_nb.hubs.upload import UploadMethod
from kling_nb.models.signatures import lists_keywords
from kling_nb.settings import hidden
from kling_nb.studio import Studio

#: The settings that are not secret; any other name may be a misspelled `key`.
_PLAIN = ("hub", "log", "upload", "deadline")
_lock = threading.Lock()
_studio: Studio | None = None


def studio() -> Studio:
    """Return the shared studio."""
    global _studio
    with _lock:
        if _studio is None:
            _studio = Studio()
        return _studio


class StudioSettings(TypedDict, total=False):
    """The keyword arguments of `configure`, which are those of `Studio`."""

    key: str | SecretStr | None
    hub: str | None
    log: str | Path | None
    upload: UploadMethod
    deadline: float


@lists_keywords(StudioSettings, {name: one.default for name, one in inspect.signature(Studio).parameters.items()})
def configure(**settings: Unpack[StudioSettings]) -> Studio:
    """Use these settings from now on. Running jobs go on.

    Args:
        settings: `key`, `hub`, `log`, `upload`, `deadline`; see `Studio`.

    Raises:
        SettingsError: A setting is unknown or cannot be used, also one of the environment. The studio in use stays.
    """
    global _studio
    # Under the same name: a plain key must not stay in a frame that a traceback shows.
    settings = cast("StudioSettings", {name: _hidden(name, value) for name, value in settings.items()})
    known = list(StudioSettings.__annotations__)
    for name in settings:
        if name not in known:
            remedy = did_you_mean(name, known).capitalize() or f"Choose from {', '.join(known)}."
            raise SettingsError(f"Unknown setting {name!r}. {remedy}")
    made = Studio(**settings)
    made.session.check_settings()
    with _lock:
        _studio = made
        return _studio


def _hidden(name: str, value: Any) -> Any:
    return value if name in _PLAIN else hidden(value)


def verb(name: str) -> Callable[..., Any]:
    """Return a function that calls the shared studio's method of that name."""
    method = getattr(Studio, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(studio(), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = method.__doc__
    call.__module__ = "kling_nb"
    signature = inspect.signature(method)
    bound = signature.replace(parameters=list(signature.parameters.values())[1:])  # without `self`
    call.__signature__ = bound  # type: ignore[attr-defined] -- a function takes attributes
    return call

"""The shared studio behind `kn.generate`, `kn.panel`, `kn.log` and the other verbs of `kn`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from kling_nb.errors import SettingsError, did_you_mean
from kling_nb.models.request import Omni, ReferenceToVideo, RequestFields
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


def configure(**settings: Any) -> Studio:
    """Use these settings from now on. Running jobs go on.

    Args:
        settings: `key`, `hub`, `log`, `upload`, `deadline`; see `Studio`.

    Raises:
        SettingsError: A setting is unknown or cannot be used, also one of the environment. The studio in use stays.
    """
    global _studio
    settings = {name: value if name in _PLAIN else hidden(value) for name, value in settings.items()}
    known = list(inspect.signature(Studio).parameters)
    for name in settings:
        if name not in known:
            remedy = did_you_mean(name, known).capitalize() or f"Choose from {', '.join(known)}."
            raise SettingsError(f"Unknown setting {name!r}. {remedy}")
    made = Studio(**settings)
    made.session.check_settings()
    with _lock:
        _studio = made
        return _studio


def verb(name: str) -> Callable[..., Any]:
    """Return a function that calls the shared studio's method of that name."""
    method = getattr(Studio, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(studio(), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = method.__doc__
    call.__module__ = "kling_nb"
    call.__signature__ = _signature(method)  # type: ignore[attr-defined] -- a function takes attributes
    return call


def _signature(method: Callable[..., Any]) -> inspect.Signature:
    """Return a method's signature without `self`, with the request's fields one by one: Tab completes them."""
    signature = inspect.signature(method)
    parameters = list(signature.parameters.values())[1:]
    if parameters and parameters[-1].annotation == "Unpack[RequestFields]":
        *parameters, rest = parameters
        kind = inspect.Parameter.KEYWORD_ONLY
        for name, annotation in RequestFields.__annotations__.items():
            field = (Omni.model_fields | ReferenceToVideo.model_fields)[name]
            parameters.append(
                inspect.Parameter(name, kind, default=field.default, annotation=annotation.__forward_arg__)
            )
        parameters.append(rest.replace(annotation=Any))
    return signature.replace(parameters=parameters)

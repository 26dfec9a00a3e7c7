"""The shared studio behind `kn.generate`, `kn.panel`, `kn.log` and the other verbs of `kn`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

from pydantic import SecretStr

from kling_nb.errors import ArgumentTypeError, SettingsError, did_you_mean
from kling_nb.hubs.upload import UploadMethod
from kling_nb.models.messages import short_repr
from kling_nb.models.signatures import lists_keywords
from kling_nb.settings import hidden
from kling_nb.studio import Studio

#: The settings that are not secret; any other name may be a misspelled `key`.
_PLAIN = ("hub", "log", "media", "upload", "deadline")
_Kind = inspect.Parameter
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
    database: str | SecretStr | None
    media: str | None
    upload: UploadMethod
    deadline: float


@lists_keywords(StudioSettings, {name: one.default for name, one in inspect.signature(Studio).parameters.items()})
def configure(**settings: Unpack[StudioSettings]) -> Studio:
    """Use these settings from now on. Running jobs continue.

    Args:
        settings: `key`, `hub`, `log`, `database`, `media`, `upload`, `deadline`; see `Studio`.

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
        _check_arguments(name, bound, args, kwargs)
        return getattr(studio(), name)(*args, **kwargs)

    signature = inspect.signature(method)
    bound = signature.replace(parameters=list(signature.parameters.values())[1:])  # without `self`
    call.__name__ = call.__qualname__ = name
    call.__doc__ = method.__doc__
    call.__module__ = "kling_nb"
    call.__signature__ = bound  # type: ignore[attr-defined] -- a function takes attributes
    return call


def _check_arguments(verb: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise `ArgumentTypeError`, which says what to write, where Python would only count arguments."""
    kinds = {name: each.kind for name, each in signature.parameters.items()}
    unnamed = [name for name, kind in kinds.items() if kind in (_Kind.POSITIONAL_ONLY, _Kind.POSITIONAL_OR_KEYWORD)]
    named = [name for name, kind in kinds.items() if kind in (_Kind.KEYWORD_ONLY, _Kind.POSITIONAL_OR_KEYWORD)]
    if len(args) > len(unnamed) and _Kind.VAR_POSITIONAL not in kinds.values():
        taken = f"takes only {' and '.join(unnamed)} without a name" if unnamed else "takes no argument without a name"
        example = "input_image" if "input_image" in named else next(iter(named), "")
        remedy = f" Name it, as in kn.{verb}(…, {example}=…)." if example else ""
        raise ArgumentTypeError(f"kn.{verb}() {taken}, got {short_repr(args[len(unnamed)])} too.{remedy}")
    if _Kind.VAR_KEYWORD not in kinds.values():
        for name in kwargs.keys() - set(named):
            hint = did_you_mean(name, named).capitalize() or f"It takes {', '.join(named) or 'none'}."
            raise ArgumentTypeError(f"kn.{verb}() has no argument {name!r}. {hint}")

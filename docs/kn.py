"""The public names as users write them (`kn.generate`, `kn.log.verify`), as modules that autodoc can import."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from enum import Enum
from types import ModuleType
from typing import Any

import kling_nb
from kling_nb import Studio
from kling_nb.connection import HubAccess
from kling_nb.selection import LogAccess, Selection

#: Objects that are called and have methods.
CALLABLE = {"log": LogAccess, "hub": HubAccess}
#: Objects that are described by their class.
INSTANCES = {"presets", "elements", "options"}


def install() -> None:
    """Put the modules where an import finds them."""
    del Selection.__call__.__signature__  # type: ignore[attr-defined] -- autodoc looks for its defaults in the source
    names = [name for name in kling_nb.__all__ if name not in CALLABLE and name not in INSTANCES]
    kn = _module("kn", {name: _plain(name) for name in names})
    for name, access in CALLABLE.items():
        setattr(kn, name, _function(access.__call__, name))
        public = {method: value for method, value in vars(access).items() if not method.startswith("_")}
        _module(f"kn.{name}", {method: _function(value, method) for method, value in public.items()})
    _module("kn.scoring", {name: getattr(kling_nb.scoring, name) for name in kling_nb.scoring.__all__})


def _plain(name: str) -> Any:
    """Return a public value; for a function the method that it calls, which has the annotations."""
    method = vars(Studio).get(name)
    return _function(method, name) if inspect.isfunction(method) else getattr(kling_nb, name)


def _function(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a method as a function without `self`."""

    @functools.wraps(method, assigned=("__doc__",), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    signature = inspect.signature(method)
    parameters = [
        parameter.replace(default=...) if isinstance(parameter.default, Enum) else parameter  # "not given"
        for parameter in list(signature.parameters.values())[1:]
    ]
    call.__name__ = call.__qualname__ = name
    call.__annotations__ = {}
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    del call.__wrapped__  # autodoc would follow it to the method
    return call


def _module(name: str, members: dict[str, Any]) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    vars(module).update(members)
    return module

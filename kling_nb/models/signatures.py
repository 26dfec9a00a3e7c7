"""Signatures and names for Tab and `?`: each keyword of a function, and the names of a value that a user needs."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel

F = TypeVar("F", bound=Callable[..., Any])
_INHERITED = frozenset(BaseModel.__mro__)


def lists_keywords(
    fields: type, defaults: Mapping[str, Any] | None = None, docs: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """List the keys of a `TypedDict` in a function's signature and docstring, in place of `**fields: Unpack[…]`.

    Checkers read `Unpack`; IPython and jedi read the signature, and complete `dur` to `duration=`.

    Args:
        defaults: The values of keys that are not given.
        docs: A line for each key, put in place of the line of `**fields` in the docstring's `Args`.
    """

    def listing(function: F) -> F:
        signature = inspect.signature(function)
        *given, rest = signature.parameters.values()
        taken = {parameter.name for parameter in given}
        named = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=(defaults or {}).get(name),
                annotation=getattr(annotation, "__forward_arg__", annotation),
            )
            for name, annotation in fields.__annotations__.items()
            if name not in taken
        ]
        listed = signature.replace(parameters=[*given, *named, rest.replace(annotation="Any")])
        cast("Any", function).__signature__ = listed
        if docs and function.__doc__:
            function.__doc__ = _with_docs(function.__doc__, rest.name, docs)
        return function

    return listing


def _with_docs(doc: str, name: str, docs: Mapping[str, str]) -> str:
    """Return a docstring with a line for each key after the line of `**name`."""
    line = re.search(rf"^( +){name}: .*\n", doc, re.MULTILINE)
    if not line:
        return doc
    indent = line[1]
    lines = [
        textwrap.fill(f"{key}: {text}", 120, initial_indent=indent, subsequent_indent=f"{indent}    ") + "\n"
        for key, text in docs.items()
    ]
    return doc[: line.start()] + "".join(lines) + line[0] + doc[line.end() :]


def own_names(value: BaseModel) -> Iterator[str]:
    """Yield the fields of a model and what our own classes add: pydantic's forty methods are left out.

    So are the names in the class's `HIDDEN`, which are for this package.
    """
    hidden: frozenset[str] = getattr(value, "HIDDEN", frozenset())
    classes = [cls for cls in type(value).__mro__ if cls not in _INHERITED]
    names = {*type(value).model_fields, *(value.model_extra or ()), *(name for cls in classes for name in vars(cls))}
    for name in names - hidden:
        if not name.startswith(("_", "model_")) and name.lower() == name:
            yield name

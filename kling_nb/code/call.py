"""A request as the call that makes it in this package."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from pathlib import PurePath
from typing import Any, Protocol

from kling_nb.code.literal import WIDTH, flat_literal, literal
from kling_nb.models.request import TARGET, HubRequest, request_type


class Picture(Protocol):
    """What an asset and a record's reference have in common."""

    @property
    def identity(self) -> str: ...
    @property
    def given(self) -> str: ...
    @property
    def name(self) -> str: ...


class NamelessError(Exception):
    """A picture that cannot be written down."""


def name_of(picture: Picture) -> str | None:
    """Return the path or the public address that a picture was given by; None for bytes and pixels."""
    if picture.identity.startswith("pixels-"):
        return None
    if not picture.identity.startswith("sha256:"):
        return picture.identity
    is_path = bool(picture.name) and PurePath(picture.given).name == picture.name
    return picture.given if is_path else None


def call_fields(canonical: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a canonical request's fields as a caller would give them, without what is the default.

    `names` has what stands for the picture at each path. Raises `NamelessError` for a picture without one.
    """
    model = canonical.get("model", TARGET)
    kind = request_type(model)
    defaults = {} if kind is HubRequest else {name: field.default for name, field in kind.model_fields.items()}
    defaults.pop("duration", None)  # the length is what is paid for: always said
    asked = {name: value for name, value in canonical.items() if name not in defaults or defaults[name] != value}
    if model != TARGET:
        asked["model"] = model
    return {name: _named(value, name, names) for name, value in asked.items()}


def is_keyword_name(name: str) -> bool:
    """Whether a field can be written as a keyword argument."""
    return name.isidentifier() and not iskeyword(name)


def call(verb: str, fields: Mapping[str, Any]) -> str:
    """Return a call with these fields, the prompt first; what is no keyword goes into `**{...}`."""
    prompt = [literal(fields["prompt"], 4)] if "prompt" in fields else []
    named = [(f"{name}=", value) for name, value in fields.items() if name != "prompt" and is_keyword_name(name)]
    rest = {name: value for name, value in fields.items() if not is_keyword_name(name)}
    named += [("**", rest)] if rest else []
    flat = ", ".join([*prompt, *(f"{head}{flat_literal(value)}" for head, value in named)])
    if len(flat) + len(verb) + 2 <= WIDTH:
        return f"{verb}({flat})"
    lines = [*prompt, *(f"{head}{literal(value, 4, len(head))}" for head, value in named)]
    return f"{verb}(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def _named(value: Any, path: str, names: Mapping[str, str | None]) -> Any:
    match value:
        case dict():
            return {key: _named(item, f"{path}.{key}", names) for key, item in value.items()}
        case list() | tuple():
            return [_named(item, f"{path}.{index}", names) for index, item in enumerate(value)]
        case str() if path in names:
            if (name := names[path]) is None:
                raise NamelessError
            return name
        case str() if value.startswith(("sha256:", "pixels-sha256:")):
            raise NamelessError
        case _:
            return value

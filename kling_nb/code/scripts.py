"""A request body as a script: Python with `requests` or `httpx`, or a POSIX shell with cURL and jq (`templates/`)."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from kling_nb.code.literal import Code, Flow, literal, quoted
from kling_nb.models.fields import mapped

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Local:
    """A local file in a body: the script turns it into a URL when it runs."""

    path: str
    media_type: str


def python(library: str, body: dict[str, Any], flow: Flow, *, hub: str, every: float) -> str:
    """Return a Python script that uploads local images, sends the body and saves the clips."""
    addressed = _mapped(body, lambda file: Code(f"address_of({quoted(file.path)})"))
    words = {"hub": quoted(hub), "body": literal(addressed, 0, 7), "files": addressed != body}
    return _script("script.py.jinja", library=library, flow=flow, every=f"{every:g}", **words)


def shell(body: dict[str, Any], flow: Flow, *, hub: str, every: float) -> str:
    """Return a shell script that sends the body and saves the clips; local images are sent as data URIs."""
    files: list[Local] = []

    def mark(file: Local) -> str:
        files.append(file)
        return f"\ud800{len(files) - 1}\ud800"  # half a character, which no request contains

    def data_uri(found: re.Match[str]) -> str:
        file = files[int(found[1])]
        return f"'$(data_uri {shlex.quote(file.path)} {shlex.quote(file.media_type)})'"

    text = json.dumps(_mapped(body, mark), indent=2, ensure_ascii=False)
    document = re.sub("\ud800([0-9]+)\ud800", data_uri, shlex.quote(text))
    names = " ".join(dict.fromkeys(shlex.quote(file.path) for file in files))
    words = {"hub": shlex.quote(hub), "body": document, "files": names}
    return _script("script.sh.jinja", flow=flow, every=f"{every:g}", **words)


def _mapped(body: dict[str, Any], change: Callable[[Local], str]) -> dict[str, Any]:
    return mapped(body, lambda _, item: change(item) if isinstance(item, Local) else item)


def _script(template: str, **words: Any) -> str:
    return _templates().get_template(template).render(words)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # lazily: it takes 20 ms

    return Environment(  # noqa: S701 - the result is code, not HTML; values are quoted for their language
        loader=PackageLoader("kling_nb.code"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

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


def fal(flavour: str, endpoint: str, arguments: dict[str, Any], *, count: int, base: str, every: float) -> str:
    """Return a script that uploads local files to fal, submits a request and saves the clips.

    Args:
        flavour: `fal_client`, `javascript` or `curl`.
        endpoint: The id of the endpoint.
        arguments: Its input.
        count: The number of clips, each its own request.
        base: The URL of a stand-in, of which fal's hosts are paths; empty for fal itself.
        every: Seconds between two polls.
    """
    files: list[Local] = []

    def mark(file: Local) -> str:
        files.append(file)
        return f"\ud800{len(files) - 1}\ud800"

    if flavour == "fal_client":
        uploaded = _mapped(arguments, lambda file: Code(f"fal_client.upload_file({quoted(file.path)})"))
        words = {"arguments": literal(uploaded, 0, 12), "endpoint": quoted(endpoint)}
        return _script("fal.py.jinja", count=count, **words)
    text = json.dumps(_mapped(arguments, mark), indent=2, ensure_ascii=False)
    if flavour == "javascript":
        text = re.sub('"\ud800([0-9]+)\ud800"', lambda found: _awaited(files[int(found[1])]), text)
        words = {"arguments": text, "endpoint": json.dumps(endpoint), "pause": round(every * 1000)}
        return _script("fal.mjs.jinja", count=count, files=bool(files), **words)

    def upload(found: re.Match[str]) -> str:
        file = files[int(found[1])]
        return f"'$(upload {shlex.quote(file.path)} {shlex.quote(file.media_type)})'"

    document = re.sub("\ud800([0-9]+)\ud800", upload, shlex.quote(text))
    queue, rest = (f"{base}/{host}" if base else f"https://{host}" for host in ("queue.fal.run", "rest.fal.ai"))
    request = f"{queue}/{'/'.join(endpoint.split('/')[:2])}/requests"
    words = {"submit": f"{queue}/{endpoint}", "request": request, "rest": rest, "body": document, "every": f"{every:g}"}
    names = " ".join(dict.fromkeys(shlex.quote(file.path) for file in files))
    return _script("fal.sh.jinja", count=count, files=names, **words)


def _awaited(file: Local) -> str:
    return f"await upload({json.dumps(file.path, ensure_ascii=False)}, {json.dumps(file.media_type)})"


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

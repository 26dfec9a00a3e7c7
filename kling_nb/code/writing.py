"""`snippet`: a request as code in one of the flavours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kling_nb.code.call import call, call_fields, name_of
from kling_nb.code.choices import HUB, Flavour, Flow
from kling_nb.code.literal import quoted
from kling_nb.code.python import python
from kling_nb.code.shell import Local, shell
from kling_nb.models.asset import Asset, suffix_of
from kling_nb.models.canonical import canonical_request
from kling_nb.models.request import Request

#: Seconds between two looks at the queue; the hub's documentation says 10 to 30 for video.
EVERY = 10


@dataclass(frozen=True)
class Snippet:
    """Code, and what is to be said beside it: which files it reads, and what JSON has no comments for."""

    code: str
    notes: tuple[str, ...] = ()


def snippet(
    request: Request, flavour: Flavour = "kling_nb", flow: Flow = "poll", *, hub: str = HUB, every: float = EVERY
) -> Snippet:
    """Return code that makes the request, asks the hub at `hub` for it, and saves the films.

    It runs as it stands, with the key in `OXEN_API_KEY`. What it sends is what this package would send, in one POST
    that is never repeated; then it waits by `flow`, looking every `every` seconds. Local pictures are read where the
    code runs: Python uploads them the way the vendor's own client does, to the user's private storage and a signed
    address, in twenty lines; cURL would need as many of unreadable shell, so there they travel inside the request as
    data URIs, which not every model of the hub takes. JSON has their paths, to be replaced. A picture that was given as
    bytes or pixels becomes a file name with a note, and a signed address loses its signature, with a note.
    """
    names, notes = _names(request)
    if flow == "sync" and flavour != "kling_nb":
        notes += _left_out(request)
    if flavour == "json":
        body = _body(request, flow, lambda asset, path: names[path])
        return Snippet(json.dumps(body, indent=2, ensure_ascii=False), (*notes, *_beside(request, names, _REPLACE)))
    beside = tuple(_beside(request, names, _READ))
    if flavour == "kling_nb":
        return Snippet(_commented(notes, _own(request, names, hub)), beside)
    if flavour == "curl":
        body = _body(request, flow, lambda asset, path: _local(asset, names[path]))
        return Snippet(_commented(notes, shell(body, flow, hub=hub, every=every)), beside)
    body = _body(request, flow, lambda asset, path: _local(asset, names[path]))
    return Snippet(_commented(notes, python(body, flavour, flow, hub=hub, every=every)), beside)


def _names(request: Request) -> tuple[dict[str, str], list[str]]:
    """Return what stands for each picture, and what has to be said about it."""
    names: dict[str, str] = {}
    notes: list[str] = []
    for path, asset in request.assets():
        name = name_of(asset)
        if name is None:
            name = f"{path.replace('.', '-')}{suffix_of(asset.data or b'') or '.png'}"
            notes.append(f"{path} was given as {asset.given}: save it as {name} where this runs")
        elif asset.url is not None and asset.url != asset.identity:
            notes.append(f"{path} was a signed address; its signature is left out: put in a fresh one")
        names[path] = name
    return names, notes


_READ, _REPLACE = "pictures are read where the code runs", "put addresses that the hub can read in place of"


def _beside(request: Request, names: Mapping[str, str], what: str) -> Iterator[str]:
    """Say which local files are meant."""
    files = dict.fromkeys(names[path] for path, asset in request.assets() if asset.url is None)
    if files:
        yield f"{what}{':' if what == _READ else ''} {', '.join(files)}"


def _left_out(request: Request) -> Iterator[str]:
    if request.num_generations > 1:
        yield f"one call makes one clip, not {request.num_generations}: num_generations is for the queue"
    if request.target_namespace is not None:
        yield "target_namespace is for the queue: one call is billed to the key's own namespace"


def _body(request: Request, flow: Flow, place: Callable[[Asset, str], Any]) -> dict[str, Any]:
    """Return the body as it goes over the wire, each picture as `place` says; the film comes as an address."""
    paths = iter(path for path, _ in request.assets())
    body = request.body(lambda asset: place(asset, next(paths)))
    dropped = {"response_format"} | ({"num_generations", "target_namespace"} if flow == "sync" else set())
    return {name: value for name, value in body.items() if name not in dropped}


def _local(asset: Asset, name: str) -> Any:
    return name if asset.url is not None else Local(name, asset.media_type)


def _own(request: Request, names: Mapping[str, str], hub: str) -> str:
    fields = call_fields(canonical_request(request), names)
    if request.num_generations > 1:
        fields["num_generations"] = request.num_generations
    if request.target_namespace is not None:
        fields["target_namespace"] = request.target_namespace
    settings = f"kn.configure(hub={quoted(hub)})\n" if hub != HUB else ""
    some, clip = ("jobs", "clips") if request.num_generations > 1 else ("job", "clip")
    return f"import kling_nb as kn\n\n{settings}{some} = {call('kn.generate', fields)}\n{clip} = {some}.result()\n"


def _commented(notes: list[str], code: str) -> str:
    return "".join(f"# {' '.join(note.split())}\n" for note in notes) + code

"""`snippet`: a request as code in one of the flavours. `call`: a request as a call of this package."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from keyword import iskeyword
from pathlib import PurePath
from typing import Any, Protocol

from kling_nb.code.literal import FAL_FLAVOURS, FLAVOURS, HUB, WIDTH, Flavour, Flow, flat_literal, literal, quoted
from kling_nb.code.scripts import Local, fal, python, shell
from kling_nb.models.asset import Asset, suffix_of
from kling_nb.models.canonical import canonical_request
from kling_nb.models.fal import translate
from kling_nb.models.fields import mapped, resolved
from kling_nb.models.images import ImageError
from kling_nb.models.request import TARGET, HubRequest, Request, request_type

#: Seconds between two polls; the hub's documentation says 10 to 30 for video.
EVERY = 10


@dataclass(frozen=True)
class Snippet:
    """Code, and notes to show beside it: which files it reads, and comments that JSON cannot hold.

    `flavour` is that of the code: a hub's client is replaced by that of the hub in use.
    """

    code: str
    notes: tuple[str, ...] = ()
    flavour: Flavour = "kling_nb"
    for_fal: bool = False


def snippet(
    request: Request, flavour: Flavour = "kling_nb", flow: Flow = "poll", *, hub: str = HUB, every: float = EVERY
) -> Snippet:
    """Return code that sends a request to a hub and saves the clips.

    The code runs on its own, with the key in `OXEN_API_KEY` or `FAL_KEY`. It sends what this package would send, in one
    POST; only fal's own clients may repeat it. Local images are read where the code runs: Python uploads them to the
    user's private storage, as the vendor's own client does; cURL sends them as data URIs, which some models do not
    accept; JSON contains their paths, to be replaced. For fal all of them upload, to public addresses. An image that
    was given as bytes or pixels becomes a file name, and a signed URL loses its signature, each with a comment.

    Args:
        request: The request.
        flavour: The library or language of the code.
        flow: How it waits: one call that blocks (`sync`), polling (`poll`), or events first (`events`).
        hub: The hub as a studio's setting: the name of its provider, or its URL, for fal's stand-in as `fal+URL`.
        every: Seconds between two polls.
    """
    hub = HUB if hub == "oxen" else hub.removeprefix("oxen+")
    if flavour not in (FAL_FLAVOURS if is_fal(hub) else FLAVOURS):
        flavour = "fal_client" if is_fal(hub) else "requests"
    return replace(_written(request, flavour, flow, hub, every), flavour=flavour, for_fal=is_fal(hub))


def _written(request: Request, flavour: Flavour, flow: Flow, hub: str, every: float) -> Snippet:
    names, comments = _names(request)
    if flavour != "kling_nb":
        comments += _changed(request)
    if flow == "sync" and flavour != "kling_nb":
        comments += _left_out(request)
    files = ", ".join(dict.fromkeys(names[path] for path, asset in request.assets() if asset.url is None))
    if is_fal(hub) and flavour != "kling_nb":
        return _for_fal(request, flavour, hub, names, comments, files, every)
    if flavour == "json":
        notes = [*comments, *([f"replace with URLs that the hub can read: {files}"] if files else [])]
        text = json.dumps(_body(request, flow, names), indent=2, ensure_ascii=False)
        return Snippet(text, tuple(notes))
    if flavour == "kling_nb":
        code = _own(request, names, hub)
    else:
        body = _body(request, flow, names, local=True)
        write = shell if flavour == "curl" else partial(python, flavour)
        code = write(body, flow, hub=hub, every=every)
    code = "".join(f"# {' '.join(comment.split())}\n" for comment in comments) + code
    return Snippet(code, (f"images are read where the code runs: {files}",) if files else ())


def is_fal(hub: str) -> bool:
    """Whether a hub's setting stands for fal.ai, or for its stand-in at an address."""
    return hub == "fal" or hub.startswith("fal+")


def _for_fal(
    request: Request,
    flavour: Flavour,
    hub: str,
    names: Mapping[str, str],
    comments: list[str],
    files: str,
    every: float,
) -> Snippet:
    """Return the code for fal.ai: one request a clip, with fal's own fields."""
    sent = translate(request.sendable())
    by_identity = {asset.identity: names[path] for path, asset in request.assets()}
    local = flavour != "json"

    def place(asset: Asset) -> Any:
        name = by_identity[asset.identity]
        return Local(name, (asset.original or asset).media_type) if local and asset.url is None else name

    arguments = resolved(sent.body, place)
    if flavour == "json":
        notes = [*comments, f"POST it to https://queue.fal.run/{sent.endpoint}"]
        notes += [f"replace with URLs that fal can read: {files}"] if files else []
        return Snippet(json.dumps(arguments, indent=2, ensure_ascii=False), tuple(notes))
    base = hub.partition("+")[2].rstrip("/")
    code = fal(flavour, sent.endpoint, arguments, count=request.num_generations, base=base, every=every)
    mark = "//" if flavour == "javascript" else "#"
    code = "".join(f"{mark} {' '.join(comment.split())}\n" for comment in comments) + code
    uploads = f"files are read where the code runs, and are public once they are uploaded: {files}"
    return Snippet(code, (uploads,) if files else ())


def _names(request: Request) -> tuple[dict[str, str], list[str]]:
    """Return the path or URL to write for each image, and comments on those that had to change."""
    names: dict[str, str] = {}
    comments: list[str] = []
    for path, asset in request.assets():
        name = name_of(asset)
        if name is None:
            name = f"{path.replace('.', '-')}{suffix_of(asset.data or b'') or '.png'}"
            comments.append(f"{path} was given as {asset.given}: save it as {name} where this runs")
        elif asset.url is not None and asset.url != asset.identity:
            comments.append(f"{path} was a signed URL: its signature is left out, so replace it with a new one")
        names[path] = name
    return names, comments


def _changed(request: Request) -> Iterator[str]:
    """Yield a comment on each image whose file is not what this package sends."""
    for path, asset in request.assets():
        with suppress(ImageError):  # it is not sent at all
            if name_of(asset) is not None and (changes := asset.prepared.fixes):
                remedy = "save the result of kn.fit_image and use that"
                yield f"{path} is changed before kling_nb sends it ({', '.join(changes)}): {remedy}"


def _left_out(request: Request) -> Iterator[str]:
    if request.num_generations > 1:
        yield f"one call makes one clip, not {request.num_generations}: only the queue takes num_generations"
    if request.target_namespace is not None:
        yield "one call is billed to the key's own namespace: only the queue takes target_namespace"


def _body(request: Request, flow: Flow, names: Mapping[str, str], *, local: bool = False) -> dict[str, Any]:
    """Return the body to send, with images by name, or local ones as `Local`; the clip is to come as a URL."""
    paths = iter(path for path, _ in request.assets())

    def place(asset: Asset) -> Any:
        name = names[next(paths)]
        return Local(name, (asset.original or asset).media_type) if local and asset.url is None else name

    dropped = {"response_format"} | ({"num_generations", "target_namespace"} if flow == "sync" else set())
    return {name: value for name, value in request.body(place).items() if name not in dropped}


def _own(request: Request, names: Mapping[str, str], hub: str) -> str:
    fields = call_fields(canonical_request(request), names)
    if request.num_generations > 1:
        fields["num_generations"] = request.num_generations
    if request.target_namespace is not None:
        fields["target_namespace"] = request.target_namespace
    settings = f"kn.configure(hub={quoted(hub)})\n" if hub != HUB else ""
    job, clip = ("jobs", "clips") if request.num_generations > 1 else ("job", "clip")
    return f"import kling_nb as kn\n\n{settings}{job} = {call('kn.generate', fields)}\n{clip} = {job}.result()\n"


class Image(Protocol):
    """The common part of an asset and a record's reference."""

    @property
    def identity(self) -> str: ...
    @property
    def given(self) -> str: ...
    @property
    def name(self) -> str: ...


class NamelessError(Exception):
    """An image without a path or URL that code could contain."""


def name_of(image: Image) -> str | None:
    """Return the path or public URL that an image was given by; None for bytes and pixels."""
    if image.identity.startswith("pixels-"):
        return None
    if not image.identity.startswith("sha256:"):
        return image.identity
    is_path = bool(image.name) and PurePath(image.given).name == image.name
    return image.given if is_path else None


def call_fields(canonical: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a canonical request's fields as a caller gives them, without defaults.

    `names` maps the path of each image to the name to write. Raises `NamelessError` for an image without one.
    """
    model = canonical.get("model", TARGET)
    kind = request_type(model)
    defaults = {} if kind is HubRequest else {name: field.default for name, field in kind.model_fields.items()}
    defaults.pop("duration", None)  # the price depends on it: always written
    given = {name: value for name, value in canonical.items() if name not in defaults or defaults[name] != value}
    if model != TARGET:
        given["model"] = model
    return mapped(given, lambda path, item: _named(item, ".".join(map(str, path)), names))


def is_keyword_name(name: str) -> bool:
    """Whether a field can be written as a keyword argument."""
    return name.isidentifier() and not iskeyword(name)


def call(verb: str, fields: Mapping[str, Any]) -> str:
    """Return a call with these fields, the prompt first; fields that are not keywords go into `**{...}`."""
    prompt = [literal(fields["prompt"], 4)] if "prompt" in fields else []
    named = [(f"{name}=", value) for name, value in fields.items() if name != "prompt" and is_keyword_name(name)]
    rest = {name: value for name, value in fields.items() if not is_keyword_name(name)}
    named += [("**", rest)] if rest else []
    flat = ", ".join([*prompt, *(f"{head}{flat_literal(value)}" for head, value in named)])
    if len(flat) + len(verb) + 2 <= WIDTH:
        return f"{verb}({flat})"
    lines = [*prompt, *(f"{head}{literal(value, 4, len(head))}" for head, value in named)]
    return f"{verb}(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def _named(item: Any, path: str, names: Mapping[str, str | None]) -> Any:
    is_image = isinstance(item, str) and (path in names or item.startswith(("sha256:", "pixels-sha256:")))
    if is_image and names.get(path) is None:
        raise NamelessError
    return names[path] if is_image else item

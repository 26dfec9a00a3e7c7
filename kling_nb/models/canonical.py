"""One text for one request: canonical JSON (RFC 8785) and its tagged sha256."""

from __future__ import annotations

from typing import Any

import rfc8785

from kling_nb.models.asset import sha256
from kling_nb.models.request import DELIVERY, Request


def canonical_json(value: Any) -> bytes:
    """Return the value as RFC 8785 JSON in UTF-8: sorted keys, no spaces, one spelling for each number."""
    return rfc8785.dumps(value)


def canonical_request(request: Request) -> dict[str, Any]:
    """Return what a request asks for, assets by their identity, without how it is delivered.

    The same request gives the same value on every machine, wherever its pictures lie. Texts count letter by letter as
    the hub gets them: an `é` of two code points is not the one of one, and may not make the same clip.
    """
    body = request.body(lambda asset: asset.identity)
    return {name: value for name, value in body.items() if name not in DELIVERY}


def delivery_of(request: Request) -> dict[str, str]:
    """Return how a request is carried out, as far as it was said and is the same for each generation."""
    said = {"response_format": request.response_format, "target_namespace": request.target_namespace}
    return {name: value for name, value in said.items() if value is not None}


def request_hash(request: Request) -> str:
    """Return `sha256:` of the canonical request: the name of the clip that is asked for."""
    return hash_of(canonical_request(request))


def hash_of(canonical: Any) -> str:
    """Return the same of a canonical request."""
    return sha256(canonical_json(canonical))

"""Canonical JSON (RFC 8785) of requests, and its tagged SHA-256."""

from __future__ import annotations

from typing import Any

import rfc8785

from kling_nb.models.asset import sha256
from kling_nb.models.request import DELIVERY, Request


def canonical_json(value: Any) -> bytes:
    """Return a value as RFC 8785 JSON in UTF-8: keys sorted, no spaces, one spelling for each number."""
    return rfc8785.dumps(value)


def canonical_request(request: Request) -> dict[str, Any]:
    """Return a request's fields with assets by their identity, without the fields about its delivery.

    A hub that is named is part of the request: each provider makes another clip of it.

    The same request gives the same value on every machine, wherever its images are. Text is not normalized: an `é` of
    two code points differs from one of one, and may make another clip.
    """
    body = request.body(lambda asset: asset.identity)
    canonical = {name: value for name, value in body.items() if name not in DELIVERY}
    return canonical if request.hub is None else {**canonical, "hub": request.hub}


def delivery_of(request: Request) -> dict[str, str]:
    """Return the fields about the delivery that are set, and are the same for each generation."""
    fields = {"response_format": request.response_format, "target_namespace": request.target_namespace}
    return {name: value for name, value in fields.items() if value is not None}


def request_hash(request: Request) -> str:
    """Return the `sha256:` of the canonical request."""
    return hash_of(canonical_request(request))


def hash_of(canonical: Any) -> str:
    """Return the `sha256:` of a canonical request or another JSON value."""
    return sha256(canonical_json(canonical))

"""The hub's answers when something is wrong: the envelopes and texts of HUB_API section 5."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from .faults import Fault
from .validation import INVALID

__all__ = [
    "REPLIES",
    "faulty",
    "invalid",
    "not_found",
    "over",
    "refused",
    "timed_out",
    "unauthenticated",
    "update_required",
]


def refused(status: int, kind: str, title: str, detail: str | None = None) -> JSONResponse:
    """Envelope 1."""
    error = {"type": kind, "title": title, **({"detail": detail} if detail else {})}
    return JSONResponse({"error": error, "status": "error", "status_message": kind}, status)


def not_found() -> JSONResponse:
    """404 for an unknown id or path (section 3)."""
    return refused(404, "resource_not_found", "The requested resource could not be found")


def unauthenticated() -> JSONResponse:
    """401."""
    return refused(401, "unauthenticated", "You must be authenticated to perform this action.")


def update_required() -> JSONResponse:
    """426, for a User-Agent that looks like the vendor's command-line tool (section 1)."""
    return refused(426, "update_required", "Your CLI version is out of date. Please update to continue.")


def invalid(detail: str, status: int = 400) -> JSONResponse:
    """400 with a detail; upstream's errors come in the same envelope with the status of the day (section 2)."""
    return refused(status, "invalid_params", INVALID, detail)


def over(status: int, body: str, done: Mapping[str, Any], record: Mapping[str, Any]) -> Response:
    """The answer to a DELETE that came too late (section 3): both its status and its body are open."""
    match body:
        case "message":
            return JSONResponse({"error": {"message": _OVER}}, status)
        case "string":
            return JSONResponse({"error": _OVER}, status)
        case "status":
            kind = "resource_not_found" if status == 404 else "invalid_params"
            return JSONResponse({"status": "error", "status_message": kind}, status)
        case "record":
            return JSONResponse(record, status)
        case "empty":
            return Response(status_code=status)
        case _:
            return {404: not_found(), 400: invalid(_OVER)}.get(status) or JSONResponse(done, status)


def timed_out() -> Response:
    """504, the page of a proxy (envelope 7) that waited long enough for the synchronous route."""
    return HTMLResponse(_page("504 Gateway Time-out"), 504)


def _page(title: str) -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


def _rate_limited(fault: Fault) -> Response:
    answer = JSONResponse({"error": "Rate limit exceeded"}, 429)
    after = fault.extra.get("retry_after", 1)
    if fault.extra.get("retry_after_format") == "date":
        after = formatdate(time.time() + float(after), usegmt=True)
    answer.headers["Retry-After"] = str(after)
    return answer


_OVER = "The generation is already in a terminal state."
_CREDITS = "You have run out of credits."
_PROVIDER = {"error": {"type": "upstream", "title": "The model provider returned an error."}, "status": 502}
_EMPTY = {"generations": [], "error": {"message": "The generation could not be queued."}}

# The faults that are an answer, whatever was asked.
REPLIES: Mapping[str, Callable[[Fault], Response]] = {
    "unauthenticated": lambda _: unauthenticated(),
    "insufficient_credits": lambda _: refused(402, "insufficient_credits", _CREDITS),
    "not_found": lambda _: not_found(),
    "model_not_found": lambda fault: JSONResponse(
        {"error": {"message": f"Model not found: {fault.extra.get('model', 'kling-video-o3-pro-reference-to-video')}"}},
        404,
    ),
    "update_required": lambda _: update_required(),
    "rate_limited": _rate_limited,
    "unknown_error": lambda _: refused(500, "unknown_error", "An unknown error occurred."),
    "upstream": lambda _: JSONResponse(_PROVIDER, 502),
    "html": lambda _: HTMLResponse(_page("502 Bad Gateway"), 502),
    "empty_200": lambda _: JSONResponse(_EMPTY, 200),
}


def faulty(fault: Fault, model: str | None) -> Response:
    """The answer of a fault; `status`, `body` and `headers` given with it win."""
    named: Mapping[str, Any] = {"model": model, **fault.extra} if model else fault.extra
    answer = REPLIES[fault.name](Fault(fault.name, extra=named))
    if "body" in fault.extra:
        answer = JSONResponse(fault.extra["body"], answer.status_code)
    answer.status_code = int(fault.extra.get("status", answer.status_code))
    answer.headers.update(fault.extra.get("headers", {}))
    return answer

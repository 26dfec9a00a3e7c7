"""Error responses: the envelopes and texts of the wire contract."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from .faults import Fault

__all__ = [
    "FAULT_RESPONSES",
    "Rejection",
    "already_finished",
    "error_response",
    "fault_response",
    "gateway_timeout",
    "invalid_params",
    "model_not_found",
    "not_found",
    "unauthenticated",
    "unknown_error",
    "update_required",
]


class Rejection(Exception):
    """Ends a request with an error response, which the app's exception handler sends."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def error_response(status: int, kind: str, title: str, detail: str | None = None) -> JSONResponse:
    """Return an error in the hub's usual envelope."""
    error = {"type": kind, "title": title, **({"detail": detail} if detail else {})}
    description = {"status_description": detail} if detail else {}
    return JSONResponse({"error": error, "status": "error", "status_message": kind, **description}, status)


def not_found() -> JSONResponse:
    """Return 404 for an unknown ID or path."""
    return error_response(404, "resource_not_found", "The requested resource could not be found")


def unauthenticated() -> JSONResponse:
    """Return 401."""
    return error_response(401, "unauthenticated", "You must be authenticated to perform this action.")


def update_required() -> JSONResponse:
    """Return 426, for a User-Agent that looks like the vendor's command-line tool."""
    return error_response(426, "update_required", "Your CLI version is out of date. Please update to continue.")


def unknown_error() -> JSONResponse:
    """Return 500."""
    return error_response(500, "unknown_error", "An unknown error occurred.")


def invalid_params(detail: str, status: int = 400) -> JSONResponse:
    """Return 400 with a detail, or another status for an error from upstream."""
    title = "Invalid parameters supplied, please check your request and try again."
    return error_response(status, "invalid_params", title, detail)


def model_not_found(model: object) -> JSONResponse:
    """Return 404 for a model that the hub does not offer."""
    return JSONResponse({"error": {"message": f"Model not found: {model}"}}, 404)


def already_finished(status: int, body: str, success: Mapping[str, Any], record: Mapping[str, Any]) -> Response:
    """Return the response to a DELETE on a finished job; `body` is a value of `late_delete_body`."""
    text = "The generation is already in a terminal state."
    match body:
        case "message":
            return JSONResponse({"error": {"message": text}}, status)
        case "string":
            return JSONResponse({"error": text}, status)
        case "status":
            kind = "resource_not_found" if status == 404 else "invalid_params"
            return JSONResponse({"status": "error", "status_message": kind}, status)
        case "record":
            return JSONResponse(record, status)
        case "empty":
            return Response(status_code=status)
        case _:
            return {404: not_found(), 400: invalid_params(text)}.get(status) or JSONResponse(success, status)


def gateway_timeout() -> Response:
    """Return 504 as an HTML page from a proxy."""
    return _page("504 Gateway Time-out", 504)


def fault_response(fault: Fault, model: str | None) -> Response:
    """Return the response of a fault; its `status`, `body` and `headers` override the usual ones."""
    extra: Mapping[str, Any] = {"model": model, **fault.extra} if model else fault.extra
    response = FAULT_RESPONSES[fault.name](extra)
    if "body" in extra:
        response = JSONResponse(extra["body"], response.status_code)
    response.status_code = int(extra.get("status", response.status_code))
    response.headers.update(extra.get("headers", {}))
    return response


def _page(title: str, status: int) -> Response:
    html = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return HTMLResponse(html, status)


def _rate_limited(extra: Mapping[str, Any]) -> Response:
    retry_after = extra.get("retry_after", 1)
    if extra.get("retry_after_format") == "date":
        retry_after = formatdate(time.time() + float(retry_after), usegmt=True)
    return JSONResponse({"error": "Rate limit exceeded"}, 429, {"Retry-After": str(retry_after)})


_UPSTREAM = {"error": {"type": "upstream", "title": "The model provider returned an error."}, "status": 502}
_EMPTY = {"generations": [], "error": {"message": "The generation could not be queued."}}

# The faults that replace the response to any request.
FAULT_RESPONSES: Mapping[str, Callable[[Mapping[str, Any]], Response]] = {
    "unauthenticated": lambda _: unauthenticated(),
    "insufficient_credits": lambda _: error_response(402, "insufficient_credits", "You have run out of credits."),
    "not_found": lambda _: not_found(),
    "model_not_found": lambda extra: model_not_found(extra.get("model", "kling-video-o3-pro-reference-to-video")),
    "update_required": lambda _: update_required(),
    "rate_limited": _rate_limited,
    "unknown_error": lambda _: unknown_error(),
    "upstream": lambda _: JSONResponse(_UPSTREAM, 502),
    "html": lambda _: _page("502 Bad Gateway", 502),
    "empty_200": lambda _: JSONResponse(_EMPTY),
}

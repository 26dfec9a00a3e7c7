"""Error responses: the envelopes and texts of the wire contract, and the connection that ends without any."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from .faults import Fault

_ERRORS = {
    "invalid_params": (400, "Invalid parameters supplied, please check your request and try again."),
    "unauthenticated": (401, "You must be authenticated to perform this action."),
    "insufficient_credits": (402, "You have run out of credits."),
    "forbidden": (403, "The signed URL has expired or is not valid."),
    "resource_not_found": (404, "The requested resource could not be found"),
    "method_not_allowed": (405, "Method Not Allowed"),
    "resource_already_exists": (409, "A repository with this name already exists."),
    "update_required": (426, "Your CLI version is out of date. Please update to continue."),
    "unknown_error": (500, "An unknown error occurred."),
}


class Rejection(Exception):
    """Ends a request with an error response, which the app's exception handler sends."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def rejected(request: Request, exc: Rejection) -> Response:
    """Return the response of a rejection."""
    return exc.response


async def json_of(request: Request) -> Any:
    """Return the JSON of a body, None if it is not JSON."""
    try:
        return await request.json()
    except ValueError:
        return None


class DroppedConnection(Response):
    """A response that is never sent: the connection closes instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport_of(receive).abort()
        await disconnected(receive)


class Ascii(JSONResponse):
    """JSON whose text may have halves of surrogate pairs, which UTF-8 cannot express."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def transport_of(receive: Receive) -> Any:
    """Return the connection of a request, which uvicorn knows and ASGI cannot close."""
    return receive.__self__.transport  # pyright: ignore[reportFunctionMemberAccess]


async def disconnected(receive: Receive) -> None:
    """Wait for the end of a connection: uvicorn answers 500 for an app that returns before it without a response."""
    while (await receive())["type"] != "http.disconnect":
        pass


def error_response(kind: str, detail: str | None = None, *, status: int | None = None) -> JSONResponse:
    """Return an error in the hub's usual envelope, with its usual status unless another is given."""
    usual, title = _ERRORS[kind]
    error = {"type": kind, "title": title, **({"detail": detail} if detail else {})}
    description = {"status_description": detail} if detail else {}
    return JSONResponse({"error": error, "status": "error", "status_message": kind, **description}, status or usual)


def model_not_found(model: object) -> JSONResponse:
    """Return 404 for a model that the hub does not offer."""
    return JSONResponse({"error": {"message": f"Model not found: {model}"}}, 404)


def already_finished(status: int, body: str, success: Mapping[str, Any], record: Mapping[str, Any]) -> Response:
    """Return the response to a DELETE on a finished job; `body` is a value of `late_delete_body`."""
    text = "The generation is already in a terminal state."
    kind = "resource_not_found" if status == 404 else "invalid_params"
    match body:
        case "message":
            return JSONResponse({"error": {"message": text}}, status)
        case "string":
            return JSONResponse({"error": text}, status)
        case "status":
            return JSONResponse({"status": "error", "status_message": kind}, status)
        case "record":
            return JSONResponse(record, status)
        case "empty":
            return Response(status_code=status)
        case _ if status == 200:
            return JSONResponse(success)
        case _:
            return error_response(kind, text if status == 400 else None)


def fault_response(fault: Fault, model: str | None) -> Response:
    """Return the response of a fault; its `status`, `body` and `headers` override the usual ones."""
    extra: Mapping[str, Any] = {"model": model, **fault.extra} if model else fault.extra
    response = FAULT_RESPONSES[fault.name](extra)
    if "body" in extra:
        response = JSONResponse(extra["body"], response.status_code)
    response.status_code = int(extra.get("status", response.status_code))
    response.headers.update(extra.get("headers", {}))
    return response


def proxy_page(status: int, title: str) -> Response:
    """Return an error as the HTML page of a proxy."""
    title = f"{status} {title}"
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
    "unauthenticated": lambda _: error_response("unauthenticated"),
    "insufficient_credits": lambda _: error_response("insufficient_credits"),
    "not_found": lambda _: error_response("resource_not_found"),
    "model_not_found": lambda extra: model_not_found(extra.get("model", "kling-video-o3-pro-reference-to-video")),
    "update_required": lambda _: error_response("update_required"),
    "rate_limited": _rate_limited,
    "unknown_error": lambda _: error_response("unknown_error"),
    "upstream": lambda _: JSONResponse(_UPSTREAM, 502),
    "nested_json": lambda _: Response('{"generations":' + "[" * 200_000, media_type="application/json"),
    "html": lambda _: proxy_page(502, "Bad Gateway"),
    "empty_200": lambda _: JSONResponse(_EMPTY),
    "dropped_connection": lambda _: DroppedConnection(),
}

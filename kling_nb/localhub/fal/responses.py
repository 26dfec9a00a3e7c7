"""Error responses in the shapes of section 4."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from kling_nb.localhub.faults import Fault
from kling_nb.localhub.responses import DroppedConnection

LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at https://fal.ai/dashboard/billing"


def gateway(status: int, detail: str) -> JSONResponse:
    """Return an error of the gateway."""
    return JSONResponse({"detail": detail}, status)


def infrastructure(status: int, detail: str, error_type: str) -> JSONResponse:
    """Return an error of a runner, or of the way to it."""
    return JSONResponse({"detail": detail, "error_type": error_type}, status, {"X-Fal-Error-Type": error_type})


def not_found() -> JSONResponse:
    """Return the answer to an unknown request."""
    return JSONResponse({"status": "NOT_FOUND"}, 404)


def no_application(endpoint_id: str) -> JSONResponse:
    """Return the answer to an unknown endpoint."""
    return gateway(404, f"Application {endpoint_id.rpartition('/')[2]!r} not found")


def platform(status: int, kind: str, message: str) -> JSONResponse:
    """Return an error of the Platform API."""
    return JSONResponse({"error": {"type": kind, "message": message}}, status)


def fault_response(fault: Fault, path: str) -> Response:
    """Return the response of a fault; its `status`, `body` and `headers` override the usual ones."""
    extra = fault.extra
    response = (_PLATFORM if path.startswith("/v1/") else {}).get(fault.name, FAULT_RESPONSES[fault.name])(extra)
    if "body" in extra:
        response = JSONResponse(extra["body"], response.status_code)
    response.status_code = int(extra.get("status", response.status_code))
    response.headers.update(extra.get("headers", {}))
    return response


def proxy_page() -> Response:
    """Return the page of a proxy."""
    title = "502 Bad Gateway"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>"
    return HTMLResponse(body, 502)


def _rate_limited(extra: Mapping[str, Any]) -> Response:
    retry_after = extra.get("retry_after", 1)
    if extra.get("retry_after_format") == "date":
        retry_after = formatdate(time.time() + float(retry_after), usegmt=True)
    return JSONResponse({"detail": "Rate limit exceeded"}, 429, {"Retry-After": str(retry_after)})


# The faults that replace the response to any request.
FAULT_RESPONSES: Mapping[str, Callable[[Mapping[str, Any]], Response]] = {
    "unauthenticated": lambda _: gateway(401, "invalid key credentials"),
    "insufficient_credits": lambda _: gateway(403, LOCKED),
    "forbidden": lambda _: gateway(403, "Forbidden"),
    "not_found": lambda _: not_found(),
    "model_not_found": lambda _: gateway(404, "Application 'kling-video' not found"),
    "rate_limited": _rate_limited,
    "unknown_error": lambda _: infrastructure(500, "Internal Server Error", "internal_error"),
    "upstream": lambda _: infrastructure(503, "Runner could not be scheduled", "runner_scheduling_failure"),
    "html": lambda _: proxy_page(),
    "nested_json": lambda _: Response('{"items":' + "[" * 200_000, media_type="application/json"),
    "dropped_connection": lambda _: DroppedConnection(),
    "result_gone": lambda _: not_found(),
}
# The Platform API has its own envelope.
_PLATFORM: Mapping[str, Callable[[Mapping[str, Any]], Response]] = {
    "unauthenticated": lambda _: platform(401, "authorization_error", "Invalid API key."),
    "forbidden": lambda _: platform(403, "authorization_error", "The key has no access to this resource."),
    "not_found": lambda _: platform(404, "not_found", "Not found."),
    "rate_limited": lambda _: platform(429, "rate_limited", "Too many requests."),
    "unknown_error": lambda _: platform(500, "server_error", "Internal server error."),
    "upstream": lambda _: platform(503, "server_error", "Service unavailable."),
}

"""The Platform API (sections 5 to 7): catalogue, prices and the history of requests; and the OpenAPI of an endpoint."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kling_nb.localhub.faults import Fault
from kling_nb.localhub.jobs import Job
from kling_nb.localhub.responses import Ascii, Rejection

from . import endpoints
from .hub import FalHub
from .responses import platform

_DAY = 24 * 3600.0
_STATUSES = {"success": (200, 300), "user_error": (400, 500), "error": (500, 600)}


async def models(hub: FalHub, request: Request) -> Response:
    """`GET /v1/models`."""
    query, wanted = request.query_params, _ids(request)
    words = query.get("q", "").lower().split()
    found: list[dict[str, Any]] = []
    for one in endpoints.current(hub.faults):
        metadata = one.metadata
        text = f"{one.id} {metadata['display_name']}".lower()
        if (wanted and one.id not in wanted) or not all(word in text for word in words):
            continue
        if query.get("category") in (None, "", metadata["category"]) and query.get("status") in (None, "", "active"):
            expanded = {"openapi": one.openapi} if "openapi-3.0" in query.getlist("expand") else {}
            found.append({"endpoint_id": one.id, "metadata": metadata, **expanded})
    return _page(request, "models", found)


async def pricing(hub: FalHub, request: Request) -> Response:
    """`GET /v1/models/pricing`: one base price an endpoint, which knows of no surcharge for sound."""
    wanted = _ids(request)
    if not 1 <= len(wanted) <= 50:
        return platform(400, "validation_error", "endpoint_id: between 1 and 50 are required.")
    known = [one for one in endpoints.current(hub.faults) if one.id in wanted]
    if not known:
        return platform(404, "not_found", f"No prices for {', '.join(wanted)[:200]}.")
    prices = [
        {"endpoint_id": one.id, "unit_price": one.price, "unit": "seconds", "currency": "USD"}
        for one in known
        if one.price is not None
    ]
    return JSONResponse({"prices": prices, "next_cursor": None, "has_more": False})


async def estimate(hub: FalHub, request: Request) -> Response:
    """`POST /v1/models/pricing/estimate`."""
    body: Any = request.state.body
    try:
        total = 0.0
        for endpoint_id, asked in body["endpoints"].items():
            one = endpoints.find(endpoint_id, endpoints.current(hub.faults))
            total += float(asked["unit_quantity"]) * float((one and one.price) or 0)
    except (KeyError, TypeError, ValueError, AttributeError):
        return platform(400, "validation_error", "endpoints: an object with unit_quantity is required.")
    return JSONResponse({"estimate_type": body.get("estimate_type"), "total_cost": total, "currency": "USD"})


async def by_endpoint(hub: FalHub, request: Request) -> Response:
    """`GET /v1/models/requests/by-endpoint`."""
    query, wanted, now = request.query_params, _ids(request), time.time()
    if not 1 <= len(wanted) <= 50:
        return platform(400, "validation_error", "endpoint_id: between 1 and 50 are required.")
    wanted_id = query.get("request_id")
    start = _time(query.get("start"), now - (90 * _DAY if wanted_id else _DAY))
    end = _time(query.get("end"), now + 1)
    jobs = [
        job
        for job in _rows(hub, request)
        if job.model in wanted and start <= job.enqueued_at < end and wanted_id in (None, job.id)
    ]
    if query.get("status"):
        low, high = _STATUSES.get(query["status"], (0, 0))
        jobs = [job for job in jobs if low <= (_code(hub, job) or 0) < high]
    if query.get("sort_by") == "duration":
        jobs.sort(key=lambda job: -(job.process_for))
    return _page(request, "items", [_row(hub, job, request) for job in jobs])


async def search(hub: FalHub, request: Request) -> Response:
    """`GET /v1/models/requests/search`: newest first, of all endpoints."""
    return _page(request, "results", [_row(hub, job, request) for job in _rows(hub, request)])


async def admin_only(hub: FalHub, request: Request) -> Response:
    """Refuse what an API key may not do."""
    return platform(403, "authorization_error", "This endpoint requires a key with the ADMIN scope.")


async def openapi(hub: FalHub, request: Request) -> Response:
    """`GET /api/openapi/queue/openapi.json?endpoint_id=...`, which needs no key."""
    one = endpoints.find(request.query_params.get("endpoint_id", ""), endpoints.current(hub.faults))
    return JSONResponse(None, 404) if one is None else JSONResponse(one.openapi)


def _rows(hub: FalHub, request: Request) -> list[Job]:
    """Return the requests that the history has by now, newest first."""
    choices, now = hub.options.choices, time.time()
    late: Fault | None = hub.faults.take(request, "late_listing")
    lag = float(choices["history_lag"]) if late is None else float(late.extra.get("seconds", 45))
    hidden = {"IN_QUEUE": choices["history_queued"] == "no", "IN_PROGRESS": choices["history_running"] == "no"}
    jobs = [job for job in hub.jobs if job.listed and job.enqueued_at <= now - lag and not hidden.get(hub.state(job))]
    return jobs[::-1]


def _row(hub: FalHub, job: Job, request: Request) -> dict[str, Any]:
    now = time.time()
    started, ended = job.started_at(now), job.completed_at(now)
    row: dict[str, Any] = {
        "request_id": job.id,
        "endpoint_id": job.model,
        "sent_at": _stamp(job.enqueued_at),
        "started_at": _stamp(started or job.enqueued_at),
        "ended_at": None if ended is None else _stamp(ended),
        "status_code": _code(hub, job),
        "duration": None if ended is None else ended - (started or job.enqueued_at),
    }
    if "payloads" in request.query_params.getlist("expand"):
        kept = hub.faults.take(request, "no_payloads") is None
        done = kept and _code(hub, job) == 200
        row |= {"json_input": dict(job.request) if kept else None, "json_output": hub.result_of(job) if done else None}
    return row


def _code(hub: FalHub, job: Job) -> int | None:
    if hub.state(job) != "COMPLETED":
        return None
    failure = hub.failure(job)
    return 200 if failure is None else failure["status"]


def _page(request: Request, name: str, entries: list[dict[str, Any]]) -> Response:
    query = request.query_params
    try:
        limit, first = int(query.get("limit", "50")), int(query.get("cursor") or 0)
    except ValueError as exc:
        raise Rejection(platform(400, "validation_error", "limit: not an integer.")) from exc
    if not 1 <= limit <= 100:
        raise Rejection(platform(400, "validation_error", "limit: must be between 1 and 100."))
    more = first + limit < len(entries)
    cursor = str(first + limit) if more else None
    return Ascii({name: entries[first : first + limit], "next_cursor": cursor, "has_more": more})


def _ids(request: Request) -> list[str]:
    """Return the endpoints that a query names, repeated or divided by commas."""
    return [each for value in request.query_params.getlist("endpoint_id") for each in value.split(",") if each]


def _time(text: str | None, default: float) -> float:
    if not text:
        return default
    try:
        value = datetime.fromisoformat(text)
    except ValueError as exc:
        raise Rejection(platform(400, "validation_error", f"not a time: {text[:60]}")) from exc
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

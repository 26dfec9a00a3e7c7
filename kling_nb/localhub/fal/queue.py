"""The routes of `queue.fal.run` and `fal.run` (sections 2 and 3)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from kling_nb.localhub.jobs import Job
from kling_nb.localhub.responses import Ascii, DroppedConnection, Rejection, disconnected, transport_of

from . import endpoints
from .hub import FalHub
from .responses import gateway, infrastructure, no_application, not_found, proxy_page
from .validation import refusal

_LOOK = 0.05  # seconds between two looks of an event stream
_HEADER = "x-fal-request-id"


async def submit(hub: FalHub, request: Request) -> Response:
    """`POST /{endpoint_id}`: into the queue, or at the host `fal.run` until the result is there."""
    job = _accept(hub, request)
    if request.scope.get("fal_host") == "fal.run":
        return await _finish(hub, job)
    if hub.faults.take(request, "lost_reply") is not None:
        return DroppedConnection()
    if hub.faults.take(request, "lost_to_proxy") is not None:
        return proxy_page()
    if (slow := hub.faults.take(request, "slow_reply")) is not None:
        await asyncio.sleep(float(slow.extra.get("seconds", 75)))
    if (empty := hub.faults.take(request, "empty_200")) is not None:
        return JSONResponse(empty.extra.get("body", {}))
    foreign = hub.faults.take(request, "foreign_urls") is not None
    urls = hub.urls(job, hub.options.choices["url_form"], hub.other_origin if foreign else hub.base_url)
    position = hub.status_of(job, logs=False).get("queue_position", 0)
    reply = {"status": "IN_QUEUE", "request_id": job.id, **urls, "queue_position": position}
    return JSONResponse(reply, headers={_HEADER: job.id})


def _accept(hub: FalHub, request: Request) -> Job:
    """Check what the gateway checks: the endpoint and the JSON."""
    endpoint_id = request.path_params["path"].strip("/")
    known = endpoints.endpoints() if request.headers.get("x-local-instant") == "1" else endpoints.current(hub.faults)
    endpoint = endpoints.find(endpoint_id, known)
    if endpoint is None:
        raise Rejection(no_application(endpoint_id))
    body = request.state.body
    if not isinstance(body, dict):
        raise Rejection(gateway(422, "The body is not a JSON object"))
    failure = refusal(body, endpoint, unknown_keys=hub.options.choices["unknown_keys"])
    if failure is None and hub.options.choices["data_uri"] == "refuse" and '"data:' in json.dumps(body):
        detail = [{"loc": ["body", "root"], "msg": "Failed to download the file", "type": "file_download_error"}]
        failure = {"status": 422, "detail": detail, "error_type": None}
    return hub.submit(endpoint, body, request, failure)


async def _finish(hub: FalHub, job: Job) -> Response:
    try:
        job = await asyncio.wait_for(hub.wait(job.id), float(hub.options.choices["sync_timeout"]))
    except TimeoutError:
        return infrastructure(504, "Request timed out", "request_timeout")
    return _ended(hub, job)


async def read(hub: FalHub, request: Request) -> Response:
    """`GET .../requests/{id}[/status[/stream]|/response]`."""
    job, verb = _job_at(hub, request)
    match verb:
        case "status":
            found = _status(hub, job, request)
            if found is None:
                return not_found()
            status = 200 if found["status"] == "COMPLETED" else 202
            return Ascii(found, status, headers={_HEADER: job.id})
        case "status/stream":
            torn = hub.faults.take(request, "dropped_events") is not None
            stream = _stream(hub, job, request, torn=torn)
            return StreamingResponse(stream, media_type="text/event-stream", headers={_HEADER: job.id})
        case "" | "response":
            return _result(hub, job)
        case _:
            return not_found()


async def change(hub: FalHub, request: Request) -> Response:
    """`PUT .../requests/{id}/cancel`."""
    job, verb = _job_at(hub, request)
    if verb != "cancel":
        return not_found()
    state = hub.state(job)
    if state == "COMPLETED":
        return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
    ignored = hub.faults.take(request, "ignored_cancel") is not None
    stops = state == "IN_QUEUE" or hub.options.choices["cancel_running"] == "stops"
    if stops and not ignored:
        hub.cancel(job)
    if state == "IN_QUEUE" and not ignored:
        return JSONResponse({"status": "OK"})
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)


def _job_at(hub: FalHub, request: Request) -> tuple[Job, str]:
    """Return the request that a path means, by the app or the endpoint and the id, and the verb."""
    owner, _, rest = request.path_params["path"].partition("/requests/")
    request_id, _, verb = rest.partition("/")
    job = hub.jobs.get(request_id)
    if job is None or not job.listed or owner.strip("/") not in (job.details["app"], job.model):
        raise Rejection(not_found())
    return job, verb.strip("/")


def _status(hub: FalHub, job: Job, request: Request) -> dict[str, Any] | None:
    found = hub.status_of(job, logs=request.query_params.get("logs", "0").lower() in ("1", "true"))
    changed = hub.faults.take(request, "changed_record")
    if changed is None or changed.extra.get("when") not in (None, found["status"]):
        return found
    return {**found, **changed.extra.get("record", {})}


def _result(hub: FalHub, job: Job) -> Response:
    if hub.state(job) != "COMPLETED":
        return gateway(int(hub.options.choices["early_result"]), "Request is still in progress")
    ended = job.completed_at(time.time()) or 0
    if time.time() - ended > float(hub.options.choices["result_lifetime"]):
        return not_found()
    return _ended(hub, job)


def _ended(hub: FalHub, job: Job) -> Response:
    """Answer as the model did, with its status and headers."""
    failure, headers = hub.failure(job), {_HEADER: job.id}
    if failure is None:
        return JSONResponse(hub.result_of(job), headers={**headers, "X-Fal-Billable-Units": _units(job.request)})
    if failure["error_type"]:
        headers |= {"X-Fal-Error-Type": failure["error_type"]}
        if failure["error_type"] == "request_timeout":
            headers |= {"X-Fal-Request-Timeout-Type": "user"}
        body = {"detail": failure["detail"], "error_type": failure["error_type"]}
        return Ascii(body, failure["status"], headers=headers)
    return Ascii({"detail": failure["detail"]}, failure["status"], headers={**headers, "X-Fal-Retryable": "false"})


def _units(body: Mapping[str, Any]) -> str:
    shots = body.get("multi_prompt") or [body]
    return str(sum(int(shot.get("duration") or 5) for shot in shots))


async def _stream(hub: FalHub, job: Job, request: Request, *, torn: bool) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    hub.subscribers.add(queue)
    last = ""
    try:
        while not hub.closing.is_set():
            found = hub.status_of(hub.jobs.get(job.id) or job, logs=request.query_params.get("logs") in ("1", "true"))
            if (text := json.dumps(found)) != last:
                yield f"data: {text}\n\n"
                last = text
            if found["status"] == "COMPLETED":
                return
            if torn:
                transport_of(request.receive).abort()
                await disconnected(request.receive)
                return
            await asyncio.sleep(_LOOK)
    finally:
        hub.subscribers.discard(queue)

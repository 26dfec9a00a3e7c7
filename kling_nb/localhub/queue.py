"""The routes that make clips: the queue, the event stream and the synchronous route."""

from __future__ import annotations

import asyncio
import base64
import math
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from . import catalogue
from .catalogue import Model
from .faults import Fault
from .hub import USER, Hub
from .inputs import image_urls
from .jobs import ACTIVE, Job
from .responses import (
    Ascii,
    DroppedConnection,
    Rejection,
    already_finished,
    error_response,
    model_not_found,
    proxy_page,
)
from .validation import is_integer, upstream_error

_FAILED = "Getting model response error: 500 - The provider failed to generate this clip."


async def enqueue(hub: Hub, request: Request) -> Response:
    """`POST /api/ai/queue`."""
    body = _body(request)
    instant = request.headers.get("x-local-instant") == "1"
    # A preview is an animatic, so it may use a model that the hub has withdrawn.
    models = catalogue.models() if instant else catalogue.current(hub.faults)
    model = _model(body, models, text_model_status=int(hub.options.choices["text_model_status"]))
    count = body.get("num_generations", 1)
    if not is_integer(count) or not 1 <= count <= 4:
        raise Rejection(error_response("invalid_params", "num_generations must be an integer between 1 and 4"))
    _check_data_uris(hub, body)
    fault = hub.faults.take(request, "stuck", "failed")
    name = fault.name if fault is not None else None
    error = str(fault.extra.get("message", _FAILED)) if fault is not None and name == "failed" else None
    if error is not None:  # some hubs quote the key in what they say about it
        error = error.replace("{key}", request.headers.get("authorization", "").removeprefix("Bearer "))
    error = error or upstream_error(body, model)
    settings: dict[str, Any] = {"error": error, "stuck": name == "stuck", "instant": instant}
    jobs = [hub.submit(body, _media_type(model), index=index, **settings) for index in range(count)]
    if hub.faults.take(request, "lost_reply") is not None:
        return DroppedConnection()
    if hub.faults.take(request, "lost_to_proxy") is not None:
        return proxy_page(502, "Bad Gateway")
    if (slow := hub.faults.take(request, "slow_reply")) is not None:
        await asyncio.sleep(float(slow.extra.get("seconds", 75)))
    ids = [job.id for job in jobs]
    if (changed := hub.faults.take(request, "changed_ids")) is not None:
        how = changed.extra.get("ids", "same")
        more = [hub.submit(body, _media_type(model), **settings).id] if how == "more" else []
        ids = {"same": ids[:1] * len(ids), "fewer": ids[:-1], "more": ids + more}.get(how, ids)
    return JSONResponse({"generations": [{"generation_id": each, "status": "queued"} for each in ids]})


async def listing(hub: Hub, request: Request) -> Response:
    """`GET /api/ai/queue`, newest first."""
    query, now = request.query_params, time.time()
    owner = query.get("namespace") or ("" if hub.options.choices["list_without_namespace"] == "all" else USER)
    late, changed = _hidden_for(hub, request), hub.faults.take(request, "changed_record")
    known = [job for job in hub.jobs if job.listed and job.enqueued_at <= now - late]
    found = [job for job in known if owner in ("", job.owner) and _matches(job, query, now)]
    return Ascii({"count": len(found), "generations": [_record(hub, job, changed) for job in reversed(found)]})


async def read(hub: Hub, request: Request) -> Response:
    """`GET /api/ai/queue/{generation_id}`."""
    job = hub.jobs.get(request.path_params["generation_id"])
    if job is None or job.enqueued_at > time.time() - _hidden_for(hub, request):
        return error_response("resource_not_found")
    return Ascii(_record(hub, job, hub.faults.take(request, "changed_record")))


async def cancel(hub: Hub, request: Request) -> Response:
    """`DELETE /api/ai/queue/{generation_id}`."""
    job = hub.jobs.get(request.path_params["generation_id"])
    if job is None:
        return error_response("resource_not_found")
    success = {"status": "success", "generation_id": job.id}
    if job.is_active(time.time()):
        if hub.faults.take(request, "ignored_cancel") is None:
            hub.cancel(job)
        return JSONResponse(success)
    choices = hub.options.choices
    return already_finished(int(choices["late_delete_status"]), choices["late_delete_body"], success, hub.record(job))


async def events(hub: Hub, request: Request) -> Response:
    """`GET /api/events`."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    body = _event_stream(hub, hub.faults.take(request, "dropped_events", "silent_events"))
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


async def generate(hub: Hub, request: Request) -> Response:
    """`POST /api/ai/videos/generate` and `/api/ai/images/generate`, which block until the result exists."""
    body = _body(request)
    model = _model(body, catalogue.current(hub.faults), text_model_status=415)
    _check_data_uris(hub, body)
    upstream_status = int(hub.options.choices["upstream_status"])
    if (error := upstream_error(body, model)) is not None:
        return error_response("invalid_params", error, status=upstream_status)
    submitted = hub.submit(body, _media_type(model), listed=False)
    try:
        job = await asyncio.wait_for(hub.wait(submitted.id), float(hub.options.choices["sync_timeout"]))
    except TimeoutError:
        return proxy_page(504, "Gateway Time-out")  # the job continues
    if job.error is not None:
        return error_response("invalid_params", job.error, status=upstream_status)
    path, result = hub.result_file(job.id), {"url": hub.result_url(job)}
    if body.get("response_format") == "b64_json" and path is not None:
        data = await asyncio.to_thread(path.read_bytes)
        result = {"b64_json": base64.b64encode(data).decode("ascii")}
    return JSONResponse({"created": int(time.time()), "model": job.model, f"{job.media_type}s": [result]})


async def _event_stream(hub: Hub, fault: Fault | None) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    if not hub.closing.is_set():
        hub.subscribers.add(queue)
    name, after = (fault.name, fault.extra.get("after")) if fault is not None else ("", None)
    closes_at = math.inf if after is None else time.monotonic() + float(after)
    try:
        yield ": connected\n\n"  # a comment, which tells the client that the stream is open
        while not hub.closing.is_set():
            try:
                left = max(0.0, closes_at - time.monotonic())
                event = await asyncio.wait_for(queue.get(), min(hub.options.keep_alive, left))
            except TimeoutError:
                if time.monotonic() >= closes_at:
                    return
                yield ": keep-alive\n\n"
                continue
            if event is None:
                return
            if name != "silent_events":
                yield event
            if name == "dropped_events" and after is None:
                return
    finally:
        hub.subscribers.discard(queue)


def _body(request: Request) -> dict[str, Any]:
    if not isinstance(request.state.body, dict):
        raise Rejection(error_response("invalid_params", "The request body must be a JSON object."))
    return request.state.body


def _model(body: Mapping[str, Any], models: Iterable[Model], *, text_model_status: int) -> Model:
    model = catalogue.find(body.get("model"), models)
    if model is None:
        raise Rejection(model_not_found(body.get("model")))
    if not {"image", "video"} & set(model["capabilities"]["output"]):
        raise Rejection(JSONResponse({"error": ":unsupported_media_type"}, text_model_status))
    return model


def _check_data_uris(hub: Hub, body: Mapping[str, Any]) -> None:
    if hub.options.choices["data_uri"] == "refuse" and any(url.startswith("data:") for url in image_urls(body)):
        raise Rejection(error_response("unknown_error"))


def _hidden_for(hub: Hub, request: Request) -> float:
    """Return the seconds for which a new job cannot be seen."""
    late = hub.faults.take(request, "late_listing")
    return 0.0 if late is None else float(late.extra.get("seconds", 45))


def _record(hub: Hub, job: Job, changed: Fault | None) -> dict[str, Any]:
    """Return the record of a job, with the fields of a fault if it is in the state that the fault is for."""
    record = hub.record(job)
    if changed is None or changed.extra.get("when") not in (None, record["status"]):
        return record
    return {**record, **changed.extra.get("record", {})}


def _matches(job: Job, query: Mapping[str, str], now: float) -> bool:
    status = query.get("status")
    return (
        job.status(now) in ((status,) if status else ACTIVE)
        and query.get("model") in (None, "", job.model)
        and query.get("media_type") in (None, "", job.media_type)
        and query.get("repo") in (None, "", job.request.get("target_repo"))
        and query.get("folder") in (None, "", job.request.get("target_directory"))
    )


def _media_type(model: Model) -> str:
    return "video" if "video" in model["capabilities"]["output"] else "image"

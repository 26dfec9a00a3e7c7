"""Making things: the queue's four verbs and the synchronous route (HUB_API sections 2 and 3)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from . import catalogue, jobs, validation
from .faults import Fault
from .hub import USER, Hub
from .jobs import Job
from .middleware import fault_of
from .responses import invalid, not_found, over, refused, timed_out
from .transport import Dropped

__all__ = ["cancel", "enqueue", "events", "generate", "listing", "read"]

_MESSAGE = "Getting model response error: 500 - The provider failed to generate this clip."


async def enqueue(request: Request) -> ASGIApp:
    """`POST /api/ai/queue`: four checks, then one job per generation."""
    hub: Hub = request.app.state.hub
    body = await _body(request)
    if isinstance(body, Response):
        return body
    instant = request.headers.get("x-local-instant") == "1"
    # A preview is drawn here whatever the hub that it stands in for offers.
    model = catalogue.find(body.get("model"), None if instant else catalogue.offered(hub.faults))
    refusal = validation.at_once(body, model, text_model_status=int(hub.options.answers["text_model_status"]))
    if refusal is not None or model is None:
        return _answer(refusal)
    if _has_refused_data_uri(hub, body):
        return refused(500, "unknown_error", "An unknown error occurred.")
    fault = fault_of(request, "stuck", "failed", "lost_reply")
    failure = _failure_of(fault) or validation.late(body, model)
    accepted = [
        hub.accept(
            body,
            _media_type(model),
            index=index,
            failure=failure,
            stuck=fault is not None and fault.name == "stuck",
            instant=instant,
        )
        for index in range(body.get("num_generations", 1))
    ]
    if fault is not None and fault.name == "lost_reply":
        return Dropped()
    return JSONResponse({"generations": [{"generation_id": job.id, "status": "queued"} for job in accepted]})


async def listing(request: Request) -> Response:
    """`GET /api/ai/queue`: the active generations, or those of `status`, newest first."""
    hub: Hub = request.app.state.hub
    wanted = request.query_params
    owner = wanted.get("namespace") or ("" if hub.options.answers["list_without_namespace"] == "all" else USER)
    owned = [job for job in hub.jobs if job.listed and owner in ("", job.owner)]
    chosen = [job for job in owned if _matches(job, wanted, time.time())]
    records = [hub.record(job) for job in reversed(chosen)]
    return JSONResponse({"count": len(records), "generations": records})


async def read(request: Request) -> Response:
    """`GET /api/ai/queue/:generation_id`: the record."""
    hub: Hub = request.app.state.hub
    job = hub.jobs.get(request.path_params["generation_id"])
    return JSONResponse(hub.record(job)) if job is not None else not_found()


async def cancel(request: Request) -> Response:
    """`DELETE /api/ai/queue/:generation_id`: 200 while active; the answer for a finished job is an open question."""
    hub: Hub = request.app.state.hub
    job = hub.jobs.get(request.path_params["generation_id"])
    if job is None:
        return not_found()
    done = {"status": "success", "generation_id": job.id}
    if jobs.status(job, time.time()) in jobs.ACTIVE:
        hub.cancel(job)
        return JSONResponse(done)
    answers = hub.options.answers
    return over(int(answers["late_delete_status"]), answers["late_delete_body"], done, hub.record(job))


async def generate(request: Request) -> Response:
    """`POST /api/ai/videos/generate` and `/images/generate`: validates at once, and blocks until the result exists."""
    hub: Hub = request.app.state.hub
    body = await _body(request)
    if isinstance(body, Response):
        return body
    model = catalogue.find(body.get("model"), catalogue.offered(hub.faults))
    refusal = validation.at_once({**body, "num_generations": 1}, model)
    if refusal is not None or model is None:
        return _answer(refusal)
    if _has_refused_data_uri(hub, body):
        return refused(500, "unknown_error", "An unknown error occurred.")
    upstream_status = int(hub.options.answers["upstream_status"])
    fault = validation.late(body, model)
    if fault is not None:
        return invalid(fault, upstream_status)
    accepted = hub.accept(body, _media_type(model), listed=False)
    try:
        job = await asyncio.wait_for(hub.ended(accepted.id), hub.options.sync_timeout)
    except TimeoutError:
        return timed_out()  # the job goes on
    if job.failure is not None:
        return invalid(job.failure, upstream_status)
    made = await _result(hub, job, as_base64=body.get("response_format") == "b64_json")
    return JSONResponse({"created": int(time.time()), "model": job.model, f"{job.media_type}s": [made]})


async def _result(hub: Hub, job: Job, *, as_base64: bool) -> dict[str, str]:
    path = hub.result_file(job.id)
    if as_base64 and path is not None:
        data = await asyncio.to_thread(path.read_bytes)
        return {"b64_json": base64.b64encode(data).decode("ascii")}
    return {"url": hub.result_url(job)}


async def _body(request: Request) -> dict[str, Any] | Response:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return invalid("The request body is not valid JSON.")
    return body if isinstance(body, dict) else invalid("The request body must be a JSON object.")


def _answer(refusal: validation.Refusal | None) -> Response:
    return JSONResponse(refusal.body, refusal.status) if refusal is not None else not_found()


def _matches(job: Job, wanted: Any, now: float) -> bool:
    status = wanted.get("status")
    submitted = job.request
    return (
        jobs.status(job, now) in ((status,) if status else jobs.ACTIVE)
        and wanted.get("model") in (None, "", job.model)
        and wanted.get("media_type") in (None, "", job.media_type)
        and wanted.get("repo") in (None, "", submitted.get("target_repo"))
        and wanted.get("folder") in (None, "", submitted.get("target_directory"))
    )


def _media_type(model: Any) -> str:
    return "video" if "video" in model["capabilities"]["output"] else "image"


def _failure_of(fault: Fault | None) -> str | None:
    return str(fault.extra.get("message", _MESSAGE)) if fault is not None and fault.name == "failed" else None


def _has_refused_data_uri(hub: Hub, body: dict[str, Any]) -> bool:
    refuses = hub.options.answers["data_uri"] == "refuse"
    return refuses and any(url.startswith("data:") for url in validation.references(body))


async def events(request: Request) -> Response:
    """One subscriber's stream."""
    hub: Hub = request.app.state.hub
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    body = _lines(hub, fault_of(request, "dropped_events", "silent_events"))
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


async def _lines(hub: Hub, fault: Fault | None) -> AsyncIterator[str]:
    mailbox: asyncio.Queue[str | None] = asyncio.Queue()
    if not hub.closing.is_set():
        hub.subscribers.add(mailbox)
    dropped = fault is not None and fault.name == "dropped_events"
    silent = fault is not None and fault.name == "silent_events"
    after = fault.extra.get("after") if fault is not None else None
    closes = time.monotonic() + float(after) if dropped and after is not None else None
    try:
        # Says at once that the stream is open; a comment is no event.
        yield ": connected\n\n"
        while not hub.closing.is_set():
            wait = hub.options.keep_alive if closes is None else min(hub.options.keep_alive, closes - time.monotonic())
            try:
                event = await asyncio.wait_for(mailbox.get(), max(0.0, wait))
            except TimeoutError:
                if closes is not None and time.monotonic() >= closes:
                    return
                yield ": keep-alive\n\n"
                continue
            if event is None:
                return
            if not silent:
                yield event
            if dropped and closes is None:
                return
    finally:
        hub.subscribers.discard(mailbox)

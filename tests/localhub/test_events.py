"""The event stream: HUB_API section 4."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from .conftest import TARGET, Caller


class Listener:
    """One subscriber: the raw text that came, up to a given mark."""

    def __init__(self, stack: ExitStack, hub: Caller, **headers: str) -> None:
        answer = stack.enter_context(hub.stream("GET", "/api/events", headers=headers, timeout=20))
        assert answer.headers["content-type"].startswith("text/event-stream")
        self._chunks = answer.iter_text()
        self.text = ""
        self.read_to(":")

    def read_to(self, mark: str) -> str:
        while mark not in self.text or not self.text.endswith("\n\n"):
            self.text += next(self._chunks)
        return self.text

    def rest(self) -> str:
        return self.text + "".join(self._chunks)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in re.findall(r"^data: (.*)$", self.text, re.MULTILINE)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_success_is_told_in_one_compact_line(hub: Caller, stack: ExitStack) -> None:
    listener = Listener(stack, hub)
    job = hub.enqueue()
    text = listener.read_to(job)
    line = next(line for line in text.split("\n") if job in line)
    block = text[text.index("event:") :]
    assert block.startswith("event: media_generation_completed\ndata: {")
    assert line == "data: " + json.dumps(json.loads(line[6:]), separators=(",", ":"))
    event = json.loads(line[6:])
    assert set(event) == {"generation_id", "status", "media_type", "model", "url"}
    assert (event["status"], event["media_type"], event["model"]) == ("succeeded", "video", TARGET)
    assert httpx.get(event["url"], trust_env=False).status_code == 200
    assert hub.record(job)["status"] == "succeeded"


def test_failure_has_an_error_and_no_model(hub: Caller, stack: ExitStack) -> None:
    listener = Listener(stack, hub)
    job = hub.enqueue(duration=1)
    listener.read_to(job)
    event = next(event for event in listener.events() if event["generation_id"] == job)
    assert set(event) == {"generation_id", "status", "media_type", "error"}
    assert event["error"].startswith("Getting model response error")


def test_every_subscriber_is_told_and_nobody_of_a_cancelled_job(hub: Caller, stack: ExitStack) -> None:
    listeners = [Listener(stack, hub) for _ in range(2)]
    cancelled = hub.enqueue({"X-Local-Fault": "stuck"})
    hub.delete(f"/api/ai/queue/{cancelled}")
    job = hub.enqueue(duration=1)
    for listener in listeners:
        assert cancelled not in listener.read_to(job)


def test_nothing_is_replayed(hub: Caller, stack: ExitStack) -> None:
    job = hub.enqueue(duration=1)
    hub.finished(job)
    listener = Listener(stack, hub)  # before the next job: a short one can be over before a stream is open
    later = hub.enqueue(duration=1)
    assert job not in listener.read_to(later)


def test_the_stream_is_kept_alive_by_comments(hub: Caller, stack: ExitStack) -> None:
    assert ": keep-alive\n\n" in Listener(stack, hub).read_to(": keep-alive")


def test_a_dropped_stream_closes_after_an_event(hub: Caller, stack: ExitStack) -> None:
    listener = Listener(stack, hub, **{"X-Local-Fault": "dropped_events"})
    job = hub.enqueue(duration=1)
    assert job in listener.rest()


def test_a_dropped_stream_closes_after_its_seconds(hub: Caller, stack: ExitStack) -> None:
    hub.fault("dropped_events", times=1, after=0.1)
    assert "event:" not in Listener(stack, hub).rest()


def test_a_silent_stream_is_alive_and_says_nothing(hub: Caller, stack: ExitStack) -> None:
    silent = Listener(stack, hub, **{"X-Local-Fault": "silent_events"})
    hub.finished(hub.enqueue(duration=1))
    assert "event:" not in silent.read_to(": keep-alive")

"""The event stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from .conftest import TARGET, HubClient


class Listener:
    """A subscriber, and the text that it has received."""

    def __init__(self, stack: ExitStack, hub: HubClient, **headers: str) -> None:
        response = stack.enter_context(hub.stream("GET", "/api/events", headers=headers, timeout=60))
        assert response.headers["content-type"].startswith("text/event-stream")
        self._chunks = response.iter_text()
        self.text = ""
        self.read_until(":")

    def read_until(self, text: str) -> str:
        while text not in self.text or not self.text.endswith("\n\n"):
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


def test_success_is_one_line_of_compact_json(hub: HubClient, stack: ExitStack) -> None:
    listener = Listener(stack, hub)
    job = hub.enqueue()
    text = listener.read_until(job)
    line = next(line for line in text.split("\n") if job in line)
    block = text[text.index("event:") :]
    assert block.startswith("event: media_generation_completed\ndata: {")
    assert line == "data: " + json.dumps(json.loads(line[6:]), separators=(",", ":"))
    event = json.loads(line[6:])
    assert set(event) == {"generation_id", "status", "media_type", "model", "url"}
    assert (event["status"], event["media_type"], event["model"]) == ("succeeded", "video", TARGET)
    assert httpx.get(event["url"], trust_env=False).status_code == 200
    assert hub.record(job)["status"] == "succeeded"


def test_failure_has_an_error_and_no_model(hub: HubClient, stack: ExitStack) -> None:
    listener = Listener(stack, hub)
    job = hub.enqueue(duration=1)
    listener.read_until(job)
    event = next(event for event in listener.events() if event["generation_id"] == job)
    assert set(event) == {"generation_id", "status", "media_type", "error"}
    assert event["error"].startswith("Getting model response error")


def test_all_subscribers_get_all_events_but_none_for_a_cancelled_job(hub: HubClient, stack: ExitStack) -> None:
    listeners = [Listener(stack, hub) for _ in range(2)]
    cancelled = hub.enqueue({"X-Local-Fault": "stuck"})
    hub.delete(f"/api/ai/queue/{cancelled}")
    job = hub.enqueue(duration=1)
    for listener in listeners:
        assert cancelled not in listener.read_until(job)


def test_earlier_events_are_not_replayed(hub: HubClient, stack: ExitStack) -> None:
    job = hub.enqueue(duration=1)
    hub.finished(job)
    listener = Listener(stack, hub)  # opened first: a short job can end before a stream is open
    later = hub.enqueue(duration=1)
    assert job not in listener.read_until(later)


def test_comments_keep_the_stream_alive(hub: HubClient, stack: ExitStack) -> None:
    assert ": keep-alive\n\n" in Listener(stack, hub).read_until(": keep-alive")


def test_a_dropped_stream_closes_after_an_event(hub: HubClient, stack: ExitStack) -> None:
    listener = Listener(stack, hub, **{"X-Local-Fault": "dropped_events"})
    job = hub.enqueue(duration=1)
    assert job in listener.rest()


def test_a_dropped_stream_closes_after_the_given_seconds(hub: HubClient, stack: ExitStack) -> None:
    hub.fault("dropped_events", times=1, after=0.1)
    assert "event:" not in Listener(stack, hub).rest()


def test_a_silent_stream_stays_open_without_events(hub: HubClient, stack: ExitStack) -> None:
    silent = Listener(stack, hub, **{"X-Local-Fault": "silent_events"})
    hub.finished(hub.enqueue(duration=1))
    assert "event:" not in silent.read_until(": keep-alive")

"""Every fault, by switch, by the admin route, and by header."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from kling_nb.localhub.faults import FAULTS, parse

from .conftest import Caller, request

ANSWERS = {
    "unauthenticated": (401, "unauthenticated"),
    "insufficient_credits": (402, "You have run out of credits."),
    "not_found": (404, "The requested resource could not be found"),
    "model_not_found": (404, "Model not found: kling-video-o3-pro-reference-to-video"),
    "update_required": (426, "update_required"),
    "rate_limited": (429, "Rate limit exceeded"),
    "unknown_error": (500, "unknown_error"),
    "upstream": (502, "The model provider returned an error."),
    "html": (502, "<html"),
    "empty_200": (200, '"generations":[]'),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_fault_by_header_is_answered_and_makes_no_job(hub: Caller, name: str) -> None:
    before = hub.stats()["enqueued"]
    answer = hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": name})
    status, text = ANSWERS[name]
    assert answer.status_code == status
    assert text in answer.text
    assert hub.stats()["enqueued"] == before


def test_a_fault_strikes_as_often_as_it_was_told_and_only_what_it_matches(hub: Caller) -> None:
    hub.fault("unknown_error", times=2, match={"method": "GET", "path_prefix": "/api/ai/queue"})
    seen = [hub.get("/api/users/me").status_code, *(hub.get("/api/ai/queue").status_code for _ in range(3))]
    assert seen == [200, 500, 500, 200]


def test_a_fault_may_be_meant_for_one_model(hub: Caller) -> None:
    hub.fault("insufficient_credits", match={"model": "kling-video-o3-omni"})
    assert hub.post("/api/ai/queue", json=request()).status_code == 200
    assert hub.post("/api/ai/queue", json=request(model="kling-video-o3-omni")).status_code == 402


def test_faults_end_when_they_are_cleared(hub: Caller) -> None:
    hub.fault("upstream")
    assert hub.get("/api/ai/queue").status_code == 502
    assert hub.delete("/_local/faults").json() == {"on": []}
    assert hub.get("/api/ai/queue").status_code == 200


def test_a_fault_can_be_switched_on_at_the_start(start: Callable[..., Caller]) -> None:
    hub = start("--fault", "rate_limited:1")
    assert [hub.get("/api/ai/queue").status_code for _ in range(2)] == [429, 200]


def test_retry_after_comes_as_seconds_or_as_a_date(hub: Caller) -> None:
    hub.fault("rate_limited", times=1, retry_after=7)
    assert hub.get("/api/ai/queue").headers["retry-after"] == "7"
    hub.fault("rate_limited", times=1, retry_after=60, retry_after_format="date")
    date = parsedate_to_datetime(hub.get("/api/ai/queue").headers["retry-after"])
    assert 50 < date.timestamp() - time.time() < 70


def test_no_such_fault_is_a_clear_error(hub: Caller) -> None:
    answer = hub.post("/_local/faults", json={"fault": "gremlins"})
    assert answer.status_code == 400
    assert "no such fault: 'gremlins'" in answer.json()["error"]
    assert hub.get("/api/ai/queue", headers={"X-Local-Fault": "gremlins"}).status_code == 400
    with pytest.raises(ValueError, match="no such fault"):
        parse("gremlins:2")


def test_a_lost_reply_leaves_a_job_behind(hub: Caller) -> None:
    before = hub.stats()["enqueued"]
    with pytest.raises(httpx.RemoteProtocolError):
        hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": "lost_reply"})
    assert hub.stats()["enqueued"] == before + 1


def test_a_dropped_connection_leaves_none(hub: Caller) -> None:
    before = hub.stats()["enqueued"]
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": "dropped_connection"})
    assert hub.stats()["enqueued"] == before


def test_a_failed_job_says_what_it_was_told(hub: Caller) -> None:
    hub.fault("failed", times=1, message="The content was flagged.")
    record = hub.finished(hub.enqueue())
    assert (record["status"], record["error_message"]) == ("failed", "The content was flagged.")


def test_a_stuck_job_stays_until_it_is_cancelled(hub: Caller) -> None:
    job = hub.enqueue({"X-Local-Fault": "stuck"})
    time.sleep(0.2)  # speed 50: any other job would have been scheduled to end by now
    assert hub.record(job)["status"] == "processing"
    hub.delete(f"/api/ai/queue/{job}")
    assert hub.record(job)["status"] == "cancelled"


@pytest.fixture
def film(hub: Caller, finished: str) -> tuple[str, str]:
    return finished, hub.record(finished)["result_url"]


def bare(url: str, fault: str = "", **more: Any) -> httpx.Response:
    return httpx.get(url, headers={"X-Local-Fault": fault} if fault else {}, trust_env=False, **more)


def test_a_torn_download_ends_short_of_its_length(hub: Caller, film: tuple[str, str]) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        bare(film[1], "interrupted_download")
    assert bare(film[1]).status_code == 200


def test_a_torn_download_can_be_taken_up_with_a_range(hub: Caller, film: tuple[str, str]) -> None:
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("GET", film[1], headers={"X-Local-Fault": "interrupted_download"}, trust_env=False) as answer,
    ):
        for chunk in answer.iter_raw():
            received += chunk
    rest = httpx.get(film[1], headers={"Range": f"bytes={len(received)}-"}, trust_env=False)
    assert received
    assert received + rest.content == bare(film[1]).content


def test_a_slow_download_takes_its_time(hub: Caller, film: tuple[str, str]) -> None:
    size = len(bare(film[1]).content)
    hub.fault("slow_download", times=1, bytes_per_second=size * 2)
    begun = time.monotonic()
    assert len(bare(film[1]).content) == size
    assert time.monotonic() - begun > 0.4


def test_an_expired_address_is_renewed_by_the_record(hub: Caller, film: tuple[str, str]) -> None:
    job, url = film
    hub.fault("expired_url")
    assert [bare(url).status_code for _ in range(2)] == [403, 403]
    assert bare(hub.record(job)["result_url"]).status_code == 200


def test_a_redirected_result_leads_to_a_place_that_counts_keys(hub: Caller, film: tuple[str, str]) -> None:
    before = hub.stats()["other_origin_keys"]
    hub.fault("redirect_result", times=2)
    answer = bare(film[1])
    assert answer.status_code == 302
    assert httpx.URL(answer.headers["location"]).port != hub.base_url.port
    assert bare(film[1], follow_redirects=True).content[4:8] == b"ftyp"
    assert hub.stats()["other_origin_keys"] == before
    httpx.get(answer.headers["location"], headers={"Authorization": "Bearer leaked"}, trust_env=False)
    assert hub.stats()["other_origin_keys"] == before + 1


def test_every_fault_is_known_to_the_admin_route(hub: Caller) -> None:
    assert hub.get("/_local/faults").json()["known"] == sorted(FAULTS)


def test_a_withdrawn_model_is_gone_from_the_catalogue_and_the_queue_until_faults_are_cleared(hub: Caller) -> None:
    model = "kling-video-o3-pro-reference-to-video"
    hub.fault("withdrawn", match={"model": model})
    assert model not in {each["id"] for each in hub.get("/api/ai/models").json()["data"]}
    for answer in (hub.get(f"/api/ai/models/{model}"), hub.post("/api/ai/queue", json=request())):
        assert (answer.status_code, answer.json()) == (404, {"error": {"message": f"Model not found: {model}"}})
    hub.delete("/_local/faults")
    assert hub.get(f"/api/ai/models/{model}").status_code == 200


def test_the_rates_of_a_model_can_be_changed(hub: Caller) -> None:
    model = "kling-video-o3-omni"
    hub.fault("changed_price", match={"model": model}, factor=10)
    rates = hub.get(f"/api/ai/models/{model}").json()["pricing"]
    assert (rates["method"], rates["cost_per_second_by_resolution"]["720p"]) == ("per_video_output_second", 1.68)
    others = [each["pricing"].get("cost_per_second") for each in hub.get("/api/ai/models").json()["data"]]
    assert others.count(0.224) >= 3


def test_a_schema_can_be_changed_field_by_field(hub: Caller) -> None:
    model = "kling-video-v2-6-pro-text-to-video"
    patch = {"duration": {"enum": [5, 10, 15]}, "cfg_scale": None, "seed": {"type": "integer"}}
    hub.fault("changed_schema", match={"model": model}, properties=patch)
    fields = hub.get(f"/api/ai/models/{model}").json()["request_schema"]["properties"]
    assert fields["duration"]["enum"] == [5, 10, 15] and fields["duration"]["default"] == 5
    assert "cfg_scale" not in fields and fields["seed"] == {"type": "integer"}
    assert hub.get("/api/ai/models/kling-video-o3-omni").json()["request_schema"]["properties"]["resolution"]

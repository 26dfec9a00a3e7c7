"""Faults, switched on by option, by route and by header."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from kling_nb.localhub.faults import FAULTS, parse

from .conftest import HubClient, request, wait_for

RESPONSES = {
    "unauthenticated": (401, "unauthenticated"),
    "insufficient_credits": (402, "You have run out of credits."),
    "not_found": (404, "The requested resource could not be found"),
    "model_not_found": (404, "Model not found: kling-video-o3-pro-reference-to-video"),
    "update_required": (426, "update_required"),
    "rate_limited": (429, "Rate limit exceeded"),
    "unknown_error": (500, "unknown_error"),
    "upstream": (502, "The model provider returned an error."),
    "html": (502, "<html"),
    "nested_json": (200, "[[[[[[[["),
    "empty_200": (200, '"generations":[]'),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_fault_in_a_header_replaces_the_response_and_makes_no_job(hub: HubClient, name: str) -> None:
    before = hub.stats()["enqueued"]
    response = hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": name})
    status, text = RESPONSES[name]
    assert response.status_code == status
    assert text in response.text
    assert hub.stats()["enqueued"] == before


def test_a_fault_applies_to_matching_requests_as_often_as_requested(hub: HubClient) -> None:
    hub.fault("unknown_error", times=2, match={"method": "GET", "path_prefix": "/api/ai/queue"})
    seen = [hub.get("/api/users/me").status_code, *(hub.get("/api/ai/queue").status_code for _ in range(3))]
    assert seen == [200, 500, 500, 200]


def test_a_fault_can_apply_to_one_model(hub: HubClient) -> None:
    hub.fault("insufficient_credits", match={"model": "kling-video-o3-omni"})
    assert hub.post("/api/ai/queue", json=request()).status_code == 200
    assert hub.post("/api/ai/queue", json=request(model="kling-video-o3-omni")).status_code == 402


def test_faults_can_be_cleared(hub: HubClient) -> None:
    hub.fault("upstream")
    assert hub.get("/api/ai/queue").status_code == 502
    assert hub.delete("/_local/faults").json() == {"on": []}
    assert hub.get("/api/ai/queue").status_code == 200


def test_a_fault_can_be_on_from_the_start(start: Callable[..., HubClient]) -> None:
    hub = start("--fault", "rate_limited:1")
    assert [hub.get("/api/ai/queue").status_code for _ in range(2)] == [429, 200]


def test_retry_after_can_be_seconds_or_a_date(hub: HubClient) -> None:
    hub.fault("rate_limited", times=1, retry_after=7)
    assert hub.get("/api/ai/queue").headers["retry-after"] == "7"
    hub.fault("rate_limited", times=1, retry_after=60, retry_after_format="date")
    date = parsedate_to_datetime(hub.get("/api/ai/queue").headers["retry-after"])
    assert 50 < date.timestamp() - time.time() < 70


def test_an_unknown_fault_is_rejected(hub: HubClient) -> None:
    response = hub.post("/_local/faults", json={"fault": "gremlins"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("Unknown fault 'gremlins'.")
    assert hub.get("/api/ai/queue", headers={"X-Local-Fault": "gremlins"}).status_code == 400
    with pytest.raises(ValueError, match="'gremlins'"):
        parse("gremlins:2")


def test_a_lost_reply_leaves_a_job(hub: HubClient) -> None:
    before = hub.stats()["enqueued"]
    with pytest.raises(httpx.RemoteProtocolError):
        hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": "lost_reply"})
    assert hub.stats()["enqueued"] == before + 1


def test_a_dropped_connection_leaves_no_job(hub: HubClient) -> None:
    before = hub.stats()["enqueued"]
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        hub.post("/api/ai/queue", json=request(), headers={"X-Local-Fault": "dropped_connection"})
    assert hub.stats()["enqueued"] == before


def test_a_failed_job_has_the_given_message(hub: HubClient) -> None:
    hub.fault("failed", times=1, message="The content was flagged.")
    record = hub.finished(hub.enqueue())
    assert (record["status"], record["error_message"]) == ("failed", "The content was flagged.")


def test_a_stuck_job_stays_until_it_is_cancelled(hub: HubClient) -> None:
    job = hub.enqueue({"X-Local-Fault": "stuck"})
    time.sleep(0.2)  # speed 50: any other job would have been scheduled to end by now
    assert hub.record(job)["status"] == "processing"
    hub.delete(f"/api/ai/queue/{job}")
    assert hub.record(job)["status"] == "cancelled"


def get(url: str, fault: str = "", **options: Any) -> httpx.Response:
    """Read a URL without a key."""
    return httpx.get(url, headers={"X-Local-Fault": fault} if fault else {}, trust_env=False, **options)


def test_an_interrupted_download_is_shorter_than_announced(hub: HubClient, result_url: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        get(result_url, "interrupted_download")
    assert get(result_url).status_code == 200


def test_an_interrupted_download_can_be_resumed_with_a_range(hub: HubClient, result_url: str) -> None:
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("GET", result_url, headers={"X-Local-Fault": "interrupted_download"}, trust_env=False) as response,
    ):
        for chunk in response.iter_raw():
            received += chunk
    rest = httpx.get(result_url, headers={"Range": f"bytes={len(received)}-"}, trust_env=False)
    assert received
    assert received + rest.content == get(result_url).content


@pytest.mark.parametrize(
    ("content", "start"),
    [("page", b"<!doctype html>"), ("png", b"\x89PNG"), ("bytes", b"abc"), ("header", b"\0\0\0"), ("half", b"\0\0\0")],
)
def test_something_else_can_arrive_in_place_of_a_clip(
    hub: HubClient, result_url: str, content: str, start: bytes
) -> None:
    hub.fault("wrong_result", times=1, content=content)
    wrong, clip = get(result_url).content, get(result_url).content
    assert (wrong.startswith(start), wrong == clip) == (True, False)


def test_a_result_can_have_no_end(hub: HubClient, result_url: str) -> None:
    hub.fault("endless_result", times=1, length=3_000_000_000)
    with httpx.stream("GET", result_url, trust_env=False) as response:
        received = 0
        for chunk in response.iter_bytes():
            received += len(chunk)
            if received > 3_000_000:
                break
    assert response.headers["content-length"] == "3000000000"
    assert get(result_url).status_code == 200


def test_an_error_can_quote_the_key_and_half_a_character(hub: HubClient) -> None:
    body = json.dumps({"fault": "failed", "times": 1, "message": "{key} \ud83d"})
    assert hub.post("/_local/faults", content=body).status_code == 200
    job_id = hub.post("/api/ai/queue", json=request()).json()["generations"][0]["generation_id"]
    key = hub.headers["Authorization"].removeprefix("Bearer ")
    assert hub.finished(job_id)["error_message"] == f"{key} \ud83d"


def test_a_slow_download_keeps_to_its_rate(hub: HubClient, result_url: str) -> None:
    size = len(get(result_url).content)
    hub.fault("slow_download", times=1, bytes_per_second=size * 2)
    started = time.monotonic()
    assert len(get(result_url).content) == size
    assert time.monotonic() - started > 0.4


def test_reading_the_record_renews_an_expired_url(hub: HubClient, finished: str, result_url: str) -> None:
    hub.fault("expired_url")
    assert [get(result_url).status_code for _ in range(2)] == [403, 403]
    assert get(hub.record(finished)["result_url"]).status_code == 200


def test_a_redirect_leads_to_an_origin_that_counts_keys(hub: HubClient, result_url: str) -> None:
    before = hub.stats()["other_origin_keys"]
    hub.fault("redirect_result", times=2)
    response = get(result_url)
    assert response.status_code == 302
    assert httpx.URL(response.headers["location"]).port != hub.base_url.port
    assert get(result_url, follow_redirects=True).content[4:8] == b"ftyp"
    assert hub.stats()["other_origin_keys"] == before
    httpx.get(response.headers["location"], headers={"Authorization": "Bearer leaked"}, trust_env=False)
    assert hub.stats()["other_origin_keys"] == before + 1


def test_the_route_lists_all_faults(hub: HubClient) -> None:
    assert hub.get("/_local/faults").json()["known"] == sorted(FAULTS)


def test_a_withdrawn_model_is_missing_from_catalogue_and_queue_until_faults_are_cleared(hub: HubClient) -> None:
    model = "kling-video-o3-pro-reference-to-video"
    hub.fault("withdrawn", match={"model": model})
    assert model not in {each["id"] for each in hub.get("/api/ai/models").json()["data"]}
    for response in (hub.get(f"/api/ai/models/{model}"), hub.post("/api/ai/queue", json=request())):
        assert (response.status_code, response.json()) == (404, {"error": {"message": f"Model not found: {model}"}})
    hub.delete("/_local/faults")
    assert hub.get(f"/api/ai/models/{model}").status_code == 200


def test_the_price_of_a_model_can_change(hub: HubClient) -> None:
    model = "kling-video-o3-omni"
    hub.fault("changed_price", match={"model": model}, factor=10)
    rates = hub.get(f"/api/ai/models/{model}").json()["pricing"]
    assert (rates["method"], rates["cost_per_second_by_resolution"]["720p"]) == ("per_video_output_second", 1.68)
    others = [each["pricing"].get("cost_per_second") for each in hub.get("/api/ai/models").json()["data"]]
    assert others.count(0.224) >= 3


def test_the_schema_of_a_model_can_change_by_field(hub: HubClient) -> None:
    model = "kling-video-v2-6-pro-text-to-video"
    patch = {"duration": {"enum": [5, 10, 15]}, "cfg_scale": None, "seed": {"type": "integer"}}
    hub.fault("changed_schema", match={"model": model}, properties=patch)
    fields = hub.get(f"/api/ai/models/{model}").json()["request_schema"]["properties"]
    assert fields["duration"]["enum"] == [5, 10, 15] and fields["duration"]["default"] == 5
    assert "cfg_scale" not in fields and fields["seed"] == {"type": "integer"}
    assert hub.get("/api/ai/models/kling-video-o3-omni").json()["request_schema"]["properties"]["resolution"]


def test_a_slow_reply_comes_late_but_its_job_runs(hub: HubClient) -> None:
    hub.fault("slow_reply", times=1, seconds=0.3)
    started = time.monotonic()
    job = hub.enqueue(duration=1)
    assert time.monotonic() - started > 0.3
    assert hub.record(job)["status"] == "failed"  # its clip was too short, which took less time than the answer


@pytest.mark.parametrize(("how", "ids", "jobs"), [("same", 2, 2), ("fewer", 1, 2), ("more", 3, 3)])
def test_the_ids_of_an_answer_can_be_wrong(hub: HubClient, how: str, ids: int, jobs: int) -> None:
    before = hub.stats()["enqueued"]
    hub.fault("changed_ids", times=1, ids=how)
    answer = hub.post("/api/ai/queue", json=request(num_generations=2, duration=1)).json()["generations"]
    assert (len(answer), hub.stats()["enqueued"] - before) == (ids, jobs)
    assert len({entry["generation_id"] for entry in answer}) == (1 if how != "more" else 3)


def test_a_new_job_can_be_hidden_for_a_while(hub: HubClient) -> None:
    hub.fault("late_listing", seconds=2)
    job = hub.enqueue({"X-Local-Fault": "stuck"})
    listed = {entry["generation_id"] for entry in hub.get("/api/ai/queue").json()["generations"]}
    assert (job in listed, hub.get(f"/api/ai/queue/{job}").status_code) == (False, 404)
    wait_for(lambda: hub.get(f"/api/ai/queue/{job}").status_code == 200)
    listed = {entry["generation_id"] for entry in hub.get("/api/ai/queue").json()["generations"]}
    assert job in listed
    hub.delete(f"/api/ai/queue/{job}")


def test_a_record_can_have_other_fields_in_one_state(hub: HubClient, finished: str) -> None:
    stuck = hub.enqueue({"X-Local-Fault": "stuck"})
    hub.fault("changed_record", when="succeeded", record={"status": "completed", "result_url": None})
    assert (hub.record(finished)["status"], hub.record(finished)["result_url"]) == ("completed", None)
    assert hub.record(stuck)["status"] in ("queued", "processing")
    hub.delete(f"/api/ai/queue/{stuck}")


def test_a_cancel_can_be_ignored(hub: HubClient) -> None:
    job = hub.enqueue({"X-Local-Fault": "stuck"})
    hub.fault("ignored_cancel", times=1)
    assert hub.delete(f"/api/ai/queue/{job}").json() == {"status": "success", "generation_id": job}
    assert hub.record(job)["status"] in ("queued", "processing")
    hub.delete(f"/api/ai/queue/{job}")
    assert hub.record(job)["status"] == "cancelled"

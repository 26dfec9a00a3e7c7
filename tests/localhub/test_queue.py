"""The queue, the synchronous route and the catalogue."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from kling_nb.localhub.options import parse_choices

from .conftest import TARGET, HubClient, connect, data_uri, image_bytes, request, wait_for

NOT_FOUND = {
    "error": {"type": "resource_not_found", "title": "The requested resource could not be found"},
    "status": "error",
    "status_message": "resource_not_found",
}


def test_a_job_goes_from_the_queue_to_a_clip(hub: HubClient) -> None:
    body = request(aspect_ratio="1:1", input_image=[data_uri(image_bytes())])
    response = hub.post("/api/ai/queue", json=body).json()
    assert [set(entry) for entry in response["generations"]] == [{"generation_id", "status"}]
    assert response["generations"][0]["status"] == "queued"
    record = hub.finished(response["generations"][0]["generation_id"])
    assert record["status"] == "succeeded", record["error_message"]
    assert record["model_name"] == record["model"] == TARGET
    assert (record["prompt"], record["duration"], record["media_type"]) == (body["prompt"], 3, "video")
    assert record["input_image"] == body["input_image"]
    assert record["enqueued_at"] <= record["started_at"] <= record["completed_at"]
    assert "oxen_signature=" in record["result_url"]
    assert httpx.get(record["result_url"], trust_env=False).content[4:8] == b"ftyp"


def test_each_generation_is_its_own_job(hub: HubClient) -> None:
    response = hub.post("/api/ai/queue", json=request(num_generations=3), headers={"X-Local-Fault": "failed"}).json()
    assert len({entry["generation_id"] for entry in response["generations"]}) == 3


@pytest.mark.parametrize("choice", ["url_lifetime=never", "sync_timeout=nan", "sync_timeout=-1", "resign=maybe"])
def test_an_invalid_choice_is_rejected(choice: str) -> None:
    with pytest.raises(ValueError, match=f"^{choice.partition('=')[0]} must be "):
        parse_choices([choice])


@pytest.mark.parametrize("count", [0, 5, "2", True, None])
def test_an_invalid_number_of_generations_is_rejected_immediately(hub: HubClient, count: object) -> None:
    response = hub.post("/api/ai/queue", json=request(num_generations=count))
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_params"
    assert error["title"] == "Invalid parameters supplied, please check your request and try again."
    assert error["detail"] == "num_generations must be an integer between 1 and 4"


def test_an_unknown_model_is_not_found(hub: HubClient) -> None:
    response = hub.post("/api/ai/queue", json=request(model="kling-nope"))
    assert (response.status_code, response.json()) == (404, {"error": {"message": "Model not found: kling-nope"}})


def test_a_text_model_is_unsupported(hub: HubClient) -> None:
    response = hub.post("/api/ai/queue", json=request(model="gpt-5-mini"))
    assert response.status_code == 415
    assert ":unsupported_media_type" in response.text


def test_other_errors_fail_the_job_later(hub: HubClient) -> None:
    record = hub.finished(hub.enqueue(duration=2))
    assert record["status"] == "failed"
    assert record["result_url"] is None
    assert record["error_message"].startswith("Getting model response error: 422 - Value error, duration value '2'")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (image_bytes((200, 400)), "300"),
        (image_bytes((1000, 320)), "ratio"),
        (b"not an image", "format"),
        (image_bytes() + bytes(11 * 1024 * 1024), "10 MB"),
    ],
    ids=["small", "wide", "broken", "heavy"],
)
def test_an_image_that_breaks_upstreams_rules_fails_the_job(hub: HubClient, data: bytes, words: str) -> None:
    record = hub.finished(hub.enqueue(input_image=[data_uri(data)]))
    assert record["status"] == "failed"
    assert words in record["error_message"]


def test_without_a_status_only_active_jobs_are_listed(start: Callable[..., HubClient]) -> None:
    hub = start(speed=0.2)
    ours = hub.enqueue(target_namespace="team", target_repo="films", target_directory="a")
    assert hub.get("/api/ai/queue").json()["generations"][0]["generation_id"] == ours
    for name, value in {
        "namespace": "team",
        "model": TARGET,
        "media_type": "video",
        "repo": "films",
        "folder": "a",
    }.items():
        assert hub.get("/api/ai/queue", params={name: value}).json()["count"] == 1, name
        assert hub.get("/api/ai/queue", params={name: "other"}).json() == {"count": 0, "generations": []}, name
    hub.delete(f"/api/ai/queue/{ours}")
    assert hub.get("/api/ai/queue").json()["count"] == 0
    assert hub.get("/api/ai/queue", params={"status": "cancelled"}).json()["count"] == 1


def test_a_deleted_job_stays_cancelled(start: Callable[..., HubClient]) -> None:
    hub = start(speed=0.2)
    job = hub.enqueue()
    response = hub.delete(f"/api/ai/queue/{job}")
    assert (response.status_code, response.json()) == (200, {"status": "success", "generation_id": job})
    assert hub.record(job)["status"] == "cancelled"
    assert hub.delete(f"/api/ai/queue/{job}").status_code == 200
    assert hub.record(job)["status"] == "cancelled"


@pytest.mark.parametrize("status", ["400", "404"])
def test_the_status_of_a_late_delete_can_be_chosen(start: Callable[..., HubClient], status: str) -> None:
    hub = start("--choice", f"late_delete_status={status}")
    job = hub.enqueue(duration=1)
    hub.finished(job)
    assert hub.delete(f"/api/ai/queue/{job}").status_code == int(status)


FINISHED = "The generation is already in a terminal state."


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "usual", {"status": "success"}),
        (200, "empty", None),
        (200, "record", {"model_name": TARGET, "status": "failed"}),
        (200, "string", {"error": FINISHED}),
        (400, "message", {"error": {"message": FINISHED}}),
        (404, "status", {"status": "error", "status_message": "resource_not_found"}),
    ],
)
def test_the_body_of_a_late_delete_can_be_chosen(
    start: Callable[..., HubClient], status: int, body: str, expected: dict[str, object] | None
) -> None:
    hub = start("--choice", f"late_delete_status={status}", "--choice", f"late_delete_body={body}")
    job = hub.enqueue(duration=1)
    hub.finished(job)
    response = hub.delete(f"/api/ai/queue/{job}")
    assert response.status_code == status
    found = response.json() if response.content else None
    assert expected == (found and {name: found[name] for name in expected or {}})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_not_found(hub: HubClient, method: str) -> None:
    response = hub.request(method, "/api/ai/queue/none")
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(("choice", "prompt"), [("null", None), ("empty", "")])
def test_the_prompt_of_a_multi_shot_job_can_be_chosen(
    start: Callable[..., HubClient], choice: str, prompt: object
) -> None:
    hub = start("--choice", f"multi_shot_prompt={choice}")
    shots = [{"prompt": "one", "duration": 1}, {"prompt": "two", "duration": 1}]
    record = hub.record(hub.enqueue(multi_prompt=shots))
    assert record["prompt"] == prompt
    assert record["multi_prompt"] == shots


def test_the_synchronous_route_returns_a_url(hub: HubClient) -> None:
    response = hub.post("/api/ai/videos/generate", json=request()).json()
    assert set(response) == {"created", "model", "videos"}
    assert httpx.get(response["videos"][0]["url"], trust_env=False).content[4:8] == b"ftyp"


def test_the_synchronous_route_returns_base64_on_request(hub: HubClient) -> None:
    response = hub.post("/api/ai/videos/generate", json=request(response_format="b64_json")).json()
    assert base64.b64decode(response["videos"][0]["b64_json"])[4:8] == b"ftyp"


def test_the_synchronous_route_validates_immediately(hub: HubClient) -> None:
    response = hub.post("/api/ai/videos/generate", json=request(duration=2))
    assert response.status_code == 400
    assert response.json()["error"]["detail"].startswith("Getting model response error: 422 - Value error, duration")


def test_the_timeout_of_the_synchronous_route_can_be_chosen(start: Callable[..., HubClient], tmp_path: Path) -> None:
    hub = start("--choice", "sync_timeout=0.2", speed=0.05)
    response = hub.post("/api/ai/videos/generate", json=request())  # the client gives up before the usual 900 s
    assert response.status_code == 504
    assert response.headers["content-type"].startswith("text/html") and "504 Gateway Time-out" in response.text
    [saved] = (tmp_path / "hub0" / "jobs").glob("*.json")
    assert json.loads(saved.read_text())["cancelled_at"] is None  # the job continues and is billed


def test_an_image_model_makes_an_image(hub: HubClient) -> None:
    record = hub.finished(hub.enqueue(model="black-forest-labs-flux-2-klein-4b", prompt="a teapot", duration=None))
    assert (record["status"], record["media_type"]) == ("succeeded", "image"), record
    assert httpx.get(record["result_url"], trust_env=False).content[:4] == b"\x89PNG"


def test_an_instant_job_skips_the_queue(start: Callable[..., HubClient]) -> None:
    hub = start(speed=0.05)
    assert hub.finished(hub.enqueue({"X-Local-Instant": "1"}), within=60)["status"] == "succeeded"


def test_the_catalogue_needs_no_key(hub: HubClient) -> None:
    with connect(str(hub.base_url), key="") as keyless:
        everything = keyless.get("/api/ai/models").json()
        found = keyless.get("/api/ai/models/search", params={"search": "kling"}).json()
        one = keyless.get(f"/api/ai/models/{TARGET}").json()
        none = keyless.get("/api/ai/models/kling-nope")
    assert everything["object"] == found["object"] == "list"
    assert 0 < len(found["data"]) < len(everything["data"])
    assert one["id"] == TARGET
    assert (none.status_code, none.json()) == (404, {"error": {"message": "Model not found: kling-nope"}})


@pytest.mark.parametrize("verb", ["activate", "deactivate"])
def test_a_model_is_activated_with_a_key_and_an_unknown_one_is_not_found(hub: HubClient, verb: str) -> None:
    known, unknown = (hub.post(f"/api/ai/models/{model}/{verb}") for model in (TARGET, "kling-nope"))
    assert (known.status_code, known.json()["id"]) == (200, TARGET)
    assert (unknown.status_code, unknown.json()) == (404, {"error": {"message": "Model not found: kling-nope"}})
    with connect(str(hub.base_url), key="") as keyless:
        assert keyless.post(f"/api/ai/models/{TARGET}/{verb}").status_code == 401


def test_the_queue_needs_a_key(hub: HubClient) -> None:
    with connect(str(hub.base_url), key="") as keyless:
        response = keyless.post("/api/ai/queue", json=request())
    assert response.status_code == 401
    assert response.json()["status_message"] == "unauthenticated"
    assert response.json()["error"]["title"] == "You must be authenticated to perform this action."


def test_a_hub_can_accept_certain_keys_only(start: Callable[..., HubClient]) -> None:
    hub = start("--key", "right")
    assert hub.get("/api/ai/queue").status_code == 401
    assert hub.get("/api/ai/queue", headers={"Authorization": "Bearer right"}).status_code == 200


@pytest.mark.parametrize("agent", ["oxen/0.1", "Mozilla OXEN-like", "my-oxenite"])
def test_a_user_agent_with_the_vendors_name_must_update(hub: HubClient, agent: str) -> None:
    response = hub.get("/api/ai/queue", headers={"User-Agent": agent})
    assert (response.status_code, response.json()["error"]["type"]) == (426, "update_required")


def test_another_host_name_is_forbidden(hub: HubClient) -> None:
    assert hub.get("/api/ai/queue", headers={"Host": "evil.example:80"}).status_code == 403
    assert hub.get("/_local/health", headers={"Host": "evil.example"}).status_code == 403


def test_a_page_of_another_origin_cannot_change_anything(hub: HubClient) -> None:
    for origin in ("https://evil.example", "null"):
        assert hub.post("/_local/shutdown", headers={"Origin": origin}).status_code == 403
    assert hub.delete("/_local/faults", headers={"Origin": "http://localhost:8888"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"input_image": [{"a": 1}]}, {"input_image": [5]}, {"elements": [{"frontal_image_url": 7}]}, {"duration": 3.5}],
)
def test_malformed_fields_do_not_leave_a_job_unfinished(hub: HubClient, body: dict[str, object]) -> None:
    assert hub.finished(hub.enqueue(**body))["status"] in ("failed", "succeeded")


def test_posts_and_jobs_are_counted(start: Callable[..., HubClient]) -> None:
    hub = start()
    hub.enqueue(duration=1)
    hub.post("/api/ai/queue", json=request(model="none"))
    stats = hub.stats()
    assert stats["requests"]["POST /api/ai/queue"] == 2
    assert stats["enqueued"] == 1
    wait_for(lambda: hub.stats()["jobs"] == {"failed": 1})

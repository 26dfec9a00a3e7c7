"""The queue's four verbs, the synchronous route, the catalogue: HUB_API sections 2, 3, 5, 6."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from kling_nb.localhub.options import open_answers

from .conftest import TARGET, Caller, caller, data_uri, picture, request, until

NOT_FOUND = {
    "error": {"type": "resource_not_found", "title": "The requested resource could not be found"},
    "status": "error",
    "status_message": "resource_not_found",
}


def test_a_job_goes_from_the_queue_to_a_film(hub: Caller) -> None:
    body = request(aspect_ratio="1:1", input_image=[data_uri(picture())])
    answer = hub.post("/api/ai/queue", json=body).json()
    assert [set(entry) for entry in answer["generations"]] == [{"generation_id", "status"}]
    assert answer["generations"][0]["status"] == "queued"
    record = hub.finished(answer["generations"][0]["generation_id"])
    assert record["status"] == "succeeded", record["error_message"]
    assert record["model_name"] == record["model"] == TARGET
    assert (record["prompt"], record["duration"], record["media_type"]) == (body["prompt"], 3, "video")
    assert record["input_image"] == body["input_image"]
    assert record["enqueued_at"] <= record["started_at"] <= record["completed_at"]
    assert "oxen_signature=" in record["result_url"]
    assert httpx.get(record["result_url"], trust_env=False).content[4:8] == b"ftyp"


def test_each_generation_is_a_job_of_its_own(hub: Caller) -> None:
    answer = hub.post("/api/ai/queue", json=request(num_generations=3), headers={"X-Local-Fault": "failed"}).json()
    assert len({entry["generation_id"] for entry in answer["generations"]}) == 3


@pytest.mark.parametrize("answer", ["url_lifetime=never", "sync_timeout=nan", "sync_timeout=-1", "resign=maybe"])
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=answer.partition("=")[0]):
        open_answers([answer])


@pytest.mark.parametrize("count", [0, 5, "2", True, None])
def test_a_wrong_number_of_generations_is_refused_at_once(hub: Caller, count: object) -> None:
    answer = hub.post("/api/ai/queue", json=request(num_generations=count))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_params"
    assert error["title"] == "Invalid parameters supplied, please check your request and try again."
    assert error["detail"] == "num_generations must be an integer between 1 and 4"


def test_an_unknown_model_is_named_in_the_refusal(hub: Caller) -> None:
    answer = hub.post("/api/ai/queue", json=request(model="kling-nope"))
    assert (answer.status_code, answer.json()) == (404, {"error": {"message": "Model not found: kling-nope"}})


def test_a_text_model_is_an_unsupported_medium(hub: Caller) -> None:
    answer = hub.post("/api/ai/queue", json=request(model="gpt-5-mini"))
    assert answer.status_code == 415
    assert ":unsupported_media_type" in answer.text


def test_other_mistakes_turn_up_later_as_failed(hub: Caller) -> None:
    record = hub.finished(hub.enqueue(duration=2))
    assert record["status"] == "failed"
    assert record["result_url"] is None
    assert record["error_message"].startswith("Getting model response error: 422 - Value error, duration value '2'")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (picture((200, 400)), "300"),
        (picture((1000, 320)), "ratio"),
        (b"no picture at all", "format"),
        (picture() + bytes(11 * 1024 * 1024), "10 MB"),
    ],
    ids=["small", "wide", "broken", "heavy"],
)
def test_upstreams_rules_for_pictures_fail_the_job(hub: Caller, data: bytes, words: str) -> None:
    record = hub.finished(hub.enqueue(input_image=[data_uri(data)]))
    assert record["status"] == "failed"
    assert words in record["error_message"]


def test_without_a_status_only_active_jobs_are_listed(start: Callable[..., Caller]) -> None:
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


def test_a_delete_cancels_and_the_state_sticks(start: Callable[..., Caller]) -> None:
    hub = start(speed=0.2)
    job = hub.enqueue()
    answer = hub.delete(f"/api/ai/queue/{job}")
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "generation_id": job})
    assert hub.record(job)["status"] == "cancelled"
    assert hub.delete(f"/api/ai/queue/{job}").status_code == 200
    assert hub.record(job)["status"] == "cancelled"


@pytest.mark.parametrize("status", ["400", "404"])
def test_the_answer_to_a_late_delete_is_a_switch(start: Callable[..., Caller], status: str) -> None:
    hub = start("--open", f"late_delete_status={status}")
    job = hub.enqueue(duration=1)
    hub.finished(job)
    assert hub.delete(f"/api/ai/queue/{job}").status_code == int(status)


OVER = "The generation is already in a terminal state."


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "usual", {"status": "success"}),
        (200, "empty", None),
        (200, "record", {"model_name": TARGET, "status": "failed"}),
        (200, "string", {"error": OVER}),
        (400, "message", {"error": {"message": OVER}}),
        (404, "status", {"status": "error", "status_message": "resource_not_found"}),
    ],
)
def test_the_body_of_the_answer_to_a_late_delete_is_a_switch(
    start: Callable[..., Caller], status: int, body: str, said: dict[str, object] | None
) -> None:
    hub = start("--open", f"late_delete_status={status}", "--open", f"late_delete_body={body}")
    job = hub.enqueue(duration=1)
    hub.finished(job)
    answer = hub.delete(f"/api/ai/queue/{job}")
    assert answer.status_code == status
    found = answer.json() if answer.content else None
    assert said == (found and {name: found[name] for name in said or {}})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_not_found(hub: Caller, method: str) -> None:
    answer = hub.request(method, "/api/ai/queue/none")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(("choice", "prompt"), [("null", None), ("empty", "")])
def test_the_prompt_of_a_multi_shot_job_is_a_switch(start: Callable[..., Caller], choice: str, prompt: object) -> None:
    hub = start("--open", f"multi_shot_prompt={choice}")
    shots = [{"prompt": "one", "duration": 1}, {"prompt": "two", "duration": 1}]
    record = hub.record(hub.enqueue(multi_prompt=shots))
    assert record["prompt"] == prompt
    assert record["multi_prompt"] == shots


def test_the_synchronous_route_returns_an_address(hub: Caller) -> None:
    answer = hub.post("/api/ai/videos/generate", json=request()).json()
    assert set(answer) == {"created", "model", "videos"}
    assert httpx.get(answer["videos"][0]["url"], trust_env=False).content[4:8] == b"ftyp"


def test_the_synchronous_route_returns_base64_when_asked(hub: Caller) -> None:
    answer = hub.post("/api/ai/videos/generate", json=request(response_format="b64_json")).json()
    assert base64.b64decode(answer["videos"][0]["b64_json"])[4:8] == b"ftyp"


def test_the_synchronous_route_refuses_at_once(hub: Caller) -> None:
    answer = hub.post("/api/ai/videos/generate", json=request(duration=2))
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"].startswith("Getting model response error: 422 - Value error, duration")


def test_the_time_out_of_the_synchronous_route_is_a_switch(start: Callable[..., Caller], tmp_path: Path) -> None:
    hub = start("--open", "sync_timeout=0.2", speed=0.05)
    began = time.monotonic()
    answer = hub.post("/api/ai/videos/generate", json=request())
    assert (answer.status_code, time.monotonic() - began < 10) == (504, True)
    assert answer.headers["content-type"].startswith("text/html") and "504 Gateway Time-out" in answer.text
    [kept] = (tmp_path / "hub0" / "jobs").glob("*.json")
    assert json.loads(kept.read_text())["cancelled_at"] is None  # it is made all the same, and paid for


def test_an_image_model_gives_a_picture(hub: Caller) -> None:
    record = hub.finished(hub.enqueue(model="black-forest-labs-flux-2-klein-4b", prompt="a teapot", duration=None))
    assert (record["status"], record["media_type"]) == ("succeeded", "image"), record
    assert httpx.get(record["result_url"], trust_env=False).content[:4] == b"\x89PNG"


def test_an_instant_job_skips_the_queue(start: Callable[..., Caller]) -> None:
    hub = start(speed=0.05)
    assert hub.finished(hub.enqueue({"X-Local-Instant": "1"}), within=20)["status"] == "succeeded"


def test_the_catalogue_answers_without_a_key(hub: Caller) -> None:
    with caller(str(hub.base_url), key="") as bare:
        everything = bare.get("/api/ai/models").json()
        found = bare.get("/api/ai/models/search", params={"search": "kling"}).json()
        one = bare.get(f"/api/ai/models/{TARGET}").json()
        none = bare.get("/api/ai/models/kling-nope")
    assert everything["object"] == found["object"] == "list"
    assert 0 < len(found["data"]) < len(everything["data"])
    assert one["id"] == TARGET
    assert (none.status_code, none.json()) == (404, {"error": {"message": "Model not found: kling-nope"}})


def test_without_a_key_nothing_is_made(hub: Caller) -> None:
    with caller(str(hub.base_url), key="") as bare:
        answer = bare.post("/api/ai/queue", json=request())
    assert answer.status_code == 401
    assert answer.json()["status_message"] == "unauthenticated"
    assert answer.json()["error"]["title"] == "You must be authenticated to perform this action."


def test_a_restricted_hub_takes_only_its_keys(start: Callable[..., Caller]) -> None:
    hub = start("--key", "right")
    assert hub.get("/api/ai/queue").status_code == 401
    assert hub.get("/api/ai/queue", headers={"Authorization": "Bearer right"}).status_code == 200


@pytest.mark.parametrize("agent", ["oxen/0.1", "Mozilla OXEN-like", "my-oxenite"])
def test_a_user_agent_that_names_the_vendor_must_update(hub: Caller, agent: str) -> None:
    answer = hub.get("/api/ai/queue", headers={"User-Agent": agent})
    assert (answer.status_code, answer.json()["error"]["type"]) == (426, "update_required")


def test_a_foreign_host_name_is_forbidden(hub: Caller) -> None:
    assert hub.get("/api/ai/queue", headers={"Host": "evil.example:80"}).status_code == 403
    assert hub.get("/_local/health", headers={"Host": "evil.example"}).status_code == 403


def test_a_page_from_elsewhere_can_change_nothing(hub: Caller) -> None:
    for origin in ("https://evil.example", "null"):
        assert hub.post("/_local/shutdown", headers={"Origin": origin}).status_code == 403
    assert hub.delete("/_local/faults", headers={"Origin": "http://localhost:8888"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"input_image": [{"a": 1}]}, {"input_image": [5]}, {"elements": [{"frontal_image_url": 7}]}, {"duration": 3.5}],
)
def test_nonsense_ends_as_a_job_that_ended(hub: Caller, body: dict[str, object]) -> None:
    assert hub.finished(hub.enqueue(**body))["status"] in ("failed", "succeeded")


def test_enqueued_posts_are_counted(start: Callable[..., Caller]) -> None:
    hub = start()
    hub.enqueue(duration=1)
    hub.post("/api/ai/queue", json=request(model="none"))
    stats = hub.stats()
    assert stats["requests"]["POST /api/ai/queue"] == 2
    assert stats["enqueued"] == 1
    until(lambda: hub.stats()["jobs"] == {"failed": 1})

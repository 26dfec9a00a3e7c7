"""The routes and switches that fal's own client does not use: history, catalogue, prices, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from kling_nb.localhub import serve
from kling_nb.localhub.fal.endpoints import endpoints
from kling_nb.localhub.serve import stop
from tests.localhub.conftest import data_uri, image_bytes

from .conftest import ENDPOINT, FAL_KEY, FalSide, connect

_SPAWN = serve._spawn


def result_of(fal: FalSide, reply: dict[str, Any]) -> httpx.Response:
    return fal.get(reply["response_url"])


def test_a_status_is_202_until_the_request_is_complete(fal: FalSide) -> None:
    fal.fault("stuck", times=1)
    waiting, ended = fal.submit(prompt="a"), fal.submit()
    first = fal.get(waiting["status_url"])
    assert (first.status_code, first.json()["status"], first.json()["logs"]) == (202, "IN_QUEUE", None)
    assert first.json()["queue_position"] >= 0
    assert fal.ended(ended)["status"] == "COMPLETED"
    assert fal.get(ended["status_url"]).status_code == 200


def test_a_stream_closes_after_the_end_and_can_be_torn(fal: FalSide) -> None:
    text = fal.get(f"{fal.submit(duration='2', prompt='a')['status_url']}/stream").text
    assert '"COMPLETED"' in text.strip().rpartition("data: ")[2]
    fal.fault("dropped_events")
    fal.fault("stuck")
    with pytest.raises(httpx.RemoteProtocolError):
        fal.get(f"{fal.submit(prompt='a')['status_url']}/stream")


def test_a_request_can_go_back_to_the_queue(start: Callable[..., FalSide], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_spawn", _SPAWN)  # as a user starts it
    fal = start("--fault", "requeued", speed=1)
    text = fal.get(f"{fal.submit(prompt='a')['status_url']}/stream").text
    states = [json.loads(line.removeprefix("data: "))["status"] for line in text.split("\n\n") if line]
    assert [state for state, _ in groupby(states)][-4:] == ["IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


def test_a_request_that_does_not_start_in_time_ends_with_504(fal: FalSide) -> None:
    fal.fault("stuck")
    reply = fal.submit(prompt="a", headers={"X-Fal-Request-Timeout": "0.1"})
    assert fal.ended(reply)["error_type"] == "request_timeout"
    response = result_of(fal, reply)
    assert (response.status_code, response.headers["x-fal-request-timeout-type"]) == (504, "user")


def test_cancelling_a_running_request_is_a_wish(fal: FalSide) -> None:
    fal.fault("ignored_cancel")
    reply = fal.submit(prompt="a")
    response = fal.put(reply["cancel_url"])
    assert (response.status_code, response.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert "error" not in fal.ended(reply)
    assert result_of(fal, reply).status_code == 200


@pytest.mark.parametrize(
    ("body", "field", "kind"),
    [
        ({"duration": "2", "prompt": "a"}, "duration", "value_error.const"),
        ({"duration": 5, "prompt": "a"}, "duration", "type_error.str"),
        ({"prompt": "a" * 2501}, "prompt", "value_error.any_str.max_length"),
        ({"prompt": "a", "multi_prompt": [{"prompt": "b"}]}, "root", "value_error"),
        ({"prompt": "a", "end_image_url": "https://a.example/b.png"}, "end_image_url", "value_error"),
        ({"prompt": "a", "image_urls": [data_uri(image_bytes((200, 400)))]}, "image_urls", "image_too_small"),
        ({"prompt": "a", "image_urls": [data_uri(b"no image")]}, "image_urls", "unsupported_image_format"),
    ],
)
def test_the_model_names_the_field_that_it_refuses(fal: FalSide, body: dict[str, Any], field: str, kind: str) -> None:
    reply = fal.submit(**body)
    fal.ended(reply)
    response = result_of(fal, reply)
    error = response.json()["detail"][0]
    assert (response.status_code, error["loc"][:2], error["type"]) == (422, ["body", field], kind)
    assert response.headers["x-fal-retryable"] == "false"
    assert "data:" not in response.text


def test_what_is_open_in_the_contract_can_be_chosen(start: Callable[..., FalSide]) -> None:
    chosen = ("url_form=response", "unknown_keys=refuse", "status_error=yes", "early_result=202", "data_uri=refuse")
    fal = start(*(part for choice in chosen for part in ("--choice", choice)))
    fal.fault("stuck", times=1)
    early = fal.submit(prompt="a")
    assert early["response_url"].endswith(f"{ENDPOINT}/requests/{early['request_id']}/response")
    assert result_of(fal, early).status_code == 202
    reply = fal.submit(prompt="a", client_ref="b")
    assert fal.ended(reply)["error"] == "extra fields not permitted"
    reply = fal.submit(prompt="a", image_urls=[data_uri(image_bytes())])
    assert fal.ended(reply)["error_type"] == "file_download_error"


def test_the_history_has_what_was_sent_and_when(fal: FalSide) -> None:
    since = datetime.now(UTC).isoformat()
    reply = fal.submit(client_ref="mine")  # without a prompt, so it is soon over
    fal.ended(reply)
    [row] = [row for row in fal.history(start=since, expand="payloads") if row["request_id"] == reply["request_id"]]
    assert (row["endpoint_id"], row["status_code"]) == (ENDPOINT, 422)
    assert row["json_input"] == {"duration": "3", "client_ref": "mine"}
    assert since < row["sent_at"].replace("Z", "+00:00") <= row["started_at"].replace("Z", "+00:00")
    assert fal.row(reply["request_id"], status="user_error") is not None
    assert fal.row(reply["request_id"], status="success") is None
    assert "json_input" not in (fal.row(reply["request_id"]) or {})
    newest = fal.get("/v1/models/requests/search", params={"limit": 1}).json()
    assert (newest["results"][0]["request_id"], newest["has_more"]) == (reply["request_id"], True)


def test_the_history_can_be_late_empty_or_forbidden(fal: FalSide) -> None:
    reply = fal.submit()
    fal.ended(reply)
    fal.fault("late_listing", seconds=60, times=1)
    fal.fault("no_payloads")
    assert fal.row(reply["request_id"]) is None
    assert (fal.row(reply["request_id"], expand="payloads") or {})["json_input"] is None
    fal.fault("forbidden", match={"path_prefix": "/v1/models/requests"})
    response = fal.get("/v1/models/requests/by-endpoint", params={"endpoint_id": ENDPOINT})
    assert (response.status_code, response.json()["error"]["type"]) == (403, "authorization_error")


def test_a_waiting_request_is_not_in_the_history(fal: FalSide) -> None:
    fal.fault("stuck")
    assert fal.row(fal.submit(prompt="a")["request_id"]) is None


def test_the_catalogue_needs_no_key_and_has_each_schema(fal: FalSide) -> None:
    with connect(str(fal.base_url), key="") as keyless:
        pages = [keyless.get("/v1/models", params={"limit": 12, "cursor": at}).json() for at in ("0", "12", "24")]
        schema = keyless.get("/api/openapi/queue/openapi.json", params={"endpoint_id": ENDPOINT}).json()
        nothing = keyless.get("/fal.ai/api/openapi/queue/openapi.json", params={"endpoint_id": "no/such"})
        refused = keyless.get("/v1/models/pricing", params={"endpoint_id": ENDPOINT})
    assert [one["endpoint_id"] for page in pages for one in page["models"]] == [one.id for one in endpoints()]
    sent = next(one for name, one in schema["components"]["schemas"].items() if name.endswith("Input"))
    assert sent["properties"]["duration"]["enum"][0] == "3"
    assert sent["x-fal-order-properties"][0] == "prompt"
    assert (nothing.status_code, nothing.json(), refused.status_code) == (404, None, 401)


def test_a_price_is_that_of_a_second_without_sound(fal: FalSide) -> None:
    def price() -> float:
        return fal.get("/v1/models/pricing", params={"endpoint_id": ENDPOINT}).json()["prices"][0]["unit_price"]

    before = price()
    fal.fault("changed_price", factor=2, match={"model": ENDPOINT})
    assert (before, price()) == (0.112, 0.224)
    body = {"estimate_type": "unit_price", "endpoints": {ENDPOINT: {"unit_quantity": 5}}}
    assert fal.post("/v1/models/pricing/estimate", json=body).json()["total_cost"] == pytest.approx(1.12)
    assert fal.get("/v1/account/billing").status_code == 403


def test_a_withdrawn_endpoint_takes_no_request(fal: FalSide) -> None:
    fal.fault("withdrawn", match={"model": ENDPOINT})
    assert fal.post(f"/{ENDPOINT}", json={"prompt": "a"}).status_code == 404
    assert fal.get("/v1/models", params={"endpoint_id": ENDPOINT}).json()["models"] == []


def test_kling_4_takes_fifteen_references_and_names(fal: FalSide) -> None:
    picture = data_uri(image_bytes())
    elements = [{"name": f"hero{n}", "frontal_image_url": picture} for n in range(5)]
    body = {"prompt": "@hero1 waves", "duration": 3, "resolution": "1080p", "image_urls": [picture] * 10}
    reply = fal.submit("kling/v4/reference-to-video", **body, elements=elements)
    fal.ended(reply)
    assert result_of(fal, reply).status_code == 200
    reply = fal.submit("kling/v4/reference-to-video", **body, elements=elements * 2)
    fal.ended(reply)
    assert result_of(fal, reply).json()["detail"][0]["loc"] == ["body", "image_urls"]


def test_a_clip_is_edited_at_its_length(fal: FalSide) -> None:
    reply = fal.submit(prompt="a boat")
    fal.ended(reply)
    source = result_of(fal, reply).json()["video"]["url"]
    edit = fal.post("/fal-ai/kling-video/o3/pro/video-to-video/edit", json={"prompt": "fog", "video_url": source})
    fal.ended(edit.json())
    assert result_of(fal, edit.json()).status_code == 200


def test_the_media_host_refuses_a_key_and_notices_it(fal: FalSide) -> None:
    media, before = fal.get("/_local/health").json()["media_url"], fal.stats()["other_origin_keys"]
    upload = fal.post(f"{media}/files/upload", content=b"a")  # with the key of the client
    assert (upload.status_code, fal.get(f"{media}/files/b/a/b").status_code) == (401, 401)
    assert fal.stats()["other_origin_keys"] == before + 2


def test_a_reply_can_point_to_another_host(fal: FalSide) -> None:
    media = fal.get("/_local/health").json()["media_url"]
    fal.fault("foreign_urls")
    assert fal.submit()["status_url"].startswith(media)


@pytest.mark.parametrize("fault", ["rate_limited", "unknown_error", "upstream", "html", "not_found", "nested_json"])
def test_a_fault_replaces_the_reply_and_makes_no_request(fal: FalSide, fault: str) -> None:
    before = fal.stats()["enqueued"]
    response = fal.post(f"/{ENDPOINT}", json={"prompt": "a"}, headers={"X-Local-Fault": fault})
    expected = {"rate_limited": 429, "unknown_error": 500, "upstream": 503, "html": 502, "not_found": 404}
    assert (response.status_code, fal.stats()["enqueued"]) == (expected.get(fault, 200), before)


def test_a_result_and_its_file_can_be_gone(fal: FalSide) -> None:
    reply = fal.submit(prompt="a")
    fal.ended(reply)
    url = result_of(fal, reply).json()["video"]["url"]
    fal.fault("expired_url")
    fal.fault("result_gone")
    assert httpx.get(url, trust_env=False).status_code == 404
    assert result_of(fal, reply).status_code == 404


def test_requests_uploads_and_ports_survive_a_restart(
    start: Callable[..., FalSide], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_spawn", _SPAWN)  # as a user starts it
    home = tmp_path / "home"
    fal = start(folder=home, speed=2)
    token = fal.post("/storage/auth/token", json={}).json()
    upload = f"{token['base_url']}/files/upload"
    headers = {"Authorization": f"Bearer {token['token']}", "X-Fal-File-Name": "a.png"}
    url = fal.post(upload, content=image_bytes(), headers=headers).json()["access_url"]
    reply = fal.submit(prompt="@Image1", image_urls=[url])
    stop(home)
    again = start(folder=home, speed=2)
    assert again.ended(reply)["status"] == "COMPLETED"
    assert httpx.get(again.get(reply["response_url"]).json()["video"]["url"], trust_env=False).status_code == 200


def test_only_listed_keys_are_accepted(start: Callable[..., FalSide]) -> None:
    fal = start("--key", FAL_KEY)
    assert fal.submit()["status"] == "IN_QUEUE"
    with connect(str(fal.base_url), key="other") as other:
        assert other.post(f"/{ENDPOINT}", json={}).status_code == 401


def test_the_server_answers_at_the_names_of_the_hosts(fal: FalSide) -> None:
    reply = fal.post(f"/queue.fal.run/{ENDPOINT}", json={}).json()
    path = reply["status_url"].removeprefix(str(fal.base_url).rstrip("/"))
    assert fal.get(f"/queue.fal.run{path}").json()["request_id"] == reply["request_id"]
    assert fal.get("/api.fal.ai/v1/models").status_code == 200
    token = fal.post("/rest.fal.ai/storage/auth/token").json()
    assert datetime.now(UTC) < datetime.fromisoformat(token["expires_at"])

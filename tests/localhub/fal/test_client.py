"""The stand-in for fal, judged by fal's own Python client."""

from __future__ import annotations

from pathlib import Path

import fal_client
import fal_client.client
import httpx
import pytest

from tests.localhub.conftest import image_bytes

from .conftest import ENDPOINT, SUBMIT, FalSide


def test_a_submitted_request_goes_through_its_states_to_a_clip(fal: FalSide, client: fal_client.SyncClient) -> None:
    picture = client.upload(image_bytes(), "image/png", file_name="a boat.png")
    handle = client.submit(ENDPOINT, {"prompt": "@Image1 sails", "duration": "3", "image_urls": [picture]})
    seen = [type(event).__name__ for event in handle.iter_events(with_logs=True, interval=0.05)]
    video = handle.get()["video"]
    assert set(seen) <= {"Queued", "InProgress", "Completed"}
    assert seen[-1] == "Completed"
    clip = httpx.get(video["url"], trust_env=False).content
    assert (clip[4:8], len(clip), video["content_type"]) == (b"ftyp", video["file_size"], "video/mp4")
    assert client.status(ENDPOINT, handle.request_id, with_logs=True).metrics["inference_time"] > 0
    assert client.result(ENDPOINT, handle.request_id)["video"] == video


def test_subscribe_returns_the_result_and_its_updates(fal: FalSide, client: fal_client.SyncClient) -> None:
    updates: list[fal_client.Status] = []
    arguments = {"multi_prompt": [{"prompt": "one", "duration": "1"}, {"prompt": "two", "duration": "2"}]}
    result = client.subscribe(ENDPOINT, arguments, with_logs=True, on_queue_update=updates.append)
    assert result["video"]["url"].endswith("_output.mp4")
    assert isinstance(updates[-1], fal_client.Completed)


def test_a_synchronous_run_returns_the_result(fal: FalSide, client: fal_client.SyncClient) -> None:
    assert client.run(ENDPOINT, {"prompt": "at once", "duration": "3"})["video"]["file_size"] > 0


def test_the_model_refuses_only_at_the_result(fal: FalSide, client: fal_client.SyncClient) -> None:
    handle = client.submit(ENDPOINT, {"duration": "5"})
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert caught.value.response.json()["detail"][0]["loc"] == ["body", "root"]
    completed = handle.status()
    assert isinstance(completed, fal_client.Completed)
    assert completed.error is None


def test_a_failed_runner_has_an_error_type(fal: FalSide, client: fal_client.SyncClient) -> None:
    fal.fault("failed", status=503, error_type="runner_disconnected", message="The runner has left")
    handle = client.submit(ENDPOINT, {"prompt": "a"})
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (503, "runner_disconnected")
    completed = handle.status()
    assert isinstance(completed, fal_client.Completed)
    assert (completed.error, completed.error_type) == ("The runner has left", "runner_disconnected")


def test_a_waiting_request_is_cancelled_immediately(fal: FalSide, client: fal_client.SyncClient) -> None:
    fal.fault("stuck")
    handle = client.submit(ENDPOINT, {"prompt": "a"})
    assert isinstance(handle.status(), fal_client.Queued)
    handle.cancel()
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")
    with pytest.raises(fal_client.FalClientHTTPError) as again:
        handle.cancel()
    assert again.value.response.json() == {"status": "ALREADY_COMPLETED"}


def test_an_unknown_request_is_not_found(fal: FalSide, client: fal_client.SyncClient) -> None:
    for call in (client.status, client.result, client.cancel):
        with pytest.raises(fal_client.FalClientHTTPError) as caught:
            call(ENDPOINT, "00000000-0000-0000-0000-000000000000")
        assert (caught.value.status_code, caught.value.response.json()) == (404, {"status": "NOT_FOUND"})


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [("insufficient_credits", 403, "Exhausted balance"), ("unauthenticated", 401, "invalid key")],
)
def test_an_account_error_refuses_the_submit(
    fal: FalSide, client: fal_client.SyncClient, fault: str, status: int, text: str
) -> None:
    before = fal.stats()["enqueued"]
    fal.fault(fault)
    with pytest.raises(fal_client.FalClientHTTPError, match=text) as caught:
        client.submit(ENDPOINT, {"prompt": "a"})
    assert (caught.value.status_code, fal.stats()["enqueued"]) == (status, before)


@pytest.mark.parametrize("fault", ["lost_reply", "lost_to_proxy"])
def test_the_client_sends_a_lost_submit_ten_times(fal: FalSide, client: fal_client.SyncClient, fault: str) -> None:
    fal.fault(fault)
    before = fal.asked(SUBMIT), fal.stats()["enqueued"]
    with pytest.raises((httpx.HTTPError, fal_client.FalClientHTTPError)):
        client.submit(ENDPOINT, {"duration": "5"})
    assert (fal.asked(SUBMIT) - before[0], fal.stats()["enqueued"] - before[1]) == (10, 10)


def test_both_ways_of_uploading_serve_the_bytes(fal: FalSide, client: fal_client.SyncClient, tmp_path: Path) -> None:
    data, before = image_bytes(), fal.stats()["other_origin_keys"]
    (tmp_path / "b.png").write_bytes(data)
    for url in (client.upload_file(tmp_path / "b.png"), client.upload(data, "image/png", repository="fal")):
        response = httpx.get(url, trust_env=False)
        assert (response.content, response.headers["content-type"]) == (data, "image/png")
    # Its second way shows the key to the host that takes the file.
    assert fal.stats()["other_origin_keys"] == before + 1


def test_a_large_upload_arrives_in_parts(
    fal: FalSide, client: fal_client.SyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fal_client.client, "MULTIPART_THRESHOLD", 100)
    monkeypatch.setattr(fal_client.client, "MULTIPART_CHUNK_SIZE", 64)
    data = bytes(range(256))
    assert httpx.get(client.upload(data, "image/png"), trust_env=False).content == data

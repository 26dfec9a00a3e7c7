"""Unexpected responses of a hub, or of a proxy in between, lose no paid job and pay for nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from front import Answer, Front
from hubside import HubSide, png_image, until
from pydantic import SecretStr

from kling_nb import errors
from kling_nb.hubs.client import HubClient
from kling_nb.hubs.download import download
from kling_nb.studio import Studio

QUEUE = "/api/ai/queue"
NO_MODEL = {"error": {"message": "Model not found: kling-video-o3-pro-reference-to-video"}}
BOOM = {"error": {"type": "unknown_error", "title": "Boom."}}


@pytest.fixture
def before(hub: HubSide) -> Iterator[Callable[..., Front]]:
    """Put a front before the hub: `before(lambda method, path, headers: (500, {}) or None)`."""
    fronts: list[Front] = []

    def put(answer: Callable[..., Answer | None]) -> Front:
        fronts.append(Front(hub.url, answer))
        return fronts[-1]

    yield put
    for front in fronts:
        front.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between the attempts of one request short."""
    monkeypatch.setattr("kling_nb.retry.delay", lambda *_: 0.01)


@pytest.mark.parametrize(
    "catalogue",
    [
        (502, BOOM),
        (401, BOOM),
        (429, BOOM, {"Retry-After": "900"}),
        (200, {"data": None}),
        (200, {"data": [None, {"id": "b", "request_schema": []}, {"id": 5}]}),
    ],
)
def test_a_missing_model_is_named_even_if_the_catalogue_cannot_be_read(
    before: Callable[..., Front], studio_at: Callable[..., Studio], catalogue: Answer, at_once: None
) -> None:
    def answer(method: str, path: str, _: Any) -> Answer | None:
        if (method, path) == ("POST", QUEUE):
            return 404, NO_MODEL
        return catalogue if path.startswith("/api/ai/models") else None

    studio = studio_at(before(answer))
    with pytest.raises(errors.JobFailed, match="does not know the model") as caught:
        studio.generate("a boat", duration=3).result(60)
    assert re.search("Nothing was (billed|queued)", str(caught.value))


def test_an_invalid_entry_of_another_user_does_not_hide_the_rest(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    odd = [None, 5, {}, {"generation_id": 7}, {"generation_id": "x", "status": "failed", "error_message": {"a": 1}}]

    def answer(method: str, path: str, _: Any) -> Answer | None:
        if (method, path.partition("?")[0]) != ("GET", QUEUE):
            return None
        entries = front._http.get(path, headers={"Authorization": "Bearer test-key"}).json()["generations"]
        return 200, {"generations": [*odd, *entries]}

    front = before(answer)
    hub.fault("lost_reply", times=1)
    clip = studio_at(front).generate("a boat whose answer was lost", duration=3).result(60)
    assert (clip.record.status, hub.posts) == ("succeeded", 1)


@pytest.mark.parametrize("odd", [{"status": None}, {"status": 3}, {"enqueued_at": "now", "error_message": {"a": 1}}])
def test_an_invalid_entry_of_ones_own_is_found_by_its_id(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, odd: dict[str, Any]
) -> None:
    def answer(method: str, path: str, _: Any) -> Answer | None:
        if (method, path.partition("?")[0]) != ("GET", QUEUE):
            return None
        entries = front._http.get(path, headers={"Authorization": "Bearer test-key"}).json()["generations"]
        return 200, {"generations": [{**entry, **odd} for entry in entries]}

    front = before(answer)
    hub.fault("lost_reply", times=1)
    clip = studio_at(front).generate("a boat of an odd hub", duration=3).result(60)
    assert (clip.record.status, hub.posts) == ("succeeded", 1)


def test_a_matching_entry_without_an_id_leaves_the_job_uncertain(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    def answer(method: str, path: str, _: Any) -> Answer | None:
        if (method, path.partition("?")[0]) != ("GET", QUEUE):
            return None
        entries = front._http.get(path, headers={"Authorization": "Bearer test-key"}).json()["generations"]
        return 200, {"generations": [{**entry, "generation_id": None} for entry in entries]}

    front = before(answer)
    hub.fault("lost_reply", times=1)
    job = studio_at(front).generate("a boat without a name", duration=3)
    until(lambda: "without a generation ID" in job.progress.trouble, within=60)
    assert (job.state, job.done) == ("uncertain", False)


def test_a_resume_ends_a_long_retry_after(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    sent: list[int] = []

    def answer(method: str, path: str, _: Any) -> Answer | None:
        if method == "GET" and path.startswith(QUEUE) and not sent:
            sent.append(1)
            return 503, BOOM, {"Retry-After": "600"}
        return None

    studio = studio_at(before(answer))
    job = studio.generate("an impatient boat", duration=3)
    until(lambda: "Retrying in 120 s (Retry-After)." in job.progress.trouble, within=60)
    studio.resume()
    assert job.result(60).path.exists()


@pytest.mark.parametrize(
    "unreadable", [(500, BOOM), (200, {"status": "processing"}), (200, b"\x00")], ids=["500", "no id", "no JSON"]
)
def test_a_job_whose_entry_cannot_be_read_is_still_stopped_at_the_deadline(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, unreadable: Answer, at_once: None
) -> None:
    hub.fault("stuck")

    def answer(method: str, path: str, _: Any) -> Answer | None:
        if method == "GET" and path.startswith(f"{QUEUE}/"):
            return unreadable
        return (200, {"generations": []}) if (method, path) == ("GET", QUEUE) else None

    front = before(answer)
    job = studio_at(front, deadline=1).generate("a boat for ever", duration=3)
    until(lambda: front.count("DELETE", QUEUE) > 0, within=60)
    assert not job.done


def test_an_answer_that_cannot_be_decompressed_is_settled_by_the_list(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    def answer(method: str, path: str, _: Any) -> Answer | None:
        if (method, path) != ("POST", QUEUE):
            return None
        front._http.post(QUEUE, json=BODY, headers={"Authorization": "Bearer test-key"})
        return 200, b"no gzip", {"Content-Encoding": "gzip"}

    front = before(answer)
    job = studio_at(front).generate("a boat packed badly", duration=3)
    assert job.result(60).record.status == "succeeded"
    assert hub.posts == 1


BODY = {
    "model": "kling-video-o3-pro-reference-to-video",
    "prompt": "a boat packed badly",
    "duration": 3,
    "aspect_ratio": "16:9",
    "generate_audio": False,
    "num_generations": 1,
}


@pytest.mark.parametrize("way", ["workbench", "repository"])
def test_an_upload_step_is_judged_by_its_status_only(
    before: Callable[..., Front], studio_at: Callable[..., Studio], way: str
) -> None:
    def answer(method: str, path: str, _: Any) -> Answer | None:
        if path == "/api/repos" or path.endswith("/playground") or (method == "PUT" and "/file/" in path):
            return None, b"made"
        return None

    front = before(answer)
    studio = studio_at(front, upload=way)
    studio.generate("@Image1 at sea", input_image=[png_image()], duration=3).wait(60)
    assert front.count("POST", QUEUE) == 1


def test_a_long_retry_after_is_respected(
    before: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    began: list[float] = []

    def answer(method: str, path: str, _: Any) -> Answer | None:
        if method == "GET" and path.startswith(QUEUE) and (not began or time.monotonic() - began[0] < 2):
            began.append(time.monotonic())
            return 503, BOOM, {"Retry-After": "2"}
        return None

    front = before(answer)
    assert studio_at(front).generate("a boat that has time", duration=3).result(60).path.exists()
    assert len(began) == 1


def test_a_proxys_page_does_not_count_as_an_upload(
    before: Callable[..., Front], studio_at: Callable[..., Studio], at_once: None
) -> None:
    pages: list[int] = []

    def answer(method: str, path: str, _: Any) -> Answer | None:
        if method == "PUT" and not pages:
            pages.append(1)
            return 200, b"<html>Please log in to the guest network</html>", {"Content-Type": "text/html"}
        return None

    front = before(answer)
    job = studio_at(front, upload="repository").generate("@Image1 at sea", input_image=[png_image()], duration=3)
    assert job.result(60).path.exists()
    assert front.count("PUT") == 2


# --- downloads ---

ONE, OTHER = bytes(range(256)) * 40, bytes(reversed(range(256))) * 50


def fetched(front: Front, folder: Path) -> str:
    async def fetch() -> str:
        client = HubClient(front.url, SecretStr("test-key"))

        async def renew() -> str:
            return f"{front.url}/clip"

        try:
            return await download(client, f"{front.url}/clip", folder / "clip.part", renew, print)
        finally:
            await client.aclose()

    return asyncio.run(fetch())


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("asks", [True, False], ids=["If-Range heeded", "If-Range overlooked"])
def test_the_rest_of_another_file_is_not_appended(before: Callable[..., Front], tmp_path: Path, asks: bool) -> None:
    (tmp_path / "clip.part").write_bytes(ONE[:5000])
    (tmp_path / "clip.part.etag").write_text('"one"')

    def answer(_: str, __: str, headers: Any) -> Answer | None:
        if "Range" not in headers or (asks and headers.get("If-Range") != '"other"'):
            return 200, OTHER, {"ETag": '"other"'}
        start = int(headers["Range"][6:-1])
        return 206, OTHER[start:], {"ETag": '"other"', "Content-Range": f"bytes {start}-{len(OTHER) - 1}/{len(OTHER)}"}

    assert fetched(before(answer), tmp_path) == sha(OTHER)
    assert not (tmp_path / "clip.part.etag").exists()


def test_a_part_with_another_offset_is_not_appended(before: Callable[..., Front], tmp_path: Path) -> None:
    (tmp_path / "clip.part").write_bytes(ONE[:5000])

    def answer(_: str, __: str, headers: Any) -> Answer | None:
        if "Range" in headers:
            return 206, ONE, {"Content-Range": f"bytes 0-{len(ONE) - 1}/{len(ONE)}"}
        return 200, ONE

    assert fetched(before(answer), tmp_path) == sha(ONE)


def test_a_clip_that_a_proxy_has_compressed_is_decompressed(before: Callable[..., Front], tmp_path: Path) -> None:
    import gzip

    front = before(lambda *_: (200, gzip.compress(ONE), {"Content-Encoding": "gzip"}))
    assert fetched(front, tmp_path) == sha(ONE)


@pytest.mark.parametrize("status", [402, 426])
def test_a_download_that_only_the_user_can_fix_is_tried_once(
    before: Callable[..., Front], tmp_path: Path, status: int
) -> None:
    front = before(lambda *_: (status, BOOM))
    with pytest.raises(errors.TransferError, match="could not be downloaded"):
        fetched(front, tmp_path)
    assert front.count("GET", "/clip") == 1

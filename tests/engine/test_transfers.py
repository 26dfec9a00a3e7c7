"""A clip arrives whole or not at all, whatever happens to its download, and the key goes to the hub only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hubside import READ, RESULT, SIGN, UPLOAD, HubSide, png_image, until

from kling_nb import errors
from kling_nb.engine.job import Clip
from kling_nb.hubs import upload
from kling_nb.hubs.client import HubClient
from kling_nb.hubs.download import download
from kling_nb.studio import Studio


def made(studio: Studio, **fields: Any) -> Clip:
    return studio.generate("a paper boat", **{"duration": 3, **fields}).result(60)


def digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_an_interrupted_download_continues_where_it_ended(studio: Studio, hub: HubSide) -> None:
    hub.fault("interrupted_download", times=2)
    clip = made(studio)
    assert digest(clip.path) == clip.record.clip.digest
    assert clip.record.clip.frames == 72
    assert hub.asked(RESULT) == 3
    texts = [message.text for message in clip.record.messages]
    # A hub this fast may finish before a poll sees it processing.
    assert [text for text in texts if text != "Generating"][:3] == ["Sent", "Queued", "Downloading the clip"]
    assert texts[-1] == "Done"
    assert any(text.startswith("The download was interrupted: ") for text in texts)
    assert any(text.startswith("The download continues at ") for text in texts)
    assert studio.log()[clip.record.id].messages == clip.record.messages


def test_an_expired_url_is_renewed_from_the_queue(studio: Studio, hub: HubSide) -> None:
    hub.fault("expired_url", times=1)
    clip = made(studio)
    assert digest(clip.path) == clip.record.clip.digest
    assert hub.asked(READ) >= 1
    assert "The clip's URL had expired; the hub has signed a new one." in [m.text for m in clip.record.messages]


def test_a_slow_download_does_not_delay_other_jobs(studio: Studio, hub: HubSide) -> None:
    hub.fault("slow_download", times=1, bytes_per_second=15_000)
    slow = studio.generate("a slow boat", duration=3)
    until(lambda: hub.asked(RESULT) == 1, within=60)
    hub.fault("failed")
    assert studio.generate("a quick boat", duration=3).wait(60)
    assert slow.state == "downloading"
    assert slow.result(60).record.clip.frames == 72


def test_the_key_never_follows_a_result_to_another_origin(studio: Studio, hub: HubSide) -> None:
    before = hub.stats()
    hub.fault("redirect_result", times=1)
    assert made(studio).path.exists()
    after = hub.stats()
    assert after["other_origin_requests"] == before["other_origin_requests"] + 1
    assert after["other_origin_keys"] == before["other_origin_keys"] == 0


def test_a_result_that_needs_the_key_gets_it_at_the_hubs_own_origin(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub("--choice", "results_need_key=yes")
    assert made(studio_at(hub)).path.exists()


def test_a_download_that_never_succeeds_raises_and_resume_completes_it(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)
    monkeypatch.setattr("kling_nb.retry.delay", lambda *_: 0.0)
    hub.fault("interrupted_download")
    job = studio.generate("a boat that sinks twice", duration=3)
    with pytest.raises(errors.TransferError):
        job.result(60)
    assert (job.state, "kn.resume()" in job.progress.trouble) == ("downloading", True)
    assert studio.log()[job.id].messages[-1].text == job.progress.trouble
    hub.clear()
    again = studio.resume()
    assert again.result(60)[0].record.id == job.id
    assert "Resumed by another kernel." in [message.text for message in again[0].record.messages]
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_an_image_is_uploaded_once_and_its_signature_is_not_in_the_record(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    for _ in range(2):
        job = studio.generate("@Image1 sails", input_image=[png_image("#336699")], duration=3)
        job.wait(60)
    assert hub.asked(UPLOAD) == 1
    assert job.record.sent["input_image"][0].startswith(hub.url)
    assert "?" not in job.record.sent["input_image"][0]


def test_a_signature_older_than_45_minutes_is_renewed_without_another_upload(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fault("failed")
    now, signed = time.time, list[int]()
    for minutes in (0, 44, 46, 0):  # the last one: the clock was corrected
        monkeypatch.setattr(upload, "time", SimpleNamespace(time=lambda minutes=minutes: now() + 60 * minutes))
        studio.generate("@Image1 sails", input_image=[png_image("#335577")], duration=3).wait(60)
        signed.append(hub.asked(SIGN))
    assert (signed, hub.asked(UPLOAD)) == ([1, 1, 2, 3], 1)


@pytest.mark.parametrize("way", ["workbench", "repository", "data-uri"])
def test_an_image_reaches_the_hub_by_every_upload_method(
    hub: HubSide, studio_at: Callable[..., Studio], way: Any
) -> None:
    job = studio_at(hub, upload=way).generate("@Image1 sails", input_image=[png_image("#993366")], duration=3)
    assert job.result(60).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)
    assert len(str(job.record.sent)) < 1000


def test_a_blocking_upload_function_delays_no_other_job(hub: HubSide, studio_at: Callable[..., Studio]) -> None:
    import threading

    gate = threading.Event()
    studio = studio_at(hub, upload=lambda _: gate.wait(60) and "https://example.org/a.png")
    waiting = studio.generate("@Image1 waits", input_image=[png_image()], duration=3)
    until(lambda: waiting.progress.uploading)
    hub.fault("failed")
    assert studio.generate("a quick boat", duration=3).wait(60)
    gate.set()
    assert waiting.wait(60)


def test_a_failing_upload_function_spends_nothing(hub: HubSide, studio_at: Callable[..., Studio]) -> None:
    def broken(_: Any) -> str:
        raise OSError("my bucket is gone")

    job = studio_at(hub, upload=broken).generate("@Image1 sails", input_image=[png_image()], duration=3)
    with pytest.raises(errors.JobFailed, match="my bucket is gone"):
        job.result(60)
    assert hub.posts == 0


@pytest.mark.parametrize(
    "url", [None, "", "a.png", "ftp://h/a.png", "https://h/\ud800.png", "https://h/\0", 5, b"https://h"]
)
def test_an_upload_function_that_returns_no_url_spends_nothing(
    hub: HubSide, studio_at: Callable[..., Studio], url: Any
) -> None:
    job = studio_at(hub, upload=lambda _: url).generate("@Image1 sails", input_image=[png_image()], duration=3)
    with pytest.raises(errors.JobFailed, match="must return a URL"):
        job.result(60)
    assert hub.posts == 0


def test_an_upload_function_that_runs_out_of_urls_spends_nothing(
    hub: HubSide, studio_at: Callable[..., Studio]
) -> None:
    urls = iter(())
    job = studio_at(hub, upload=lambda _: next(urls)).generate("@Image1 sails", input_image=[png_image()], duration=3)
    with pytest.raises(errors.JobFailed, match="StopIteration"):
        job.result(60)
    assert hub.posts == 0


def test_a_refused_upload_spends_nothing(studio: Studio, hub: HubSide) -> None:
    hub.fault("unauthenticated", path="/api/users/me")
    job = studio.generate("@Image1 sails", input_image=[png_image("#112233")], duration=3)
    with pytest.raises(errors.JobFailed, match="Nothing was sent"):
        job.result(60)
    assert hub.posts == 0


def test_a_missing_workbench_file_is_uploaded_again(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    import shutil

    hub = own_hub()
    hub.fault("failed")
    face = png_image("#445566")
    studio_at(hub).generate("@Image1 sails", input_image=[face], duration=3).wait(60)
    assert hub.asked(UPLOAD) == 1
    for found in hub.folder.glob("repos/*/*"):
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    studio_at(hub).generate("@Image1 sails", input_image=[face], duration=3).wait(60)
    assert (hub.asked(UPLOAD), hub.enqueued) == (2, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
async def test_a_full_disk_raises_with_what_to_do_for_a_paid_clip(hub: HubSide, tmp_path: Path) -> None:
    client = HubClient(hub.url, None)
    (tmp_path / "clip.part").symlink_to("/dev/full")
    with pytest.raises(errors.LogError, match=r"No space left.*kn\.resume\(\) downloads"):
        await download(client, f"{hub.url}/_local/health", tmp_path / "clip.part", pytest.fail, print)
    await client.aclose()

"""A result that is not a clip is never kept as one; the job tells why, and the hub is asked again."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import RESULT, HubSide

from kling_nb import errors
from kling_nb.studio import Studio

KEY = "oxk-PLANTED-7d41c0ffee"
#: What arrives in place of a clip, and the words for it.
WRONG = {
    "page": "sent a web page that cannot be decoded",
    "png": "sent a PNG image instead of a video",
    "bytes": "sent a text that cannot be decoded",
    "header": "sent an MP4 video that cannot be decoded",
    "half": "sent an MP4 video that cannot be decoded",
    "noise": "sent an MP4 video that cannot be decoded",
}


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try each result once only."""
    monkeypatch.setattr("kling_nb.engine.delivery._ATTEMPTS", 1)
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)


def files(folder: Path) -> list[Path]:
    return [file for name in ("media", "partial") for file in (folder / name).rglob("*") if file.is_file()]


@pytest.mark.usefixtures("once")
def test_a_result_that_is_not_a_clip_is_not_kept_and_asked_for_again(studio: Studio, hub: HubSide) -> None:
    for content, words in WRONG.items():
        hub.fault("wrong_result", times=1, content=content)
        job = studio.generate(f"a boat in place of {content}", duration=3)
        with pytest.raises(errors.TransferError, match=words):
            job.result(60)
        assert re.fullmatch(rf"{re.escape(hub.url)}/\S+\.mp4", job.record.server["result_url"])
        assert (job.state, job.record.clip, files(studio.store.folder)) == ("downloading", None, [])
        assert studio.log()[job.id].messages[-1].text == job.progress.trouble
        (again,) = studio.resume()
        assert again.result(60).record.clip.frames == 72
        for file in files(studio.store.folder):
            file.unlink()
    assert (hub.posts, hub.enqueued) == (len(WRONG), len(WRONG))


def test_a_wrong_result_is_tried_again_by_itself(studio: Studio, hub: HubSide) -> None:
    hub.fault("wrong_result", times=1, content="page")
    assert studio.generate("a boat at the second try", duration=3).result(60).record.clip.frames == 72
    assert (hub.posts, hub.asked(RESULT)) == (1, 2)


@pytest.mark.parametrize("announced", [True, False])
def test_a_result_without_an_end_is_stopped_and_leaves_nothing(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    if not announced:
        monkeypatch.setattr("kling_nb.hubs.download._LARGEST", 1_000_000)
    hub.fault("endless_result", times=1, **({"length": 2_000_000_001} if announced else {}))
    job = studio.generate("an endless boat", duration=3)
    with pytest.raises(errors.TransferStopped, match="larger than any clip"):
        job.result(60)
    assert (job.state, files(studio.store.folder), hub.asked(RESULT)) == ("downloading", [], 1)
    monkeypatch.undo()
    assert studio.resume()[0].result(60).path.exists()
    assert hub.posts == 1


@pytest.mark.parametrize(("bound", "words"), [("_WINDOW", "Only .* bytes arrived"), ("_LONGEST", "did not end within")])
def test_a_result_that_trickles_is_stopped_and_leaves_nothing(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch, bound: str, words: str
) -> None:
    monkeypatch.setattr(f"kling_nb.hubs.download.{bound}", 0.3)
    hub.fault("slow_download", times=1, bytes_per_second=10)
    job = studio.generate("a slow boat", duration=3)
    with pytest.raises(errors.TransferStopped, match=words):
        job.result(60)
    assert (job.state, files(studio.store.folder), hub.asked(RESULT)) == ("downloading", [], 1)
    assert studio.resume()[0].result(60).path.exists()
    assert hub.posts == 1


def test_a_hub_that_quotes_the_key_and_half_a_character_ends_the_job_as_usual(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    hub = own_hub("--key", KEY)
    hub.fault("failed", message="key {key} \ud83d is \0 invalid")
    studio = studio_at(hub, key=KEY)
    job = studio.generate("a boat with a quoted key", duration=3)
    with pytest.raises(errors.JobFailed) as caught:
        job.result(60)
    said = "key … \ufffd is \ufffd invalid"
    assert said in str(caught.value)
    assert said in studio.log()[job.id].failure.message
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    studio.log().export(tmp_path / "log" / "crate")
    written = b"".join(file.read_bytes() for file in studio.store.folder.rglob("*") if file.is_file())
    assert KEY.encode() not in written
    assert KEY not in json.dumps(studio.log()[job.id].model_dump(mode="json"))
    assert hub.posts == 1


def test_an_answer_that_is_nested_too_deeply_is_settled_by_the_list(studio: Studio, hub: HubSide) -> None:
    hub.fault("nested_json", times=1, method="POST", path="/api/ai/queue")
    job = studio.generate("a deep boat", duration=3)
    with pytest.raises(errors.JobFailed):
        job.result(60)
    assert (job.record.failure.kind, hub.posts) == ("lost", 1)

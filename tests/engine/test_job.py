"""The public side of jobs and clips."""

from __future__ import annotations

from hubside import HubSide

from kling_nb.engine.job import Clip, Job
from kling_nb.studio import Studio


def public_names(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_completion_on_a_job_offers_only_what_a_user_calls() -> None:
    assert public_names(Job) == {
        *("id", "record", "state", "progress", "done"),
        *("result", "wait", "subscribe", "add_done_callback", "batch", "cancel", "card"),
    }


def test_a_clip_has_its_size_duration_and_frame_rate(studio: Studio) -> None:
    clip = studio.generate("a paper boat", duration=3).result(60)
    assert (clip.width, clip.height, clip.duration, clip.fps) == (160, 90, 3.0, 24.0)
    assert public_names(Clip) >= {"frame", "id", "save", "scores"}


def test_a_callback_is_called_with_the_job_once_it_is_done_and_immediately_later(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    job, called = studio.generate("a paper boat", duration=3), list[Job]()
    job.add_done_callback(called.append)
    assert job.wait(60)
    job.add_done_callback(called.append)
    assert (called, job.done) == ([job, job], True)

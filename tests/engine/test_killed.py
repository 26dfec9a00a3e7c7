"""A kernel that is killed anywhere between the click and the card loses no paid clip and pays for none twice."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filmreader import read_film
from hubside import DELETE, UPLOAD, FalSide, HubSide, png_image, until
from nursery import Kernel

from kling_nb import errors
from kling_nb.studio import Studio

CHILD = Path(__file__).with_name("child.py")

# The point at which the kernel is killed, and the requests that the hub must have counted in the end.
POINTS = {
    "nothing saved": 0,
    "saved prepared": 1,
    "uploading": 1,
    "uploaded": 1,
    "saved submitting": 0,
    "saved uncertain": 1,
    "replied": 1,
    "saved queued": 1,
    "saved processing": 1,
    "mid-download": 1,
    "downloaded": 1,
    "adopted": 1,
}


#: After the POST, where fal can tell what became of it.
FAL_POINTS = ("saved uncertain", "replied", "saved processing", "mid-download")


@pytest.fixture(scope="module")
def calm_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSide]:
    """A hub slow enough to be observed: a third of a second in the queue, a second of processing."""
    hub = HubSide(tmp_path_factory.mktemp("calm-hub"), speed=4.5)
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def calm_fal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FalSide]:
    fal = FalSide(tmp_path_factory.mktemp("calm-fal"), speed=4.5)
    yield fal
    fal.close()


@pytest.fixture
def hub(calm_hub: HubSide) -> HubSide:
    calm_hub.mark()
    return calm_hub


@contextmanager
def kernel_at(point: str, hub: HubSide, log: Path, *images: Path) -> Iterator[Kernel]:
    """A kernel that has reached this point; killed in the end."""
    with Kernel(CHILD, hub.address, log, point, *images) as child:
        watchdog = threading.Timer(60, child.kill)
        watchdog.start()
        try:
            line = child.stdout.readline()
            assert line == f"AT {point}\n", line + child.stdout.read()
            yield child
        finally:
            watchdog.cancel()


@pytest.mark.parametrize(
    ("point", "provider_of"), [*((point, "hub") for point in POINTS), *((point, "calm_fal") for point in FAL_POINTS)]
)
def test_a_killed_kernels_job_ends_after_resume_and_is_submitted_once(
    point: str, provider_of: str, request: pytest.FixtureRequest, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    hub: HubSide = request.getfixturevalue(provider_of)
    hub.mark()
    face = tmp_path / "face.png"
    face.write_bytes(png_image())
    if point == "saved uncertain":
        hub.fault("lost_reply", times=1)
    with kernel_at(point, hub, tmp_path / "log", face):
        pass
    face.unlink()  # everything that is needed is in the log
    studio = studio_at(hub)
    jobs = studio.resume()
    assert len(jobs) == (point != "nothing saved")
    assert jobs.wait(60)
    assert hub.enqueued == POINTS[point]
    assert hub.posts == POINTS[point]
    for job in jobs:
        if POINTS[point]:
            assert_whole(studio, job.result(0).path, job.record.clip.digest)
        else:
            assert (job.state, job.record.failure.kind) == ("failed", "lost")
    assert {finding.kind for finding in studio.store.verify()} == set()
    assert list((tmp_path / "log" / "partial").glob("*")) == []
    assert studio.resume() == ()


def assert_whole(studio: Studio, path: Path, digest: str) -> None:
    assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == digest
    assert read_film(path).frames == 72


def test_resume_continues_a_killed_kernels_download_where_it_ended(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    with kernel_at("mid-download", hub, tmp_path / "log"):
        partial = next((tmp_path / "log" / "partial").glob("*.part"))
    assert partial.stat().st_size == 1000
    assert studio_at(hub).resume().result(60)[0].record.clip.size > 1000


def test_several_generations_killed_before_the_post_are_each_sent_once(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    first = studio_at(hub, upload=lambda asset: until(lambda: False))  # never ends its upload
    asked = first.generate("@Image1 sails", input_image=[png_image()], duration=3, num_generations=3)
    until(lambda: len(first.store.unfinished()) == 3 and all(job.progress.uploading for job in asked))
    first.store._lease.release()  # as the system does for a killed kernel
    hub.fault("failed")
    jobs = studio_at(hub).resume()
    assert len(jobs) == 3
    assert jobs.wait(60)
    assert (hub.posts, hub.enqueued) == (3, 3)


def test_resume_takes_another_kernels_jobs_only_when_it_is_dead(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    studio = studio_at(hub)
    with kernel_at("saved queued", hub, tmp_path / "log"):
        (followed,) = studio.resume()
        assert studio.store.take(followed.id) is None
    assert followed.result(60).path.exists()  # it is taken over without being asked again
    assert studio.resume() == ()
    assert hub.enqueued == 1


def test_resume_returns_the_jobs_that_are_under_way_here(hub: HubSide, studio_at: Callable[..., Studio]) -> None:
    hub.fault("stuck")
    studio = studio_at(hub)
    job = studio.generate("a boat in the ice", duration=3)
    until(lambda: job.state == "processing")
    again = studio.resume()
    assert (again[0] is job, len(again), hub.enqueued) == (True, 1, 1)
    job.cancel().result(60)
    assert (job.state, hub.asked(DELETE)) == ("cancelled", 1)


def test_a_job_whose_image_is_missing_fails_and_nothing_is_sent(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(png_image("#204080"))
    with kernel_at("uploading", hub, tmp_path / "log", face):
        pass
    for kept in (tmp_path / "log" / "media").glob("*/*.png"):
        kept.unlink()
    jobs = studio_at(hub).resume()
    with pytest.raises(errors.JobFailed, match="Nothing was sent"):
        jobs.result(60)
    assert hub.posts == 0


def test_an_uploaded_image_is_not_uploaded_again_by_another_kernel(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(png_image("#a0c080"))
    with kernel_at("uploaded", hub, tmp_path / "log", face):
        pass
    hub.fault("failed")
    studio_at(hub).resume().wait(60)
    assert hub.asked(UPLOAD) == 1

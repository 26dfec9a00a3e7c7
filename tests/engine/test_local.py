"""Without a key the local hub is used: found or started in the user's state folder, and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hubside import until

import kling_nb as kn
from kling_nb import shared
from kling_nb.localhub import serve
from kling_nb.studio import Studio


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of a user's local hub, with a fast one already running."""
    folder = tmp_path / "home" / "state" / "kling_nb" / "localhub"
    serve.ensure(folder, speed=100, idle=120, arguments=("--size", "90p"))
    yield folder
    serve.stop(folder)


@pytest.fixture
def studio(state: Path, tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(log=tmp_path / "log")
    yield studio
    studio.close()


def test_the_same_lines_make_a_clip_without_a_key(studio: Studio) -> None:
    clip = studio.generate("a paper boat", duration=3).result(60)
    record = clip.record
    assert (record.local, record.hub, record.price, record.kind) == (True, "local", 0, "result")
    assert clip.path.read_bytes()[4:8] == b"ftyp"
    assert studio.hub().local


def test_a_preview_is_free_and_not_a_result(studio: Studio) -> None:
    clip = studio.preview("a paper boat", duration=3, num_generations=4).result(60)
    assert (clip.record.kind, clip.record.generations, clip.record.price) == ("preview", 1, 0)
    assert len(studio.log()) == 0
    assert len(studio.log(kind="preview")) == 1


def test_a_killed_local_hub_is_started_again_with_its_jobs(studio: Studio, state: Path) -> None:
    first = studio.generate("a paper boat", duration=3)
    first.result(60)
    pid = httpx.get(f"{serve.ensure(state)}/_local/health", trust_env=False).json()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())
    serve.ensure(state, speed=100, idle=120, arguments=("--size", "90p"))
    assert studio.generate("another boat", duration=3).result(60).path.exists()


def test_the_shared_studio_can_be_configured_while_jobs_go_on(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_studio", None)
    first = kn.configure(log=tmp_path / "one")
    job = kn.generate("a paper boat", duration=3)
    second = kn.configure(log=tmp_path / "two")
    assert len(kn.log()) == 0
    assert job.result(60).path.is_relative_to(tmp_path / "one")
    first.close()
    second.close()

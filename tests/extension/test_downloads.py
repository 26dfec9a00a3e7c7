"""The server downloads what is paid for when no kernel is left, sends nothing, and gives jobs up to a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hubside import HubSide, until
from support.records import make_record

from kling_nb.engine.job import Job
from kling_nb.lab.downloads import Downloads
from kling_nb.lab.extension import carries
from kling_nb.lab.logs import Logs
from kling_nb.studio import Studio

NOTEBOOKS = ["one/a.ipynb"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "root" / "one" / "kling_log"


@pytest.fixture
def downloads(tmp_path: Path) -> Iterator[Downloads]:
    made = Downloads(Logs(tmp_path / "root"))
    yield made
    made.give_up(everything=True)


@pytest.fixture
def key(hub: HubSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXEN_API_KEY", "test-key")
    monkeypatch.setenv("KLING_NB_HUB", hub.url)


def left(studio_at: Callable[..., Studio], hub: HubSide, log: Path) -> Job:
    """Leave a job at the hub whose kernel is gone."""
    studio = studio_at(hub, log=log)
    job = studio.generate("a boat", duration=3)
    until(lambda: job.record.generation_id)
    studio.close()
    return job


@pytest.mark.usefixtures("key")
def test_the_server_brings_in_a_clip_whose_kernel_is_gone(
    studio_at: Callable[..., Studio], hub: HubSide, log: Path, downloads: Downloads
) -> None:
    hub.fault("stuck", times=1)
    stuck = left(studio_at, hub, log)
    hub.clear()
    job = left(studio_at, hub, log)
    downloads.look(NOTEBOOKS)
    store = studio_at(hub, log=log).store
    until(lambda: store.get(job.id).status == "succeeded")
    assert store.get(stuck.id).holder.startswith("server-")
    assert (store.clip(job.id) is not None, hub.posts) == (True, 2)


@pytest.mark.usefixtures("key")
def test_it_lets_go_of_a_job_that_a_kernel_wants(
    studio_at: Callable[..., Studio], hub: HubSide, log: Path, downloads: Downloads
) -> None:
    hub.fault("stuck")
    job = left(studio_at, hub, log)
    downloads.look(NOTEBOOKS)
    assert downloads.busy
    kernel = studio_at(hub, log=log)
    (followed,) = kernel.resume()
    assert followed.record.holder.startswith("server-")
    downloads.give_up()
    until(lambda: kernel.store.get(job.id).holder.startswith("kernel-"))
    downloads.look(NOTEBOOKS)
    assert not downloads.busy
    followed.cancel().result(60)
    assert followed.wait(60) and followed.state == "cancelled"
    assert hub.posts == 1


def test_without_the_key_it_takes_nothing(
    studio_at: Callable[..., Studio], hub: HubSide, log: Path, downloads: Downloads
) -> None:
    hub.fault("stuck")
    job = left(studio_at, hub, log)
    before = studio_at(hub, log=log).store.get(job.id)
    downloads.look(NOTEBOOKS)
    assert not downloads.busy
    assert studio_at(hub, log=log).store.get(job.id) == before


@pytest.mark.usefixtures("key")
def test_what_was_never_sent_and_what_a_kernel_runs_stay_as_they_are(
    studio_at: Callable[..., Studio], hub: HubSide, log: Path, downloads: Downloads
) -> None:
    hub.fault("stuck")
    kernel = studio_at(hub, log=log)
    job = kernel.generate("a boat", duration=3)
    until(lambda: job.record.generation_id)
    kernel.store.save(make_record(7, hub=hub.url, local=False))
    downloads.look(NOTEBOOKS)
    assert not downloads.busy
    assert (kernel.store.get("job00007").holder, kernel.store.get("job00007").status) == (None, "prepared")
    assert (kernel.store.get(job.id).holder, hub.posts) == (kernel.store.holder(), 1)


@pytest.mark.parametrize(
    ("text", "on"),
    [("", False), ("{}", False), ('// Kling\n{\n  "carry": true,\n}', True), ('{"carry": false}', False), ("{", False)],
)
def test_it_is_off_unless_the_settings_of_lab_switch_it_on(
    text: str, on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path))
    assert not carries()
    (tmp_path / "kling_nb").mkdir()
    (tmp_path / "kling_nb" / "plugin.jupyterlab-settings").write_text(text, "utf-8")
    assert carries() is on

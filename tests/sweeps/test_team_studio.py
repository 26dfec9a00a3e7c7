"""A team's log behind the verbs: settings, generating, a colleague's notebook, sharing a folder."""

from __future__ import annotations

import json
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, until
from support import postgres

import kling_nb as kn
from kling_nb import generation
from kling_nb.engine.job import Job
from kling_nb.errors import BudgetError, LogError, SettingsError
from kling_nb.exchange.importer import import_records
from kling_nb.models.record import Record
from kling_nb.store import Log
from kling_nb.store.team import TeamLog
from kling_nb.studio import Studio

pytestmark = pytest.mark.skipif(
    os.environ.get("KLING_NB_NO_TEAM") == "1", reason="A team's log is not tested: KLING_NB_NO_TEAM=1."
)
Join = Callable[[str], Studio]


@pytest.fixture
def join(
    server: postgres.Postgres, hub: HubSide, pace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Join]:
    """Open a studio for a person of the team, in their own folder."""
    studios: list[Studio] = []
    monkeypatch.setenv("KLING_NB_DATABASE", server.schema())
    monkeypatch.setenv("KLING_NB_MEDIA", f"file://{tmp_path}/bucket")

    def opened(person: str) -> Studio:
        monkeypatch.setenv("KLING_NB_USER", person)
        studios.append(Studio(hub=hub.url, key="test-key", log=tmp_path / person))
        studios[-1].store.holder()  # the person is read at the first use
        return studios[-1]

    yield opened
    for studio in studios:
        studio.close()


def test_what_one_person_makes_another_sees_with_its_poster_and_fetches_once(join: Join, tmp_path: Path) -> None:
    ann = join("ann")
    clip = ann.generate("a boat", duration=3).result(60)
    assert clip.record.by == "ann"
    assert ann.sync().problems == ()
    bob = join("bob")
    (seen,) = bob.log(by="ann")
    table = bob.session.display.table([seen, seen], 2)["text/html"]
    assert "data:image/" in table
    assert bob.store.shown_file(seen.clip.digest) is None
    card = bob.session.display.bundle(seen)
    assert "made by" in json.dumps(card)
    assert (file := bob.store.shown_file(seen.clip.digest)) is not None
    assert file.read_bytes() == clip.path.read_bytes()
    assert [row.name for row in bob.spending(by="person")] == ["ann"]
    assert "ann on" in repr(bob.team())
    kept = json.dumps([table, card, repr(bob.team())])
    assert not [secret for secret in ("s3cret", "X-Amz", "Signature", "test-key") if secret in kept]


def test_a_limit_of_the_team_refuses_in_every_studio(join: Join, hub: HubSide) -> None:
    ann, bob = join("ann"), join("bob")
    ann.budget(total="1.00", person="0.70")
    ann.generate("a boat", duration=3).result(60)
    with pytest.raises(BudgetError):
        bob.generate("a kite", duration=3).result(60)
    with pytest.raises(BudgetError):
        ann.generate("a kite", duration=3).result(60)
    assert hub.posts == 1
    assert "ann" in repr(ann.budget())


def test_a_plan_continues_with_jobs_that_another_kernel_has_taken_over_before_they_were_sent(
    join: Join, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = join("ann"), join("bob")
    plan = ann.sweep("boat {n}", n=[1, 2], duration=3)
    spend, slept = ann.store.spend, threading.Event()

    def slept_before(records: Sequence[Record]) -> list[Record | None]:
        if not slept.is_set():
            slept.set()
            forgotten = "DELETE FROM kernels WHERE person = 'ann'"
            bob.store._database.run(lambda one: one.execute(forgotten))
            assert [job.result(60) for job in bob.resume()]
        return spend(records)

    monkeypatch.setattr(ann.store, "spend", slept_before)
    assert [record.status for record in plan.run(limit=1).result(60)] == ["succeeded"] * 2
    assert (hub.posts, ann.store.count(status="succeeded"), ann.store.count()) == (2, 2, 2)


def test_a_plan_takes_the_clip_of_a_kernel_that_was_quicker_with_a_cell(
    join: Join, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = join("ann"), join("bob")
    plan = ann.sweep("kite {n}", n=[1, 2], duration=3)
    spend, jobs = ann.store.spend, list[Job]()

    def slower(records: Sequence[Record]) -> list[Record | None]:
        if not jobs:  # its turn to start the cell has ended with its lease
            (cell,) = (cell for cell in plan.cells if cell.id == records[0].cell)
            jobs.extend(generation.start(bob.session, cell.request, plan=records[0].plan, cell=cell.id))
            until(lambda: jobs[0].record.generation_id)
        return spend(records)

    monkeypatch.setattr(ann.store, "spend", slower)
    assert {record.by for record in plan.run(limit=1).result(60)} == {"ann", "bob"}
    assert (hub.posts, ann.store.count(status="succeeded"), ann.store.count(status="failed")) == (2, 2, 1)


def test_while_the_database_is_away_a_new_job_is_refused_and_a_running_one_delivers(
    join: Join, hub: HubSide, server: postgres.Postgres
) -> None:
    ann = join("ann")
    job = ann.generate("a boat", duration=3)
    while job.record.generation_id is None:
        assert not job.record.ended
    server.stop()
    try:
        with pytest.raises(LogError, match="cannot be reached"):
            ann.generate("a kite", duration=3)
        clip = job.result(60)
        assert clip.path.is_file()
    finally:
        server.start()
    assert ann.sync().problems == ()
    assert ann.store.get(job.record.id).status == "succeeded"
    assert (hub.posts, ann.store.verify()) == (1, [])


def test_a_folder_joins_a_team_and_becomes_its_cache(
    server: postgres.Postgres, hub: HubSide, pace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Studio(hub=hub.url, key="test-key", log=tmp_path / "mine")
    made = alone.generate("a boat", duration=3).result(60).record
    alone.store.annotate(made.id, stars=5)
    url, media = server.schema(), f"file://{tmp_path}/bucket"
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    sharing = alone.share(url.replace(":s3cret@", "@"), media)
    assert (sharing.plan.records, sharing.plan.known) == (1, 0)
    assert not (tmp_path / "bucket").exists()
    assert sharing.run().added == [made.id]
    assert alone.share(url.replace(":s3cret@", "@"), media).plan.known == 1
    alone.close()
    with pytest.raises(SettingsError, match="is the cache of the team's log"):
        _ = Studio(hub=hub.url, key="test-key", log=tmp_path / "mine").store
    monkeypatch.setenv("KLING_NB_DATABASE", url)
    monkeypatch.setenv("KLING_NB_MEDIA", media)
    again = Studio(hub=hub.url, key="test-key", log=tmp_path / "mine")
    again.store.holder()
    assert again.sync().records in (0, 1)
    assert [record.stars for record in again.log()] == [5]
    assert again.spending().total.spent == Decimal(str(made.estimate.each))
    assert again.store.verify() == []
    again.close()


def test_exports_and_imports_work_between_a_folder_and_a_team(join: Join, tmp_path: Path) -> None:
    ann = join("ann")
    made = ann.generate("a boat", duration=3).result(60).record
    ann.log().export(tmp_path / "out.zip")
    plain = Log(tmp_path / "plain")
    assert import_records(tmp_path / "out.zip", plain).added == [made.id]
    assert plain.get(made.id).by == "ann"
    assert ann.import_log(tmp_path / "out.zip").added == []
    plain.close()


# Settings


@pytest.mark.parametrize(("name", "lacks"), [("DATABASE", "MEDIA"), ("MEDIA", "DATABASE")])
def test_one_address_without_the_other_is_refused(name: str, lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KLING_NB_{name}", "postgresql://host/x" if name == "DATABASE" else "s3://bucket")
    with pytest.raises(SettingsError, match=f"KLING_NB_{lacks} is not"):
        kn.configure()


def test_a_password_in_a_notebook_is_refused_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="PGPASSWORD") as refused:
        kn.configure(database="postgresql://ann:s3cret@host/x", media="s3://bucket")
    shown = traceback.TracebackException.from_exception(refused.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "/kling_nb/" in frame.filename]
    assert ours
    assert not [frame for frame in ours if "s3cret" in str(frame.locals)]
    monkeypatch.setenv("KLING_NB_DATABASE", "postgresql://ann:s3cret@host/x")
    studio = Studio(media="s3://bucket")
    assert isinstance(studio.store, TeamLog)
    shown = (repr(studio), repr(studio.session.settings), repr(studio.store), repr(studio.store._database))
    assert not [text for text in shown if "s3cret" in text]
    studio.close()


@pytest.mark.parametrize("wrong", ["mysql://host/x", "host"])
def test_an_address_that_is_not_one_is_refused_immediately(wrong: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://host/name"):
        kn.configure(database=wrong, media="s3://bucket")
    with pytest.raises(SettingsError, match="s3://bucket/prefix"):
        kn.configure(database="postgresql://host/x", media="bucket")


def test_a_folders_log_has_no_team(tmp_path: Path) -> None:
    studio = Studio(log=tmp_path / "log")
    for verb in (studio.team, studio.sync):
        with pytest.raises(SettingsError, match=r"kn\.share"):
            verb()
    studio.close()

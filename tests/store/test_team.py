"""A team's log: PostgreSQL decides, a bucket has the bytes, and this machine's folder is cache and spool."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hubside import until
from nursery import Kernel
from support.distance import Distance
from support.postgres import Postgres
from support.records import make_record, priced
from support.swift import KEY, READER, READER_SECRET, SECRET, Swift
from support.swift import UNAVAILABLE as NO_SWIFT

from kling_nb.errors import ArgumentError, BudgetError, LogError, MissingExtra, SettingsError
from kling_nb.models.budget import Scope
from kling_nb.models.judgements import Vote
from kling_nb.models.record import File, Record
from kling_nb.store import Log
from kling_nb.store.team import TeamLog
from kling_nb.store.team import lease as leases
from kling_nb.store.team.records import statement_of

pytestmark = pytest.mark.skipif(
    os.environ.get("KLING_NB_NO_TEAM") == "1", reason="A team's log is not tested: KLING_NB_NO_TEAM=1."
)
TOTAL = Scope("total", Decimal(9))
Member = Callable[[str], TeamLog]


@pytest.fixture
def url(server: Postgres) -> str:
    return server.schema()


@pytest.fixture
def member(tmp_path: Path, url: str) -> Iterator[Member]:
    """Open the team's log on its own machine for each person; the bucket is a folder."""
    logs: list[TeamLog] = []

    def join(person: str) -> TeamLog:
        logs.append(TeamLog(tmp_path / person, url, f"file://{tmp_path}/bucket", person))
        return logs[-1]

    yield join
    for log in logs:
        log.close()


@pytest.fixture
def log(member: Member) -> TeamLog:
    return member("ann")


@pytest.fixture(scope="module")
def swift() -> Iterator[Swift]:
    """A real object store, started when the first test asks for it."""
    if NO_SWIFT:
        pytest.skip(f"The object store is not tested: {NO_SWIFT}.")
    server = Swift()
    yield server
    server.close()


@pytest.fixture
def bucket(swift: Swift, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of an empty place in the store, whose keys are in the environment."""
    for name, value in swift.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://clips/{tmp_path.name}"


def sidecars(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "bucket" / "records").rglob("*.json"))


def paid(number: int = 0, **more: object) -> Record:
    return make_record(number, local=False, estimate=priced("1.12"), **more)


# Two people


def test_what_one_person_saves_another_finds_with_its_bytes(tmp_path: Path, member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    digest = ann.add_media(b"\x00\x00\x00\x18ftypmp42" + b"a clip" * 99, ".mp4")
    clip = File(file=f"media/{digest[7:9]}/{digest[7:]}.mp4", digest=digest, size=9)
    ann.save(make_record(0, status="succeeded", by="ann", clip=clip))
    ann.annotate("job00000", tags=["best"], stars=5)
    assert ann.sync()[0].problems == []
    (found,) = bob.find(tag="best", by="ann")
    assert (found.stars, found.by, bob.find(by="bob")) == (5, "ann", [])
    assert bob.shown_file(digest) is None, "a table of clips fetches none"
    assert (file := bob.media_file(digest)) is not None
    assert file.relative_to(bob.folder).as_posix() == clip.file, "the cache is laid out as a log"
    assert bob.shown_file(digest) == file
    assert sidecars(tmp_path) == ["job00000.2.json"]
    assert bob.verify() == ann.verify() == []


def test_a_file_that_is_not_what_its_name_says_is_not_used(tmp_path: Path, member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    digest = ann.add_media(b"a reference", ".png")
    ann.sync()
    (stored,) = (tmp_path / "bucket" / "media").rglob(digest[7:])
    stored.write_bytes(b"another")
    assert (bob.read(digest), bob.file(digest)) == (None, None)
    assert not list((bob.folder / "partial").iterdir())


def test_presets_plans_votes_scores_and_limits_are_the_teams_and_drafts_are_not(member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    ann.values.save("preset", "walk", {"prompt": "a walk\0"})
    ann.values.save("draft", "notebook", {"prompt": "unfinished"})
    assert bob.values.load("preset", "walk") == {"prompt": "a walk\0"}
    assert (bob.values.names("preset"), bob.values.names("draft")) == (["walk"], [])
    bob.values.delete("preset", "walk")
    assert ann.values.load("preset", "walk") is None
    ann.values.save("preset", "walk", 2)
    assert bob.values.load("preset", "walk") == 2
    vote = Vote(id="v1", at=make_record(0).times.created, who="bob", left="a", right="b", outcome="left", seed=1)
    bob.votes.add([vote])
    assert ann.votes.all() == [vote]
    bob.votes.add([vote.model_copy(update={"undone": True})])
    assert ann.votes.all() == []
    bob.budget.change(lambda limits: limits.changed(total="3.00", person="2.00"))
    assert (ann.budget.limits().total, ann.budget.limits().person) == (Decimal("3.00"), Decimal("2.00"))


def test_a_limit_of_each_person_leaves_the_others_alone(member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    ann.budget.change(lambda limits: limits.changed(person="2.00"))

    def send(log: TeamLog, number: int) -> list[Record | None]:
        saved = log.save(paid(number, by=log.person, holder=log.holder()))
        return log.spend([saved.model_copy(update={"status": "submitting"})])

    assert send(ann, 0) != [None]
    with pytest.raises(BudgetError) as refused:
        send(ann, 1)
    assert (refused.value.limit, refused.value.left) == ("person", Decimal("0.88"))
    assert send(bob, 2) != [None]
    assert ann.budget.counted(Scope("person", Decimal(2), "bob")) == Decimal("1.12")
    assert {entry.by for entry in ann.budget.entries()} == {"ann", "bob"}


# Who decides


def test_a_record_is_sent_once_and_only_by_the_kernel_that_holds_it(member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    saved = ann.save(paid(holder=ann.holder()))
    submitting = saved.model_copy(update={"status": "submitting"})
    assert bob.take(saved.id) is None, "its kernel is alive"
    assert bob.spend([submitting.model_copy(update={"holder": bob.holder()})]) == [None]
    bob.annotate(saved.id, note="seen")  # after it was read here
    assert [record and (record.status, record.note) for record in ann.spend([submitting])] == [("submitting", "seen")]
    assert ann.get(saved.id).note == "seen"
    assert ann.spend([submitting]) == [None]


def test_a_kernel_that_slept_past_its_lease_sends_nothing(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", 0.3)
    ann, bob = member("ann"), member("bob")
    saved = ann.save(paid(holder=ann.holder()))
    time.sleep(0.4)
    assert not bob._team_lease.alive(saved.holder or "")
    with pytest.raises(LogError, match="Nothing was sent"):
        ann.spend([saved.model_copy(update={"status": "submitting"})])
    assert ann.get(saved.id).status == "prepared"
    monkeypatch.setattr(leases, "LEASE", 60)
    again = ann.save(paid(1, holder=ann.holder()))
    assert ann.spend([again.model_copy(update={"status": "submitting"})]) != [None], "it goes on under another name"


def test_a_kernel_that_has_lost_a_job_changes_it_only_as_the_hub_reports(member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    saved = ann.save(paid(holder=ann.holder()))
    ann._team_lease.release()
    taken = bob.take(saved.id)
    assert taken is not None
    failed = saved.model_copy(update={"status": "failed"})
    assert ann.save(failed) == taken
    ann._team_records.spool.write(failed)
    assert ann.sync()[0].records == 1
    assert bob.get(saved.id) == taken
    assert bob.spend([taken.model_copy(update={"status": "submitting"})]) != [None]
    assert ann.save(saved.model_copy(update={"status": "queued", "generation_id": "g"})).status == "queued"


def test_a_dead_kernels_job_is_taken_over_by_one(member: Member) -> None:
    ann, bob, cat = member("ann"), member("bob"), member("cat")
    ann.save(paid(status="queued", generation_id="g", holder=ann.holder()))
    ann.close()
    taken: list[Record | None] = []
    threads = [threading.Thread(target=lambda log=log: taken.append(log.take("job00000"))) for log in (bob, cat)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record is None for record in taken) == [False, True]


SENDER = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from support.records import make_record, priced
from kling_nb.errors import BudgetError
from kling_nb.store.team import TeamLog

folder, url, bucket, name, tries = sys.argv[1:]
log = TeamLog(folder, url, bucket, name)
holder, sent = log.holder(), 0
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(tries)):
    price = {{"local": False, "estimate": priced("0.10")}}
    record = make_record(number, id=f"{{name}}-{{number}}", holder=holder, by=name, **price)
    saved = log.save(record)
    try:
        sent += log.spend([saved.model_copy(update={{"status": "submitting"}})]) != [None]
    except BudgetError:
        break
print(sent, flush=True)
log.close()
"""


def test_eight_kernels_at_one_limit_with_room_for_a_hundred_send_exactly_a_hundred(
    tmp_path: Path, url: str, log: TeamLog
) -> None:
    log.budget.change(lambda limits: limits.changed(total="10.00"))
    script = tmp_path / "sender.py"
    script.write_text(SENDER.format(tests=str(Path(__file__).parents[1])))
    kernels = [Kernel(script, tmp_path / f"k{n}", url, f"file://{tmp_path}/bucket", f"k{n}", 30) for n in range(8)]
    for kernel in kernels:
        assert kernel.stdout.readline().strip() == "ready"
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    counts = [int(kernel.stdout.readline()) for kernel in kernels]
    assert [kernel.wait() for kernel in kernels] == [0] * 8
    assert sum(counts) == 100 == log.count(status="submitting")
    assert log.budget.counted(TOTAL) == Decimal("10.00")


def test_the_cell_of_a_plan_is_sent_once(member: Member) -> None:
    ann, bob = member("ann"), member("bob")
    records = [log.save(paid(n, plan="p", cell="c", holder=log.holder())) for n, log in enumerate((ann, bob))]
    asked = [record.model_copy(update={"status": "submitting"}) for record in records]
    assert ann.spend(asked[:1]) != [None]
    assert bob.spend(asked[1:]) == [None]
    ann.save(ann.get("job00000").model_copy(update={"status": "failed"}))
    assert bob.spend(asked[1:]) != [None], "a failed one is made again"


def test_of_two_kernels_one_at_a_time_starts_a_request_and_a_dead_ones_turn_ends(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = member("ann"), member("bob")
    inside, go_on, seen = threading.Event(), threading.Event(), list[str]()

    def slow() -> None:
        inside.set()
        assert go_on.wait(60)
        seen.append("ann")

    threads = [threading.Thread(target=lambda: ann.alone(slow, "hash"))]
    threads[0].start()
    assert inside.wait(60)
    bob.alone(lambda: seen.append("other"), "another hash")
    threads.append(threading.Thread(target=lambda: bob.alone(lambda: seen.append("bob"), "hash")))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert seen == ["other", "ann", "bob"]
    dead = {"turn": "turn hash", "holder": "kernel-dead 1", "lease": 60}
    ann._database.run(lambda one: one.execute("INSERT INTO claims VALUES (%(turn)s, %(holder)s)", dead))
    assert bob.alone(lambda: "begun", "hash") == "begun"


def test_each_decision_takes_at_most_two_round_trips(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.store.team.sync.Sync.wake", lambda self, changed="": None)  # no other traffic
    way = Distance(url, 0.15)  # so long that what is sent without waiting is sent before an answer
    log = TeamLog(tmp_path / "far", way.url, f"file://{tmp_path}/bucket", "ann")
    saved = log.save(paid(0, holder=log.holder(), plan="p", cell="c"))
    log.budget.change(lambda limits: limits.changed(total="9.00"))

    def trips(work: Callable[[], object]) -> int:
        before = way.trips
        work()
        return way.trips - before

    assert trips(lambda: log.get(saved.id)) == 1
    assert trips(lambda: log.spend([saved.model_copy(update={"status": "submitting"})])) == 2
    queued = log.get(saved.id).model_copy(update={"status": "queued", "generation_id": "g"})
    assert trips(lambda: log.save(queued)) == 2
    assert trips(lambda: log.take(saved.id)) == 2
    assert trips(lambda: log.annotate(saved.id, stars=3)) == 3, "the record is looked for by its beginning, too"
    assert trips(lambda: log.alone(lambda: None, "hash")) == 2
    log.close()
    way.close()


# Away


def test_while_the_database_is_away_a_new_job_is_refused_and_a_sent_one_continues(
    tmp_path: Path, server: Postgres, log: TeamLog, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sent = log.save(paid(0, holder=log.holder(), status="queued", generation_id="g"))
    server.stop()
    try:
        with pytest.raises(LogError, match="cannot be reached"):
            log.save(paid(1))
        with pytest.raises(LogError, match="cannot be reached"):
            log.spend([paid(1, status="submitting")])
        with pytest.raises(LogError, match="cannot be reached"):
            log.find()
        with caplog.at_level(logging.WARNING, "kling_nb.store"):
            digest = log.add_media(b"the clip", ".bin")
            done = log.save(sent.model_copy(update={"status": "succeeded"}))
        assert "is saved in" in caplog.text
        assert log.file(digest)
        spooled = log.folder / "records" / "2026-11" / f"{sent.id}.json"
        assert Record.model_validate_json(spooled.read_bytes()) == done
    finally:
        server.start()
    fresh = TeamLog(log.folder, url, log.bucket.address, "ann")  # as after a restart of the kernel
    assert fresh.sync()[0].records in (0, 1), "its own kernel may have been quicker"
    assert fresh.get(sent.id).status == "succeeded"
    assert not spooled.exists()
    assert fresh.verify() == []
    fresh.close()


def test_a_spool_that_is_behind_the_database_changes_nothing(log: TeamLog) -> None:
    saved = log.save(make_record(0, status="queued", generation_id="g"))
    done = log.save(saved.model_copy(update={"status": "succeeded"}))
    log.annotate(saved.id, note="seen")
    log._team_records.spool.write(saved)
    assert log._team_records.drain() == 1
    assert (log.get(saved.id).status, log.get(saved.id).note) == (done.status, "seen")


def test_a_restart_of_the_server_is_not_noticed(server: Postgres, log: TeamLog) -> None:
    log.save(make_record(0))
    server.stop()
    server.start()
    assert log.count() == 1


def test_a_database_that_hangs_is_taken_for_away(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = Distance(url)
    log = TeamLog(tmp_path / "log", way.url, f"file://{tmp_path}/bucket", "ann")
    sent = log.save(paid(0, holder=log.holder(), status="queued", generation_id="g"))
    assert log.count() == 1
    monkeypatch.setattr("kling_nb.store.team.postgres.PATIENCE", 0.5)
    way.answers.clear()
    with pytest.raises(LogError, match=r"cannot be reached: it has not answered for 0\.5 s"):
        log.spend([paid(1, status="submitting")])
    log.save(sent.model_copy(update={"status": "succeeded"}))
    assert log._team_records.spool.read(sent.id), "the job continues"
    way.answers.set()
    until(lambda: not log.sync()[0].problems)
    assert log.get(sent.id).status == "succeeded"
    log.close()
    way.close()


def test_while_the_bucket_is_away_everything_continues_and_is_sent_when_it_is_back(
    tmp_path: Path, url: str, bucket: str, swift: Swift
) -> None:
    log = TeamLog(tmp_path / "log", url, bucket, "ann")
    log.holder()
    swift.stop()
    try:
        digest = log.add_media(b"a clip" * 1000, ".bin")
        saved = log.save(make_record(0, status="succeeded"))
        assert log.sync()[0].problems
        assert {finding.kind for finding in log.verify()} == {"not in bucket"}
        assert log.team().late == (1, 0)
        assert log.team().media_here == 1
    finally:
        swift.start()
    until(lambda: not log.sync()[0].problems)  # for a moment no call waits again for what was away
    assert log.verify() == []
    other = TeamLog(tmp_path / "other", url, bucket, "bob")
    assert other.read(digest) == b"a clip" * 1000
    assert other.get(saved.id) == saved
    other.close()
    log.close()


def test_a_real_bucket_keeps_every_record_and_the_database_is_made_again_from_it(
    tmp_path: Path, server: Postgres, url: str, bucket: str
) -> None:
    log = TeamLog(tmp_path / "log", url, bucket, "ann")
    for number in range(3):
        saved = log.save(paid(number, status="succeeded", by="ann"))
        log.annotate(saved.id, tags=[f"t{number}"])
    log.values.save("preset", "walk", 1)
    log.budget.change(lambda limits: limits.changed(total="9.00"))
    log.trash("job00002")
    assert log.sync()[0].problems == []
    names = sorted(Path(name).name for name in log.bucket.names("records"))
    assert [name for name in names if not name.startswith("job00002")] == ["job00000.2.json", "job00001.2.json"]
    again = TeamLog(tmp_path / "again", server.schema(), bucket, "ann")
    assert again.rebuild() == 2
    assert [record.tags for record in again.find(newest_first=False)] == [("t0",), ("t1",)]
    assert again.trashed() == ["job00002"]
    assert again.budget.counted(TOTAL) == log.budget.counted(TOTAL) == Decimal("3.36")
    assert again.values.load("preset", "walk") == 1
    assert again.budget.limits().total == Decimal("9.00")
    assert again.restore("job00002").tags == ("t2",)
    assert again.verify() == []
    again.close()
    log.close()


def test_a_bucket_that_cannot_be_used_is_named_before_anything_is_sent(
    tmp_path: Path, url: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = TeamLog(tmp_path / "log", url, "s3://missing/here", "ann")
    with pytest.raises(LogError, match="no such bucket"):
        log.holder()
    for key, secret in ((KEY, "wr0ng"), (READER, READER_SECRET)):  # a wrong key, and a key that may not write
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        log = TeamLog(tmp_path / "log", url, bucket, "ann")
        with pytest.raises(LogError, match="access denied") as refused:
            log.holder()
        assert not [text for text in (SECRET, secret, "Signature") if text in str(refused.value)]


# Sidecars


def test_each_revision_is_an_object_and_the_newest_counts(tmp_path: Path, log: TeamLog, server: Postgres) -> None:
    saved = log.save(make_record(0))
    log.sync()
    log.annotate(saved.id, note="two")
    log.sync()
    folder = tmp_path / "bucket" / "records" / "2026-11"
    assert sidecars(tmp_path) == [f"{saved.id}.2.json"]
    # A kernel that was stopped while it sent an old revision wakes up.
    (folder / f"{saved.id}.1.json").write_text(saved.model_dump_json())
    again = TeamLog(tmp_path / "again", server.schema(), log.bucket.address)
    assert again.rebuild() == 1
    assert again.get(saved.id).note == "two"
    assert log.sync()[1] == 1
    assert sidecars(tmp_path) == [f"{saved.id}.2.json"]
    again.close()


def test_a_killed_kernels_sidecar_is_sent_by_another(tmp_path: Path, log: TeamLog, member: Member) -> None:
    statement, given = statement_of(make_record(0, revision=1), None)
    log.save(make_record(1))
    log._database.run(lambda one: one.execute(statement, given))  # committed, and then the kernel was killed
    member("bob").sync()
    assert "job00000.1.json" in sidecars(tmp_path)


def test_a_rebuild_never_puts_back_what_is_newer_in_the_database(log: TeamLog) -> None:
    saved = log.save(make_record(0))
    log.sync()
    log.close()
    log._team_records.change(saved.id, {"note": "newer"})
    log.rebuild()
    assert log.get(saved.id).note == "newer"


# Settings and secrets


def test_reading_creates_no_folder_and_no_tables(log: TeamLog) -> None:
    assert (log.find(), log.count(), log.verify(), log.votes.all(), log.values.names("preset")) == ([], 0, [], [], [])
    assert not log.folder.exists()
    assert not log._database.is_open


def test_a_person_who_may_only_read_sees_everything_and_makes_nothing(server: Postgres, log: TeamLog, url: str) -> None:
    log.save(make_record(0))
    log.values.save("preset", "walk", 1)
    viewer = as_guest(log, url)
    assert [record.id for record in viewer.find()] == ["job00000"]
    assert (viewer.values.load("preset", "walk"), viewer.scores.of(viewer.find())) == (1, {})
    assert viewer.team().late is not None
    for change in (lambda: viewer.save(make_record(1)), viewer.holder, lambda: viewer.annotate("job00000", stars=1)):
        with pytest.raises(LogError, match="may not change"):
            change()
    viewer.close()


def test_a_person_who_may_not_create_tables_is_told_so_before_anything_is_spent(log: TeamLog, url: str) -> None:
    viewer = as_guest(log, url)
    assert viewer.find() == []
    for change in (lambda: viewer.save(make_record(1)), viewer.holder, lambda: viewer.spend([paid()])):
        with pytest.raises(LogError, match="may not create the tables"):
            change()
    viewer.close()


def as_guest(log: TeamLog, url: str, also: str = "") -> TeamLog:
    """Return the log for a person who may only read the tables that are there, and has one more right on the schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        (schema,) = connection.execute("SELECT current_schema()").fetchone() or ("",)
        for statement in (
            f"DROP ROLE IF EXISTS guest_{schema}",
            f"CREATE ROLE guest_{schema} LOGIN",
            f"GRANT USAGE{also and ', ' + also} ON SCHEMA {schema} TO guest_{schema}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO guest_{schema}",
        ):
            connection.execute(statement)  # type: ignore[call-overload]
    return TeamLog(log.folder.parent / "v", url.replace("kling:s3cret@", f"guest_{schema}@"), log.bucket.address)


@pytest.mark.parametrize("may_create_it", [True, False])
def test_a_word_is_found_with_and_without_an_index_of_words(log: TeamLog, url: str, may_create_it: bool) -> None:
    member = log if may_create_it else as_guest(log, url, "CREATE")
    member.save(make_record(0, prompt="a zeppelin"))
    assert [record.id for record in member.find(text="zeppel")] == ["job00000"]
    member.close()
    with psycopg.connect(url) as connection:
        query = "SELECT (SELECT count(*) FROM pg_indexes WHERE (schemaname, indexname) = (current_schema(), %s)), "
        query += "(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm')"
        found, offered = connection.execute(query, ["words_trigrams"]).fetchone() or (0, 0)  # type: ignore[call-overload]
    assert found == (offered if may_create_it else 0)


def test_a_password_is_in_no_representation_and_no_message(log: TeamLog, url: str, server: Postgres) -> None:
    away = TeamLog(log.folder, url.replace("/postgres?", "/missing?"), log.bucket.address)
    with pytest.raises(LogError) as exc:
        away.find()
    query = TeamLog(log.folder, f"{url}&password=s3cret", log.bucket.address)
    shown = (repr(log), repr(log._database), repr(query._database), str(exc.value), repr(exc.value.__cause__))
    assert "s3cret" in url
    assert not [text for text in shown if "s3cret" in text]


@pytest.mark.parametrize("wrong", ["", "mysql://user:s3cret@host/name", "sqlite:///x.sqlite", "host/name", "\0"])
def test_another_database_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ArgumentError) as exc:
        TeamLog(tmp_path / "log", wrong, "s3://bucket")
    assert "s3cret" not in str(exc.value)


@pytest.mark.parametrize("wrong", ["", "bucket", "http://host/x", "s3://key:s3cret@bucket/x", "s3://b/x?sig=s3cret"])
def test_another_place_for_media_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ArgumentError) as exc:
        TeamLog(tmp_path / "log", "postgresql://host/name", wrong)
    assert "s3cret" not in str(exc.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgresql_scheme_is_accepted(tmp_path: Path, url: str, scheme: str) -> None:
    log = TeamLog(tmp_path / "log", url.replace("postgresql", scheme, 1), f"file://{tmp_path}/bucket")
    log.save(make_record(0))
    assert log.count() == 1
    log.close()


def test_without_psycopg_the_message_says_how_to_install_it(log: TeamLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"kling-nb\[team\]"):
        log.find()


def test_the_folder_of_another_log_is_not_taken_for_a_cache(log: TeamLog) -> None:
    plain = Log(log.folder)
    plain.save(make_record(0))
    plain.close()
    with pytest.raises(SettingsError, match=r"kn\.share"):
        log.holder()
    shutil.rmtree(log.folder)
    log.holder()
    assert json.loads((log.folder / "team.json").read_text())["media"] == log.bucket.address

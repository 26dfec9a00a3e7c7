"""Scores are computed once, in other processes, whatever the scorers do, and are shown with the records."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide
from store.test_scores import score as score_of
from support.clips import frozen, grey, write_clip
from support.records import make_record

from kling_nb.errors import ArgumentError, ArgumentTypeError, NotApplicable
from kling_nb.models.record import Record
from kling_nb.render.figures import ScoredRow, scores_html
from kling_nb.scoring import workers
from kling_nb.scoring.footage import RequestInfo
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import Scorer, Scorers, scorers
from kling_nb.scoring.scoring import ScoreTable, Scoring
from kling_nb.store import Log
from kling_nb.store.media import digest_of
from kling_nb.studio import Studio


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    store = Log(tmp_path / "log")
    yield store
    store.close()


def clip_in(log: Log, number: int, level: int | None = None) -> Record:
    """A record of a tiny clip; clips of the same level are the same file."""
    made = write_clip(log.folder.parent / f"{number}.mp4", frozen(0.1, grey(number * 40 if level is None else level)))
    record = make_record(number, prompt=f"clip {number}", status="succeeded")
    clip = log.add_clip(record.id, made, digest_of(made))
    return log.save(record.model_copy(update={"clip": clip}))


def counting(notes: Path, version: str = "1") -> Scorer:
    """A scorer that writes a line at each computation."""

    def counted(clip: Any) -> float:
        with notes.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return next(clip.frames()).rgb.mean()

    return Scorer("counted", version, "levels", counted)


def run(log: Log, records: list[Record], *scorers: Scorer, **how: Any) -> ScoreTable:
    scoring = Scoring(log, records, scorers, **how)
    scoring.run()
    return scoring.table({}, lambda record: None)


def test_a_clip_is_scored_once_for_each_version_and_a_broken_scorer_does_not_affect_others(
    log: Log, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"

    def raising(clip: Any) -> float:
        raise ValueError("no idea")

    def dying(clip: Any) -> float:
        os._exit(3)

    def hanging(clip: Any) -> float:
        time.sleep(600)
        return 1

    def leaving(clip: Any) -> float:
        sys.exit("enough")

    def silent(clip: Any) -> float:
        raise NotApplicable("the clip has no sound")

    lock = threading.Lock()

    def stuck(clip: Any) -> bool:
        return lock.locked()  # a lock cannot be sent to another process

    bad = [
        Scorer(function.__name__, "1", "", function) for function in (raising, leaving, dying, hanging, silent, stuck)
    ]
    bad.append(Scorer("endless", "1", "", lambda clip: float("inf")))
    bad.append(Scorer("wordy", "1", "", lambda clip: "much"))
    records = [clip_in(log, 1), clip_in(log, 2), clip_in(log, 3, level=80)]

    found = run(log, records[:1], *bad, counting(notes), timeout=10)
    assert found[0]["counted"] == pytest.approx(40, abs=1)
    assert {name: found[0][name] for name in found[0] if name != "counted"} == {
        "record": records[0].id,
        "label": "clip 1",
        **dict.fromkeys([scorer.name for scorer in bad]),
    }
    reasons = {line.partition(" of ")[0]: line.partition(": ")[2] for line in found.problems}
    assert reasons.pop("stuck").startswith("it cannot be run in another process")
    assert reasons == {
        "raising": "ValueError: no idea",
        "leaving": "SystemExit: enough",
        "dying": "its process died",
        "hanging": "it took longer than 10 s",
        "silent": "the clip has no sound",
        "endless": "the score must be a finite number, got inf",
        "wordy": "the score must be a number, got 'much'",
    }
    assert "hanging of job00001" in repr(found)

    # "Not applicable" is saved, a failure is not.
    saved = {score.name: score.value for score in log.scores.of(records)[records[0].id]}
    assert saved == {"counted": found[0]["counted"], "silent": None}
    whole = run(log, records, counting(notes))
    assert [row["counted"] for row in whole] == [pytest.approx(level, abs=1) for level in (40, 80, 80)]
    pids = notes.read_text().split()
    assert len(pids) == 2, "the first was scored before, and two records share a file"
    assert str(os.getpid()) not in pids
    run(log, records, counting(notes))
    assert len(notes.read_text().split()) == 2
    run(log, records[:1], counting(notes, "2"))
    assert len(notes.read_text().split()) == 3, "another version is another score"


def test_an_interrupt_ends_the_workers_and_keeps_the_computed_scores(log: Log, tmp_path: Path) -> None:
    import psutil

    records = [clip_in(log, 1), clip_in(log, 2)]
    quick = counting(tmp_path / "notes")

    def slow(clip: Any) -> float:
        if next(clip.frames()).rgb.mean() > 60:  # the second clip
            time.sleep(600)
        return 1

    def interrupt(done: int, total: int) -> None:
        if done == 2:  # the first clip
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    before = set(psutil.Process().children(recursive=True))
    ignoring = signal.signal(signal.SIGINT, signal.default_int_handler)  # xdist's workers ignore interrupts
    try:
        with pytest.raises(KeyboardInterrupt):
            run(log, records, quick, Scorer("slow", "1", "", slow), progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, ignoring)
    assert {score.name for score in log.scores.of(records)[records[0].id]} == {"counted", "slow"}
    left = [child for child in psutil.Process().children(recursive=True) if child not in before]
    _, alive = psutil.wait_procs(left, 20)
    assert alive == []


def clip_scores(log: Log, records: list[Record], on: Any) -> ScoreTable:
    """Scores of a scorer from here, a built-in one, and ones that hang or die at the first clip or print, with this
    executor.
    """
    factor = 2

    def is_first(clip: Any) -> bool:
        return next(clip.frames()).rgb.mean() < 60

    def doubled(clip: Any) -> float:
        print("a scorer that prints")
        return factor * next(clip.frames()).rgb.mean()

    def hanging(clip: Any) -> float:
        time.sleep(600 * is_first(clip))
        return 1

    def dying(clip: Any) -> float:
        if is_first(clip):
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    mine = [Scorer(each.__name__, "1", "", each) for each in (hanging, dying, doubled)]
    return run(log, records, *mine, scorers["flicker"], timeout=10, on=on, recompute=True)


@pytest.mark.filterwarnings("ignore")
def test_the_workers_of_a_cluster_give_the_same_numbers_and_survive_any_scorer(log: Log) -> None:
    distributed = pytest.importorskip("distributed")
    records = [clip_in(log, 1), clip_in(log, 2)]
    with ThreadPoolExecutor(2) as threads:
        here = clip_scores(log, records, threads)
    with (
        distributed.LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = clip_scores(log, records, client.get_executor())
    assert [row["doubled"] for row in here] == [pytest.approx(80, abs=2), pytest.approx(160, abs=2)]
    assert (there.rows(), sorted(there.problems)) == (here.rows(), sorted(here.problems))
    reasons = {line.partition(" of ")[0]: line.partition(": ")[2] for line in there.problems}
    assert reasons["hanging"] == "it took longer than 10 s"
    assert reasons["dying"] == "its process died"


def test_a_worker_gets_the_files_that_it_lacks_and_another_version_is_reported(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = clip_in(log, 1)
    assert record.clip is not None
    file = log.file(record.clip.digest)
    assert file is not None
    scorer, elsewhere = (
        workers.pack(Scorer("wide", "1", "", lambda clip: next(clip.frames()).rgb.shape[1])),
        "/no/1.mp4",
    )
    assert workers.score_clip(pickle.dumps(([scorer], elsewhere, RequestInfo(), 60, None))).missing
    sent = ([scorer], elsewhere, RequestInfo(), 60, {elsewhere: file.read_bytes()})
    assert [each.value for each in workers.score_clip(pickle.dumps(sent)).results] == [160]

    monkeypatch.setattr(workers, "__version__", "99")
    with ThreadPoolExecutor(1) as threads:
        found = run(log, [record], scorers["flicker"], on=threads)
    assert found[0]["flicker"] is None
    assert "99" in found.problems[0]
    assert log.scores.of([record]) == {}


def test_a_score_of_the_request_belongs_to_that_request_alone(log: Log) -> None:
    one = clip_in(log, 1)
    other = log.save(
        one.model_copy(
            update={"id": "other", "canonical": {"prompt": "else"}, "request_hash": "sha256:else", "revision": 0}
        )
    )

    def length(clip: Any) -> Measure:
        return Measure(len(clip.request["prompt"]), clip.request["prompt"])

    found = run(log, [one, other], Scorer("length", "1", "letters", length, request=True))
    assert [row["length"] for row in found] == [len("clip 1"), len("else")]


def test_plug_ins_are_found_by_entry_point_and_a_broken_one_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kling_nb.scoring import registry

    package = tmp_path / "plugins"
    (package / "sweet-1.0.dist-info").mkdir(parents=True)
    (package / "sweet-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: sweet\nVersion: 1.0\n")
    (package / "sweet-1.0.dist-info" / "entry_points.txt").write_text(
        "[kling_nb.scorers]\nsweetness = sweet_scorer:sweetness\nbitter = not_there:bitter\n"
    )
    (package / "sweet_scorer.py").write_text(
        "import kling_nb as kn\n@kn.scoring.scorer(version=3, unit='g')\ndef sweetness(clip):\n    'Sweetness.'\n"
    )
    monkeypatch.syspath_prepend(str(package))
    fresh = Scorers()
    monkeypatch.setattr(registry, "scorers", fresh)
    assert (fresh["sweetness"].version, fresh["sweetness"].meaning) == ("3", "Sweetness.")
    assert ["bitter (not_there:bitter)" in line for line in fresh.errors] == [True]
    assert "Sweetness." in fresh._repr_mimebundle_()["text/html"]


def test_registering_a_scorer_checks_its_name_its_version_and_whether_it_changed() -> None:
    known = Scorers()
    known.add(Scorer("mine", "1", "", lambda clip: 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known.add(Scorer("mine", "1", "", lambda clip: 1))
        assert caught == [], "the cell was run again without changes"
        known.add(Scorer("mine", "1", "", lambda clip: clip.step + 2))
        known.add(Scorer("mine", "2", "", lambda clip: 3))
    assert ["version '1'" in str(one.message) for one in caught] == [True]
    for name, version in (("motion", "9"), ("A b", "1"), ("fine", " ")):
        with pytest.raises(ArgumentError):
            known.add(Scorer(name, version, "", lambda clip: 1))
    with pytest.raises(ArgumentError, match=r"Unknown scorer \['motion'\], 5\. Choose from motion"):
        known.named((["motion"], 5))
    with pytest.raises(ArgumentError, match="'moton'"):
        known.named(("moton",))


def test_scores_are_shown_with_their_record_everywhere(studio: Studio, hub: HubSide) -> None:
    plan = studio.sweep("a {mood} boat", mood=["calm", "wild"], duration=3)
    calm, wild = plan.run().result(60)
    assert "score_motion" not in studio.log().to_frame()
    assert calm.clip is not None
    studio.store.scores.add([score_of(12.5, clip=calm.clip.digest)])

    assert calm.scores["motion"].text == "12.5 %"
    assert ["motion 12.5 %" in record._repr_mimebundle_()["text/html"] for record in (calm, wild)] == [True, False]
    assert wild.scores == {}
    assert studio.log().to_frame().set_index("id")["score_motion"][calm.id] == 12.5
    assert list(plan.to_frame()["score_motion"].notna()) == [True, False]
    (row,) = [each for each in calm.diff(wild) if each.label == "Score: motion"]
    assert ["".join(word.text for word in value) for value in row.values] == ["12.5 %", "–"]


def test_scores_in_the_log_are_shown_without_a_worker(studio: Studio, hub: HubSide) -> None:
    job: Any = studio.generate("a boat at dusk", duration=3)
    clip = job.result(60)
    assert clip.record.clip
    digest, version = clip.record.clip.digest, scorers["motion"].version
    motion = score_of(12.5, clip=digest, unit="% of width/s", version=version)
    studio.store.scores.add([motion, score_of(None, clip=digest, name="silence", note="no sound")])
    for selection in (clip, clip.record, clip.record.id, [job], studio.log()):
        found = studio.log([selection]).score("motion", "silence")
        assert found.rows() == [{"record": clip.record.id, "label": "a boat at dusk", "motion": 12.5, "silence": None}]
    assert (found.of(clip.record)["motion"], clip.scores["motion"]) == (motion, motion)
    assert found.problems == [f"silence of {clip.record.id}: no sound"]
    assert list(found.to_frame().columns) == ["record", "label", "motion", "silence"]
    with pytest.raises(ArgumentTypeError):
        studio.log([3]).score("motion")


def test_notes_of_scorers_and_prompts_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    row = ScoredRow("r", evil, None, {evil: score_of(1, unit=evil, note=evil)})
    assert "<script" not in scores_html([row], [evil])

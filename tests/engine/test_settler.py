"""The settler, with a hub and a log that do as a test says: no network, no pauses."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from support.records import START, a_record

from kling_nb import errors, retry
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.pace import Pace
from kling_nb.engine.settler import Settler
from kling_nb.hubs.oxen import Oxen
from kling_nb.models.generation import Generation
from kling_nb.models.record import Record

SENT = {"model": "m", "prompt": "a boat"}
READING = 4  # requests: the running jobs, and one list for each end


def entry(name: str | None = "g", **changes: Any) -> Generation:
    raw = {"generation_id": name, "model_name": "m", "prompt": "a boat", "status": "queued", **changes}
    return Generation.read({"enqueued_at": int(START.timestamp()), **raw})


@dataclass
class Hub:
    """Answers each reading of the list with what `answers` has next, the last one again and again."""

    answers: list[list[Generation] | Exception]
    clock: datetime.datetime | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    async def generations(self, **filters: str) -> list[Generation]:
        self.asked.append(filters)
        if "status" in filters:
            return []
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    find = Oxen.find


@dataclass
class Log:
    twins: list[list[Record]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def save(self, record: Record) -> Record:
        return record

    def claim(self, record: Record) -> Record | None:
        if record.generation_id in self.taken:
            return None
        self.taken.add(record.generation_id or "")
        return record

    def claimed(self, _ids: Iterable[str], *, by_others_than: Iterable[str]) -> set[str]:
        return self.others

    def being_sent(self, _record: Record) -> list[Record]:
        return self.twins.pop(0) if self.twins else []

    def durations(self, _model: str, _hub: str) -> list[tuple[float, float]]:
        return []


class Scene:
    """Jobs whose answer was lost; `lost` seconds after they were sent they are given up."""

    def __init__(
        self,
        *answers: list[Generation] | Exception,
        jobs: int = 1,
        lost: float = 0.0,
        pauses: tuple[float, ...] = (0.0, 0.0, 0.0),
        **record: Any,
    ) -> None:
        self.hub, self.log, self.watched = Hub(list(answers)), Log(), list[bool]()
        active = ActiveJobs(self.log, now=lambda: START)  # type: ignore[arg-type]
        times = a_record().times.model_copy(update={"submitted": START})
        uncertain = {"status": "uncertain", "sent": SENT, "times": times, **record}
        self.jobs = [active.add(a_record(**uncertain, id=f"job-{number}")) for number in range(jobs)]
        self.shown: list[str] = []
        for job in self.jobs:
            job.subscribe(lambda progress: self.shown.append(progress.trouble))
        pace = Pace(longest=0.0, settling=pauses, lost=lost)
        self.settler = Settler(self.hub, self.log, active, self, pace)  # type: ignore[arg-type]

    def watch(self, *, now: bool = False) -> None:
        self.watched.append(now)

    async def settle(self) -> Scene:
        await self.settler.settle(self.jobs)
        return self

    @property
    def states(self) -> list[str]:
        return [job.state for job in self.jobs]

    @property
    def readings(self) -> int:
        return sum("status" not in filters for filters in self.hub.asked)


def ids(jobs: list[ActiveJob]) -> list[str | None]:
    return [job.record.generation_id for job in jobs]


async def test_a_matching_entry_is_claimed_and_tracked_immediately() -> None:
    scene = await Scene([entry("other", prompt="a kite"), entry()]).settle()
    assert (scene.states, ids(scene.jobs), scene.watched, scene.readings) == (["queued"], ["g"], [True], 1)
    assert [filters.get("status") for filters in scene.hub.asked] == [None, "succeeded", "failed", "cancelled"]


async def test_without_an_entry_the_list_is_read_after_each_pause_and_the_job_is_lost() -> None:
    scene = await Scene([]).settle()
    assert (scene.states, scene.readings, scene.watched) == (["failed"], 4, [])
    assert scene.jobs[0].record.failure and scene.jobs[0].record.failure.kind == "lost"


async def test_a_job_without_an_entry_stays_uncertain_until_it_is_given_up() -> None:
    for submitted, state in ((START, "uncertain"), (START - datetime.timedelta(seconds=61), "failed")):
        times = a_record().times.model_copy(update={"submitted": submitted})
        scene = await Scene([], lost=60, times=times).settle()
        assert (scene.states, scene.readings) == ([state], 4)
        assert scene.jobs[0].done
    failure = scene.jobs[0].record.failure
    assert failure
    assert "may have been billed" in failure.remedy


async def test_the_wait_for_a_job_without_an_entry_ends_with_an_error_that_says_what_is_known() -> None:
    scene = await Scene([], lost=60).settle()
    with pytest.raises(errors.JobUncertain, match="may be generated and billed"):
        scene.jobs[0].end.result(0)
    assert "resume() looks again" in scene.jobs[0].progress.trouble


async def test_an_entry_that_belongs_to_another_record_is_not_taken() -> None:
    scene = Scene([entry("a"), entry("b")])
    scene.log.others.add("a")
    assert ids((await scene.settle()).jobs) == ["b"]


async def test_an_entry_that_appears_late_is_claimed() -> None:
    scene = await Scene([], [], [entry()]).settle()
    assert (scene.states, scene.readings) == (["queued"], 3)


async def test_several_jobs_claim_one_entry_each_and_the_rest_are_lost() -> None:
    scene = await Scene([entry("a"), entry("b")], jobs=3).settle()
    assert (scene.states, ids(scene.jobs)) == (["queued", "queued", "failed"], ["a", "b", None])
    assert scene.watched == [True]


async def test_an_entry_that_another_kernel_claims_first_is_not_taken() -> None:
    scene = Scene([entry("a"), entry("b")])
    scene.log.taken.add("a")
    assert ids((await scene.settle()).jobs) == ["b"]


@pytest.mark.parametrize(
    "failure",
    [errors.Unreachable("gone"), errors.NoResponse("lost"), errors.ServerError("502"), errors.RateLimited("slow")],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_list_that_cannot_be_read_now_is_read_again(failure: Exception) -> None:
    scene = await Scene(failure, failure, [entry()]).settle()
    assert (scene.states, scene.readings) == (["queued"], 3)
    assert any(str(failure) in trouble for trouble in scene.shown)


async def test_a_failure_does_not_use_up_a_pause() -> None:
    scene = await Scene(errors.Unreachable("gone"), errors.Unreachable("gone"), []).settle()
    assert (scene.states, scene.readings) == (["failed"], 6)


@pytest.mark.parametrize(
    ("answers", "pauses", "waited"),
    [
        ([errors.Unreachable("gone"), [entry()]], (0.25, 0.5), [0.25]),
        ([errors.Unreachable("gone"), [entry()]], (0.0,), [0.0]),
        ([[], errors.Unreachable("gone"), [entry()]], (0.0, 0.125, 0.5), [0.0]),
        ([[], [], errors.Unreachable("gone"), [entry()]], (0.0, 0.125), [0.125]),
    ],
)
async def test_a_failure_waits_as_long_as_the_pause_that_is_due(
    monkeypatch: pytest.MonkeyPatch, answers: Any, pauses: tuple[float, ...], waited: list[float]
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(retry, "retrying", partial(retry.retrying, sleep=sleep))
    scene = await Scene(*answers, pauses=pauses).settle()
    assert (scene.states, slept) == (["queued"], waited)


async def test_a_revoked_key_ends_the_wait_and_the_job_stays_uncertain() -> None:
    scene = await Scene(errors.AuthError("401", status=401)).settle()
    assert (scene.states, scene.shown[-1]) == (["uncertain"], "401")
    with pytest.raises(errors.AuthError):
        scene.jobs[0].end.result(0)


async def test_while_a_twin_is_being_sent_no_entry_is_claimed_and_no_pause_is_used_up() -> None:
    scene = Scene([entry()])
    twin = a_record(status="submitting", sent=SENT)
    scene.log.twins = [[a_record(status="submitting", sent={**SENT, "prompt": "a kite"}), twin]] * 6
    await scene.settle()
    assert (scene.states, scene.readings) == (["queued"], 7)
    assert sum("identical request" in trouble for trouble in scene.shown) == 1


async def test_another_request_that_is_being_sent_is_not_a_twin() -> None:
    scene = Scene([entry()])
    scene.log.twins = [[a_record(status="submitting", sent={**SENT, "prompt": "a kite"}), a_record(sent=None)]]
    assert (await scene.settle()).readings == 1


async def test_a_matching_entry_without_an_id_leaves_the_job_uncertain_until_it_has_one() -> None:
    scene = await Scene([entry(None)], [entry(None)], [entry("g")]).settle()
    assert (ids(scene.jobs), scene.readings) == (["g"], 3)


async def test_waiting_for_an_id_uses_up_no_pause() -> None:
    scene = await Scene(*[[entry(None)]] * 8, [entry("g")]).settle()
    assert (ids(scene.jobs), scene.readings) == (["g"], 9)


@pytest.mark.parametrize(("after", "state"), [(86_399.5, "uncertain"), (86_400.5, "failed")])
async def test_an_equal_entry_of_another_time_keeps_a_job_uncertain_for_a_day(after: float, state: str) -> None:
    times = a_record().times.model_copy(update={"submitted": START - datetime.timedelta(seconds=after)})
    early = int(START.timestamp() - after) - 3600
    assert (await Scene([entry(enqueued_at=early)], times=times).settle()).states == [state]


async def test_an_entry_of_another_request_without_an_id_does_not_matter() -> None:
    scene = await Scene([entry(None, prompt="a kite"), entry("g")]).settle()
    assert (ids(scene.jobs), scene.readings) == (["g"], 1)


async def test_the_billed_namespace_is_searched_too() -> None:
    scene = await Scene([], sent={**SENT, "target_namespace": "team"}).settle()
    assert len(scene.hub.asked) == 2 * READING * 4
    assert scene.hub.asked[READING] == {"model": "m", "namespace": "team"}


@pytest.mark.parametrize(("behind", "state"), [(7200, "queued"), (0, "uncertain")])
async def test_times_are_compared_on_the_hubs_clock(behind: int, state: str) -> None:
    seconds = int(START.timestamp()) - 7200
    scene = Scene([entry(enqueued_at=seconds)])
    scene.hub.clock = START - datetime.timedelta(seconds=behind)
    assert (await scene.settle()).states == [state]


async def test_a_clock_that_was_set_since_the_submission_hides_no_entry() -> None:
    scene = Scene([entry(enqueued_at=int(START.timestamp()) - 600)])
    scene.hub.clock = START
    scene.jobs[0].sent = START - datetime.timedelta(seconds=601)
    assert (await scene.settle()).states == ["queued"]


async def test_an_entry_from_before_the_submission_is_not_claimed() -> None:
    early = int(START.timestamp()) - 60
    times = a_record().times.model_copy(update={"created": START - datetime.timedelta(hours=1), "submitted": START})
    scene = await Scene([entry(enqueued_at=early)], times=times).settle()
    assert (scene.states, ids(scene.jobs)) == (["uncertain"], [None])
    assert "a job like this one" in scene.jobs[0].progress.trouble


@pytest.mark.parametrize("hours", [-9, 9])
async def test_while_the_hubs_times_disagree_with_its_clock_nothing_is_claimed_or_given_up(hours: int) -> None:
    seconds = int(START.timestamp()) + hours * 3600
    scene = Scene([entry(enqueued_at=seconds), entry("g2", enqueued_at=seconds + 1)])
    scene.hub.clock = START
    assert (await scene.settle()).states == ["uncertain"]
    assert ids(scene.jobs) == [None]


async def test_jobs_that_are_settled_already_ask_nothing() -> None:
    scene = await Scene([entry()], status="queued").settle()
    assert (scene.states, scene.hub.asked) == (["queued"], [])

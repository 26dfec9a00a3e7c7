"""Runs of plans at a hub with live prices: each clip is paid for once, whatever happens in between."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, png_image, until
from nursery import Kernel
from support.records import START, make_record

from kling_nb import errors
from kling_nb.models.record import Record, Times
from kling_nb.studio import Studio
from kling_nb.sweeps import cells
from kling_nb.sweeps.plan import Plan
from sweeps.kernel import small_sweep, sweep_of

KERNEL = Path(__file__).with_name("kernel.py")
THREE_SECONDS = Decimal("0.672")


@pytest.fixture
def plan(studio: Studio) -> Plan:
    """Four clips of three seconds."""
    return studio.sweep(**sweep_of(studio.store.folder))


@contextmanager
def kernel(hub: HubSide, log: Path, mode: str, *point: str) -> Iterator[Kernel]:
    """Another kernel, ready to start; killed at the end."""
    with Kernel(KERNEL, hub.url, log, mode, *point) as other:
        assert other.stdout.readline() == "READY\n"
        yield other


def start(*kernels: Kernel) -> list[str]:
    """Start the kernels and return the line that each prints."""
    for each in kernels:
        each.stdin.write("\n")
        each.stdin.flush()
    return [each.stdout.readline().strip() for each in kernels]


def test_a_plan_has_a_price_until_its_clips_exist(plan: Plan, hub: HubSide) -> None:
    assert (len(plan), plan.price, hub.posts) == (4, 4 * THREE_SECONDS, 0)
    assert plan.sheet().summary == "4 clips to generate · $2.688"

    records = plan.run().result(60)

    assert [record.status for record in records] == ["succeeded"] * 4
    assert len({record.id for record in records}) == 4
    assert {record.plan for record in records} == {plan.id}
    assert plan.sheet().summary == "4 of 4 done"
    run = plan.run()
    assert [record.id for record in run.result(60)] == [record.id for record in records]
    assert (hub.posts, run.spent, plan.price) == (4, 0, 0)


def test_the_expected_duration_comes_from_the_history_and_the_number_of_jobs_at_once(
    studio: Studio, hub: HubSide
) -> None:
    plan = studio.sweep("boat {n}", n=list(range(12)), duration=5)
    assert plan.sheet().expected is None, "there is no history yet"
    for number in range(4):
        accepted = START + datetime.timedelta(hours=number)
        times = Times(created=accepted, accepted=accepted, completed=accepted + datetime.timedelta(seconds=60))
        studio.store.save(make_record(number, hub=hub.url, status="succeeded", times=times))
    assert plan.sheet().expected == 90, "twelve clips of a minute each, eight at once"


def test_a_clip_that_another_kernel_makes_does_not_keep_this_one_from_the_next(
    studio_at: Callable[..., Studio], hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = studio_at(hub), studio_at(hub)
    plan = mine.sweep(**sweep_of(mine.store.folder))
    spend, others_turn = other.store.spend, threading.Event()

    def slow(records: Sequence[Record]) -> list[Record | None]:
        assert others_turn.wait(60)
        return spend(records)

    monkeypatch.setattr(other.store, "spend", slow)
    first = other.generate(plan.cells[0].request)
    run = plan.run(limit=1)
    until(lambda: mine.store.count(status="succeeded") == 3)
    assert (run.over, hub.posts) == (False, 3)
    others_turn.set()
    assert len(run.result(60)) == 4
    assert (run.statuses[0].record.id, hub.posts) == (first.id, 4)


def test_a_clip_generated_outside_the_plan_is_not_paid_for_again(studio: Studio, plan: Plan, hub: HubSide) -> None:
    studio.gather(studio.generate(plan.cells[0].request)).result(60)
    assert plan.sheet().summary == "1 of 4 done · 3 left · $2.016"
    plan.run().result(60)
    assert hub.posts == 4


def test_a_job_in_progress_is_waited_for(studio: Studio, plan: Plan, hub: HubSide) -> None:
    jobs = [studio.generate(plan.cells[0].request) for _ in range(2)]
    records = plan.run(limit=8).result(60)
    assert {job.id for job in jobs if not isinstance(job, tuple)} <= {record.id for record in records}
    assert hub.posts == 4


def test_a_larger_plan_uses_the_clips_of_a_smaller_one(studio: Studio, hub: HubSide) -> None:
    studio.sweep("a paper boat", duration=[3, 4]).run().result(60)
    larger = studio.sweep("a paper boat", duration=[3, 4, 5])
    assert [cell.values["duration"] for cell in larger.missing] == ["5"]
    larger.run().result(60)
    assert hub.posts == 3


def test_a_clip_of_another_hub_is_not_used(
    plan: Plan, own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    plan.run().result(60)
    elsewhere = studio_at(own_hub())
    assert len(elsewhere.sweep(**sweep_of(elsewhere.store.folder)).missing) == 4


def test_a_plan_whose_kernel_was_killed_before_it_saved_the_hubs_reply_pays_for_each_clip_once(
    hub: HubSide, plan: Plan, tmp_path: Path
) -> None:
    with kernel(hub, tmp_path / "log", "plan", "replied") as killed:
        assert start(killed) == ["AT replied"]
    plan.run().result(60)
    assert hub.enqueued == 4
    assert len(plan.records()) == 4


@pytest.mark.timeout(300)  # a process for each save takes long on a busy machine
def test_a_plan_that_is_killed_at_any_of_its_saves_pays_for_each_clip_once(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    with kernel(hub, tmp_path / "logs", "each") as each:
        points = int(start(each)[0])
    assert points >= 8, "two clips, each saved before it is sent, when it is accepted, and when it is finished"
    for number in range(1, points + 1):
        log = tmp_path / "logs" / str(number)
        plan = studio_at(hub, log=log).sweep(**small_sweep(log))
        assert len(plan.run().result(60)) == 2, number
    last_process = 2  # which was not killed
    assert hub.enqueued == 2 * points + last_process


def test_two_kernels_with_the_same_plan_pay_for_each_clip_once(hub: HubSide, tmp_path: Path) -> None:
    with ExitStack() as both:
        kernels = [both.enter_context(kernel(hub, tmp_path / "log", "plan")) for _ in range(2)]
        started = [int(line) for line in start(*kernels)]
    assert sum(started) == hub.enqueued == 4


def test_invalid_cells_are_listed_before_anything_is_spent(studio: Studio, hub: HubSide) -> None:
    plan = studio.sweep("a paper boat", duration=[2, 3])
    assert [(label, [one.field for one in problems]) for label, problems in plan.errors] == [
        ("duration 2", ["duration"])
    ]
    with pytest.raises(errors.RequestError) as invalid:
        plan.run()
    assert [problem.field for problem in invalid.value.problems] == ["duration"]
    assert hub.posts == 0
    plan.run(skip_invalid=True).result(60)
    assert hub.posts == 1


def test_a_plan_stops_within_its_budget_and_continues_with_a_larger_one(plan: Plan, hub: HubSide) -> None:
    run = plan.run(limit=1, budget="1.40")
    with pytest.raises(errors.BudgetError) as refused:
        run.result(60)
    assert (refused.value.asked, refused.value.left) == (THREE_SECONDS, Decimal("0.056"))
    assert (hub.posts, run.spent, run.remaining) == (2, 2 * THREE_SECONDS, 2 * THREE_SECONDS)
    with pytest.raises(errors.BudgetError):
        plan.run(limit=8, budget="1.40").result(60)
    plan.run(budget="2.70").result(60)
    assert hub.posts == 4


@pytest.mark.parametrize("limit", [1, 4])
def test_a_budget_holds_for_any_number_of_jobs_at_once(limit: int, studio: Studio, hub: HubSide) -> None:
    run = studio.sweep("boat {n}", n=list(range(6)), duration=3).run(limit=limit, budget="2.10")
    assert run.wait(60)
    assert hub.posts == 3


def test_failures_stop_the_rest_and_the_first_is_raised(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed", times=2, message="The prompt was refused by the provider's safety check.")
    plan = studio.sweep("a boat {n}", n=list(range(5)), duration=3)
    run = plan.run(limit=1, stop_after_failures=2)
    with pytest.raises(errors.JobFailed, match="safety check"):
        run.result(60)
    assert [status.state for status in run.statuses] == ["failed", "failed", "skipped", "skipped", "skipped"]
    with pytest.warns(errors.RequestWarning, match="refused"):
        plan.run().result(60)
    assert hub.posts == 5
    plan.run(retry_refused=True).result(60)
    assert hub.posts == 7


def test_a_paused_run_starts_nothing_until_it_is_resumed(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub(speed=10)
    run = studio_at(hub).sweep("a boat {n}", n=list(range(3)), duration=3).run(limit=1)
    until(lambda: hub.posts == 1)
    run.pause()
    until(lambda: run.statuses[0].state == "done")
    assert (run.paused, run.wait(0.3), hub.posts) == (True, False, 1)
    run.resume()
    assert len(run.result(60)) == 3


def test_a_cancelled_run_cancels_its_own_jobs_and_starts_no_more(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub(speed=2)
    studio = studio_at(hub)
    run = studio.sweep("a boat {n}", n=list(range(3)), duration=3).run(limit=1)
    until(lambda: run.jobs and run.jobs[0].state in ("queued", "processing"))
    run.cancel()
    with pytest.raises(errors.JobCancelled):
        run.result(60)
    assert hub.posts == 1
    assert [status.state for status in run.statuses] == ["cancelled", "skipped", "skipped"]
    assert studio.spending().total.uncertain == THREE_SECONDS


def test_a_listener_is_called_after_the_end(plan: Plan) -> None:
    run, seen = plan.run(), list[bool]()
    run.subscribe(lambda: seen.append(run.over))

    run.result(60)

    until(lambda: seen and seen[-1], within=60)


def test_a_finished_plan_is_a_matrix_and_a_frame(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(png_image())
    looks: dict[str, Any] = {"look": ["<b>calm</b>", "wild"], "input_image": ["face.png"]}
    plan = studio.sweep("@Image1 is {look}", looks, duration=[3, 4])
    plan.run().result(60)
    html = plan.matrix("look", "duration")._repr_mimebundle_()["text/html"]
    frame = plan.to_frame()
    assert html.count("<video") == 4
    assert "<b>calm" not in html
    assert "&lt;b&gt;calm" in html
    assert list(frame["look"]) == ["<b>calm</b>", "<b>calm</b>", "wild", "wild"]
    assert set(frame["state"]) == {"existing"}
    assert list(frame["price"]) == [0.672, 0.896] * 2
    with pytest.raises(errors.ArgumentError, match="'colour'"):
        plan.matrix("colour")


@pytest.mark.parametrize("base", [(5,), (["a cat"],), ("a cat", 5)], ids=repr)
def test_a_base_or_axes_of_another_type_are_refused(base: tuple[Any, ...], studio: Studio) -> None:
    with pytest.raises(errors.ArgumentTypeError):
        studio.sweep(*base)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("limit", "3", errors.ArgumentTypeError),
        ("limit", 0, errors.ArgumentError),
        ("stop_after_failures", "3", errors.ArgumentTypeError),
    ],
)
def test_the_numbers_of_a_run_must_be_whole_numbers(
    name: str, value: Any, error: type[Exception], plan: Plan, hub: HubSide
) -> None:
    with pytest.raises(error, match=f"{name} must be"):
        plan.run(**{name: value})
    assert hub.posts == 0


def test_a_run_that_is_cut_off_by_the_end_of_a_script_logs_nothing(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def ended(*_: Any) -> None:  # as `to_thread` does once the interpreter is ending
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(cells, "claim", ended)
    run = plan.run(limit=1)
    assert run.wait(60)
    assert [status.state for status in run.statuses] == ["skipped"] * 4
    assert not caplog.records


def test_a_run_can_be_awaited_and_shows_itself(plan: Plan) -> None:
    import asyncio

    async def cell() -> int:
        return len(await plan.run())

    assert asyncio.run(cell()) == 4
    run = plan.run()
    run.wait(60)
    assert run._repr_mimebundle_()["text/plain"].startswith("4 in the log · $0.00 spent")

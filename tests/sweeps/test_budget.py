"""Budgets hold in arithmetic, in one log, and across kernels that share it; and what was spent is added up."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from hubside import HubSide, until
from hypothesis import given
from hypothesis import strategies as st
from support.records import START, make_record

from kling_nb import errors
from kling_nb.models.budget import Limits, charge_of, dollars, enforce, from_micros, micros
from kling_nb.models.price import Estimate
from kling_nb.models.record import Failure, Record, Times
from kling_nb.store.budget import BudgetStore, Entry
from kling_nb.store.log import Log
from kling_nb.studio import Studio
from kling_nb.sweeps.spending import By, Spending
from sweeps.test_run import kernel, start

cents = st.decimals(0, 20, places=3)


def priced(price: Decimal | None, number: int = 0, **changes: Any) -> Record:
    """A record of this price."""
    source = "unknown" if price is None else "live"
    estimate = Estimate(each=price, total=price, seconds=5, generations=1, rate=None, source=source)
    return make_record(number, local=False, estimate=estimate, **changes)


@given(cents, cents, cents)
def test_a_record_passes_exactly_if_its_price_fits_into_the_limit(
    limit: Decimal, counted: Decimal, asked: Decimal
) -> None:
    limits = Limits(total=limit)
    if counted + asked <= limit:
        enforce(limits, [priced(asked)], lambda _: counted)
        return
    with pytest.raises(errors.BudgetError) as refused:
        enforce(limits, [priced(asked)], lambda _: counted)
    assert (refused.value.asked, refused.value.left, refused.value.limit) == (asked, max(limit - counted, 0), "total")


@given(st.lists(cents, max_size=20))
def test_sums_in_millionths_are_exact(amounts: list[Decimal]) -> None:
    assert from_micros(sum(map(micros, amounts))) == sum(amounts)


def test_free_records_always_pass_and_an_unknown_price_only_if_allowed() -> None:
    limits = Limits(total=Decimal(0))
    free = [make_record(local=True), priced(Decimal(5), kind="preview")]
    enforce(limits, free, lambda _: Decimal(9))
    with pytest.raises(errors.BudgetError) as refused:
        enforce(limits, [priced(None)], lambda _: Decimal(0))
    assert refused.value.asked is None
    enforce(limits.changed(unknown_ok=True), [priced(None)], lambda _: Decimal(0))
    enforce(Limits(), [priced(None)], lambda _: Decimal(0))


@pytest.mark.parametrize(("given_amount", "read"), [("6.00", "6"), ("$6", "6"), (6, "6"), (0.1, "0.1"), (None, None)])
def test_amounts_are_read_from_text_and_numbers(given_amount: Any, read: str | None) -> None:
    assert dollars(given_amount) == (None if read is None else Decimal(read))


@pytest.mark.parametrize("amount", ["six", -1, float("nan"), float("inf"), True, [5]])
def test_other_values_are_not_amounts(amount: Any) -> None:
    with pytest.raises(errors.SettingsError):
        dollars(amount)


FAILED = Failure(kind="hub", message="no")


@pytest.mark.parametrize(
    ("changes", "charge"),
    [
        ({"status": "prepared"}, "planned"),
        ({"status": "submitting"}, "open"),
        ({"status": "processing", "generation_id": "g"}, "open"),
        ({"status": "succeeded", "generation_id": "g"}, "spent"),
        ({"status": "uncertain"}, "uncertain"),
        ({"status": "failed", "failure": FAILED}, "released"),
        ({"status": "failed", "failure": FAILED, "generation_id": "g"}, "uncertain"),
        ({"status": "failed", "failure": Failure(kind="lost", message="no")}, "uncertain"),
        ({"status": "cancelled"}, "released"),
        ({"status": "cancelled", "generation_id": "g"}, "uncertain"),
        ({"status": "succeeded", "kind": "preview"}, "free"),
    ],
)
def test_each_state_of_a_record_has_its_charge(changes: dict[str, Any], charge: str) -> None:
    assert charge_of(priced(Decimal(1), **changes)) == charge


@pytest.fixture
def log(tmp_path: Path) -> Any:
    store = Log(tmp_path / "sums")
    yield store
    store.close()


def test_each_limit_counts_its_own_records(log: Log) -> None:
    now = datetime.datetime.now(datetime.UTC)
    today, before = Times(created=now), Times(created=now - datetime.timedelta(days=2))
    for number, (times, notebook) in enumerate([(today, "a.ipynb"), (today, "b.ipynb"), (before, "a.ipynb")]):
        log.save(priced(Decimal(2), number, status="succeeded", times=times, notebook=notebook))
    asking = priced(Decimal(1), 9, notebook="a.ipynb")
    for name, fits in (("notebook", 5), ("day", 5), ("total", 7), ("job", 1)):
        log.budget.change(lambda _, name=name, fits=fits: Limits().changed(**{name: fits}))
        log.budget.afford([asking])
        log.budget.change(lambda _, name=name, fits=fits: Limits().changed(**{name: Decimal(fits) - Decimal("0.001")}))
        with pytest.raises(errors.BudgetError) as refused:
            log.budget.afford([asking])
        assert refused.value.limit == name


def test_a_record_does_not_count_against_itself(log: Log) -> None:
    log.budget.change(lambda limits: limits.changed(total=1))
    record = log.save(priced(Decimal(1)))
    (sent,) = log.spend([record.model_copy(update={"status": "submitting"})])
    assert sent.status == "submitting"
    with pytest.raises(errors.BudgetError):
        log.spend([priced(Decimal(1), 1, status="submitting")])
    assert log.count() == 1


def test_a_deleted_clip_is_still_paid_for(log: Log) -> None:
    record = log.save(priced(Decimal(2), status="succeeded", plan="p"))
    log.trash(record.id)
    assert [(entry.cost, entry.plan) for entry in log.budget.entries()] == [(Decimal(2), "p")]
    log.budget.change(lambda limits: limits.changed(total=2, day=2))
    with pytest.raises(errors.BudgetError) as refused:
        log.budget.afford([priced(Decimal(1), 1)])
    assert refused.value.left == 0
    log.restore(record.id)
    assert len(log.budget.entries()) == 1


def test_limits_do_not_depend_on_the_index_and_an_unreadable_file_refuses_everything(log: Log) -> None:
    log.budget.change(lambda limits: limits.changed(total="0.50"))
    log.close()
    (log.folder / "index.sqlite").unlink(missing_ok=True)
    with pytest.raises(errors.BudgetError):
        log.budget.afford([priced(Decimal(1))])
    (log.folder / "budget.json").write_text("{")
    with pytest.raises(errors.LogError, match=r"budget\.json"):
        log.spend([priced(Decimal(1))])


def test_a_refusal_comes_immediately_and_nothing_is_saved_or_sent(studio: Studio, hub: HubSide) -> None:
    studio.price("a boat")
    studio.budget(job=1)
    with pytest.raises(errors.BudgetError) as refused:
        studio.generate("a boat", duration=5)
    assert (refused.value.asked, refused.value.limit) == (Decimal("1.12"), "job")
    assert (len(studio.log()), hub.posts) == (0, 0)
    studio.budget(job=None)
    assert studio.generate("a boat", duration=3).wait(60)


def test_a_limit_set_while_a_job_is_prepared_still_refuses_it(studio: Studio, hub: HubSide) -> None:
    studio.price("a boat")
    afford = BudgetStore.afford
    calls: list[int] = []

    def afford_then_tighten(self: BudgetStore, records: Any) -> None:
        afford(self, records)
        if not calls:
            calls.append(1)
            self.change(lambda limits: limits.changed(total=0))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BudgetStore, "afford", afford_then_tighten)
        job = studio.generate("a boat", duration=3)
        with pytest.raises(errors.JobFailed):
            job.result(60)  # type: ignore[union-attr]
    assert hub.posts == 0
    assert studio.spending().total.total == 0


def test_kernels_that_share_a_log_do_not_overspend_together(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    studio.budget(total="2.10")  # three clips of $0.672, and two kernels that want three each
    with ExitStack() as both:
        kernels = [both.enter_context(kernel(hub, tmp_path / "log", "jobs")) for _ in range(2)]
        made = [int(line) for line in start(*kernels)]
    assert sum(made) == hub.posts == 3
    assert studio.spending().total.spent == Decimal("2.016")


def test_running_jobs_are_counted_separately_from_spent_money(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub(speed=2)
    studio = studio_at(hub)
    plan = studio.sweep("a boat", duration=[3])
    plan.run()
    until(lambda: studio.spending().total.open == Decimal("0.672"))
    (row,) = studio.spending("plan")
    assert (row.name, row.jobs, row.spent) == (plan.id, 1, 0)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), cents, st.sampled_from(["spent", "open", "uncertain"]))))
def test_groups_add_up_to_the_total(records: list[tuple[str, Decimal, Any]]) -> None:
    entries = [Entry(START.date(), model, None, None, charge, cost) for model, cost, charge in records]
    spending = Spending.of(entries, "model")
    assert (
        sum((row.total for row in spending), Decimal(0)) == spending.total.total == sum(cost for _, cost, _ in records)
    )
    assert "<div" in spending._repr_mimebundle_()["text/html"]


def test_spending_is_grouped_by_day_notebook_model_plan_or_tag_as_a_table_with_bars() -> None:
    other = START.date() + datetime.timedelta(days=1)
    entries = [
        Entry(START.date(), "kling", "a.ipynb", "p1", "spent", Decimal(3), ("walk", "<b>"), "ann"),
        Entry(other, "kling", None, "p1", "uncertain", Decimal(1), ("walk",)),
        Entry(other, "omni", "a.ipynb", None, "open", Decimal(2)),
        Entry(other, "omni", "a.ipynb", None, "planned", None),
    ]
    groups = {by: {row.name: row.total for row in Spending.of(entries, by)} for by in get_args(By)}
    assert groups == {
        "day": {START.date().isoformat(): 3, other.isoformat(): 3},
        "notebook": {"a.ipynb": 5, "outside notebooks": 1},
        "model": {"kling": 4, "omni": 2},
        "plan": {"p1": 4, "no plan": 2},
        "tag": {"#walk": 4, "#<b>": 3, "untagged": 2},
        "person": {"ann": 3, "unknown": 3},
    }
    models = Spending.of(entries, "model")
    assert [(row.spent, row.open, row.uncertain, row.unpriced) for row in models] == [(3, 0, 1, 0), (0, 2, 0, 1)]
    assert (models.total.spent, models.total.open, models.total.uncertain, models.total.jobs) == (3, 2, 1, 4)
    assert models.total.unpriced == 1
    html = models._repr_mimebundle_()["text/html"]
    assert [width for width in re.findall(r"width:(\d+)%", html) if width != "0"] == ["75", "25", "50"]
    assert "#<b>" not in Spending.of(entries, "tag")._repr_mimebundle_()["text/html"]


def test_an_unknown_grouping_is_refused(studio: Studio) -> None:
    with pytest.raises(errors.ArgumentError, match="'hour'"):
        studio.spending("hour")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["job", "notebook", "day", "total"])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "NaN", "-inf", Decimal("sNaN"), -1, True, "lots", [5]])
def test_a_wrong_amount_is_refused_and_the_limits_stay_as_they_were(name: str, wrong: Any, studio: Studio) -> None:
    studio.budget(total="9.00")
    with pytest.raises(errors.SettingsError):
        studio.budget(**{name: wrong})
    assert studio.store.budget.limits() == Limits(total=Decimal("9.00"))


@pytest.mark.parametrize("wrong", ["yes", 1, 0, "", [True]])
def test_unknown_ok_must_be_true_or_false_and_none_means_false(wrong: Any, studio: Studio) -> None:
    studio.budget(unknown_ok=True)
    with pytest.raises(errors.SettingsError):
        studio.budget(unknown_ok=wrong)
    assert studio.store.budget.limits().unknown_ok is True
    studio.budget(unknown_ok=None)
    assert studio.store.budget.limits() == Limits()

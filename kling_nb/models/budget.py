"""Limits on what may be spent, and whether some records fit under them. Pure: the sums come from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from kling_nb.errors import BudgetError, SettingsError
from kling_nb.models.record import Record

Name = Literal["job", "notebook", "day", "total", "plan"]


class Limits(BaseModel):
    """What may be spent, in dollars; None means no limit.

    `job` is for one generation, `notebook` for each notebook, `day` for a day of this machine's calendar, `total` for
    the whole log, `plans` for single plans by their id. `unknown_ok` lets pass what nobody gives a price for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Decimal | None = Field(default=None, ge=0)
    notebook: Decimal | None = Field(default=None, ge=0)
    day: Decimal | None = Field(default=None, ge=0)
    total: Decimal | None = Field(default=None, ge=0)
    plans: dict[str, Decimal] = Field(default_factory=dict)
    unknown_ok: bool = False

    def changed(self, **changes: Any) -> Self:
        """Return the limits with changes, amounts by `dollars`. Raises `SettingsError` for what is none.

        `unknown_ok` is True or False; None means False, as it means no limit elsewhere.
        """
        return self.model_copy(update={name: _fit(name, value) for name, value in changes.items()})

    def with_plan(self, plan: str, limit: Decimal | None) -> Self:
        """Return the limits with another one for a plan; None takes it away."""
        others = {name: amount for name, amount in self.plans.items() if name != plan}
        return self.changed(plans=others if limit is None else {**others, plan: limit})

    def any_for(self, record: Record) -> bool:
        """Whether some limit looks at this record."""
        given = (self.job, self.notebook, self.day, self.total, self.plans.get(record.plan or ""))
        return any(limit is not None for limit in given)


@dataclass(frozen=True, slots=True)
class Scope:
    """One limit with what it adds up: a notebook's name, a plan's id, or nothing for a day and the total."""

    name: Name
    limit: Decimal
    of: str | None = None

    @property
    def words(self) -> str:
        """The limit in the user's words."""
        match self.name:
            case "job":
                return "the limit of one job"
            case "notebook":
                return f"the limit of the notebook {self.of}" if self.of else "the limit outside notebooks"
            case "day":
                return "today's limit"
            case "total":
                return "the limit of this log"
            case "plan":
                return f"the budget of plan {self.of}"


def _fit(name: str, value: Any) -> Any:
    # `model_copy` checks nothing, and limits that cannot be read again would lock the whole log.
    if name == "plans":
        return {plan: dollars(amount) for plan, amount in value.items()}
    if name != "unknown_ok":
        return dollars(value)
    if not isinstance(value, bool | None):
        raise SettingsError(f"unknown_ok={value!r} is neither True nor False: give one of them")
    return bool(value)


def dollars(value: Any) -> Decimal | None:
    """Read an amount of dollars; a float by what it prints as. Raises `SettingsError` for what is none."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value).strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise SettingsError(f'{value!r} is no amount of dollars: give one like "6.00", or None for no limit')
    return amount


def enforce(limits: Limits, records: Sequence[Record], counted: Callable[[Scope], Decimal]) -> None:
    """Raise `BudgetError` unless the records, all to be sent at once, fit under every limit.

    `counted` gives what a scope has spent, set aside or may have spent already, without these records. What costs
    nothing is never refused.
    """
    asking = [record for record in records if charge_of(record) != "free" and limits.any_for(record)]
    if not asking:
        return
    if not limits.unknown_ok and any(record.price is None for record in asking):
        raise BudgetError(
            "Nobody gives a price for this, so no limit can hold: kn.budget(unknown_ok=True) lets it pass.",
            limit="unknown price",
        )
    asked = sum((record.price or Decimal(0) for record in asking), Decimal(0))
    for record in asking:
        if limits.job is not None and (record.price or 0) > limits.job:
            raise refused(Scope("job", limits.job), record.price or Decimal(0), limits.job)
    for scope in scopes(limits, asking[0]):
        left = scope.limit - counted(scope)
        if asked > left:
            raise refused(scope, asked, max(left, Decimal(0)))


def scopes(limits: Limits, record: Record) -> Iterator[Scope]:
    """Yield the limits that add up over several jobs, the narrowest first; a batch shares its notebook and plan."""
    plan = record.plan or ""
    if plan in limits.plans:
        yield Scope("plan", limits.plans[plan], plan)
    if limits.notebook is not None:
        yield Scope("notebook", limits.notebook, record.notebook)
    if limits.day is not None:
        yield Scope("day", limits.day)
    if limits.total is not None:
        yield Scope("total", limits.total)


def refused(scope: Scope, asked: Decimal, left: Decimal) -> BudgetError:
    """Return the refusal: what was asked, what is left and which limit it was."""
    other = "plan.run(budget=...)" if scope.name == "plan" else f"kn.budget({scope.name}=...)"
    has = f"{scope.words}, {_amount(scope.limit)}, has {_amount(left)} left"
    message = f"This asks for {_amount(asked)}, and {has}: {other} sets another."
    return BudgetError(message, asked=asked, left=left, limit=scope.name)


def _amount(amount: Decimal) -> str:
    cents = amount.quantize(Decimal("0.01"))
    return f"${cents:,.2f}" if cents == amount else f"${amount.normalize():,f}"


#: `planned` is not bought yet, `open` is under way, `uncertain` may have been billed or not, `released` was not.
Charge = Literal["free", "planned", "open", "spent", "uncertain", "released"]

#: What counts against a limit. The uncertain does: a limit that holds only with luck is none.
COUNTED: tuple[Charge, ...] = ("open", "spent", "uncertain")

_MICRO = Decimal(1_000_000)


def charge_of(record: Record) -> Charge:
    """Return how a record's price stands.

    The hub does not say whether it bills a generation that failed or was cancelled after it had taken it, nor one
    whose answer was lost: those are uncertain. What it never took was never billed.
    """
    if record.local or record.imported or record.kind == "preview":
        return "free"
    match record.status:
        case "prepared":
            return "planned"
        case "succeeded":
            return "spent"
        case "uncertain":
            return "uncertain"
        case "failed" | "cancelled":
            lost = record.failure is not None and record.failure.kind == "lost"
            return "uncertain" if record.generation_id or lost else "released"
        case _:
            return "open"


def micros(amount: Decimal) -> int:
    """Return dollars as whole millionths, rounded up: a sum of them is exact in every database."""
    return int((amount * _MICRO).to_integral_value(rounding=ROUND_CEILING))


def from_micros(count: int) -> Decimal:
    """Return millionths as dollars."""
    return Decimal(count) / _MICRO

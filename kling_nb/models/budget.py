"""Spending limits, and whether some records fit under them. Pure: the sums are arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from kling_nb.errors import BudgetError, SettingsError
from kling_nb.models.record import Record

Name = Literal["job", "notebook", "person", "day", "total", "plan"]


class Limits(BaseModel):
    """Spending limits in dollars; None means no limit.

    Attributes:
        job: The limit of one generation.
        notebook: The limit of each notebook.
        person: The limit of each person.
        day: The limit of a day in this machine's time zone, for a team in UTC.
        total: The limit of the whole log.
        plans: The limits of single plans, by ID.
        unknown_ok: Whether to allow jobs whose price is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Decimal | None = Field(default=None, ge=0)
    notebook: Decimal | None = Field(default=None, ge=0)
    person: Decimal | None = Field(default=None, ge=0)
    day: Decimal | None = Field(default=None, ge=0)
    total: Decimal | None = Field(default=None, ge=0)
    plans: dict[str, Decimal] = Field(default_factory=dict)
    unknown_ok: bool = False

    def changed(self, **changes: Any) -> Self:
        """Return the limits with changes, which are amounts as `dollars` reads them, or `unknown_ok`.

        Raises:
            SettingsError: For an invalid amount, or an `unknown_ok` that is not True, False or None (False).
        """
        return self.model_copy(update={name: _fit(name, value) for name, value in changes.items()})

    def with_plan(self, plan: str, limit: Decimal | None) -> Self:
        """Return the limits with another one for a plan; None removes it."""
        others = {name: amount for name, amount in self.plans.items() if name != plan}
        return self.changed(plans=others if limit is None else {**others, plan: limit})

    def any_for(self, record: Record) -> bool:
        """Return whether a limit applies to this record."""
        return self.job is not None or any(True for _ in scopes(self, record))


@dataclass(frozen=True, slots=True)
class Scope:
    """One limit, `of` a notebook or a plan where there are several."""

    name: Name
    limit: Decimal
    of: str | None = None

    @property
    def label(self) -> str:
        """The limit as it is called in a sentence."""
        match self.name:
            case "job":
                return "the limit of one job"
            case "notebook":
                return f"the limit of the notebook {self.of}" if self.of else "the limit outside notebooks"
            case "person":
                return f"the limit of {self.of}" if self.of else "the limit of each person"
            case "day":
                return "today's limit"
            case "total":
                return "the limit of this log"
            case "plan":
                return f"the budget of plan {self.of}"


def _fit(name: str, value: Any) -> Any:
    # `model_copy` checks nothing, and saved limits that cannot be loaded would block the whole log.
    if name == "plans":
        return {plan: dollars(amount) for plan, amount in value.items()}
    if name != "unknown_ok":
        return dollars(value)
    if not isinstance(value, bool | None):
        raise SettingsError(f"unknown_ok must be True or False, got {value!r}.")
    return bool(value)


def dollars(value: Any) -> Decimal | None:
    """Read an amount of dollars, a float as it is printed; None stays None. Raises `SettingsError`."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value).strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise SettingsError(f'Invalid amount of dollars: {value!r}. Use one like "6.00", or None for no limit.')
    return amount


def enforce(limits: Limits, records: Sequence[Record], counted: Callable[[Scope], Decimal]) -> None:
    """Raise `BudgetError` unless the records, which are sent together, fit under every limit.

    Args:
        limits: The limits; free records are never refused.
        records: The records of one batch.
        counted: Returns the dollars that already count against a scope, without these records.
    """
    asking = [record for record in records if charge_of(record) != "free" and limits.any_for(record)]
    if not asking:
        return
    if not limits.unknown_ok and any(record.price is None for record in asking):
        raise BudgetError(
            "No price is known for this request, so the budget cannot be enforced. "
            "Allow it with kn.budget(unknown_ok=True).",
            limit="unknown price",
        )
    asked = sum((record.price or Decimal(0) for record in asking), Decimal(0))
    for record in asking:
        if limits.job is not None and (record.price or 0) > limits.job:
            raise _refusal(Scope("job", limits.job), record.price or Decimal(0), limits.job)
    for scope in scopes(limits, asking[0]):
        left = scope.limit - counted(scope)
        if asked > left:
            raise _refusal(scope, asked, max(left, Decimal(0)))


def scopes(limits: Limits, record: Record) -> Iterator[Scope]:
    """Yield the limits that add up over several jobs, narrowest first; a batch has one notebook and one plan."""
    plan = record.plan or ""
    if plan in limits.plans:
        yield Scope("plan", limits.plans[plan], plan)
    if limits.notebook is not None:
        yield Scope("notebook", limits.notebook, record.notebook)
    if limits.person is not None:
        yield Scope("person", limits.person, record.by)
    if limits.day is not None:
        yield Scope("day", limits.day)
    if limits.total is not None:
        yield Scope("total", limits.total)


def _refusal(scope: Scope, asked: Decimal, left: Decimal) -> BudgetError:
    change = "plan.run(budget=...)" if scope.name == "plan" else f"kn.budget({scope.name}=...)"
    message = (
        f"This costs {_amount(asked)}, but {scope.label}, {_amount(scope.limit)}, has {_amount(left)} left. "
        f"Change it with {change}."
    )
    return BudgetError(message, asked=asked, left=left, limit=scope.name)


def _amount(amount: Decimal) -> str:
    cents = amount.quantize(Decimal("0.01"))
    return f"${cents:,.2f}" if cents == amount else f"${amount.normalize():,f}"


#: `planned` is not sent yet, `open` is running, `uncertain` may have been billed or not, `released` was not billed.
Charge = Literal["free", "planned", "open", "spent", "uncertain", "released"]

#: The charges that count against a limit. The uncertain ones do: a limit must hold even if they were billed.
COUNTED: tuple[Charge, ...] = ("open", "spent", "uncertain")

_MICRO = Decimal(1_000_000)


def charge_of(record: Record) -> Charge:
    """Return the state of a record's charge.

    The hub does not document whether it bills a generation that fails or is cancelled after it was accepted, or whose
    response was lost: those are uncertain. One that was never accepted was never billed.
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
    """Return dollars in whole millionths, rounded up, which every database adds up exactly."""
    return int((amount * _MICRO).to_integral_value(rounding=ROUND_CEILING))


def from_micros(count: int) -> Decimal:
    """Return millionths in dollars."""
    return Decimal(count) / _MICRO

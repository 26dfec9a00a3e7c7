"""`kn.spending()` and `kn.budget()`: what a log has cost, and the limits on it, as values that show themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, get_args

from kling_nb.errors import LogError
from kling_nb.models.budget import Limits, Scope
from kling_nb.notebook.location import notebook_path
from kling_nb.render import LimitRow, SpendingRow, limits_html, limits_text, spending_html, spending_text
from kling_nb.session import Session
from kling_nb.store.budget import BudgetStore, Entry

By = Literal["day", "notebook", "model", "plan", "tag"]


@dataclass(frozen=True)
class Spending:
    """What was spent, in groups; a record with several tags counts in each of them, and once in `whole`."""

    by: By
    rows: tuple[SpendingRow, ...]
    whole: SpendingRow

    @classmethod
    def of(cls, entries: Sequence[Entry], by: By) -> Spending:
        """Add up a log's entries. Raises `LogError` for a grouping that there is not."""
        if by not in get_args(By):
            raise LogError(f"by={by!r} is unknown: use one of {', '.join(get_args(By))}.")
        groups: dict[str, SpendingRow] = {}
        whole = SpendingRow("in all")
        for entry in entries:
            whole = _added(whole, entry)
            for name in _names(entry, by):
                groups[name] = _added(groups.get(name, SpendingRow(name)), entry)
        rows = sorted(groups.values(), key=lambda row: row.name) if by == "day" else list(groups.values())
        if by != "day":
            rows.sort(key=lambda row: -row.whole)
        return cls(by, tuple(rows), whole)

    def __iter__(self) -> Iterator[SpendingRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": spending_html(self.by, self.rows, self.whole), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return spending_text(self.by, self.rows, self.whole)


@dataclass(frozen=True)
class Budget:
    """The limits of a log and what is counted against them: what was spent, is under way, or is uncertain."""

    limits: Limits
    rows: tuple[LimitRow, ...]

    @classmethod
    def of(cls, budget: BudgetStore, notebook: str | None) -> Budget:
        """Read the limits and the sums; the notebook's is that of this one."""
        limits, rows = budget.limits(), list[LimitRow]()
        if limits.job is not None:
            rows.append(LimitRow("One job", limits.job, None))
        for words, scope in _scopes(limits, notebook):
            rows.append(LimitRow(words, scope.limit, budget.counted(scope)))
        return cls(limits, tuple(rows))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": limits_html(self.rows, unknown_ok=self.limits.unknown_ok), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return limits_text(self.rows, unknown_ok=self.limits.unknown_ok)


def _scopes(limits: Limits, notebook: str | None) -> Iterator[tuple[str, Scope]]:
    if limits.notebook is not None:
        yield notebook or "Outside notebooks", Scope("notebook", limits.notebook, notebook)
    if limits.day is not None:
        yield "Today", Scope("day", limits.day)
    if limits.total is not None:
        yield "In all", Scope("total", limits.total)
    for plan, limit in limits.plans.items():
        yield f"Plan {plan}", Scope("plan", limit, plan)


def _names(entry: Entry, by: By) -> Sequence[str]:
    match by:
        case "day":
            return (entry.day.isoformat(),)
        case "notebook":
            return (entry.notebook or "outside notebooks",)
        case "model":
            return (entry.model,)
        case "plan":
            return (entry.plan or "no plan",)
        case "tag":
            return [f"#{tag}" for tag in entry.tags] or ("untagged",)


def _added(row: SpendingRow, entry: Entry) -> SpendingRow:
    cost = entry.cost or Decimal(0)
    more: dict[str, Any] = {"jobs": row.jobs + 1, "unpriced": row.unpriced + (entry.cost is None)}
    if entry.charge in ("spent", "open", "uncertain", "planned"):
        more[entry.charge] = getattr(row, entry.charge) + cost
    return replace(row, **more)


def budget(session: Session, changes: Mapping[str, Any]) -> Budget:
    """Change the log's limits and return them all; see `Studio.budget`."""
    if changes:
        session.store.budget.change(lambda limits: limits.changed(**changes))
    notebook = notebook_path()
    return Budget.of(session.store.budget, notebook.name if notebook else None)


def spending(session: Session, by: By) -> Spending:
    """Return what was spent, in groups; see `Studio.spending`."""
    return Spending.of(session.store.budget.entries(), by)

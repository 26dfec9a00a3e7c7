"""`kn.spending()` and `kn.budget()`: the costs of a log and the limits on them, as values that show themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, get_args

from kling_nb.errors import ArgumentError
from kling_nb.models.budget import Limits, Scope
from kling_nb.models.messages import short_repr
from kling_nb.notebook.location import notebook_path
from kling_nb.render.figures import LimitRow, SpendingRow, limits_html, limits_text, spending_html, spending_text
from kling_nb.session import Session
from kling_nb.store.budget import Entry

By = Literal["day", "notebook", "model", "plan", "tag", "person"]


@dataclass(frozen=True)
class Spending:
    """The money that was spent, in groups; iterate over it for the rows.

    Attributes:
        by: How the rows are grouped.
        rows: The groups. A record with several tags counts in each of them.
        total: The sum, in which every record counts once.
    """

    by: By
    rows: tuple[SpendingRow, ...]
    total: SpendingRow

    @classmethod
    def of(cls, entries: Sequence[Entry], by: By) -> Spending:
        """Add up a log's entries."""
        groups: dict[str, SpendingRow] = {}
        total = SpendingRow("Total")
        for entry in entries:
            total = _added(total, entry)
            for name in _groups(entry, by):
                groups[name] = _added(groups.get(name, SpendingRow(name)), entry)
        rows = sorted(groups.values(), key=(lambda row: row.name) if by == "day" else (lambda row: -row.total))
        return cls(by, tuple(rows), total)

    def __iter__(self) -> Iterator[SpendingRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": spending_html(self.by, self.rows, self.total), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return spending_text(self.by, self.rows, self.total)


@dataclass(frozen=True)
class Budget:
    """The limits of a log.

    Attributes:
        limits: The limits in dollars.
        rows: Each limit with what counts against it: the price of clips that are paid, running or unconfirmed.
    """

    limits: Limits
    rows: tuple[LimitRow, ...]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": limits_html(self.rows, unknown_ok=self.limits.unknown_ok), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return limits_text(self.rows, unknown_ok=self.limits.unknown_ok)


def spending(session: Session, by: By) -> Spending:
    """Return the spending of a log by group; see `Studio.spending`."""
    if by not in get_args(By):
        raise ArgumentError(f"by must be one of {', '.join(get_args(By))}, got {short_repr(by)}.")
    return Spending.of(session.store.budget.entries(by), by)


def budget(session: Session, changes: Mapping[str, Any]) -> Budget:
    """Change the log's limits and return all of them; see `Studio.budget`."""
    store, notebook, person = session.store.budget, notebook_path(), session.settings.user
    if changes:
        store.change(lambda limits: limits.changed(**changes))
    limits = store.limits()
    rows = [LimitRow("One job", limits.job, None)] if limits.job is not None else []
    for name, scope in _scopes(limits, notebook.name if notebook else None, person):
        rows.append(LimitRow(name, scope.limit, store.counted(scope)))
    return Budget(limits, tuple(rows))


def _scopes(limits: Limits, notebook: str | None, person: str) -> Iterator[tuple[str, Scope]]:
    if limits.notebook is not None:
        yield notebook or "Outside notebooks", Scope("notebook", limits.notebook, notebook)
    if limits.person is not None:
        yield person or "Each person", Scope("person", limits.person, person)
    if limits.day is not None:
        yield "Today", Scope("day", limits.day)
    if limits.total is not None:
        yield "Total", Scope("total", limits.total)
    for plan, limit in limits.plans.items():
        yield f"Plan {plan}", Scope("plan", limit, plan)


def _groups(entry: Entry, by: By) -> Sequence[str]:
    groups: dict[By, Sequence[str]] = {
        "day": [entry.day.isoformat()],
        "notebook": [entry.notebook or "outside notebooks"],
        "model": [entry.model],
        "plan": [entry.plan or "no plan"],
        "person": [entry.by or "unknown"],
        "tag": [f"#{tag}" for tag in entry.tags] or ["untagged"],
    }
    return groups[by]


def _added(row: SpendingRow, entry: Entry) -> SpendingRow:
    more: dict[str, Any] = {"jobs": row.jobs + entry.jobs, "unpriced": row.unpriced + entry.unpriced}
    if entry.charge in ("spent", "open", "uncertain", "planned"):
        more[entry.charge] = getattr(row, entry.charge) + (entry.cost or Decimal(0))
    return replace(row, **more)

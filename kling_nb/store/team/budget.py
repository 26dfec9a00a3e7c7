"""The budget of a team: limits, running sums, and the moment of spending, which is one transaction."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from kling_nb.errors import KlingError, LogError, RunByAnother
from kling_nb.models.budget import COUNTED, Limits, Scope, charge_of, enforce, from_micros
from kling_nb.models.record import Record
from kling_nb.store.budget import Entry, entries_in, entry_of
from kling_nb.store.revisions import with_user_fields
from kling_nb.store.team import lease as leases
from kling_nb.store.team import tables
from kling_nb.store.team.documents import Documents
from kling_nb.store.team.lease import TeamLease
from kling_nb.store.team.records import TeamRecords, scopes_of, statement_of, sums_of, utc_day

_PATH = "budget.json"
_NO_SIGN = (
    "This kernel had no contact with the team's log for a minute, so others may have taken over its jobs. Nothing "
    "was sent. Try again."
)


@dataclass(frozen=True)
class TeamBudget:
    """The limits and sums of a team's log. Its days are in UTC."""

    store: TeamRecords
    documents: Documents
    lease: TeamLease
    trashed: Callable[[], list[Record]]

    def limits(self) -> Limits:
        """Return the limits. Raises `LogError` if they cannot be read: then nothing may be spent."""
        found = self.documents.read(_PATH).get(_PATH)
        return _limits(found.text if found else None)

    def change(self, change: Callable[[Limits], Limits]) -> Limits:
        """Replace the limits by what `change` returns for them, and return them."""
        text = self.documents.change(_PATH, lambda now: change(_limits(now)).model_dump_json())
        return _limits(text)

    def afford(self, asked: Sequence[Record]) -> None:
        """Raise `BudgetError` if a limit refuses these records, as far as is known before they are sent."""
        enforce(self.limits(), asked, self.counted)

    def spend(self, asked: Sequence[Record]) -> list[Record | None]:
        """Write records that are about to be sent. Raises `BudgetError`.

        None stands for a record that must not be sent from here: another kernel has taken it over, sent or ended it,
        or the cell of its plan was sent already.
        """
        self.store.ready(writing=True)
        if self.lease.held is None:
            self.lease.holder()
        sent: list[Record | None] = [None] * len(asked)

        def spend(connection: object) -> list[bool]:
            sent[:], cursors = self._spend(connection, asked)
            return [cursor is None or cursor.fetchone() is not None for cursor in cursors]

        try:
            written = self.store.database.run(spend)
        except RunByAnother:
            self.lease.beat()  # which gives this kernel another name, for what it begins from now on
            raise
        for record in asked:
            self.store.wake(record.id)
        return [record if done else None for record, done in zip(sent, written, strict=True)]

    def _spend(self, connection: Any, asked: Sequence[Record]) -> tuple[list[Record | None], list[Any]]:
        """Read everything that the decision needs in one round trip, and write in a second one."""
        scopes = scopes_of(asked[0])
        given = {"ids": [one.id for one in asked], "cells": [one.cell for one in asked if one.cell]}
        given |= {"plan": asked[0].plan, "holder": self.lease.held, "lease": leases.LEASE, "limits": _PATH}
        given |= {"scopes": list(scopes), "names": list(scopes.values())}
        # Written down before others have to wait: most records do not change between two of their steps.
        likely = [(with_user_fields(one, one), one.model_copy(update={"status": "prepared"})) for one in asked]
        statements = [statement_of(*pair) for pair in likely]
        # Not `transaction()`, which waits for each of its own statements.
        with connection.pipeline() as pipeline:
            connection.execute("BEGIN")
            connection.execute(tables.MONEY_LOCK)
            answer = connection.execute(tables.DECIDE, given)
            pipeline.sync()
            alive, limits, sums, sent_cells, stored = answer.fetchone()
            try:
                if not alive:
                    raise RunByAnother(_NO_SIGN)
                spent = {scope: from_micros(amount) for scope, amount in (sums or {}).items()}
                enforce(_limits(limits), asked, lambda scope: spent.get(scope.name, Decimal(0)))
            except KlingError:
                connection.execute("ROLLBACK")
                raise
            known = {record.id: record for record in map(Record.model_validate_json, stored or ())}
            records = [_sent(one, known.get(one.id), sent_cells or ()) for one in asked]
            cursors: list[Any] = []
            for one, (same, before), statement in zip(records, likely, statements, strict=True):
                if one is not None and (one != same or known[one.id].revision != before.revision):
                    statement = statement_of(one, known[one.id])
                cursors.append(connection.execute(*statement) if one else None)
            connection.execute("COMMIT")
        return records, cursors

    def counted(self, scope: Scope, *, without: Sequence[str] = ()) -> Decimal:
        """Return what counts against a limit: spent, reserved for running jobs, or uncertain."""
        if not self.store.ready():
            return Decimal(0)
        if without:
            query = self.store.database.run(lambda one: one.execute(tables.READ_RECORDS, [list(without)]).fetchall())
            key = (scope.name, self._name(scope))
            left_out = sums_of([Record.model_validate_json(json) for _, json in query]).get(key, 0)
            return self.counted(scope) - from_micros(left_out)
        given = {"scopes": [scope.name], "names": [self._name(scope)]}
        row = self.store.database.run(lambda one: one.execute(tables.READ_SUMS, given).fetchone())
        return from_micros(row[2]) if row else Decimal(0)

    def _name(self, scope: Scope) -> str:
        return utc_day(datetime.datetime.now(datetime.UTC)) if scope.name == "day" else scope.of or ""

    def entries(self, by: str = "") -> list[Entry]:
        """Return every record that cost something, also those in the trash; see `BudgetStore.entries`."""
        trashed = [entry_of(record) for record in self.trashed() if charge_of(record) in COUNTED]
        return [*self.store.ask(lambda index: list(entries_in(index, by)), []), *trashed]


def _sent(record: Record, stored: Record | None, sent_cells: Collection[str]) -> Record | None:
    if stored is None or stored.status != "prepared" or stored.holder != record.holder:
        return None
    return None if record.cell in sent_cells else with_user_fields(record, stored)


def _limits(text: str | None) -> Limits:
    try:
        return Limits.model_validate_json(text) if text else Limits()
    except ValidationError as exc:
        raise LogError(
            "The budget in the team's database cannot be read: it was changed by hand, or by a later version of "
            "kling_nb. Update this one."
        ) from exc

"""`Standing`: how one clip of a run stands, and which error tells of a run that made not all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.models.record import Record
from kling_nb.models.spending import COUNTED, charge_of
from kling_nb.render import Tally
from kling_nb.research.plan import Cell


@dataclass(frozen=True, slots=True)
class Standing:
    """How one clip of a run stands; `record` is None until it has one."""

    cell: Cell
    state: Tally = "waiting"
    record: Record | None = None
    job: Job | None = None
    bought: bool = False
    error: errors.KlingError | None = None

    @property
    def failed(self) -> bool:
        """Whether it was begun, or was to be, and gave no clip."""
        return self.state in ("failed", "uncertain")

    @property
    def counts(self) -> bool:
        """Whether this run has spent on it, or may have."""
        record = self.job.kept if self.job else self.record
        return self.bought and record is not None and charge_of(record) in COUNTED


def failure_of(standings: Sequence[Standing], stopped: errors.KlingError | None) -> errors.KlingError | None:
    """Return the one error to raise: what stopped the run, or what kept the first failed clip from coming."""
    failed = [standing for standing in standings if standing.failed]
    first = next((standing for standing in standings if standing.error), None)
    if stopped is None and first is None:
        return None
    if failed and (stopped is None or any(stopped is standing.error for standing in failed)):
        return _named(failed[0], len(failed) - 1)
    return stopped or (first.error if first else None)


def _named(standing: Standing, others: int) -> errors.KlingError | None:
    """Return its error with the job's name and its values, which a reader of a long run looks for."""
    error, record = standing.error, standing.record
    if record is None or not isinstance(error, errors.JobFailed | errors.JobUncertain | errors.TransferError):
        return error
    more = f" ({others} more failed)" if others else ""
    said = f"Job {record.id} ({standing.cell.label}): {error}{more}"
    return (
        type(error)(said)
        if isinstance(error, errors.TransferError)
        else type(error)(said, job_id=record.id, **error.data)
    )

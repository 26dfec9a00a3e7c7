"""`Progress`: the state of a job at one moment, as a progress row shows it and `for state in job` yields it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from kling_nb.models.record import ENDED, Failure, Status
from kling_nb.models.reprs import parts


@dataclass(frozen=True, slots=True, repr=False)
class Progress:
    """The state of a job. Times are aware UTC; `expected` is None without earlier jobs to estimate it from."""

    id: str
    status: Status
    title: str
    model: str
    created: datetime.datetime
    since: datetime.datetime
    expected: datetime.datetime | None = None
    price: str = ""
    preview: bool = False
    uploading: str = ""
    """The file that is being uploaded: `face.png`."""
    failure: Failure | None = None
    trouble: str = ""
    """Why the job does not advance at the moment: `the hub does not answer; retrying`."""

    def __repr__(self) -> str:
        return f"<Progress {self.id}: {parts(self.label, self.trouble)}>"

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self.status in ENDED

    @property
    def label(self) -> str:
        """The state as the user reads it."""
        if self.uploading and self.status == "prepared":
            return f"Uploading {self.uploading}"
        return LABELS[self.status]


#: Each status as the user reads it.
LABELS: dict[Status, str] = {
    "prepared": "Preparing",
    "submitting": "Sending",
    "uncertain": "Unconfirmed",
    "queued": "Queued",
    "processing": "Generating",
    "downloading": "Downloading",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}

"""How a job stands, as one value: what a row of progress shows and what `for state in job` gives."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from kling_nb.models.record import ENDED, Failure, Status


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at one moment. Times are aware UTC; `expected` is None until the log's history knows better."""

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
    """What is being sent or fetched just now: `face.png`."""
    failure: Failure | None = None
    trouble: str = ""
    """Why nothing moves just now, though nothing is lost: `the hub does not answer; asking again`."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status in ENDED

    @property
    def words(self) -> str:
        """The state in the user's words."""
        if self.uploading and self.status == "prepared":
            return f"Sending {self.uploading}"
        return WORDS[self.status]


#: Each state in the user's words.
WORDS: dict[Status, str] = {
    "prepared": "Preparing",
    "submitting": "Sending",
    "uncertain": "Unsure whether the hub has it",
    "queued": "Queued",
    "processing": "Generating",
    "downloading": "Fetching the clip",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}

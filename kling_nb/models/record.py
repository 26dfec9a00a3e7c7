"""The record of one generation: everything needed to know what was asked, what came, and to ask it again.

A record is a value; a change is a new one. Its JSON is the sidecar that the log keeps. It never holds a key nor the
query of a signed URL.
"""

from __future__ import annotations

import datetime
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_serializer, model_validator

from kling_nb.errors import KlingError
from kling_nb.models.judgements import Score
from kling_nb.models.price import Estimate
from kling_nb.models.urls import normalize_url

RECORD_VERSION = 1

Kind = Literal["result", "preview"]

#: Seconds by which a time across two clocks may miss the hub's own, which is whole seconds; beyond, one clock is wrong.
_CLOCKS_AGREE = 2.0

#: Every state that a job can be in; the moves between them stand in `engine/states.py`.
Status = Literal[
    "prepared",
    "submitting",
    "uncertain",
    "queued",
    "processing",
    "downloading",
    "succeeded",
    "failed",
    "cancelled",
]
ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})


#: The folders before a file's name, as a message of this machine may have them; not those of a URL.
_FOLDERS = re.compile(r"(?<![^\s('\"`])(?:~|[A-Za-z]:)?[\\/](?:[^\s'\"\\/]+[\\/])+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Reference(_Part):
    """A picture or video that the request refers to: what was given, its bytes' hash, and what was sent.

    `digest` is the `sha256:` of the file in the log's media (None for a URL); `sent` is the address that the hub got,
    without its query.
    """

    path: str
    identity: str
    given: str
    name: str = ""
    kind: Literal["image", "video"] = "image"
    digest: str | None = None
    media_type: str = ""
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sent: str | None = None
    thumbnail: str | None = None
    """`sha256:` of a small JPEG of it in the log's media."""
    original: str | None = None
    """`sha256:` of what was given, where that was mended before it was sent."""
    fixes: tuple[str, ...] = ()
    """What was done to it: converted, padded, made smaller."""

    def public(self) -> Reference:
        """Return it as it may leave this machine: a file's name without its folders."""
        return self.model_copy(update={"given": re.split(r"[\\/]", self.given)[-1]}) if self.digest else self


class File(_Part):
    """The file that came out: where it lies in the log (`file`, relative), its hash, and what a decoder says of it.

    `duration` is in seconds, `size` in bytes. `poster` is the `sha256:` of a JPEG of its first frame.
    """

    file: str
    digest: str
    size: int
    media_type: str = "video/mp4"
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    frames: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    poster: str | None = None


class Times(_Part):
    """When each thing happened, in UTC. The hub's own times are whole seconds of its clock."""

    created: datetime.datetime
    submitted: datetime.datetime | None = None
    accepted: datetime.datetime | None = None
    enqueued: datetime.datetime | None = None
    started: datetime.datetime | None = None
    completed: datetime.datetime | None = None
    ended: datetime.datetime | None = None


class Failure(_Part):
    """Why there is no clip: the hub's or our own words, and what to do."""

    kind: str
    message: str
    remedy: str = ""


class Message(_Part):
    """One thing that was said between the click and the card, and when, in UTC.

    In JSON it is one line, `2026-11-22T12:00:01Z Queued`: a notebook that keeps many cards has many of them.
    """

    at: datetime.datetime
    text: str

    @model_validator(mode="before")
    @classmethod
    def _of_a_line(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        at, _, text = given.partition(" ")
        return {"at": at, "text": text}

    @model_serializer
    def _line(self) -> str:
        return f"{self.at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} {self.text}"


class RecordActions(Protocol):
    """Where a record can be acted on: what `Record.request`, `.rerun` and its display need from a studio."""

    def request_of(self, record: Record) -> Any:
        """Return the request that the record was made from."""
        ...

    def rerun(self, record: Record, changes: dict[str, Any]) -> Any:
        """Run it again with changes and return the job."""
        ...

    def bundle_of(self, record: Record) -> dict[str, Any]:
        """Return the record's card as a mimebundle."""
        ...

    def diff(self, record: Record, other: Any) -> Any:
        """Return the differences between the record and another."""
        ...

    def save(self, record: Record, target: Path) -> Path:
        """Write the record's clip to a file, the record inside it."""
        ...

    def reproducibility_of(self, record: Record) -> Any:
        """Return what can and cannot be had again from it."""
        ...

    def scores_of(self, record: Record) -> dict[str, Score]:
        """Return what scorers have said of its clip, by their names."""
        ...


class _Attachment:
    """A record's way to its studio. It is no part of the record's value: two records that differ in nothing else are
    equal, a copy has it too, and a pickle leaves it behind, with the studio's threads and sockets."""

    __slots__ = ("actions",)

    def __init__(self, actions: RecordActions | None = None) -> None:
        self.actions = actions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Attachment)

    def __hash__(self) -> int:
        return hash(_Attachment)

    def __deepcopy__(self, memo: Any) -> _Attachment:
        return self

    def __reduce__(self) -> tuple[type[_Attachment], tuple[()]]:
        return _Attachment, ()


class Record(_Part):
    """One generation, from the intent to the file.

    `canonical` is the canonical request (assets by identity) and `request_hash` its tagged sha256; `sent` is the body
    that went over the wire, addresses without their query. `batch` joins the generations of one call; `index` counts
    within it from 0, and `generations` is how many there were.
    """

    version: int = RECORD_VERSION
    id: str
    batch: str
    index: int = 0
    generations: int = 1
    kind: Kind = "result"
    hub: Annotated[str, AfterValidator(normalize_url)]
    local: bool
    """True when the hub was the local one, whose clips are animatics and cost nothing."""
    model: str
    status: Status = "prepared"
    canonical: dict[str, Any]
    request_hash: str
    delivery: dict[str, str] = Field(default_factory=dict)
    """What of the request is no part of its hash and yet goes along each time: who is billed, `target_namespace`."""
    sent: dict[str, Any] | None = None
    references: tuple[Reference, ...] = ()
    schema_digest: str | None = None
    estimate: Estimate
    generation_id: str | None = None
    server: dict[str, Any] = Field(default_factory=dict)
    """The hub's last word on it (its queue record), signed queries removed, inputs left out."""
    times: Times
    clip: File | None = None
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    """What happened on the way that a reader should know, in order."""
    messages: tuple[Message, ...] = ()
    """What was said on the way, oldest first: queued, asked again, found, settled. Never a key nor a signed query."""
    rerun_of: str | None = None
    plan: str | None = None
    """The id of the sweep that it was made for."""
    cell: str | None = None
    """Which clip of a sweep it is: the request's hash and the number of the repeat, hashed."""
    imported: bool = False
    """It came out of another's crate: nothing of it was paid from here."""
    holder: str | None = None
    """The process that carries the job out, so that no second one sends it too."""
    tags: tuple[str, ...] = ()
    stars: int | None = None
    note: str = ""
    notebook: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    revision: int = 0
    """Counts the changes, so that an older copy never replaces a newer one."""

    _attachment: _Attachment = PrivateAttr(default_factory=_Attachment)

    def attach(self, actions: RecordActions) -> Self:
        """Return the same record, able to act through a studio."""
        bound = self.model_copy()
        bound._attachment = _Attachment(actions)
        return bound

    def request(self) -> Any:
        """Return the request that this record was made from, pictures out of the log's own media."""
        return self._attached().request_of(self)

    def rerun(self, **changes: Any) -> Any:
        """Run the request again, with changes, and return the new job. This spends what `estimate` says."""
        return self._attached().rerun(self, changes)

    def diff(self, other: Any) -> Any:
        """Return the differences to another record: request, images by hash, model, price, timings, file, scores.

        Args:
            other: A record, clip, job or record ID.
        """
        return self._attached().diff(self, other)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the clip to a file (or into a folder) of your own, with this record inside; return where it is.

        `kn.from_video(file)` gives the record back, on any machine. Pictures and sound are untouched. Neither a key nor
        a signed address goes along, nor the pictures that were referred to: those by hash only.
        Raises `ArgumentError` if there is no clip, `ExchangeError` if the file cannot be written.
        """
        return self._attached().save(self, Path(target))

    @property
    def reproducibility(self) -> Any:
        """What can and cannot be had again from this record, honestly; asks the hub what has changed since."""
        return self._attached().reproducibility_of(self)

    @property
    def scores(self) -> dict[str, Score]:
        """The scores of its clip by scorer: `record.scores["motion"].value`; see `kn.log(...).score()`."""
        return self._attached().scores_of(self)

    def public(self) -> Record:
        """Return it as it may leave this machine: without the process that held it and the folders of this machine."""
        references = tuple(reference.public() for reference in self.references)
        messages = tuple(Message(at=said.at, text=_FOLDERS.sub("", said.text)) for said in self.messages)
        return self.model_copy(update={"holder": None, "references": references, "messages": messages})

    def __hash__(self) -> int:
        return hash((self.id, self.revision))

    def _attached(self) -> RecordActions:
        if self._attachment.actions is None:
            raise KlingError(f"record {self.id} stands alone: take it from kn.log() to act on it")
        return self._attachment.actions

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._attachment.actions.bundle_of(self) if self._attachment.actions else {"text/plain": repr(self)}

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in ENDED

    @property
    def price(self) -> Decimal | None:
        """The estimated price of this one generation in dollars; None when unknown."""
        return self.estimate.each

    @property
    def seconds(self) -> float | None:
        """How long the hub took, from the acceptance to the end, in seconds; None before that."""
        times = self.times
        start, end = times.accepted or times.submitted, times.completed or times.ended
        took = (end - start).total_seconds() if start and end else None
        if times.enqueued and times.completed:
            by_the_hub = (times.completed - times.enqueued).total_seconds()
            if took is None or abs(took - by_the_hub) > _CLOCKS_AGREE:
                return by_the_hub
        return took

    @property
    def prompt(self) -> str:
        """The prompt in one text; the shots' prompts one a line."""
        # Of a model without a class here they may have any shape.
        if prompt := self.canonical.get("prompt"):
            return str(prompt)
        shots = self.canonical.get("multi_prompt") or ()
        many: list[Any] = list(cast("list[Any]", shots)) if isinstance(shots, list | tuple) else [shots]
        return "\n".join(str(shot.get("prompt", "") if isinstance(shot, dict) else shot) for shot in many)

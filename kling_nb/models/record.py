"""`Record`: everything about one generation, from its request to its file, and how to run it again.

A record is a value; a change makes a new one. Its JSON is the sidecar in the log. It never holds a key or the query of
a signed URL.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self, Unpack, cast, overload

from pydantic import AfterValidator, Field, PrivateAttr

from kling_nb.errors import KlingError
from kling_nb.models.judgements import Score
from kling_nb.models.price import Estimate
from kling_nb.models.record_parts import Failure, File, Message, Part, Reference, Times
from kling_nb.models.reprs import parts, shorten
from kling_nb.models.request import DEFAULTS, RequestFields, SingleFields
from kling_nb.models.signatures import lists_keywords
from kling_nb.models.urls import normalize_url

if TYPE_CHECKING:
    from kling_nb.comparison import Diff
    from kling_nb.engine.job import Clip, Job, Jobs
    from kling_nb.models.asset import Asset
    from kling_nb.models.request import Request
    from kling_nb.models.restore import Reproducibility

RECORD_VERSION = 1

Kind = Literal["result", "preview"]

#: The difference in seconds between a time of two clocks and one of the hub's (whole seconds) that is not an error.
_CLOCK_TOLERANCE = 2.0

#: The states of a job; `engine/states.py` has the legal moves between them.
Status = Literal[
    "prepared", "submitting", "uncertain", "queued", "processing", "downloading", "succeeded", "failed", "cancelled"
]
ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})

#: How the note begins on a clip that has the bytes of an earlier one of the same request.
SAME_CLIP = "The same clip as "

#: The folders before a file's name in a message, but not those of a URL.
_FOLDERS = re.compile(r"(?<![^\s('\"`])(?:~|[A-Za-z]:)?[\\/](?:[^\s'\"\\/]+[\\/])+")


class RecordActions(Protocol):
    """The actions of a studio that its records offer as methods."""

    def request_of(self, record: Record) -> Request: ...
    def rerun(self, record: Record, changes: dict[str, Any]) -> Job | Jobs: ...
    def bundle_of(self, record: Record) -> dict[str, Any]: ...
    def diff(self, record: Record, other: Record | Clip | Job | str) -> Diff: ...
    def save(self, record: Record, target: Path) -> Path: ...
    def frame(self, record: Record, number: int) -> Asset: ...
    def reproducibility_of(self, record: Record) -> Reproducibility: ...
    def scores_of(self, record: Record) -> dict[str, Score]: ...
    def card_view(self, bundle: dict[str, Any]) -> Any: ...


class _Attachment:
    """The studio that a record is attached to: not a part of its value, shared by copies and left out of pickles."""

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


class Record(Part):
    """One generation, from its request to its file.

    Attributes:
        batch: The ID that the generations of one call share.
        index: The number within the batch, from 0.
        generations: The size of the batch.
        local: Whether the hub was the local one, whose clips are free animatics.
        canonical: The canonical request, with assets by identity.
        request_hash: The `sha256:` of the canonical request.
        delivery: Fields that are sent but are not part of the hash, such as `target_namespace`, which is billed.
        sent: The body that was sent, with addresses without their query.
        server: The hub's last entry for it, without signed queries and inputs.
        notes: Events that a reader should know about, in order.
        messages: The messages of its progress, oldest first.
        plan: The ID of the sweep that it belongs to.
        cell: Its cell in the sweep: a hash of the request's hash and the number of the repeat.
        imported: Whether it comes from another log, so that it was not paid for from here.
        by: Who made it: `KLING_NB_USER`, or the name of the login.
        holder: The process that runs the job, so that no second one sends it.
        revision: The number of changes; an older copy never replaces a newer one.
    """

    #: Names that Tab does not offer: they are for the log and the engine.
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"version", "holder", "revision", "attach", "public"})

    version: int = RECORD_VERSION
    id: str
    batch: str
    index: int = 0
    generations: int = 1
    kind: Kind = "result"
    hub: Annotated[str, AfterValidator(normalize_url)]
    local: bool
    model: str
    status: Status = "prepared"
    canonical: dict[str, Any]
    request_hash: str
    delivery: dict[str, str] = Field(default_factory=dict)
    sent: dict[str, Any] | None = None
    references: tuple[Reference, ...] = ()
    schema_digest: str | None = None
    estimate: Estimate
    generation_id: str | None = None
    server: dict[str, Any] = Field(default_factory=dict)
    times: Times
    clip: File | None = None
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    rerun_of: str | None = None
    plan: str | None = None
    cell: str | None = None
    imported: bool = False
    holder: str | None = None
    tags: tuple[str, ...] = ()
    stars: int | None = None
    note: str = ""
    notebook: str | None = None
    by: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    revision: int = 0

    _attachment: _Attachment = PrivateAttr(default_factory=_Attachment)

    def attach(self, actions: RecordActions) -> Self:
        """Return the same record, attached to a studio."""
        attached = self.model_copy()
        attached._attachment = _Attachment(actions)
        return attached

    def request(self) -> Request:
        """Return the request of this record, with its images from the log's media."""
        return self._attached().request_of(self)

    @overload
    def rerun(self, **changes: Unpack[SingleFields]) -> Job: ...
    @overload
    def rerun(self, *, num_generations: Literal[1], **changes: Unpack[SingleFields]) -> Job: ...
    @overload
    def rerun(self, *, num_generations: int, **changes: Unpack[SingleFields]) -> Job | Jobs: ...
    @lists_keywords(RequestFields, DEFAULTS)
    def rerun(self, **changes: Any) -> Job | Jobs:
        """Run the request again, with changes, and return the new job, which costs what a new request costs."""
        return self._attached().rerun(self, changes)

    def diff(self, other: Record | Clip | Job | str) -> Diff:
        """Return the differences to another record: request, images by hash, model, price, ratings, scores.

        `other` is a record, a clip, a job or a record ID.
        """
        return self._attached().diff(self, other)

    def frame(self, number: int, /) -> Asset:
        """Return a frame of the clip as an image for a request, from 0; -1 is the last, to continue from."""
        return self._attached().frame(self, number)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Save the clip to a file or a folder, with this record inside, and return its path.

        `kn.from_video(file)` returns the record, on any machine. Frames and sound are unchanged. The file holds
        neither keys nor signed addresses, and the reference images only by hash. A file that is signed (C2PA) is copied
        byte by byte, so that its proof stays valid, and the record is saved beside it as JSON; move both together.

        Raises `ArgumentError` if there is no clip, `ExchangeError` if the file cannot be written.
        """
        return self._attached().save(self, Path(target))

    @property
    def reproducibility(self) -> Reproducibility:
        """The parts of this record that can be repeated, and those that cannot; asks the hub for changes since."""
        return self._attached().reproducibility_of(self)

    @property
    def scores(self) -> dict[str, Score]:
        """The scores of its clip by scorer: `record.scores["motion"].value`; see `kn.log(...).score()`."""
        return self._attached().scores_of(self)

    def public(self) -> Record:
        """Return the record for others: without its holder and the folders of this machine."""
        references = tuple(reference.public() for reference in self.references)
        messages = tuple(Message(at=each.at, text=_FOLDERS.sub("", each.text)) for each in self.messages)
        return self.model_copy(update={"holder": None, "references": references, "messages": messages})

    def __hash__(self) -> int:
        return hash((self.id, self.revision))

    def __repr__(self) -> str:
        return f"<Record {self.id}: {self}>"

    def __str__(self) -> str:
        prompt = shorten(self.prompt.replace("\n", " / "), 60)
        return parts(self.status, prompt, self.clip and self.clip.text, self.estimate.each_text, self.model)

    def _attached(self) -> RecordActions:
        if self._attachment.actions is None:
            raise KlingError(f'Record {self.id} is not attached to a studio. Load it with kn.log()["{self.id}"].')
        return self._attachment.actions

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._attachment.actions.bundle_of(self) if self._attachment.actions else {"text/plain": repr(self)}

    def _display_(self) -> Any:  # for marimo
        actions = self._attachment.actions
        return actions.card_view(actions.bundle_of(self)) if actions else str(self)

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self.status in ENDED

    @property
    def parents(self) -> tuple[str, ...]:
        """The IDs of the records that this one continues: it starts or ends with a frame of their clips."""
        return tuple(dict.fromkeys(reference.source for reference in self.references if reference.source))

    @property
    def price(self) -> Decimal | None:
        """The estimated price of this generation in dollars; None if unknown."""
        return self.estimate.each

    @property
    def seconds(self) -> float | None:
        """The seconds that the hub took, from acceptance to the end; None before the end."""
        times = self.times
        start, end = times.accepted or times.submitted, times.completed or times.ended
        elapsed = (end - start).total_seconds() if start and end else None
        if times.enqueued and times.completed:
            by_hub = (times.completed - times.enqueued).total_seconds()
            if elapsed is None or abs(elapsed - by_hub) > _CLOCK_TOLERANCE:
                return by_hub
        return elapsed

    @property
    def prompt(self) -> str:
        """The prompt; those of shots, one per line."""
        # The fields of a model without a class here may have any shape.
        if prompt := self.canonical.get("prompt"):
            return str(prompt)
        shots = self.canonical.get("multi_prompt") or ()
        many: list[Any] = list(cast("list[Any]", shots)) if isinstance(shots, list | tuple) else [shots]
        return "\n".join(str(shot.get("prompt", "") if isinstance(shot, dict) else shot) for shot in many)

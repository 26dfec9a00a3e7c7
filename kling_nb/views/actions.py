"""What the views need from the rest, as protocols and plain values; the studio provides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

from kling_nb.code import Flavour, Flow, Snippet
from kling_nb.models.problem import Problem
from kling_nb.models.progress import Progress
from kling_nb.models.request import Request
from kling_nb.views.choosing import Choosing
from kling_nb.views.keeping import Keeping

Tone = Literal["local", "live", "trouble"]


class JobLike(Protocol):
    """A job as the views see it."""

    @property
    def id(self) -> str:
        """What the job is called in the log."""
        ...

    @property
    def progress(self) -> Progress:
        """How it stands now."""
        ...

    def subscribe(self, listener: Callable[[Progress], None], /) -> Callable[[], None]:
        """Call `listener` at once and at every change, on the engine's thread; returns what ends that."""
        ...

    def cancel(self) -> Any:
        """Ask the hub to stop it; returns soon, from any thread."""
        ...

    def card(self) -> dict[str, Any]:
        """The static card as a mimebundle, once the job has ended."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What there is to say about a draft: its problems, what it costs, and the request that it makes (or None)."""

    problems: tuple[Problem, ...] = ()
    price: str = ""
    seconds: int = 0
    request: Request | None = None
    price_note: str = ""
    total: Decimal | None = None
    """The price in dollars, zero where it is free, None where nobody says."""


@dataclass(frozen=True)
class Before:
    """The newest clip of the same request in the log, or the job that makes it just now; `poster` is a data URI."""

    id: str
    text: str
    poster: str = ""
    ended: bool = True


@dataclass(frozen=True)
class Banner:
    """Which hub answers: a few words, and a longer line for whoever asks."""

    text: str
    tone: Tone = "local"
    detail: str = ""


class PanelActions(Protocol):
    """What a panel can do. Every method may be called from any thread."""

    @property
    def keeping(self) -> Keeping:
        """The log: what is kept by name, and earlier clips."""
        ...

    @property
    def choosing(self) -> Choosing:
        """The catalogue: which models there are, and what the hub says of one."""
        ...

    def check(self, fields: dict[str, Any], /) -> Verdict:
        """Judge wire-named fields within a few milliseconds."""
        ...

    def before(self, request: Request, /) -> Before | None:
        """Say whether the same request was made already, within a few milliseconds."""
        ...

    def card(self, record_id: str, /) -> Mapping[str, Any]:
        """Return a record's card as a mimebundle; raises `KlingError`."""
        ...

    def confirm_above(self) -> Decimal | None:
        """Return the price above which to ask once more, None for never."""
        ...

    def generate(self, request: Request, /) -> Sequence[JobLike]:
        """Start paid jobs; returns at once, raises `KlingError`."""
        ...

    def preview(self, request: Request, /) -> Sequence[JobLike]:
        """Start free jobs on the local hub; returns at once, raises `KlingError`."""
        ...

    def banner_later(self, callback: Callable[[Banner], None], /) -> None:
        """Find out which hub answers and say so, from any thread, now and whenever it changes; returns at once."""
        ...

    def code(self, request: Request, flavour: Flavour, flow: Flow, /) -> Snippet:
        """Write the request as code for the hub that is meant, in a few milliseconds."""
        ...

    def keep_draft(self, fields: dict[str, Any], /) -> None:
        """Keep what is being written, and under `aside` what waits for other models, for after a kernel restart."""
        ...

    def kept_draft(self) -> Mapping[str, Any] | None:
        """What was being written, None when nothing was kept."""
        ...

"""Protocols of the engine's neighbours: a hub, a log, and a display."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from kling_nb.errors import HubError
from kling_nb.models.asset import Asset
from kling_nb.models.generation import Completion, Generation
from kling_nb.models.matching import Absent, Found, LostRequest, Undecided
from kling_nb.models.record import File, Record, Reference
from kling_nb.models.request import Request


class Hub(Protocol):
    """The verbs of a provider, which decides how it carries them out.

    A ticket names one generation at the hub. The record keeps it, and only the hub reads it. Every verb may raise a
    `HubError`. `note` takes messages for the record. `key_name` is the environment variable of its key.
    """

    @property
    def key_name(self) -> str: ...

    @property
    def clock(self) -> datetime.datetime | None:
        """The time at the hub; None before it has answered."""
        ...

    def silence(self) -> float:
        """Return for how many seconds the hub has left a request unanswered."""
        ...

    def body(self, request: Request, resolve: Callable[[Asset], str]) -> dict[str, Any]:
        """Return what is sent for one generation of a request, with the hub's own name of the model as `model`."""
        ...

    async def submit(self, body: Mapping[str, Any], note: Callable[[str], None], unwanted: asyncio.Event) -> list[str]:
        """Ask for one generation in one POST, and return its ticket; more than one if the hub names more.

        Setting `unwanted` before it is sent raises `RequestCancelled`. After `NoResponse` and `ServerError` the hub may
        have accepted it.
        """
        ...

    async def look(self, tickets: Collection[str]) -> dict[str, Generation | HubError]:
        """Return the report on each ticket, or why there is none: `NotFound` if the hub does not know it."""
        ...

    async def find(
        self, lost: LostRequest, taken: Callable[[Iterable[str]], Awaitable[set[str]]]
    ) -> Found | Absent | Undecided:
        """Look for generations whose answer was lost. `taken` returns those tickets that belong to other records."""
        ...

    async def cancel(self, ticket: str) -> None:
        """Ask the hub to stop a generation. A later `look` shows how it ended."""
        ...

    def hints(self) -> AsyncGenerator[Completion | None] | None:
        """Return a stream of events (None once it is connected), after which a look is worthwhile; None without one."""
        ...

    async def upload(self, asset: Asset) -> str:
        """Return the URL to send for an asset."""
        ...

    async def download(
        self, url: str, target: Path, renew: Callable[[], Awaitable[str | None]], note: Callable[[str], None]
    ) -> str:
        """Download a result into a file, and return its digest. `renew` returns a fresh URL."""
        ...


class Log(Protocol):
    """The store of records and files; every call may block and is made on a thread."""

    def save(self, record: Record) -> Record: ...
    def spend(self, records: Sequence[Record]) -> list[Record | None]: ...
    def holder(self) -> str: ...
    def take(self, record_id: str) -> Record | None: ...
    def get(self, record_id: str) -> Record: ...
    def add_reference(self, asset: Asset, *, path: str) -> Reference: ...
    def add_clip(self, record_id: str, file: Path, digest: str, kind: str) -> File: ...
    def same_clip(self, record: Record, digest: str) -> str | None: ...
    def partial(self, job_id: str) -> Path: ...
    def file(self, digest: str) -> Path | None: ...
    def durations(self, model: str, hub: str) -> list[tuple[float, float]]: ...
    def claim(self, record: Record) -> Record | None: ...
    def claimed(self, generation_ids: Iterable[str], *, by_others_than: Iterable[str] = ()) -> set[str]: ...
    def being_sent(self, record: Record) -> list[Record]: ...


class Display(Protocol):
    """Shows jobs in the notebook; called on the user's thread only, never on the engine's."""

    def show(self, jobs: list[Any], note: str = "") -> None:
        """Show the live rows of jobs in the running cell, and `note` below them."""
        ...

    def publish(self, jobs: list[Any]) -> None:
        """Replace live rows with the finished cards."""
        ...

    def bundle(self, record: Record, *others: Record) -> dict[str, Any]:
        """Return the card of a record, or of several of one batch, as a mimebundle."""
        ...

    def jobs_view(self, jobs: list[Any]) -> Any:
        """Return the live rows of jobs as an object, for front ends that ask for one (marimo)."""
        ...

    def card_view(self, bundle: Mapping[str, Any]) -> Any:
        """Return a card as an object, for front ends that ask for one (marimo)."""
        ...

    def strip(self, records: Sequence[Record]) -> dict[str, Any]:
        """Return several clips side by side as a mimebundle."""
        ...

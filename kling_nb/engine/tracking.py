"""One tracker for all jobs of a hub: events wake it, one list call a beat serves everybody, the queue is the truth."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from kling_nb.engine.loop import at_the_end
from kling_nb.engine.ports import Hub
from kling_nb.errors import HubError, NotFound, ServerError
from kling_nb.models.generation import Completion, Generation
from kling_nb.retry import bounded_retry_after as retry_after

logger = logging.getLogger(__name__)

_AT_ONCE = 8


class Tracker:
    """Watches the generations that `watch` names until `told` says that they have ended.

    `ages` gives (elapsed, expected) seconds of each watched job; `tell(id, generation)` takes the hub's word, with
    None for a job that the hub no longer knows; `trouble(text)` says why nothing moves (empty: it does again).
    """

    def __init__(
        self,
        hub: Hub,
        pace: Pace,
        *,
        ages: Callable[[], list[tuple[float, float | None]]],
        tell: Callable[[str, Generation | None], Awaitable[None]],
        trouble: Callable[[str], None],
    ) -> None:
        self._hub, self._pace = hub, pace
        self._ages, self._tell, self._trouble = ages, tell, trouble
        self._watched: set[str] = set()
        self._hinted: set[str] = set()
        self._look = False
        self._wake = asyncio.Event()
        self._heard = asyncio.Event()
        self._beat: asyncio.Task[None] | None = None
        self._ear: asyncio.Task[None] | None = None
        self._failures = 0

    async def listen(self, patience: float = 2.0) -> None:
        """Be subscribed to the hub's events before something is enqueued: they are not replayed.

        Goes on without them after `patience` seconds; the beat finds everything then.
        """
        if self._ear is None or self._ear.done():
            self._ear = asyncio.create_task(self._listen(), name="kling_nb events")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), patience)

    def watch(self, ids: Iterable[str], *, look: bool = False) -> None:
        """Watch some generations from now on; with `look`, ask about them at once."""
        self._watched.update(ids)
        self._look |= look
        self._wake.set()
        if self._beat is None or self._beat.done():
            self._beat = asyncio.create_task(self._beats(), name="kling_nb tracker")
        if self._ear is None or self._ear.done():
            self._ear = asyncio.create_task(self._listen(), name="kling_nb events")

    def told(self, generation_id: str) -> None:
        """Stop watching one that has ended."""
        self._watched.discard(generation_id)
        self._hinted.discard(generation_id)
        if not self._watched:
            self._wake.set()
            asyncio.get_running_loop().call_later(_LINGER, self._rest)

    def stop(self) -> None:
        """Ask and listen no more."""
        for task in (self._beat, self._ear):
            if task:
                task.cancel()

    def _rest(self) -> None:
        """Let the event stream go when nothing is watched; kept a while, since the next job often follows at once."""
        if not self._watched and self._ear:
            self._ear.cancel()

    async def _beats(self) -> None:
        while self._watched:
            try:
                await self._until_next()
                hinted, look = self._hinted & self._watched, self._look
                self._look = False
                self._hinted = self._hinted - hinted if len(self._hinted) < _MOST_HINTS else set()
                if hinted:
                    await self._ask_each(hinted)
                if look or not hinted:
                    await self._ask_all()
                if self._failures:
                    self._failures = 0
                    self._trouble("")
            except HubError as exc:
                await self._back_off(f"{exc} Asking again.", retry_after(exc))
            except Exception as exc:
                if at_the_end(exc):
                    return
                logger.exception("a beat failed")
                await self._back_off("Something went wrong here; asking again.")

    async def _back_off(self, trouble: str, asked: float = 0.0) -> None:
        self._failures += 1
        pause = self._pace.back_off(self._failures, jitter=random.random())  # noqa: S311 - spreads load
        self._trouble(f"{trouble[:-1]} in {asked:.0f} s, as it wishes." if asked > pause else trouble)
        self._look = False
        await asyncio.sleep(pause)
        if asked > pause:  # left alone, unless it speaks itself, or somebody asks
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken(), asked - pause)
        self._look = True

    async def _until_next(self) -> None:
        beat = self._pace.next_beat(self._ages(), listening=self._heard.is_set(), jitter=random.random())  # noqa: S311 - spreads load
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken(), beat)

    async def _woken(self) -> None:
        """Wait for a reason to ask at once. That a job was only just enqueued is none."""
        while self._watched and not self._look and not self._hinted & self._watched:
            self._wake.clear()
            await self._wake.wait()

    async def _ask_all(self) -> None:
        before = set(self._watched)
        try:
            active = {entry.generation_id: entry for entry in await self._hub.generations()}
        except ServerError as exc:
            if exc.status not in (None, 200):
                raise
            active = {}  # no list, or one of whose entries one cannot be read: ask about ours alone
        for generation_id in before & active.keys():
            await self._tell(generation_id, active[generation_id])
        await self._ask_each((before - active.keys()) & self._watched)

    async def _ask_each(self, ids: Iterable[str]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(generation_id: str) -> None:
            async with gate:
                try:
                    generation = await self._hub.generation(generation_id)
                except NotFound:
                    generation = None
                await self._tell(generation_id, generation)

        answers = await asyncio.gather(*map(ask, ids), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _listen(self) -> None:
        """Hear events for as long as this task lives, connecting again with growing pauses."""
        failures = 0
        while True:
            started, asked = time.monotonic(), 0.0
            try:
                async for event in self._hub.events():
                    self._hear(event, again=failures > 0)
                    failures = max(failures, 1)
            except HubError as exc:
                asked = retry_after(exc)
                logger.debug("event stream: %s", exc)
            finally:
                self._heard.clear()
            failures = 1 if time.monotonic() - started > _STEADY else failures + 1
            await asyncio.sleep(max(asked, self._pace.back_off(failures, jitter=random.random())))  # noqa: S311 - spreads load

    def _hear(self, event: Completion | None, *, again: bool) -> None:
        if event is None:
            self._heard.set()
            self._look |= again  # nothing is replayed: the queue knows what was missed
        else:
            self._hinted.add(event.generation_id)
        self._wake.set()


_LINGER, _STEADY = 10.0, 30.0
_MOST_HINTS = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a hub is asked, in seconds: at most every `shortest`, at least every `longest`.

    `usual` is how long a clip takes when nothing is known yet. With events alive only `watchful` applies: the beat is
    a safety net then. After a lost answer the hub's list is read, and again after each pause of `settling`: a job
    whose answer timed out may be written down late. A hub that says for `unknown` seconds that it does not know a
    job has lost it; a clip that cannot be had now is tried for again for `fetching` seconds. The real hub advises
    10 to 30 s for video (HUB_API section 3).
    """

    shortest: float = 10.0
    longest: float = 30.0
    watchful: float = 30.0
    usual: float = 120.0
    settling: tuple[float, ...] = (2.0, 5.0, 10.0, 20.0)
    unknown: float = 300.0
    fetching: float = 6 * 3600.0

    def next_beat(
        self, ages: Sequence[tuple[float, float | None]], *, listening: bool, failures: int = 0, jitter: float = 0.5
    ) -> float:
        """Return the seconds until the next look at the queue.

        `ages` holds (elapsed, expected) seconds for each running job. The beat is half the time to the nearest
        expected end, and grows again for a job that is overdue; after failures it backs off, doubling. `jitter` of
        0.0 to 1.0 moves it by up to 15 % either way.
        """
        beat = min((self._beat(elapsed, expected or self.usual) for elapsed, expected in ages), default=self.longest)
        if listening:
            beat = max(beat, self.watchful)
        if failures:
            beat = max(beat, min(self.shortest * 2**failures, 2 * self.longest))
        return beat * (0.85 + 0.3 * jitter)

    def back_off(self, failures: int, *, jitter: float) -> float:
        """Return the seconds to wait after so many failures in a row: doubling, up to `longest`, or half of that."""
        return min(2.0 ** min(failures, _DOUBLINGS), self.longest) * (0.5 + 0.5 * jitter)

    def _beat(self, elapsed: float, expected: float) -> float:
        ahead = (expected - elapsed) / 2 if elapsed < expected else (elapsed - expected) / 4
        return min(max(ahead, self.shortest), self.longest)


#: More would be no float any more; a night without a network has thousands.
_DOUBLINGS = 30

#: For the real hub, and for the local one, whose clips take seconds.
HUB_PACE = Pace()
LOCAL_PACE = Pace(
    shortest=0.5, longest=5.0, watchful=1.0, usual=6.0, settling=(0.25, 0.25, 0.25), unknown=1.0, fetching=3.0
)


def expected_seconds(history: Iterable[tuple[float, float]], clip_seconds: float) -> float | None:
    """Return how long a clip of `clip_seconds` should take, from (clip seconds, seconds taken) of earlier ones.

    The median rate of those, None with fewer than three: a guess from less would not be honest. None, too, for no
    seconds: an image, or a clip as long as a source that was not measured.
    """
    rates = [took / length for length, took in history if length > 0 and took > 0]
    return median(rates) * clip_seconds if len(rates) >= 3 and clip_seconds else None

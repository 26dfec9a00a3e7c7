"""`Pace`: how often a hub is asked. Pure decisions; nothing is sent or slept here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

#: More doublings would overflow a float; a night without a network has thousands of failures.
_MAX_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. The real hub advises polling every 10 to 30 s for video (hub-api.md section 3).

    Attributes:
        shortest: Least time between two polls.
        longest: Most time between two polls, and most back-off after failures.
        watchful: Least time between two polls while events arrive; polling is only a safety net then.
        usual: How long a clip takes when nothing is known yet.
        settling: Pauses between the readings of the hub's list after a lost answer: a job whose answer timed out may
            appear in it late. Together at least ten minutes.
        lost: A job that the hub does not show is given up this long after it was sent; until then `resume` asks again.
        unknown: The hub has answered for this long that it does not know a job before the wait for it ends.
        waiting: A job that the hub has not begun after this long is stopped.
        stopping: The wait for a job continues for this long after the hub was asked to stop it and did not.
        slowest: Most time between two polls for jobs that should have ended long ago, or that the hub does not know.
        fetching: A clip that cannot be downloaded is tried again for this long.
    """

    shortest: float = 10.0
    longest: float = 30.0
    watchful: float = 30.0
    usual: float = 120.0
    settling: tuple[float, ...] = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 150.0, 180.0)
    lost: float = 24 * 3600.0
    unknown: float = 300.0
    waiting: float = 24 * 3600.0
    stopping: float = 600.0
    slowest: float = 300.0
    fetching: float = 6 * 3600.0

    @property
    def settled(self) -> float:
        """Seconds after which any kernel has read the hub's list for the last time, with the time that this takes."""
        return 1.2 * sum(self.settling) + 10.0

    def next_poll(self, ages: Sequence[tuple[float, float | None]], *, listening: bool, jitter: float = 0.5) -> float:
        """Return the seconds until the next poll.

        Half the time to the nearest expected end, longer again for overdue jobs.

        Args:
            ages: Elapsed and expected seconds of each running job.
            listening: Whether events arrive.
            jitter: From 0.0 to 1.0; moves the result by up to 15 % either way.
        """
        interval = min(
            (self._interval(elapsed, expected or self.usual) for elapsed, expected in ages), default=self.longest
        )
        if listening:
            interval = max(interval, self.watchful)
        return interval * (0.85 + 0.3 * jitter)

    def back_off(self, failures: int, *, jitter: float) -> float:
        """Return the seconds to wait after a number of failures in a row: doubled each time, up to `longest`.

        `jitter` of 0.0 halves it, 1.0 leaves it whole.
        """
        return min(2.0 ** min(failures, _MAX_DOUBLINGS), self.longest) * (0.5 + 0.5 * jitter)

    def next_look(self, late: float) -> float:
        """Return the seconds until the next poll for a job that is `late` seconds over its time."""
        return min(max(late / 4, self.shortest), self.slowest)

    def _interval(self, elapsed: float, expected: float) -> float:
        ahead = (expected - elapsed) / 2 if elapsed < expected else (elapsed - expected) / 4
        return min(max(ahead, self.shortest), self.longest)


#: For the real hub.
HUB_PACE = Pace()
#: For the local hub, whose clips take seconds.
LOCAL_PACE = Pace(
    shortest=0.5,
    longest=1.0,
    watchful=1.0,
    usual=6.0,
    settling=(0.25, 0.25, 0.25),
    lost=0.0,
    unknown=1.0,
    stopping=3.0,
    slowest=5.0,
    fetching=3.0,
)


def expected_seconds(history: Iterable[tuple[float, float]], clip_seconds: float) -> float | None:
    """Return how long a clip of `clip_seconds` should take, from (clip seconds, seconds taken) of earlier ones.

    By the median rate. None with fewer than three earlier clips, which are too few for an estimate, and for a clip of
    0 seconds: an image, or a clip as long as a source that was not measured.
    """
    rates = [took / length for length, took in history if length > 0 and took > 0]
    return median(rates) * clip_seconds if len(rates) >= 3 and clip_seconds else None

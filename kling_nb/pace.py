"""When do we ask the hub next? Pure arithmetic over the jobs' ages; one answer serves them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


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

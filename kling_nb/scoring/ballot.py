"""`Ballot`: which two clips are shown next, hidden and shuffled, and what was said of them."""

from __future__ import annotations

import datetime
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from kling_nb.errors import KlingError
from kling_nb.models.judgements import Outcome, Vote
from kling_nb.models.record import Record
from kling_nb.store.judgements import Votes

#: How many pairs one sitting shows at most.
SITTING = 60


@dataclass(frozen=True)
class Pair:
    """Two records, in the order in which they are shown."""

    left: str
    right: str


class Ballot:
    """One sitting over some records. The pairs and their sides come from `seed`, which is kept with each vote.

    Pairs with the fewest votes so far come first. Raises `KlingError` for fewer than two clips.
    """

    def __init__(self, records: Sequence[Record], votes: Votes, *, who: str, seed: int | None = None) -> None:
        clips = list({record.id: record for record in records if record.clip is not None})
        if len(clips) < 2:
            raise KlingError(f"a vote takes two clips or more: there {'is 1' if clips else 'are none'}")
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        self._votes, self._who = votes, who
        self._given: list[Vote] = []
        dice = random.Random(self.seed)  # noqa: S311 - recorded, so that the order can be had again
        known = Counter(frozenset((vote.left, vote.right)) for vote in votes.all() if vote.outcome != "skip")
        couples = [dice.sample(couple, 2) for couple in combinations(clips, 2)]
        dice.shuffle(couples)
        couples.sort(key=lambda couple: known[frozenset(couple)])
        self.pairs = [Pair(*couple) for couple in couples[:SITTING]]

    @property
    def number(self) -> int:
        """Which pair is on, from 0; as many as there are when all were shown."""
        return len(self._given)

    @property
    def pair(self) -> Pair | None:
        """The pair that is on, None at the end."""
        return self.pairs[self.number] if self.number < len(self.pairs) else None

    def vote(self, outcome: Outcome) -> None:
        """Write down what was said of the pair that is on, and go to the next."""
        pair = self.pair
        if pair is None:
            return
        now = datetime.datetime.now(datetime.UTC)
        name = secrets.token_hex(8)
        vote = Vote(id=name, at=now, who=self._who, outcome=outcome, seed=self.seed, **vars(pair))
        self._votes.add([vote])
        self._given.append(vote)

    def undo(self) -> None:
        """Take the last vote of this sitting back."""
        if self._given:
            self._votes.add([self._given.pop().model_copy(update={"undone": True})])

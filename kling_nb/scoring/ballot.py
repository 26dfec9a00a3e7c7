"""`Ballot`: the pairs of clips of a blind vote, in random order, and the votes on them."""

from __future__ import annotations

import datetime
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from kling_nb.errors import ArgumentError
from kling_nb.models.judgements import Outcome, Vote
from kling_nb.models.record import Record
from kling_nb.store.judgements import Votes

#: The most pairs of one ballot.
MAX_PAIRS = 60


@dataclass(frozen=True)
class Pair:
    """The IDs of two records, in the order in which they are shown."""

    left: str
    right: str


class Ballot:
    """The votes of one person on pairs of clips. Pairs with the fewest votes so far come first.

    Args:
        records: The records; those without a clip are left out.
        votes: The log's votes.
        who: The voter's name.
        seed: Decides the order and the sides; saved with each vote.

    Raises:
        ArgumentError: There are fewer than two clips.
    """

    def __init__(self, records: Sequence[Record], votes: Votes, *, who: str, seed: int | None = None) -> None:
        clips = list({record.id: record for record in records if record.clip is not None})
        if len(clips) < 2:
            raise ArgumentError(f"A vote needs at least 2 clips, got {len(clips)}.")
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        self._votes, self._who = votes, who
        self._cast: list[Vote] = []
        rng = random.Random(self.seed)  # noqa: S311 - saved, so that the order can be reproduced
        counts = Counter(frozenset((vote.left, vote.right)) for vote in votes.all() if vote.outcome != "skip")
        couples = [rng.sample(couple, 2) for couple in combinations(clips, 2)]
        rng.shuffle(couples)
        couples.sort(key=lambda couple: counts[frozenset(couple)])
        self.pairs = [Pair(*couple) for couple in couples[:MAX_PAIRS]]

    @property
    def number(self) -> int:
        """The number of the current pair, from 0; the number of pairs at the end."""
        return len(self._cast)

    @property
    def pair(self) -> Pair | None:
        """The current pair; None at the end."""
        return self.pairs[self.number] if self.number < len(self.pairs) else None

    def vote(self, outcome: Outcome) -> None:
        """Save a vote on the current pair and go to the next."""
        if self.pair is None:
            return
        now = datetime.datetime.now(datetime.UTC)
        vote = Vote(id=secrets.token_hex(8), at=now, who=self._who, outcome=outcome, seed=self.seed, **vars(self.pair))
        self._votes.add([vote])
        self._cast.append(vote)

    def undo(self) -> None:
        """Take back the last vote of this ballot."""
        if self._cast:
            self._votes.add([self._cast.pop().model_copy(update={"undone": True})])

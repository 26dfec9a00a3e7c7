"""Blind votes on pairs of clips, and rankings from votes."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hubside import HubSide
from hypothesis import given, settings
from hypothesis import strategies as st
from support.images import jpeg
from support.records import make_record

from kling_nb import errors
from kling_nb.models.judgements import Outcome, Vote
from kling_nb.models.record import File, Record
from kling_nb.scoring.ballot import Ballot
from kling_nb.scoring.ranking import rank_votes
from kling_nb.store import Log
from kling_nb.studio import Studio
from kling_nb.ui.compare import VoteView
from tests.support.frontend import FakeFrontend

NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
WORDS = ["calm", "wild", "dark", "loud"]
ITEMS = {word: word for word in WORDS}


def vote(number: int, left: str, right: str, outcome: Outcome) -> Vote:
    at = NOW + datetime.timedelta(seconds=number)
    return Vote(id=f"v{number}", at=at, who="ada", left=left, right=right, outcome=outcome, seed=1)


def played(count: int, chance: Callable[[int, int], float], seed: int) -> list[Vote]:
    """Votes on all pairs in turn; `chance` is how often the first of two wins."""
    rng, votes = random.Random(seed), list[Vote]()  # noqa: S311 - a test
    couples = list(combinations(range(len(WORDS)), 2))
    for number in range(count):
        one, other = couples[number % len(couples)]
        wins = rng.random() < chance(one, other)
        if rng.random() < 0.5:
            votes.append(vote(number, WORDS[one], WORDS[other], "left" if wins else "right"))
        else:
            votes.append(vote(number, WORDS[other], WORDS[one], "right" if wins else "left"))
    return votes


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_order_is_recovered(seed: int) -> None:
    found = rank_votes(played(240, lambda one, other: 0.93, seed), ITEMS, draws=300)
    assert [row.item for row in found] == WORDS
    assert found.summary == "240 votes: calm is ahead of all others."
    assert {("calm", word) for word in WORDS[1:]} <= found.apart
    assert all(row.low <= row.share <= row.high for row in found)


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_not_ranked(seed: int) -> None:
    found = rank_votes(played(120, lambda one, other: 0.5, seed), ITEMS, draws=300)
    assert found.apart == frozenset()
    assert found.summary.endswith("no significant difference.")


def test_few_votes_show_no_difference() -> None:
    found = rank_votes([vote(number, "calm", "wild", "left") for number in range(5)], {"calm": "calm", "wild": "wild"})
    assert found.apart == frozenset()
    assert found.summary == "5 votes: no significant difference."
    nothing = rank_votes([], ITEMS)
    assert nothing.summary.startswith("No votes yet") and "50 %" not in nothing._repr_html_()


def test_items_that_were_never_compared_are_named() -> None:
    votes = [vote(number, "calm", "wild", "left") for number in range(9)]
    assert "dark and loud were never compared" in rank_votes(votes, ITEMS).summary


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=12))
def test_ties_and_skips_put_no_item_ahead(couples: list[tuple[str, str]]) -> None:
    votes = [vote(i, *couple, "tie" if i % 2 else "skip") for i, couple in enumerate(couples)]
    found = rank_votes(votes, ITEMS, draws=20)
    assert found.apart == frozenset()
    shares = [row.share for row in found if row.share is not None] or [0]
    assert max(shares) - min(shares) < 0.01


def test_the_same_votes_give_the_same_intervals() -> None:
    votes = played(60, lambda one, other: 0.8, 1)
    assert rank_votes(votes, ITEMS, draws=50).rows == rank_votes(votes, ITEMS, draws=50).rows


def test_an_item_without_votes_is_last_without_a_strength_and_does_not_change_others() -> None:
    votes = [vote(number, "calm", "wild", "left" if number < 30 else "right") for number in range(40)]
    found = rank_votes(votes, {"new": "new", "wild": "wild", "calm": "calm"}, draws=50)
    assert [(row.item, row.share is None, row.votes) for row in found] == [
        ("calm", False, 40),
        ("wild", False, 40),
        ("new", True, 0),
    ]
    assert found.rows[:2] == rank_votes(votes, {"wild": "wild", "calm": "calm"}, draws=50).rows
    assert not [pair for pair in found.apart if "new" in pair]
    assert repr(found).splitlines()[-1] == "no votes  new"
    assert found._repr_html_().count("no votes") == 1
    assert repr(rank_votes([], ITEMS)).count("no votes") == len(set(ITEMS.values()))


def test_item_names_are_escaped_in_a_ranking() -> None:
    html = rank_votes([], {"a": "<script>x</script>", "b": "b"})._repr_html_()
    assert "<script" not in html


def clips(log: Log, count: int = 3) -> list[Record]:
    records: list[Record] = []
    for number in range(count):
        data = jpeg((60, 40 + number))
        digest = log.add_media(data, ".jpg")
        clip = File(file=log.file(digest).relative_to(log.folder).as_posix(), digest=digest, size=len(data))
        records.append(log.save(make_record(number, status="succeeded", clip=clip)))
    return records


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def test_the_order_comes_from_the_seed_that_is_saved_with_each_vote(log: Log) -> None:
    records = clips(log)
    one, other = (Ballot(records, log.votes, who="ada", seed=7) for _ in range(2))
    assert one.pairs == other.pairs
    assert len(one.pairs) == 3
    one.vote("left")
    assert (log.votes.all()[0].seed, log.votes.all()[0].who) == (7, "ada")
    orders = {tuple(Ballot(records, log.votes, who="ada", seed=seed).pairs) for seed in range(20)}
    assert len(orders) > 5


def test_pairs_with_the_fewest_votes_come_first_in_the_next_ballot(log: Log) -> None:
    records = clips(log)
    first = Ballot(records, log.votes, who="ada", seed=1)
    seen = {frozenset(vars(first.pair).values())} if first.pair else set()
    first.vote("tie")
    then = Ballot(records, log.votes, who="bob", seed=2)
    assert frozenset(vars(then.pairs[-1]).values()) in seen


def test_an_undone_vote_does_not_count_but_stays_in_the_file(log: Log) -> None:
    ballot = Ballot(clips(log), log.votes, who="ada", seed=1)
    ballot.vote("left")
    ballot.undo()
    ballot.undo()
    assert (log.votes.all(), ballot.number) == ([], 0)
    assert next(log.votes.folder.iterdir()).read_text().count("\n") == 2


def test_a_rebuild_and_a_merge_keep_each_vote_once(log: Log, tmp_path: Path) -> None:
    records = clips(log)
    Ballot(records, log.votes, who="ada", seed=1).vote("left")
    log.rebuild()
    other = Log(tmp_path / "other")
    clips(other)
    Ballot(records, other.votes, who="bob", seed=2).vote("right")
    assert log.merge(other.folder).votes == 1
    assert log.merge(other.folder).votes == 0
    assert {vote.who for vote in log.votes.all()} == {"ada", "bob"}
    assert log.verify() == []


def test_a_vote_needs_two_clips(log: Log) -> None:
    for count in (0, 1):
        with pytest.raises(errors.ArgumentError, match=f"got {count}"):
            Ballot(clips(log, 1)[:count], log.votes, who="ada")


def test_the_browser_gets_neither_ids_nor_prompts(log: Log) -> None:
    records = clips(log)
    ballot = Ballot(records, log.votes, who="ada", seed=1)
    view = VoteView(ballot, lambda record_id: record_id.encode())
    page = FakeFrontend(view)
    for name in ("0-left", "0-right", "1-left", "0-up", records[0].id):
        page.say("clip", id=name, call=name)
    pair = ballot.pair
    assert pair is not None
    assert [buffers[0].decode() for buffers in page.buffers] == [pair.left, pair.right]
    assert not any(record.id in str([page.replies, view.widget.state]) for record in records)
    page.say("vote", number=1, answer="left")
    page.say("vote", number=0, answer="both")
    assert log.votes.all() == [], "a late or unknown key does not vote"
    page.say("vote", number=0, answer="left")
    assert (log.votes.all()[0].winner, view.widget.state["number"]) == (pair.left, 1)


def test_a_plan_is_ranked_by_an_axis(studio: Studio, hub: HubSide) -> None:
    plan = studio.sweep("a {mood} boat", mood=["calm", "wild"], duration=3, repeat=2)
    plan.run().result(60)
    labels = plan.labels("mood")
    ballot = Ballot(plan.records(), studio.store.votes, who="ada", seed=3)
    while ballot.pair:
        moods = labels[ballot.pair.left], labels[ballot.pair.right]
        ballot.vote("tie" if moods[0] == moods[1] else "left" if moods[0] == "calm" else "right")
    found = plan.ranking(by="mood")
    assert [row.item for row in found] == ["calm", "wild"]
    assert found.votes == 4
    assert len(plan.ranking()) == 4
    assert {row.item for row in studio.log().ranking(by="prompt")} == {"a calm boat", "a wild boat"}
    for wrong in (lambda: plan.ranking(by="hue"), lambda: studio.log().ranking(by="hue")):
        with pytest.raises(errors.ArgumentError, match="hue"):
            wrong()
    assert hub.posts == 4

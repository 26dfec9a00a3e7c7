"""A job's states: every move is in the table, an end stays, and nothing the hub says makes an illegal move."""

from __future__ import annotations

import datetime
import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.engine.states import (
    AT_THE_HUB,
    LONGEST_MESSAGE,
    MOST_MESSAGES,
    MOVES,
    IllegalMove,
    fail,
    heard,
    move,
    progress_of,
    remedy_for,
    said,
)
from kling_nb.models.generation import Generation
from kling_nb.models.record import ENDED, Status

from .samples import START, a_record, a_word

LATER = START + datetime.timedelta(minutes=2)
STATES = get_args(Status)

words = st.builds(
    a_word,
    st.sampled_from(["queued", "processing", "succeeded", "failed", "cancelled", "a word of tomorrow"]),
    error_message=st.none() | st.text(max_size=20),
    error_retryable=st.none() | st.booleans(),
    enqueued_at=st.none() | st.integers(0, 2_000_000_000),
    completed_at=st.none() | st.integers(0, 2_000_000_000),
)


def test_the_table_knows_every_state_and_only_those() -> None:
    assert set(MOVES) == set(STATES)
    assert set().union(*MOVES.values()) <= set(STATES)
    assert {state for state in STATES if not MOVES[state]} == ENDED


@given(st.lists(st.text(max_size=400), max_size=60))
def test_messages_stay_few_and_short_the_first_and_the_last_among_them(texts: list[str]) -> None:
    record = a_record()
    for text in texts:
        record = said(record, text, LATER)
    kept = [message.text for message in record.messages]
    assert len(kept) <= MOST_MESSAGES
    assert all(len(text) <= LONGEST_MESSAGE and "\n" not in text for text in kept)
    assert all(one != other for one, other in itertools.pairwise(kept)) or len(kept) == MOST_MESSAGES
    if texts:
        assert kept[0] == said(a_record(), texts[0], LATER).messages[0].text
        assert kept[-1] == said(a_record(), texts[-1], LATER).messages[0].text
    assert type(record).model_validate_json(record.model_dump_json()).messages == record.messages


def test_a_message_keeps_no_signature() -> None:
    record = said(a_record(), "https://me:pw@hub.example/clip.mp4?oxen_signature=c0ffee did not answer", LATER)
    assert record.messages[0].text == "https://hub.example/clip.mp4 did not answer"


def test_every_state_can_be_reached_and_every_unended_one_can_fail() -> None:
    reached, before = {"prepared"}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= set().union(*(MOVES[state] for state in before))
    assert reached == set(STATES)
    assert all("failed" in MOVES[state] for state in STATES if state not in ENDED)


@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("to", STATES)
def test_a_move_happens_if_and_only_if_the_table_has_it(start: Status, to: Status) -> None:
    record = a_record(status=start)
    if to in MOVES[start]:
        moved = move(record, to, LATER)
        assert (moved.status, record.status, moved.ended) == (to, start, to in ENDED)
        assert (moved.times.ended == LATER) == (to in ENDED)
    else:
        with pytest.raises(IllegalMove):
            move(record, to, LATER)


@given(st.sampled_from(STATES), st.lists(words, max_size=8))
def test_nothing_that_the_hub_says_makes_an_illegal_move(start: Status, said: list[Generation]) -> None:
    record = a_record(status=start)
    for word in said:
        after = heard(record, word, LATER)
        assert after.status == record.status or after.status in MOVES[record.status]
        assert (after.id, after.generation_id, after.request_hash) == (
            record.id,
            record.generation_id,
            record.request_hash,
        )
        record = after


@given(st.sampled_from(sorted(ENDED)), words)
def test_an_end_stays(end: Status, word: Generation) -> None:
    record = a_record(status=end)
    after = heard(record, word, LATER)
    assert (after.status, after.clip, after.failure) == (end, record.clip, record.failure)


@pytest.mark.parametrize("state", sorted(AT_THE_HUB))
def test_a_success_counts_only_when_its_file_is_here(state: Status) -> None:
    assert heard(a_record(status=state), a_word("succeeded"), LATER).status == "downloading"


def test_a_word_from_the_past_changes_nothing() -> None:
    record = a_record(status="processing")
    assert heard(record, a_word("queued"), LATER) is record
    assert heard(record, a_word("processing"), LATER) is record


def test_a_failure_without_a_word_still_says_something() -> None:
    record = heard(a_record(status="queued"), a_word("failed"), LATER)
    assert record.failure.message == "the hub did not say why"
    assert record.failure.remedy


def test_the_record_keeps_the_hubs_facts_without_inputs_or_signed_addresses() -> None:
    word = a_word("succeeded", result_url="https://h/x.mp4?oxen_signature=s", input_image=["data:,x"], started_at=5)
    server = heard(a_record(status="processing"), word, LATER).server
    assert (server["started_at"], server["status"]) == (5, "succeeded")
    assert not {"result_url", "input_image"} & set(server)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("The model provider returned an error.", "run it again"),
        ("blocked by our safety system", "Change the prompt"),
        ("You have run out of credits.", "Top up"),
        ("duration value '2' is invalid", "Mend the request"),
    ],
)
def test_a_failures_remedy_fits_its_words(said: str, remedy: str) -> None:
    assert remedy in remedy_for(said)


def test_an_expected_end_is_shown_only_while_the_hub_works() -> None:
    accepted = START + datetime.timedelta(seconds=10)
    running = a_record(status="prepared")
    running = move(move(running, "submitting", START), "queued", accepted)
    assert progress_of(running, expected_seconds=60).expected == accepted + datetime.timedelta(seconds=60)
    assert progress_of(running).expected is None
    ended = fail(running, "hub", "no", "", LATER)
    assert (progress_of(ended, expected_seconds=60).expected, progress_of(ended).since) == (None, LATER)


def test_titles_of_jobs_tell_them_apart_however_long_and_alike_their_prompts() -> None:
    record = a_record()
    long = {**record.canonical, "prompt": "a heron lands " * 8 + "by night " * 90}
    pair = [
        progress_of(record.model_copy(update={"canonical": long, "index": number, "generations": 2})).title
        for number in (0, 1)
    ]
    assert [title[:9] for title in pair] == ["1 of 2 · ", "2 of 2 · "]
    assert "by night" in pair[0] and len(pair[0]) < 400

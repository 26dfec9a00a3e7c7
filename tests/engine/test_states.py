"""The states of a job: every transition is in the table, an end is final, and no report of the hub breaks that."""

from __future__ import annotations

import datetime
import itertools
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import START, a_record, a_report

from kling_nb.engine.states import (
    AT_THE_HUB,
    MAX_MESSAGE_LENGTH,
    MAX_MESSAGES,
    TRANSITIONS,
    IllegalTransition,
    is_of_another,
    progress_of,
    remedy_for,
    with_failure,
    with_message,
    with_report,
    with_status,
)
from kling_nb.models.generation import Generation
from kling_nb.models.record import ENDED, Status

LATER = START + datetime.timedelta(minutes=2)
STATES = get_args(Status)

reports = st.builds(
    a_report,
    st.sampled_from(["queued", "processing", "succeeded", "failed", "cancelled", "a status of tomorrow"]),
    error_message=st.none() | st.text(max_size=20),
    error_retryable=st.none() | st.booleans(),
    enqueued_at=st.none() | st.integers(0, 2_000_000_000),
    completed_at=st.none() | st.integers(0, 2_000_000_000),
)


def test_the_table_has_every_state_and_only_those() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert set().union(*TRANSITIONS.values()) <= set(STATES)
    assert {state for state in STATES if not TRANSITIONS[state]} == ENDED


@settings(max_examples=15)
@given(st.lists(st.text(max_size=300), max_size=30))
def test_messages_stay_few_and_short_with_the_first_and_the_last_among_them(texts: list[str]) -> None:
    record = a_record()
    for text in texts:
        record = with_message(record, text, LATER)
    kept = [message.text for message in record.messages]
    assert len(kept) <= MAX_MESSAGES
    assert all(len(text) <= MAX_MESSAGE_LENGTH and "\n" not in text for text in kept)
    assert all(one != other for one, other in itertools.pairwise(kept)) or len(kept) == MAX_MESSAGES
    if texts:
        assert kept[0] == with_message(a_record(), texts[0], LATER).messages[0].text
        assert kept[-1] == with_message(a_record(), texts[-1], LATER).messages[0].text
    assert type(record).model_validate_json(record.model_dump_json()).messages == record.messages


@pytest.mark.parametrize("count", [23, 24, 25, 30])
def test_of_too_many_messages_the_first_twelve_and_the_last_twelve_are_kept(count: int) -> None:
    record = a_record()
    for number in range(count):
        record = with_message(record, str(number), LATER)
    numbers = list(range(count))
    assert [int(message.text) for message in record.messages] == (
        numbers if count <= 24 else numbers[:12] + numbers[-12:]
    )


@pytest.mark.parametrize(("length", "text"), [(240, "a" * 240), (241, "a" * 239 + "…")])
def test_only_a_message_of_more_than_240_characters_is_cut(length: int, text: str) -> None:
    (message,) = with_message(a_record(), "a" * length, LATER).messages
    assert message.text == text


def test_a_repeated_message_changes_nothing() -> None:
    record = with_message(a_record(), "Retrying.", LATER)
    assert with_message(record, "Retrying.", LATER) is record
    assert len(with_message(with_message(record, "Done", LATER), "Retrying.", LATER).messages) == 3


def test_a_message_keeps_no_signature() -> None:
    record = with_message(a_record(), "https://me:pw@hub.example/clip.mp4?oxen_signature=c0ffee did not answer", LATER)
    assert record.messages[0].text == "https://hub.example/clip.mp4 did not answer"


def test_every_state_can_be_reached_and_every_state_before_the_end_can_fail() -> None:
    reached, before = {"prepared"}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= set().union(*(TRANSITIONS[state] for state in before))
    assert reached == set(STATES)
    assert all("failed" in TRANSITIONS[state] for state in STATES if state not in ENDED)


@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("to", STATES)
def test_a_transition_happens_if_and_only_if_the_table_has_it(start: Status, to: Status) -> None:
    record = a_record(status=start)
    if to not in TRANSITIONS[start]:
        with pytest.raises(IllegalTransition):
            with_status(record, to, LATER)
        return
    after = with_status(record, to, LATER)
    assert (after.status, record.status, after.ended) == (to, start, to in ENDED)
    assert (after.times.ended == LATER) == (to in ENDED)
    assert (after.times.submitted == LATER) == (to == "submitting")
    assert (after.times.accepted == LATER) == (to == "queued" and start != "processing")


def test_a_transition_leaves_a_message_that_tells_how_it_came_about() -> None:
    failed = with_failure(a_record(), "hub", "The prompt was refused.", "", LATER)
    uncertain = with_status(
        a_record(status="submitting"), "uncertain", LATER, notes=("first", "second", "No response.")
    )
    found = with_status(uncertain, "queued", LATER)
    sent = with_status(a_record(), "submitting", LATER)
    accepted = with_status(sent, "queued", LATER)
    texts = [record.messages[-1].text for record in (failed, uncertain, found, sent, accepted)]
    assert texts == ["The prompt was refused.", "No response.", "Found in the hub's queue", "Sent", "Queued"]


@given(st.sampled_from(STATES), st.lists(reports, max_size=8))
def test_no_report_of_the_hub_makes_an_illegal_transition(start: Status, sequence: list[Generation]) -> None:
    record = a_record(status=start)
    for report in sequence:
        after = with_report(record, report, LATER)
        assert after.status == record.status or after.status in TRANSITIONS[record.status]
        assert (after.id, after.generation_id, after.request_hash) == (
            record.id,
            record.generation_id,
            record.request_hash,
        )
        record = after


@given(st.sampled_from(sorted(ENDED)), reports)
def test_an_end_is_final(end: Status, report: Generation) -> None:
    record = a_record(status=end)
    after = with_report(record, report, LATER)
    assert (after.status, after.clip, after.failure) == (end, record.clip, record.failure)


@pytest.mark.parametrize("state", sorted(AT_THE_HUB))
@pytest.mark.parametrize(
    ("reported", "status"), [("succeeded", "downloading"), ("failed", "failed"), ("cancelled", "cancelled")]
)
def test_a_success_counts_only_when_its_file_is_here(state: Status, reported: str, status: Status) -> None:
    assert with_report(a_record(status=state), a_report(reported), LATER).status == status


def test_a_report_without_news_changes_nothing() -> None:
    record = a_record(status="processing")
    assert with_report(record, a_report("processing"), LATER) is record


def test_a_job_that_a_worker_gave_back_is_queued_again_and_was_accepted_before() -> None:
    record = a_record(status="processing", times=a_record().times.model_copy(update={"accepted": START}))
    back = with_report(record, a_report("queued"), LATER)
    assert (back.status, back.times.accepted) == ("queued", START)
    assert with_report(back, a_report("processing"), LATER).status == "processing"


def test_the_record_takes_the_hubs_times_and_keeps_those_that_a_later_report_lacks() -> None:
    record, seen = a_record(status="queued"), list[list[float | None]]()
    for report in ({"enqueued_at": 5}, {"started_at": 7}, {"completed_at": 9}, {}):
        record = with_report(record, a_report("processing", **report), LATER)
        times = (record.times.enqueued, record.times.started, record.times.completed)
        seen.append([time and time.timestamp() for time in times])
    assert seen == [[5.0, None, None], [5.0, 7.0, None], [5.0, 7.0, 9.0], [5.0, 7.0, 9.0]]


def test_a_failure_without_a_reason_still_has_a_message_and_a_remedy() -> None:
    record = with_report(a_record(status="queued"), a_report("failed"), LATER)
    assert record.failure and record.failure.message and record.failure.remedy
    assert record.failure.kind == "hub"


def test_the_record_keeps_the_hubs_facts_without_inputs_or_signatures() -> None:
    report = a_report("succeeded", result_url="https://h/x.mp4?oxen_signature=s", input_image=["data:,x"], started_at=5)
    server = with_report(a_record(status="processing"), report, LATER).server
    assert server == {"generation_id": "g1", "status": "succeeded", "started_at": 5, "result_url": "https://h/x.mp4"}


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("The model provider returned an error.", "try again"),
        ("Timeout", "try again"),
        ("Internal error", "try again"),
        ("blocked by our safety system", "Change the prompt"),
        ("against our policy", "Change the prompt"),
        ("failed moderation", "Change the prompt"),
        ("You have run out of credits.", "Add credits"),
        ("duration value '2' is invalid", "Fix the request"),
    ],
)
def test_the_remedy_fits_the_hubs_message(message: str, remedy: str) -> None:
    assert remedy in remedy_for(message)
    again = message if remedy == "Change the prompt" else "timeout"  # the same content is refused again
    assert remedy_for(message, retryable=True) == remedy_for(again)


def test_an_expected_end_is_shown_only_while_the_hub_works() -> None:
    accepted = START + datetime.timedelta(seconds=10)
    running = with_status(with_status(a_record(), "submitting", START), "queued", accepted)
    assert progress_of(running, expected_seconds=60).expected == accepted + datetime.timedelta(seconds=60)
    assert progress_of(running).expected is None
    assert progress_of(a_record(status="queued"), expected_seconds=60).expected is None
    ended = with_failure(running, "hub", "no", "", LATER)
    assert (progress_of(ended, expected_seconds=60).expected, progress_of(ended).since) == (None, LATER)


def test_the_clock_of_a_job_starts_again_at_each_step() -> None:
    sent = with_status(a_record(), "submitting", START + datetime.timedelta(seconds=1))
    queued = with_status(sent, "queued", START + datetime.timedelta(seconds=2))
    since = [(progress_of(record).since - START).total_seconds() for record in (a_record(), sent, queued)]
    assert since == [0, 1, 2]


def test_a_preview_shows_no_price_and_a_job_of_the_local_hub_is_free() -> None:
    assert progress_of(a_record(kind="preview")).preview
    prices = [progress_of(record).price for record in (a_record(kind="preview"), a_record(local=True), a_record())]
    assert prices == ["", "free", "$0.00"]


def test_titles_tell_jobs_apart_however_long_and_alike_their_prompts() -> None:
    record = a_record()
    long = {**record.canonical, "prompt": "a heron lands " * 8 + "by night " * 90}
    pair = [
        progress_of(record.model_copy(update={"canonical": long, "index": number, "generations": 2})).title
        for number in (0, 1)
    ]
    assert [title[:9] for title in pair] == ["1 of 2 · ", "2 of 2 · "]
    assert [len(title) for title in pair] == [9 + 200] * 2


def test_a_single_job_is_titled_by_its_prompt_or_its_model() -> None:
    assert progress_of(a_record("one\ntwo")).title == "one / two"
    assert progress_of(a_record(canonical={})).title == a_record().model


@pytest.mark.parametrize(
    ("echo", "other"),
    [
        ("@Image1 waves to Tom & Jerry", False),
        ("  @image1  WAVES to Tom &amp; Jerry ", False),
        ("<<<image_1>>> waves to Tom & Jerry", False),
        ("@Image1 waves to To", False),
        ("@Image1 waves to Tom & Jerry, blurred, 4k", False),
        ("", False),
        (None, False),
        ("@Image1", False),
        ("@Image1 waves to Anna", True),
        ("a kite", True),
    ],
)
def test_a_record_is_of_another_request_only_if_its_prompt_has_other_letters(echo: str | None, other: bool) -> None:
    assert is_of_another({"prompt": echo}, {"prompt": "@Image1 waves to Tom & Jerry"}) is other
    assert not is_of_another({"prompt": echo}, {"multi_prompt": []})

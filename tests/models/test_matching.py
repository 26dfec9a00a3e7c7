"""After a lost answer: which entries of the hub's list match the request."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.models.generation import Generation
from kling_nb.models.matching import CLOCK_SKEW, LostRequest, alike, matching, public

SINCE = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
NOW = int(SINCE.timestamp())
SENT: dict[str, Any] = {
    "model": "m",
    "prompt": "a boat",
    "duration": 3,
    "input_image": ["https://h/a.png"],
    "num_generations": 1,
}


def entry(name: str = "g", **changes: Any) -> Generation:
    echo = {name: value for name, value in SENT.items() if name != "num_generations"}
    raw = {**echo, "generation_id": name, "model_name": "m", "status": "queued", "enqueued_at": NOW + 1, **changes}
    return Generation.read({key: value for key, value in raw.items() if value is not ...})


LATER = SINCE + datetime.timedelta(seconds=100)


def judged(*listed: Generation, **sent: Any) -> tuple[list[str], str]:
    entries, odd = matching(listed, LostRequest({**SENT, **sent}, SINCE, LATER))
    return [each.generation_id for each in entries], odd


def found(*listed: Generation, **sent: Any) -> list[str]:
    return judged(*listed, **sent)[0]


def test_the_same_request_enqueued_since_matches() -> None:
    assert found(entry()) == ["g"]


def test_another_request_does_not_match() -> None:
    others = [
        entry(prompt="another boat"),
        entry(duration=4),
        entry(model_name="n", model="n"),
        entry(input_image=["https://h/b.png"]),
        entry(input_image=[]),
    ]
    assert found(*others) == []


def test_an_equal_entry_of_before_the_request_is_not_taken_and_named() -> None:
    assert CLOCK_SKEW == 5.0
    for seconds in (6, 59, 3600):
        ids, odd = judged(entry(enqueued_at=NOW - seconds))
        assert (ids, "dated 01 Nov" in odd) == ([], True)
    assert judged(entry(enqueued_at=NOW - 5)) == (["g"], "")


def test_beside_an_equal_entry_of_the_future_none_is_taken_since_the_times_are_wrong() -> None:
    assert judged(entry(enqueued_at=NOW + 160)) == (["g"], "")
    ids, odd = judged(entry("new", enqueued_at=NOW + 3600), entry("old", enqueued_at=NOW + 1))
    assert (ids, "dated 01 Nov 13:00 UTC" in odd) == ([], True)


@pytest.mark.parametrize(("seconds", "taken"), [(60, True), (60.5, False)])
def test_an_entry_may_be_dated_a_minute_after_now_since_an_answer_may_be_as_slow(seconds: float, taken: bool) -> None:
    listed = [entry(enqueued_at=NOW + seconds)]
    ids, odd = matching(listed, LostRequest(SENT, SINCE, SINCE))
    assert ([one.generation_id for one in ids], bool(odd)) == (["g"] if taken else [], not taken)


def test_an_older_equal_entry_does_not_hide_the_new_one() -> None:
    ids, odd = judged(entry("new"), entry("old", enqueued_at=NOW - 59))
    assert (ids, bool(odd)) == (["new"], True)


def test_an_entry_without_a_time_matches_and_comes_last() -> None:
    assert found(entry("when", enqueued_at=None), entry("late", enqueued_at=NOW + 90)) == ["late", "when"]


def test_a_parameter_that_is_not_echoed_does_not_count() -> None:
    assert found(entry(duration=..., input_image=...)) == ["g"]


def test_signatures_are_not_compared() -> None:
    assert found(entry(input_image=["https://h/a.png?oxen_signature=new&oxen_expires=9"])) == ["g"]


def test_the_open_prompt_of_a_multi_shot_job_is_either_null_or_empty() -> None:
    shots = [{"prompt": "one", "duration": 3}]
    for prompt in (None, ""):
        assert found(entry(prompt=prompt, multi_prompt=shots), multi_prompt=shots, prompt=None) == ["g"]
        assert found(entry(prompt=prompt)) == []


def test_the_nearest_in_time_come_first() -> None:
    at = {"late": 90, "early": -3, "now": 0, "soon": 2}
    listed = [entry(name, enqueued_at=NOW + seconds) for name, seconds in at.items()]
    assert found(*listed) == ["now", "soon", "early", "late"]


def test_images_that_were_sent_as_data_are_matched_by_their_hash() -> None:
    cat, dog = "data:image/png;base64,Y2F0", "data:image/png;base64,ZG9n"
    sent = public({"input_image": [cat]})
    assert "Y2F0" not in str(sent)
    assert public(sent) == sent
    assert found(entry("cat", input_image=[cat]), entry("dog", input_image=[dog]), **sent) == ["cat"]


def test_a_body_is_alike_to_an_echo_under_either_name_of_the_model() -> None:
    assert alike({"model": "m"}, SENT)
    assert alike({"model_name": "m", "model": "other"}, SENT)
    assert alike({"model_name": "Model M", "model": "m"}, SENT)
    assert not alike({"prompt": "a boat"}, SENT)


def test_empty_parts_of_nested_parameters_do_not_count() -> None:
    elements = [{"frontal_image_url": "https://h/a.png?oxen_signature=1", "reference_image_urls": []}]
    echo = {"model": "m", "elements": [{"frontal_image_url": "https://h/a.png", "video_url": None}]}
    assert alike(echo, {"model": "m", "elements": elements})
    assert not alike(echo, {"model": "m", "elements": []})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"duration": 5}, {"duration": "5"}),
        ({"duration": 5}, {"duration": 5.0}),
        ({"duration": "5"}, {"duration": 5}),
        ({"cfg_scale": 0.5}, {"cfg_scale": "0.50"}),
        ({"multi_prompt": [{"prompt": "one", "duration": 3}]}, {"multi_prompt": [{"prompt": "one ", "duration": "3"}]}),
        ({"prompt": "a boat\n at sea"}, {"prompt": " a boat at  sea"}),
        ({"generate_audio": True}, {"generate_audio": None}),
    ],
)
def test_an_echo_in_another_spelling_is_that_of_the_request(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert alike({"model": "m", **theirs}, {"model": "m", **ours})
    assert not alike({"model": "m", **theirs, "seed": "7"}, {"model": "m", **ours, "seed": 8})


def test_delivery_parameters_do_not_count() -> None:
    assert alike({"model": "m", "num_generations": 4}, {"model": "m", "num_generations": 1})


@given(st.lists(st.tuples(st.integers(-300, 160), st.booleans()), max_size=12))
def test_exactly_the_recent_entries_of_the_same_request_match(rows: list[tuple[int, bool]]) -> None:
    listed = [
        entry(f"g{number}", enqueued_at=NOW + at, prompt="a boat" if same else "other")
        for number, (at, same) in enumerate(rows)
    ]
    ids, odd = judged(*listed)
    assert sorted(ids) == sorted(f"g{number}" for number, (at, same) in enumerate(rows) if same and at >= -CLOCK_SKEW)
    assert bool(odd) == any(same and at < -CLOCK_SKEW for at, same in rows)

"""After a lost answer: which entries of the hub's list are ours, and which only look like it."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kling_nb.engine.settling import CLOCK_SKEW, ours, public
from kling_nb.models.generation import Generation

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


def found(*listed: Generation, claimed: tuple[str, ...] = (), **sent: Any) -> list[str]:
    asked = ours(listed, {**SENT, **sent}, since=SINCE, claimed=claimed)
    return [each.generation_id for each in asked]


def test_the_same_request_enqueued_since_is_ours() -> None:
    assert found(entry()) == ["g"]


def test_another_request_is_not() -> None:
    others = [
        entry(prompt="another boat"),
        entry(duration=4),
        entry(model_name="n", model="n"),
        entry(input_image=["https://h/b.png"]),
        entry(input_image=[]),
    ]
    assert found(*others) == []


def test_what_was_there_before_is_not_ours_but_a_slow_clock_is_forgiven() -> None:
    assert found(entry(enqueued_at=NOW - CLOCK_SKEW - 1)) == []
    assert found(entry(enqueued_at=NOW - CLOCK_SKEW + 1)) == ["g"]


def test_what_another_record_has_is_not_ours() -> None:
    assert found(entry("a"), entry("b"), claimed=("a",)) == ["b"]


def test_a_parameter_that_is_not_echoed_does_not_speak_against_it() -> None:
    assert found(entry(duration=..., input_image=...)) == ["g"]


def test_signatures_are_not_compared() -> None:
    assert found(entry(input_image=["https://h/a.png?oxen_signature=new&oxen_expires=9"])) == ["g"]


def test_the_open_prompt_of_a_multi_shot_job_is_either_null_or_empty() -> None:
    shots = [{"prompt": "one", "duration": 3}]
    for prompt in (None, ""):
        assert found(entry(prompt=prompt, multi_prompt=shots), multi_prompt=shots, prompt=None) == ["g"]


def test_the_nearest_in_time_come_first() -> None:
    listed = [entry("late", enqueued_at=NOW + 90), entry("now", enqueued_at=NOW), entry("soon", enqueued_at=NOW + 2)]
    assert found(*listed) == ["now", "soon", "late"]


def test_pictures_that_were_sent_as_data_are_known_again_by_their_hash() -> None:
    cat, dog = "data:image/png;base64,Y2F0", "data:image/png;base64,ZG9n"
    sent = public({"input_image": [cat]})
    assert "Y2F0" not in str(sent)
    assert found(entry("cat", input_image=[cat]), entry("dog", input_image=[dog]), **sent) == ["cat"]


@given(st.lists(st.tuples(st.integers(-300, 300), st.booleans(), st.booleans()), max_size=12))
def test_whatever_is_listed_exactly_what_is_free_and_the_request_is_ours(rows: list[tuple[int, bool, bool]]) -> None:
    listed = [
        entry(f"g{number}", enqueued_at=NOW + at, prompt="a boat" if same else "other")
        for number, (at, same, _) in enumerate(rows)
    ]
    claimed = tuple(f"g{number}" for number, (_, _, taken) in enumerate(rows) if taken)
    chosen = found(*listed, claimed=claimed)
    fit = [n for n, (at, same, taken) in enumerate(rows) if same and not taken and at >= -CLOCK_SKEW]
    assert sorted(chosen) == sorted(f"g{number}" for number in fit)

"""The call on a card makes the same request again."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.models.canonical import request_hash
from kling_nb.models.request import OMNI, TARGET, request_type
from kling_nb.render.card import call_text
from tests.models.drafts import visible_texts
from tests.render.kit import picture, record_of


def called(text: str) -> dict[str, Any]:
    """Run the call and return what it was given, the prompt by its name."""
    calls: list[dict[str, Any]] = []

    def take(prompt: str | None = None, **fields: Any) -> None:
        calls.append(fields | ({} if prompt is None else {"prompt": prompt}))

    rerun = SimpleNamespace(rerun=lambda: None)
    ids: list[str] = []
    log = type("Log", (), {"__getitem__": lambda self, key: ids.append(key) or rerun})()
    kn = SimpleNamespace(generate=take, preview=take, log=lambda: log)
    exec(text, {"kn": kn})  # noqa: S102 - the test runs what a user would paste
    assert len(ids) == 1
    return calls[0] if calls else {}


def again(text: str) -> str:
    fields = called(text)
    return request_hash(request_type(fields.get("model", TARGET)).model_validate(fields))


@pytest.fixture
def face(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'it\'s a "face".png').write_bytes(picture(kind="PNG"))
    return 'it\'s a "face".png'


def test_the_call_makes_the_same_request(face):
    for fields in (
        {"prompt": "@Image1 'turns' \"round\"\n\\ slowly", "input_image": [face, "https://example.com/b.png"]},
        {"prompt": "x" * 300, "duration": 12, "negative_prompt": "no", "generate_audio": True, "aspect_ratio": "9:16"},
        {
            "multi_prompt": [{"prompt": "@Element1 " * 9, "duration": 4}, {"prompt": "b", "duration": 3}],
            "elements": [{"frontal_image_url": face, "reference_image_urls": [face, "https://example.com/c.png"]}],
            "start_image_url": face,
            "tail_image_url": "https://example.com/d.png",
        },
        {"model": OMNI, "prompt": "p", "input_video": "https://example.com/v.mp4", "video_mode": "reference"},
        {"model": "another-model", "prompt": "p", "steps": 4, "image_url": "https://example.com/d.png"},
    ):
        record = record_of(fields)
        assert again(call_text(record)) == record.request_hash


@given(prompt=visible_texts(300), seconds=st.integers(3, 15))
@settings(max_examples=40, deadline=None)
def test_any_prompt_survives_a_round_trip_through_code(prompt: str, seconds: int):
    record = record_of({"prompt": prompt, "duration": seconds})
    assert called(call_text(record)) == {"prompt": prompt, "duration": seconds}


def test_an_image_given_as_bytes_leaves_only_the_rerun():
    record = record_of({"prompt": "@Image1", "input_image": [picture()]})
    text = call_text(record)
    assert called(text) == {}
    assert text.startswith("# input_image.0 was given as bytes or pixels")


def test_a_pasted_call_pays_for_one_generation():
    record = record_of({"prompt": "p", "num_generations": 4}, generations=4)
    assert "num_generations" not in call_text(record)


def test_the_call_of_a_preview_is_a_preview():
    assert call_text(record_of(kind="preview", local=True)).startswith("kn.preview(")


def test_a_field_that_is_not_a_name_cannot_become_code():
    record = record_of().model_copy(update={"model": "m", "canonical": {"model": "m", "x=1); boom(": 1}})
    tree = ast.parse(call_text(record))
    assert len(tree.body) == 1


def test_short_calls_stay_on_one_line():
    assert call_text(record_of({"prompt": "a boat"})).splitlines()[0] == 'kn.generate("a boat", duration=5)'

"""The picture of the panel's form for pages without its kernel."""

from __future__ import annotations

from kling_nb.models.problem import error
from kling_nb.models.request import TARGET
from kling_nb.models.specs import form_of
from kling_nb.render.form import form_html
from tests.render.reader import Reader

SHOWN = {"uri": "data:image/webp;base64,UklGRg==", "name": "face.png"}
ELSEWHERE = {"uri": "https://example.com/face.png?signature=1", "name": "far.png"}


def picture(problems=(), labels=None, **draft: object) -> Reader:
    shown = form_html(form_of(TARGET), draft, labels or {}, problems, price="$1.12", note="5 s")
    return Reader(shown)


def test_the_picture_has_what_is_filled_in_and_the_chosen_settings() -> None:
    page = picture(labels={"a1": SHOWN}, prompt="@Image1 <waves>", input_image=["a1"], aspect_ratio="9:16", duration=7)

    for said in ("@Image1 <waves>", "7 s", "9:16", "Generate · $1.12"):
        assert said in page.text
    assert page.values("src") == [SHOWN["uri"]]


def test_shots_take_the_place_of_the_prompt_and_the_duration() -> None:
    shots = [{"prompt": "Close-up", "duration": 2}, {"prompt": "Wide", "duration": 3}]

    page = picture(mode="shots", prompt="old", duration=9, multi_prompt=shots)

    assert all(said in page.text for said in ("Close-up", "2 s", "Wide", "3 s"))
    assert not any(said in page.text for said in ("old", "9 s"))


def test_no_image_is_fetched_from_elsewhere_and_an_empty_form_has_no_complaints() -> None:
    problems = [error(("prompt",), "the prompt is missing", "describe the clip")]

    assert picture(labels={"a1": ELSEWHERE}, prompt="x", start_image_url="a1").values("src") == []
    assert "the prompt is missing" not in picture(problems, input_image=[]).text
    assert "the prompt is missing" in picture(problems, multi_prompt=[{"prompt": "", "duration": 3}]).text

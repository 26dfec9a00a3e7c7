"""The differences between records, word by word in prompts, and their static forms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kling_nb.models.record import Reference
from kling_nb.render.compare import (
    SAME,
    compare_text,
    differences,
    gallery_html,
    gallery_text,
    marked_words,
)
from tests.render.kit import Media, digest_of, record_of


def marked(mine: str, other: str) -> list[str]:
    return [word.text for word in marked_words(mine, other) if word.marked]


def labels(*records) -> list[str]:
    return [item.label for item in differences(records)]


def test_only_the_words_that_differ_are_marked():
    assert marked("a cat turns slowly, soft light", "a dog turns slowly, hard light") == ["cat", "soft"]
    assert marked("@Image1 walks", "@Image2 walks") == ["@Image1"]
    assert marked("a cat", "a cat that jumps") == []


def test_a_script_without_spaces_is_compared_by_character():
    assert marked("猫が走る", "犬が走る") == ["猫"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_parts_are_the_text_and_equal_texts_have_no_marks(mine: str, other: str):
    assert "".join(word.text for word in marked_words(mine, other)) == mine
    assert marked(mine, mine) == []


def test_equal_parameters_are_left_out():
    one = record_of({"prompt": "a kite", "duration": 5})
    two = record_of({"prompt": "a kite", "duration": 8, "generate_audio": True})
    assert labels(one, two) == ["Duration", "Audio"]
    assert labels(one, one) == []


def test_shots_are_compared_one_by_one():
    def shots(*each):
        return record_of({"multi_prompt": [{"prompt": prompt, "duration": seconds} for prompt, seconds in each]})

    assert labels(shots(("a", 2), ("b", 3)), shots(("a", 2), ("c", 4))) == ["Shot 2", "Shot 2 duration"]
    assert labels(shots(("a", 2), ("b", 3)), shots(("a", 5))) == ["Shot 1 duration", "Shot 2", "Shot 2 duration"]


def test_different_images_with_the_same_name_differ():
    def shown(*contents):
        one, two = (
            record_of(references=(Reference(path="input_image.0", identity=digest_of(c), given="f", name="face.png"),))
            for c in contents
        )
        return [["".join(word.text for word in value) for value in item.values] for item in differences([one, two])]

    assert shown("x", "x") == []
    ((first, second),) = shown("x", "y")
    assert first != second and first.startswith("face.png (")


def test_each_of_three_is_compared_with_the_first():
    records = [record_of({"prompt": f"a {colour} kite", "duration": 5}) for colour in ("red", "blue", "red")]
    (prompt,) = differences(records)
    assert [[word.text for word in value if word.marked] for value in prompt.values] == [["red"], ["blue"], []]


def test_the_static_forms_have_plain_text():
    one, two = record_of({"prompt": "a red kite", "duration": 5}), record_of({"prompt": "a kite", "duration": 5})
    assert "Prompt: a red kite | a kite" in compare_text([one, two])
    assert SAME in compare_text([one, one])
    assert gallery_text([one], total=9).startswith("1 of 9 records")
    assert gallery_text([], total=0) == "No records"


def test_a_contact_sheet_is_small_enough_for_a_notebook():
    records = [record_of({"prompt": "a red kite " * 200, "duration": 5}) for _ in range(60)]
    html = gallery_html(records, Media(), total=2000)
    assert html.count("<img") == 24 and len(html) < 100_000

"""The content, markup and size of cards."""

from __future__ import annotations

import json
import re

import pytest

from kling_nb.models.frontend import Video
from kling_nb.models.record import Failure, Record
from kling_nb.render.card import RECORD_TYPE, card_bundle, card_html, card_text, failure_html
from kling_nb.render.facts import headline
from tests.render.kit import CLIP, PROMPT, Media, NoMedia, record_of
from tests.render.reader import Reader

#: The style properties that JupyterLab 4.6 keeps in an untrusted notebook, and those that may be lost there.
KEPT = {
    "align-items",
    "background",
    "border",
    "border-bottom",
    "border-left",
    "border-radius",
    "border-top",
    "border-collapse",
    "clear",
    "color",
    "cursor",
    "display",
    "flex",
    "flex-wrap",
    "float",
    "font-family",
    "font-size",
    "font-weight",
    "gap",
    "grid-template-columns",
    "height",
    "line-height",
    "margin",
    "margin-bottom",
    "margin-top",
    "max-width",
    "min-width",
    "opacity",
    "overflow",
    "overflow-wrap",
    "padding",
    "padding-right",
    "table-layout",
    "text-align",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
}
EXTRAS = {"user-select"}
SHOTS = {
    "multi_prompt": [
        {"prompt": "@Element1 walks in", "duration": 4},
        {"prompt": "@Element1 looks up", "duration": 2},
        {"prompt": "cut to black", "duration": 3},
    ],
    "elements": [{"frontal_image_url": "https://example.com/a.png"}],
}


def test_the_same_record_gives_the_same_card():
    assert card_bundle(record_of(), Media()) == card_bundle(record_of(), Media())


def test_the_bundle_has_the_whole_record():
    for record in (
        record_of(),
        record_of(SHOTS, tags=("a",), stars=5, note="n", rerun_of="x", kind="preview", local=True, index=2),
        record_of(status="failed", failure=Failure(kind="JobFailed", message="no", remedy="yes")),
    ):
        stored = json.loads(json.dumps(card_bundle(record, Media())[RECORD_TYPE]))
        assert Record.model_validate(stored) == record
        assert stored["version"] == record.version


def test_a_notebook_with_twelve_clips_has_less_than_three_hundred_kilobytes():
    import nbformat  # late: it takes seconds to load, and collecting tests does not need it

    bundle = card_bundle(record_of(tags=("night",), stars=4), Media())
    assert len(json.dumps(bundle)) <= 24_500
    output = nbformat.v4.new_output("display_data", data=bundle)
    cells = [nbformat.v4.new_code_cell(f"kn.generate({PROMPT!r})", outputs=[output]) for _ in range(12)]
    assert len(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()) <= 300_000


def test_a_card_uses_only_markup_that_an_untrusted_notebook_keeps():
    for record in (record_of(), record_of(SHOTS), record_of(status="failed")):
        page = Reader(card_html(record, Media()))
        properties = {part.partition(":")[0] for style in page.values("style") for part in style.split(";")}
        assert properties <= KEPT | EXTRAS
        assert not page.tags & {"style", "script", "source", "iframe", "svg", "dl", "dt"}


def test_a_card_loads_only_the_clip():
    page = Reader(card_html(record_of(), Media()))
    sources = page.values("src") + page.values("poster")
    assert [source for source in sources if not source.startswith("data:")] == [f"kling/{CLIP.file}"]
    assert page.values("href") == ["https://example.com/face.png", f"kling/{CLIP.file}"]
    assert "url(" not in card_html(record_of(), Media())


def test_the_clip_has_its_size_before_it_is_loaded():
    portrait = CLIP.model_copy(update={"width": 1080, "height": 1920})
    for clip, size in ((CLIP, ("560", "315")), (portrait, ("259", "460"))):
        page = Reader(card_html(record_of(clip=clip), Media()))
        assert (page.values("width")[0], page.values("height")[0]) == size


def test_an_image_has_no_duration_and_no_audio():
    picture = record_of(clip=CLIP.model_copy(update={"media_type": "image/png", "duration": None}))
    assert [fact.label for fact in headline(picture)] == ["resolution", "price"]
    assert "0 s" not in card_text(picture)


def test_only_a_clip_without_sound_is_muted():
    assert " muted" in card_html(record_of(), Media())
    heard = record_of(clip=CLIP.model_copy(update={"audio_codec": "aac"}))
    assert " muted" not in card_html(heard, Media())


def test_mathjax_ignores_cards():
    assert card_html(record_of(), Media()).startswith("<div class='kling-card tex2jax_ignore mathjax_ignore'")


def test_only_mentions_of_references_are_marked():
    fields = {"prompt": "@Image1 and @Image2, me@Image1.org", "input_image": ["https://example.com/a.png"]}
    chips = re.findall(r"#2196f32b[^>]*>([^<]*)</span>", card_html(record_of(fields), Media()))
    assert chips == ["@Image1"]


def test_shots_are_drawn_in_proportion_to_their_duration():
    assert re.findall(r"flex:(\d+) 1 0;", card_html(record_of(SHOTS), Media())) == ["4", "2", "3"]


@pytest.mark.parametrize(
    ("changes", "badge"),
    [({"local": True}, "Animatic · local hub"), ({"kind": "preview", "local": True}, "Preview – not a result")],
)
def test_a_clip_that_is_not_a_paid_result_has_a_badge(changes, badge):
    record = record_of(**changes)
    assert badge in card_html(record, Media())
    assert badge in card_text(record)
    assert badge not in card_html(record_of(), Media())


def test_a_missing_file_is_reported_and_the_rest_is_shown():
    page = Reader(card_html(record_of(), NoMedia()))
    assert CLIP.file in page.text
    assert PROMPT in page.text
    assert "video" not in page.tags


def test_a_failure_has_a_message_and_a_remedy():
    record = record_of(status="failed", failure=Failure(kind="JobFailed", message="Too long.", remedy="Cut it."))
    text = Reader(card_html(record, Media())).text
    assert "Too long." in text
    assert "Cut it." in text
    assert failure_html(record_of()) == ""


@pytest.mark.parametrize("status", ["prepared", "queued", "processing", "downloading", "cancelled"])
def test_a_record_without_a_clip_has_a_card_too(status):
    record = record_of(status=status, generation_id=None, schema_digest=None, references=())
    assert PROMPT in Reader(card_html(record, NoMedia())).text


def test_the_plain_text_has_the_prompt_the_price_and_the_file():
    text = card_text(record_of())
    assert PROMPT in text
    assert "$1.12" in text
    assert CLIP.file in text


def test_a_card_mentions_that_the_model_takes_no_seed():
    assert "has no seed" in card_html(record_of(), Media())


def test_an_unpaid_price_is_called_an_estimate():
    assert "$1.12price" in Reader(card_html(record_of(), Media())).text
    assert "$1.12estimate" in Reader(card_html(record_of(status="failed"), Media())).text


class Linked(Media):
    """Media whose clips have this address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def videos(self, records):
        return [Video(self._address, "../my%20study/kling_log/media/ab/ab.mp4") for _ in records]


def test_a_card_says_in_the_cell_where_its_clip_is_and_what_to_do_without_it():
    record = record_of()
    text = Reader(card_html(record, Linked("../my%20study/kling_log/media/ab/ab.mp4"))).text
    assert "It was in ../my study/kling_log/media." in text and "kn.configure(log=…)" in text
    embedded = Reader(card_html(record, Linked("data:video/mp4;base64,AAAA"))).text
    assert "It was in" not in embedded, "its clip is in the notebook"

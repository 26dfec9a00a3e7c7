"""Text from outside stays text in every static form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.models.catalogue import Model
from kling_nb.models.judgements import Score
from kling_nb.models.problem import error
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure, Message, Record, Reference
from kling_nb.render.batch import batch_html
from kling_nb.render.card import card_html
from kling_nb.render.compare import compare_html, diff, gallery_html
from kling_nb.render.figures import (
    LimitRow,
    RankRow,
    ScoredRow,
    ScorerRow,
    SpendingRow,
    limits_html,
    ranking_html,
    scorers_html,
    scores_html,
    spending_html,
)
from kling_nb.render.page import offline_html, running_html, running_plan_html
from kling_nb.render.plan import MatrixSheet, PlanSheet, Tile, matrix_html, plan_html
from kling_nb.render.report import Heading, Paragraph, report_html
from kling_nb.render.tables import (
    HubInfo,
    OptionRow,
    SavedRow,
    hub_html,
    models_html,
    options_html,
    problems_html,
    progress_html,
    records_html,
    saved_html,
)
from tests.render.kit import CLIP, NOON, Media, NoMedia, at, digest_of, record_of
from tests.render.reader import Reader

PLANTED = "'\"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</pre></details>"
#: The tags and attributes that the static forms use.
TAGS = set(re.findall(r"\w+", "div span video img a details summary pre table tbody tr td b code br p button"))
ATTRIBUTES = {
    "class",
    "style",
    "src",
    "href",
    "title",
    "alt",
    "width",
    "height",
    "poster",
    "target",
    "data-kling-record",
}
ATTRIBUTES |= {"controls", "loop", "muted", "preload", "type"}
#: The matrix plays a video on hover, with constant handlers.
HANDLERS = {"onmouseenter", "onmouseleave", "onclick"}


def planted(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "id": PLANTED,
        "model": PLANTED,
        "hub": PLANTED,
        "generation_id": PLANTED,
        "tags": (PLANTED,),
        "note": PLANTED,
        "notes": (PLANTED,),
        "messages": (Message(at=at(1), text=PLANTED),),
        "notebook": PLANTED,
        "versions": {PLANTED: PLANTED},
        "clip": CLIP.model_copy(update={"file": PLANTED, "video_codec": PLANTED, "media_type": PLANTED}),
        "references": (
            Reference(path="input_image.0", identity=digest_of("x"), given=PLANTED, name=PLANTED),
            Reference(path=PLANTED, identity=f"https://e.org/{PLANTED}", given=PLANTED, name=PLANTED),
            Reference(path="tail_image_url", identity="javascript:alert(1)", given="javascript:alert(1)"),
        ),
    }
    fields = {"prompt": PLANTED, "input_image": ["https://example.com/<script>.png"], "negative_prompt": PLANTED}
    return record_of(fields, **(values | changes))


def failed(status: str) -> Record:
    failure = Failure(kind="x", message=PLANTED, remedy=PLANTED)
    return record_of(status=status, failure=failure)


PROGRESS = Progress("x", "failed", PLANTED, PLANTED, at(0), at(1), trouble=PLANTED, price=PLANTED)
RUNNING = Progress("x", "queued", PLANTED, "m", at(0), at(1))
SCORE = Score(clip=PLANTED, name=PLANTED, version=PLANTED, unit=PLANTED, value=1.0, note=PLANTED, at=NOON)
CALM = record_of({"prompt": "calm", "negative_prompt": "blur"})
TILE = Tile(PLANTED, "done", PLANTED, note=PLANTED)
SHEET = PlanSheet(PLANTED, [TILE], {PLANTED: (PLANTED, "b")}, invalid=[(PLANTED, PLANTED)], stopped=PLANTED)
MATRIX = MatrixSheet(PLANTED, PLANTED, (PLANTED,), (PLANTED,), {(PLANTED, PLANTED): [TILE]})

#: Each static form with planted text, and how often it must be visible.
FORMS: dict[str, tuple[Callable[[], str], int]] = {
    "card": (lambda: card_html(planted(), Media(), [SCORE]), 6),
    "card without its file": (lambda: card_html(planted(), NoMedia()), 6),
    "failed": (lambda: card_html(failed("failed"), Media()), 2),
    "cancelled": (lambda: card_html(failed("cancelled"), Media()), 1),
    "batch": (lambda: batch_html([planted(), failed("failed")], Media()), 5),
    "unconfirmed": (lambda: card_html(failed("uncertain"), Media()), 2),
    "records": (lambda: records_html([planted()], Media()), 4),
    "gallery": (lambda: gallery_html([planted()], Media(), total=1), 3),
    "gallery without files": (lambda: gallery_html([planted()], NoMedia(), total=1), 3),
    "comparison": (lambda: compare_html([planted(), CALM], Media()), 4),
    "differences": (lambda: compare_html([planted(), CALM], NoMedia(), diff([planted(), CALM], [[SCORE], []])), 6),
    "saved": (lambda: saved_html([SavedRow(PLANTED, PLANTED, PLANTED, (), NOON)], "preset"), 3),
    "options": (lambda: options_html([OptionRow("embed", PLANTED, PLANTED)]), 2),
    "problems": (lambda: problems_html([error((PLANTED, 0), PLANTED, PLANTED)]), 3),
    "hub": (lambda: hub_html(HubInfo(PLANTED, PLANTED, False, PLANTED, PLANTED, False, (PLANTED,), PLANTED)), 6),
    "models": (lambda: models_html({PLANTED: [Model(id=PLANTED, display_name=PLANTED)]}, [PLANTED]), 4),
    "progress": (lambda: progress_html(PROGRESS, at(2)), 3),
    "scores": (lambda: scores_html([ScoredRow(PLANTED, PLANTED, None, {PLANTED: SCORE})], [PLANTED]), 4),
    "scorers": (lambda: scorers_html([ScorerRow(PLANTED, PLANTED, PLANTED, PLANTED, False)], [PLANTED]), 5),
    "ranking": (lambda: ranking_html([RankRow(PLANTED, 0.5, 0.4, 0.6, 2, 1)], PLANTED), 2),
    "spending": (lambda: spending_html(PLANTED, [SpendingRow(PLANTED, 1)], SpendingRow("all", 1)), 2),
    "limits": (lambda: limits_html([LimitRow(PLANTED, CALM.price or 0, None)], unknown_ok=True), 1),
    "plan": (lambda: plan_html(SHEET), 6),
    "matrix": (lambda: matrix_html(MATRIX), 4),
    "methods": (lambda: Paragraph(PLANTED)._repr_html_(), 1),
    "report": (lambda: body(report_html([], Media(), Heading(PLANTED, PLANTED, (PLANTED,), PLANTED), NOON)), 4),
    "without a kernel": (lambda: unstyled(offline_html(PLANTED)), 1),
    "without a kernel, running": (lambda: unstyled(running_html([RUNNING])), 1),
    "without a kernel, plan": (lambda: unstyled(running_plan_html(PLANTED)), 2),
}  # fmt: skip


def body(page: str) -> str:
    return re.sub(r"</?(?:header|main)>|<h\d>|</h\d>", "", page.partition("<body>")[2].partition("</body>")[0])


def unstyled(html: str) -> str:
    return re.sub(r"<style>.*?</style>", "", html)


def checked(html: str) -> Reader:
    page = Reader(html)
    assert page.tags <= TAGS, page.tags - TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES | HANDLERS
    assert not any("alert" in value for name, value in page.attributes if name in HANDLERS)
    return page


@pytest.mark.parametrize("form", FORMS)
def test_planted_markup_is_shown_as_text(form):
    html, least = FORMS[form]
    assert checked(html()).text.count(PLANTED) >= least


def test_only_web_addresses_become_links():
    hrefs = checked(card_html(planted(), NoMedia())).values("href")
    assert hrefs
    assert all(href.startswith("https://e.org/") for href in hrefs)


@given(text=st.text(max_size=80), message=st.text(max_size=80))
@settings(max_examples=30, deadline=None)
def test_any_text_is_shown_unchanged(text: str, message: str):
    prompt = f"p{text}p"
    record = record_of(status="failed", failure=Failure(kind="x", message=message or "-"), note=text)
    record = record.model_copy(update={"canonical": {**record.canonical, "prompt": prompt}})
    page = checked(card_html(record, Media()))
    shown = page.text.replace("\r\n", "\n").replace("\r", "\n")
    assert prompt.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd") in shown.replace("\0", "\ufffd")
    for style in page.values("style"):
        assert re.fullmatch(r"[\w#%.,:;() -]*", style)

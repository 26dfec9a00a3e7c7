"""Text from outside stays text, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.models.problem import error
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure, Message, Reference
from kling_nb.render.card import card_html
from kling_nb.render.compare import compare_html, gallery_html
from kling_nb.render.images import Links
from kling_nb.render.tables import HubInfo, hub_html, problems_html, progress_html, records_html
from tests.render.kit import CLIP, Media, NoMedia, at, digest_of, record_of

PLANTED = "'\"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</pre></details>"
TAGS = {
    "div",
    "span",
    "video",
    "img",
    "a",
    "details",
    "summary",
    "pre",
    "table",
    "tbody",
    "tr",
    "td",
    "b",
    "code",
    "br",
}
ATTRIBUTES = {"class", "style", "src", "href", "title", "alt", "width", "height", "poster", "target"} | {
    "controls",
    "loop",
    "muted",
    "preload",
}


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on a tag that was never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "br":
            self.text += "\n"
        elif tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def planted():
    return record_of(
        {"prompt": PLANTED, "input_image": ["https://example.com/<script>.png"], "negative_prompt": PLANTED},
        id=PLANTED,
        model=PLANTED,
        hub=PLANTED,
        generation_id=PLANTED,
        tags=(PLANTED,),
        note=PLANTED,
        notes=(PLANTED,),
        messages=(Message(at=at(1), text=PLANTED),),
        notebook=PLANTED,
        versions={PLANTED: PLANTED},
        clip=CLIP.model_copy(update={"file": PLANTED, "video_codec": PLANTED, "media_type": PLANTED}),
        references=(
            Reference(path="input_image.0", identity=digest_of("x"), given=PLANTED, name=PLANTED),
            Reference(path=PLANTED, identity=f"https://e.org/{PLANTED}", given=PLANTED, name=PLANTED),
            Reference(path="tail_image_url", identity="javascript:alert(1)", given="javascript:alert(1)"),
        ),
    )


def checked(html: str) -> Reader:
    page = Reader(html)
    assert page.tags <= TAGS, page.tags - TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    return page


def test_a_script_planted_in_the_hubs_message_is_shown_as_text():
    for status in ("failed", "cancelled", "uncertain"):
        record = record_of(status=status, failure=Failure(kind="x", message=PLANTED, remedy=PLANTED))
        assert checked(card_html(record, Media())).text.count(PLANTED) == 2


PROGRESS = Progress("x", "failed", PLANTED, PLANTED, at(0), at(1), trouble=PLANTED, price=PLANTED)
HUB = HubInfo(PLANTED, PLANTED, False, PLANTED, PLANTED, False, (PLANTED,), PLANTED)
#: Every form that shows text from outside, and how often at least the planted text is in it.
FORMS: dict[str, tuple[Callable[[Links], str], int]] = {
    "card": (lambda links: card_html(planted(), links), 6),
    "table": (lambda links: records_html([planted()], links), 1),
    "comparison": (lambda links: compare_html([planted(), record_of({"prompt": "calm"})], links), 1),
    "gallery": (lambda links: gallery_html([planted()], links, total=1), 1),
    "progress": (lambda _: progress_html(PROGRESS, at(2)), 1),
    "problems": (lambda _: problems_html([error((PLANTED, 0), PLANTED, PLANTED)]), 1),
    "hub": (lambda _: hub_html(HUB), 1),
}


@pytest.mark.parametrize("links", [Media(), NoMedia()], ids=["media", "no media"])
@pytest.mark.parametrize("form", FORMS)
def test_a_planted_script_is_shown_as_text(form: str, links: Links):
    draw, times = FORMS[form]
    assert checked(draw(links)).text.count(PLANTED) >= times


def test_only_web_addresses_become_links():
    hrefs = checked(card_html(planted(), NoMedia())).values("href")
    assert hrefs
    assert all(href.startswith("https://e.org/") for href in hrefs)


@given(text=st.text(max_size=80), message=st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_at_all_comes_out_as_the_same_text(text: str, message: str):
    prompt = f"p{text}p"
    record = record_of(status="failed", failure=Failure(kind="x", message=message or "-"), note=text)
    record = record.model_copy(update={"canonical": {**record.canonical, "prompt": prompt}})
    page = checked(card_html(record, Media()))
    shown = page.text.replace("\r\n", "\n").replace("\r", "\n")
    assert prompt.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd") in shown.replace("\0", "\ufffd")
    for style in page.values("style"):
        assert re.fullmatch(r"[\w#%.,:;() -]*", style)

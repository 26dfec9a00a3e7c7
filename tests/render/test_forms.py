"""Tables, rows of progress, small images and the formatting of numbers."""

from __future__ import annotations

import base64
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure
from kling_nb.render.formatting import format_clock, format_duration, format_size, format_time
from kling_nb.render.images import POSTER_BYTES, THUMBNAIL_BYTES, small_poster, small_thumbnail
from kling_nb.render.page import stack_cards
from kling_nb.render.tables import (
    HubInfo,
    hub_html,
    hub_text,
    progress_html,
    progress_text,
    records_html,
    records_text,
)
from tests.render.kit import Media, at, picture, record_of
from tests.render.reader import Reader


def progress(**changes) -> Progress:
    return Progress(
        **{"id": "x", "status": "processing", "title": "t", "model": "m", "created": at(0), "since": at(9)} | changes
    )


def decoded(uri: str) -> tuple[int, Image.Image]:
    data = base64.b64decode(uri.partition(",")[2])
    return len(data), Image.open(io.BytesIO(data))


def test_a_row_shows_no_remaining_time_unless_it_is_known():
    assert " left" not in progress_text(progress(), at(42))
    assert "2 min left" in progress_text(progress(expected=at(162)), at(42))
    assert "%" not in Reader(progress_html(progress(expected=at(99)), at(42))).text


def test_the_clock_of_a_row_stops_at_the_end():
    done = progress(
        status="failed", since=at(75), failure=Failure(kind="x", message="Out of credits.", remedy="Top up.")
    )
    assert "1:15" in progress_html(done, at(4000))
    assert "Out of credits. Top up." in Reader(progress_html(done, at(4000))).text


def test_the_table_counts_records_and_spending():
    records = [record_of(), record_of(local=True), record_of(status="failed")]
    text = Reader(records_html(records, Media(), total=148)).text
    assert "3 of 148 records" in text and "$1.12" in text
    assert "$1.12 spent on these" in records_text(records, total=148)


def test_a_row_of_the_table_is_small():
    html = records_html([record_of()] * 20, Media(), total=20)
    assert len(html) / 20 < 1600


def test_a_hub_shows_the_source_of_its_key():
    info = HubInfo("Oxen.ai", "https://hub.oxen.ai", False, "m", "environment variable OXEN_API_KEY", False, ("n",))
    for text in (hub_text(info), Reader(hub_html(info)).text):
        assert "environment variable OXEN_API_KEY" in text
    assert info._repr_mimebundle_() == {"text/html": hub_html(info), "text/plain": hub_text(info)}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("shape", [(1920, 1080), (720, 1280), (16, 16)])
def test_small_images_are_small(kind, shape):
    file = picture(*shape, kind)
    for uri, limit, side in (
        (small_poster(file), POSTER_BYTES, 480),
        (small_thumbnail(file), THUMBNAIL_BYTES, 72),
    ):
        count, image = decoded(uri)
        assert count <= limit
        assert max(image.size) <= side


def test_even_noise_becomes_a_small_image():
    buffer = io.BytesIO()
    Image.effect_noise((800, 600), 200).save(buffer, "PNG")
    assert decoded(small_poster(buffer.getvalue()))[0] <= POSTER_BYTES
    assert decoded(small_thumbnail(buffer.getvalue()))[0] <= THUMBNAIL_BYTES


def test_a_transparent_image_gets_a_white_background():
    buffer = io.BytesIO()
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(buffer, "PNG")
    pixel = decoded(small_thumbnail(buffer.getvalue()))[1].convert("RGB").getpixel((9, 9))
    assert min(pixel) > 245


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff" + b"x" * 99]
)
def test_other_files_than_images_are_shown_as_none(data: bytes):
    assert small_poster(data) is small_thumbnail(data) is None


@given(st.floats(0, 1e6))
def test_a_clock_never_shows_sixty(seconds: float):
    assert all(int(part) < 60 for part in format_clock(seconds).split(":")[1:])


def test_durations_and_sizes():
    assert [format_duration(s) for s in (0.4, 5.0, 42.2, 59.7, 185, 3600, 3725)] == [
        "0.4 s",
        "5 s",
        "42 s",
        "1 min",
        "3 min 5 s",
        "1 h 0 min",
        "1 h 2 min",
    ]
    assert [format_size(n) for n in (12, 999_600, 812_000, 1_730_000)] == ["12 bytes", "1.0 MB", "812 kB", "1.7 MB"]


def test_a_row_without_a_clip_has_no_price():
    assert "$1.12" not in Reader(records_html([record_of(status="failed")], Media())).text


def test_of_many_cards_the_first_few_and_the_failed_ones_stay_open() -> None:
    cards = [f"<div>card {number}</div>" for number in range(20)]
    assert "details" not in stack_cards(cards[:6])
    shown, folded = stack_cards(cards, failed={17}).split("<details", 1)
    assert [number for number in range(20) if f"card {number}<" in shown] == [0, 1, 2, 3, 17]
    assert "15 more clips" in folded and "card 19<" in folded


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "22 Nov 2026, 13:00 CET"),
        ("Asia/Kolkata", "22 Nov 2026, 17:30 IST"),
        ("<+0545>-5:45", "22 Nov 2026, 17:45 UTC+05:45"),
    ],
)
def test_times_are_those_of_the_machine_with_their_zone(zone, shown, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert format_time(at(0)) == shown
    finally:
        monkeypatch.undo()
        time.tzset()

"""A fitted image: the hub gets the fitted one, the record keeps the original too."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hubside import HubSide
from PIL import Image
from support.images import encoded, quarters, turned

from kling_nb.errors import RequestError, RequestWarning
from kling_nb.models.urls import sha256
from kling_nb.studio import Studio


def test_the_record_keeps_the_original_and_the_fitted_image(studio: Studio, tmp_path: Path) -> None:
    banner = tmp_path / "banner.webp"
    Image.new("RGB", (1200, 300), "teal").save(banner, lossless=True)

    clip = studio.generate("@Image1 unrolls", input_image=[studio.fit_image(banner)], duration=3).result(60)
    (kept,) = clip.record.references
    (again,) = clip.record.request().input_image

    assert kept.given == str(banner)
    assert kept.original == sha256(banner.read_bytes())
    assert kept.fixes == ("converted from WEBP to JPEG", "padded from 1200×300 to 1200×480 px")
    assert studio.store.read(kept.original) == banner.read_bytes()
    sent = Image.open(io.BytesIO(studio.store.read(kept.digest or "") or b""))
    assert (sent.format, sent.size) == ("JPEG", (1200, 480))
    assert again.original is not None and again.fixes == kept.fixes
    assert studio.store.verify() == []
    assert "padded from" in clip.record._repr_mimebundle_()["text/html"]


def test_a_phones_photo_is_sent_upright_and_the_record_says_so(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(quarters(size=(640, 400)), "JPEG", exif=turned(6)))
    fields = {"prompt": "@Image1 turns, @Element1 waves", "input_image": [photo], "duration": 3}
    fields["elements"] = [{"frontal_image_url": photo, "reference_image_urls": [photo]}]

    with pytest.warns(RequestWarning, match="turned upright"):
        clip = studio.generate(**fields).result(60)

    kept, element, angle = clip.record.references
    sent = studio.store.read(kept.digest or "") or b""
    received = [file.read_bytes() for file in (hub.folder / "repos").rglob(f"*{(kept.digest or '')[7:39]}*")]
    assert (received, hub.posts) == ([sent], 1)
    assert (kept.width, kept.height) == Image.open(io.BytesIO(sent)).size == (400, 640)
    assert kept.original == kept.identity == sha256(photo.read_bytes())
    assert kept.fixes == element.fixes == angle.fixes == ("turned upright",)
    assert studio.store.verify() == []
    assert clip.record.request().prepared() == clip.record.request()


@pytest.mark.parametrize("given", ["no-such.png", Image.new("RGB", (90, 90))], ids=["missing", "small"])
def test_an_image_that_cannot_be_fitted_is_a_request_error(studio: Studio, given: object) -> None:
    with pytest.raises(RequestError) as caught:
        studio.fit_image(given)
    assert [problem.severity for problem in caught.value.problems] == ["error"]

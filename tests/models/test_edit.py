"""Turning and cropping images."""

import pytest
from hubside import png_image

from kling_nb.models.asset import Asset
from kling_nb.models.edit import cropped, turned
from kling_nb.models.images import ImageError


@pytest.fixture
def wide():
    from PIL import Image

    image = Image.new("RGB", (600, 400), "red")
    image.paste("blue", (0, 0, 300, 400))
    return Asset.from_pil(image, given="wide.png")


def pixel(asset, x, y):
    import io

    from PIL import Image

    return Image.open(io.BytesIO(asset.data)).convert("RGB").getpixel((x, y))


def test_a_turn_to_the_right_puts_the_left_side_on_top(wide):
    right = turned(wide, 90)

    assert (right.facts.width, right.facts.height) == (400, 600)
    assert pixel(right, 200, 10) == (0, 0, 255)
    assert (right.fixes, right.original) == (("turned by 90°",), wide)


@pytest.mark.parametrize(("ratio", "size"), [("16:9", (600, 338)), ("9:16", (225, 400)), ("1:1", (400, 400))])
def test_a_crop_keeps_the_middle_in_the_ratio(wide, ratio, size):
    part = cropped(wide, ratio)

    assert (part.facts.width, part.facts.height) == size
    assert pixel(part, 2, 2) == (0, 0, 255) and pixel(part, size[0] - 2, 2) == (255, 0, 0)


def test_what_cannot_be_edited_is_refused_with_the_reason():
    with pytest.raises(ImageError, match="not an aspect ratio"):
        cropped(Asset.from_bytes(png_image()), "wide")
    with pytest.raises(ImageError, match="cannot be edited"):
        turned(Asset.from_url("https://e.org/a.png"), 90)

"""An address that no service can fetch is a warning, before anything is paid for."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from hubside import HubSide
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.errors import KlingError, RequestWarning
from kling_nb.models.addresses import check_address, expiry_of
from kling_nb.models.lint import lint
from kling_nb.models.request import OMNI
from kling_nb.studio import Studio

NOW = 1_800_000_000.0
LOCAL = "use the file itself, or a public URL"
RAW, DL, FILE = "Raw button", "dl=1", "download the file"

DOUBTED = {
    "http://localhost:8000/a.png": LOCAL,
    "https://LOCALHOST./a.png": LOCAL,
    "https://127.0.0.1/a.png": LOCAL,
    "https://127.8.9.1/a.png": LOCAL,
    "https://[::1]:8888/files/a.png": LOCAL,
    "https://[::ffff:127.0.0.1]/a.png": LOCAL,
    "https://2130706433/a.png": LOCAL,
    "https://0.0.0.0/a.png": LOCAL,
    "http://10.0.0.5/a.png": LOCAL,
    "http://192.168.1.20/a.png": LOCAL,
    "http://172.16.0.1/a.png": LOCAL,
    "http://169.254.169.254/latest": LOCAL,
    "http://100.64.0.1/a.png": LOCAL,
    "https://[fe80::1]/a.png": LOCAL,
    "https://[fd00::1]/a.png": LOCAL,
    "https://nas/a.png": LOCAL,
    "https://nas.local/a.png": LOCAL,
    "https://files.corp.internal/a.png": LOCAL,
    "http://example.org/a.png": "use https",
    "https://example.org/my face.png": "write %20",
    "https://example.org/a.png?name=my face": "write %20",
    "https://drive.google.com/file/d/1AbC/view?usp=sharing": "uc?export=download",
    "https://drive.google.com/open?id=1AbC": "uc?export=download",
    "https://docs.google.com/file/d/1AbC/edit": "uc?export=download",
    "https://photos.app.goo.gl/abc": FILE,
    "https://github.com/ana/films/blob/main/a.png": RAW,
    "https://github.com/ana/films/tree/main/images": RAW,
    "https://gist.github.com/ana/0123": RAW,
    "https://www.dropbox.com/s/abc/a.png?dl=0": DL,
    "https://www.dropbox.com/scl/fi/abc/a.png?rlkey=x": DL,
    "https://gitlab.com/ana/films/-/blob/main/a.png": "/-/raw/",
    "https://huggingface.co/datasets/ana/films/blob/main/a.png": "/resolve/",
    "https://1drv.ms/i/s!abc": FILE,
    "https://imgur.com/a1b2c3": "i.imgur.com",
    "https://www.youtube.com/watch?v=abc": FILE,
    "https://www.instagram.com/p/abc": FILE,
    "https://x.com/ana/status/1/photo/1": FILE,
    "https://unsplash.com/photos/abc": "download address",
    "https://commons.wikimedia.org/wiki/File:A.png": "upload.wikimedia.org",
    "https://www.oxen.ai/ana/films/file/main/a.png": "/api/repos/",
    "https://s3.amazonaws.com/b/a.png?X-Amz-Date=20261130T100000Z&X-Amz-Expires=3600&X-Amz-Signature=f": "a new one",
    "https://b.s3.amazonaws.com/a.png?AWSAccessKeyId=A&Expires=1700000000&Signature=f": "a new one",
    "https://d1.cloudfront.net/a.png?Expires=1700000000&Signature=f&Key-Pair-Id=K": "a new one",
    "https://storage.googleapis.com/b/a?X-Goog-Date=20261130T100000Z&X-Goog-Expires=6&X-Goog-Signature=f": "a new one",
    "https://a.blob.core.windows.net/c/a.png?se=2026-11-30T10%3A00%3A00Z&sig=f": "a new one",
    "https://hub.oxen.ai/api/repos/a/b/file/main/a.png?oxen_signature=f&oxen_expires=1700000000": "a new one",
    "https://cdn.discordapp.com/attachments/1/2/a.png?ex=65000000&is=64fffff0&hm=f": "a new one",
    "https://b.cos.ap.myqcloud.com/a.png?q-sign-time=1699990000;1700000000&q-signature=f": "a new one",
}  # fmt: skip

PLAIN = [
    "https://example.org/a.png",
    "https://8.8.8.8/a.png",
    "https://[2001:4860:4860::8888]/a.png",
    "https://drive.google.com/uc?export=download&id=1AbC",
    "https://drive.usercontent.google.com/download?id=1AbC&export=download",
    "https://raw.githubusercontent.com/ana/films/main/a.png",
    "https://github.com/ana/films/raw/main/a.png",
    "https://github.com/ana/films/blob/main/a.png?raw=true",
    "https://github.com/user-attachments/assets/0123",
    "https://gist.github.com/ana/0123/raw/a.png",
    "https://www.dropbox.com/scl/fi/abc/a.png?rlkey=x&dl=1",
    "https://dl.dropboxusercontent.com/s/abc/a.png",
    "https://i.imgur.com/a1b2c3.png",
    "https://upload.wikimedia.org/wikipedia/commons/a/a9/A.png",
    "https://localhost.example.org/a.png",
    "https://images.unsplash.com/photo-1",
    "https://example.org/a.png?ex=now&is=1&hm=2&q-sign-time=1",
    "https://hub.oxen.ai/api/repos/a/b/file/main/a.png?oxen_signature=f&oxen_expires=1900000000",
    "https://s3.amazonaws.com/b/a.png?X-Amz-Date=20270114T100000Z&X-Amz-Expires=604800&X-Amz-Signature=f",
    "https://example.org/a.png?expires=never&oxen_expires=soon&X-Amz-Date=today&X-Amz-Expires=1",
    "https://example.org/a.png?expires=1700000000",
]


def remedies(url: str) -> list[str]:
    return [problem.remedy for problem in check_address((), url, NOW)]


@pytest.mark.parametrize(("url", "remedy"), DOUBTED.items())
def test_an_address_that_cannot_be_fetched_is_doubted(url: str, remedy: str) -> None:
    (found,) = remedies(url)
    assert remedy in found


@pytest.mark.parametrize("url", PLAIN)
def test_a_plain_address_is_not_doubted(url: str) -> None:
    assert remedies(url) == []


def test_a_doubt_names_no_signature() -> None:
    for url in DOUBTED:
        assert "=f" not in "".join(map(str, check_address((), url, NOW)))


NAMES = st.sampled_from(["X-Amz-Date", "X-Amz-Expires", "oxen_expires", "se", "sig"])
VALUES = st.text() | st.sampled_from(["-inf", "inf", "nan", "1e300", "-1", "20260101T000000Z", "0001-01-01T00:00:00"])


@settings(max_examples=25)
@given(st.text(), st.dictionaries(NAMES, VALUES))
def test_any_address_has_an_answer(path: str, query: dict[str, str]) -> None:
    url = f"https://example.org/{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}"
    assert urlsplit(url).hostname == "example.org"
    list(check_address((), url, NOW))
    assert expiry_of(url) is None or isinstance(expiry_of(url), float)


def test_every_field_of_every_model_is_looked_at() -> None:
    url = "http://localhost/a"
    drafts = [
        {"prompt": "@Image1 @Element1", "input_image": [url], "elements": [{"frontal_image_url": url}]},
        {"prompt": "a", "model": OMNI, "input_video": url, "start_image_url": url},
        {"prompt": "a", "model": "kling-video-o3-pro-image-to-video", "input_image": url},
    ]
    for draft in drafts:
        found = [problem for problem in lint(draft) if LOCAL in problem.remedy]
        assert {problem.severity for problem in found} == {"warning"}
        assert len(found) == str(draft).count(url)


def test_generating_warns_of_an_expired_address(studio: Studio) -> None:
    url = f"https://example.org/a.png?oxen_signature=f&oxen_expires={int(time.time()) - 5}"
    assert "expired" in str(studio.lint("@Image1", input_image=[url]))
    with pytest.warns(RequestWarning, match="expired"):
        studio.preview("@Image1", input_image=[url]).cancel()
        studio.generate("@Image1", input_image=[url]).cancel()


@pytest.mark.parametrize("returned", [None, "", "face.png", "/tmp/face.png"])  # noqa: S108 - not a file of ours
def test_an_upload_function_must_return_a_url(hub: HubSide, studio_at, returned: object) -> None:
    studio = studio_at(hub, upload=lambda asset: returned)
    from PIL import Image

    job = studio.generate("@Image1", input_image=[Image.new("RGB", (400, 400))])
    with pytest.raises(KlingError, match="URL"):
        job.result(60)
    assert hub.posts == 0

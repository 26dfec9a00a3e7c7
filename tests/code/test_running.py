"""Every snippet runs unchanged against a real local hub and saves a clip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.images import encoded, quarters, turned

from kling_nb.code import snippet
from kling_nb.models.request import ReferenceToVideo
from tests.hubside import HubSide, png_image

KEY = "key-of-the-test"
SH = shutil.which("sh") or "sh"
needs_curl = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "jq"))), reason="sh, curl or jq is not installed"
)


def ran(code: str, folder: Path, *, program: str = sys.executable) -> str:
    environment = {
        **os.environ,
        "OXEN_API_KEY": KEY,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    command = [program, "-c", code]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def request(**more) -> ReferenceToVideo:
    return ReferenceToVideo.model_validate(
        {"prompt": '@Image1: it\'s "here" for $5 \\ `now`', "duration": 3, "input_image": ["it's me.png"]} | more
    )


@pytest.fixture(autouse=True)
def _face(tmp_path: Path) -> None:
    (tmp_path / "it's me.png").write_bytes(png_image())


def clips(folder: Path) -> list[bytes]:
    return [path.read_bytes()[4:8] for path in folder.rglob("*.mp4")]


@pytest.mark.parametrize(
    ("flavour", "flow"), [(library, flow) for library in ("requests", "httpx") for flow in ("sync", "poll", "events")]
)
def test_python_saves_a_clip(flavour, flow, hub: HubSide, tmp_path: Path) -> None:
    code = snippet(request(), flavour, flow, hub=hub.url, every=0.1).code

    ran(code, tmp_path)

    assert clips(tmp_path) == [b"ftyp"]
    assert KEY not in code


def test_two_generations_save_two_clips(hub: HubSide, tmp_path: Path) -> None:
    ran(snippet(request(num_generations=2), "httpx", "events", hub=hub.url, every=0.1).code, tmp_path)

    assert clips(tmp_path) == [b"ftyp"] * 2
    assert hub.posts == 1


def test_the_call_of_this_package_saves_a_clip(hub: HubSide, tmp_path: Path) -> None:
    ran(snippet(request(), "kling_nb", hub=hub.url).code, tmp_path)

    assert clips(tmp_path) == [b"ftyp"]


@needs_curl
@pytest.mark.parametrize("flow", ["sync", "poll", "events"])
def test_curl_saves_a_clip(flow, hub: HubSide, tmp_path: Path) -> None:
    ran(snippet(request(), "curl", flow, hub=hub.url, every=0.1).code, tmp_path, program=SH)

    assert clips(tmp_path) == [b"ftyp"]


@needs_curl
def test_curl_sends_nothing_when_an_image_is_missing(hub: HubSide, tmp_path: Path) -> None:
    code = snippet(request(), "curl", "poll", hub=hub.url).code
    (tmp_path / "it's me.png").unlink()

    with pytest.raises(AssertionError, match="Cannot read it's me"):
        ran(code, tmp_path, program=SH)

    assert hub.posts == 0


def test_the_hub_accepts_the_json(hub: HubSide) -> None:
    body = json.loads(snippet(request(input_image=[]), "json").code)

    assert hub.enqueue(body)


def test_bytes_become_a_file_name_with_a_comment() -> None:
    made = snippet(request(input_image=[png_image()]), "requests")

    assert made.code.startswith("# input_image.0 was given as bytes: save it as input_image-0.png where this runs\n")
    assert 'address_of("input_image-0.png")' in made.code
    assert snippet(request(input_image=[png_image()]), "json").notes


def test_a_signature_is_left_out_with_a_comment() -> None:
    signed = "https://example.org/a.png?oxen_signature=deadbeef"
    for flavour in ("kling_nb", "requests", "curl"):
        code = snippet(request(input_image=[signed]), flavour).code
        assert "deadbeef" not in code
        assert code.startswith("# input_image.0 was a signed URL: ")


def test_the_code_of_one_call_names_the_fields_that_it_leaves_out() -> None:
    code = snippet(request(num_generations=3, target_namespace="team"), "requests", "sync").code

    assert code.splitlines()[:2] == [
        "# one call makes one clip, not 3: only the queue takes num_generations",
        "# one call is billed to the key's own namespace: only the queue takes target_namespace",
    ]
    assert '"num_generations"' not in code


@pytest.mark.parametrize("flavour", ["kling_nb", "requests", "curl", "json"])
def test_a_script_says_which_images_are_changed_before_they_are_sent(flavour, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpeg"
    photo.write_bytes(encoded(quarters(), "JPEG", exif=turned(6)))
    given = ReferenceToVideo(prompt="@Image1", input_image=[photo])
    for each in (given, given.prepared()):
        written = snippet(each, flavour)
        text = " ".join([written.code, *written.notes])
        assert str(photo) in text
        assert ("turned upright" in text) is (flavour != "kling_nb")

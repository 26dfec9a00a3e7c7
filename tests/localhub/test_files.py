"""Uploads and downloads."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kling_nb.localhub.repos import PathError, safe_path
from kling_nb.localhub.signing import Signer

from .conftest import HubClient, connect, image_bytes, wait_for

UPSTREAM = "Getting model response error: 422 - Value error, "
# The fastest result.
IMAGE = {"model": "black-forest-labs-flux-2-klein-4b", "duration": None}


def ask(method: str, url: str, **options: Any) -> httpx.Response:
    """Send a request without a key."""
    return httpx.request(method, url, trust_env=False, **options)


def upload_url(hub: HubClient, repo: str, path: str, data: bytes) -> str:
    """Upload a file to a public repository, and return its URL."""
    hub.post("/api/repos", json={"name": repo, "namespace": "local"})
    url = f"/api/repos/local/{repo}/file/main/{path}"
    assert hub.put(url, files={"file": data}).status_code == 200
    return f"{str(hub.base_url).rstrip('/')}{url}"


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
        ("bytes=100-", "*"),
        ("bytes=-0", "*"),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
    ],
)
def test_a_range_is_read_as_the_standard_says(hub: HubClient, header: str | None, part: object) -> None:
    data = bytes(range(100))
    url = upload_url(hub, "ranges", "hundred.bin", data)
    response = ask("GET", url, headers={} if header is None else {"Range": header})
    if part is None:
        assert (response.status_code, response.content) == (200, data)
    elif part == "*":
        assert (response.status_code, response.headers["content-range"]) == (416, "bytes */100")
    else:
        first, last = part
        assert (response.status_code, response.content) == (206, data[first : last + 1])
        assert response.headers["content-range"] == f"bytes {first}-{last}/100"
        assert int(response.headers["content-length"]) == last - first + 1


def test_a_part_of_a_clip_can_be_read(hub: HubClient, result_url: str) -> None:
    whole = ask("GET", result_url)
    part = ask("GET", result_url, headers={"Range": "bytes=4-7"})
    assert (whole.status_code, whole.headers["accept-ranges"], whole.headers["content-type"]) == (
        200,
        "bytes",
        "video/mp4",
    )
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"


def test_a_range_beyond_the_end_is_refused(hub: HubClient, result_url: str) -> None:
    response = ask("GET", result_url, headers={"Range": "bytes=999999999-"})
    assert response.status_code == 416
    assert response.headers["content-range"].startswith("bytes */")


def test_if_range_returns_the_whole_of_another_file(hub: HubClient, result_url: str) -> None:
    tag = ask("HEAD", result_url).headers["etag"]
    same = ask("GET", result_url, headers={"Range": "bytes=0-3", "If-Range": tag})
    other = ask("GET", result_url, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_head_returns_the_length_without_content(hub: HubClient, result_url: str) -> None:
    head = ask("HEAD", result_url)
    assert int(head.headers["content-length"]) == len(ask("GET", result_url).content)
    assert head.content == b""


def test_a_result_without_a_signature_needs_the_key(hub: HubClient, result_url: str) -> None:
    path = result_url.partition("?")[0]
    assert ask("GET", path).status_code == 403
    assert hub.get(path).status_code == 200


def test_a_forged_signature_is_forbidden(hub: HubClient, result_url: str) -> None:
    path, _, query = result_url.partition("?")
    later = query.replace("oxen_expires=", "oxen_expires=9")
    assert ask("GET", f"{path}?{later}").status_code == 403


def test_a_signature_expires(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    query = dict(pair.split("=") for pair in signer.sign("/a b", 100).partition("?")[2].split("&"))
    assert [signer.verify("/a b", query, now) for now in (99.0, 100.0)] == ["valid", "expired"]
    assert signer.verify("/other", query, 1.0) == "invalid"
    assert Signer(tmp_path).verify("/a b", query, 1.0) == "valid"


def test_reading_the_record_renews_an_expired_url(start: Callable[..., HubClient]) -> None:
    hub = start("--choice", "url_lifetime=1")
    job = hub.enqueue(**IMAGE)
    url = hub.finished(job)["result_url"]
    wait_for(lambda: ask("GET", url).status_code == 403)
    assert ask("GET", hub.record(job)["result_url"]).status_code == 200


def test_urls_that_are_not_signed_again_stay_the_same(start: Callable[..., HubClient]) -> None:
    hub = start("--choice", "resign=never")
    job = hub.enqueue(**IMAGE)
    first = hub.finished(job)["result_url"]
    time.sleep(1.1)  # signatures change by the second
    assert hub.record(job)["result_url"] == first


def test_results_can_need_the_key(start: Callable[..., HubClient]) -> None:
    hub = start("--choice", "results_need_key=yes")
    url = hub.finished(hub.enqueue(**IMAGE))["result_url"]
    assert (ask("GET", url).status_code, hub.get(url).status_code) == (401, 200)


def test_the_documented_upload_makes_an_image_that_jobs_can_use(hub: HubClient) -> None:
    made = hub.post("/api/repos", json={"name": "pictures", "namespace": "local"})
    again = hub.post("/api/repos", json={"name": "pictures", "namespace": "local"})
    assert (made.status_code, again.status_code) == (201, 409)
    path = "/api/repos/local/pictures/file/main/faces/one.png"
    form = {"message": "add", "name": "me", "email": "me@example.com"}
    put = hub.put(path, files={"file": ("one.png", image_bytes(), "image/png")}, data=form)
    assert put.status_code == 200, put.text
    url = f"{str(hub.base_url).rstrip('/')}{path}"
    assert ask("GET", url).content == image_bytes()
    assert hub.finished(hub.enqueue(input_image=[url]))["status"] == "succeeded"


def test_the_upload_of_the_vendors_client_works(hub: HubClient) -> None:
    user = hub.get("/api/users/me").json()["user"]["username"]
    assert hub.get(f"/api/repos/{user}/playground").status_code == 404
    repo = {"name": "playground", "namespace": user, "description": "", "visibility": "private", "workbench": True}
    assert hub.post("/api/repos/", json=repo).status_code == 201
    assert hub.get(f"/api/repos/{user}/playground").status_code == 200
    saved = hub.post(
        f"/api/repos/{user}/playground/workbench/context",
        files={"file": ("a face.png", image_bytes(), "image/png")},
        data={"directory": "context"},
    ).json()
    assert saved["status"] == "success"
    assert saved["uuid"]
    presigned = f"/api/repos/{user}/playground/file/presigned_url/main/{saved['asset_path']}"
    url = hub.get(presigned).json()["url"]
    assert "oxen_signature=" in url
    assert ask("GET", url).content == image_bytes()
    assert ask("GET", url.partition("?")[0]).status_code == 401
    with connect(str(hub.base_url), key="") as keyless:
        assert keyless.get(presigned).status_code == 401
    assert hub.finished(hub.enqueue(start_image_url=url))["status"] == "succeeded"


def test_jobs_can_use_a_private_file_by_its_signed_url_only(hub: HubClient) -> None:
    hub.post("/api/repos", json={"name": "mine", "namespace": "local", "visibility": "private"})
    form = {"file": ("take #1?.png", image_bytes(), "image/png")}
    saved = hub.post("/api/repos/local/mine/workbench/context", files=form).json()
    signed = hub.get(f"/api/repos/local/mine/file/presigned_url/main/{quote(saved['asset_path'])}").json()["url"]
    unsigned = signed.partition("?")[0]
    assert hub.finished(hub.enqueue(**IMAGE, input_image=[signed]))["status"] == "succeeded"
    record = hub.finished(hub.enqueue(**IMAGE, input_image=[unsigned]))
    assert record["error_message"] == f"{UPSTREAM}Failed to download image from {unsigned}: 401 Unauthorized"


@pytest.mark.parametrize("mode", ["edit", "reference"])
def test_jobs_can_use_a_result_by_its_signed_url_only(hub: HubClient, result_url: str, mode: str) -> None:
    edit = {"model": "kling-video-o3-omni", "video_mode": mode}
    unsigned = result_url.partition("?")[0]
    forged = result_url.replace("oxen_expires=", "oxen_expires=9")
    assert hub.finished(hub.enqueue(**edit, input_video=result_url))["status"] == "succeeded"
    for url in (unsigned, forged):
        assert hub.finished(hub.enqueue(**edit, input_video=url))["error_message"].endswith(": 403 Forbidden")


def test_jobs_cannot_use_a_result_that_needs_the_key(start: Callable[..., HubClient]) -> None:
    hub = start("--choice", "results_need_key=yes")
    url = hub.finished(hub.enqueue(**IMAGE))["result_url"]
    assert hub.finished(hub.enqueue(**IMAGE, input_image=[url]))["error_message"].endswith(": 401 Unauthorized")


SPECIAL_NAMES = ["a b", "take #1", "what?", "50%", "a%20b", "a+b&c=d;e", "ä", "日本"]


@pytest.mark.parametrize("name", SPECIAL_NAMES)
def test_a_file_with_any_name_can_be_read_by_its_signed_url(hub: HubClient, name: str) -> None:
    hub.post("/api/repos", json={"name": "odd", "namespace": "local", "visibility": "private"})
    form = {"file": (f"{name}.png", image_bytes(), "image/png")}
    saved = hub.post("/api/repos/local/odd/workbench/context", files=form, data={"directory": name}).json()
    signed = hub.get(f"/api/repos/local/odd/file/presigned_url/main/{quote(saved['asset_path'])}").json()["url"]
    assert ask("GET", signed).content == image_bytes()
    other = signed.replace(quote(name), quote(name + "x"), 1)
    assert ask("GET", other).status_code == 403


def test_a_result_in_any_folder_can_be_read_by_its_signed_url(hub: HubClient) -> None:
    jobs = {name: hub.enqueue(**IMAGE, target_directory=name) for name in SPECIAL_NAMES}
    urls = {name: hub.finished(job)["result_url"] for name, job in jobs.items()}
    assert {name: ask("GET", url).status_code for name, url in urls.items()} == dict.fromkeys(SPECIAL_NAMES, 200)


def test_a_result_in_any_folder_can_be_redirected(hub: HubClient) -> None:
    for name in ("take #1", "50%"):
        url = hub.finished(hub.enqueue(**IMAGE, target_directory=name))["result_url"]
        hub.fault("redirect_result", times=1)
        location = ask("GET", url).headers["location"]
        assert location.partition("/api/")[2] == url.partition("/api/")[2]
        assert ask("GET", location).content[:4] == b"\x89PNG", name


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a\\..\\..\\x", "", "/", "C:/x", "a\x00b", "a" * 300])
def test_unsafe_paths_are_rejected(path: str) -> None:
    with pytest.raises(PathError):
        safe_path(path)


def test_an_upload_cannot_leave_its_repository(hub: HubClient, start: Callable[..., HubClient], tmp_path: Path) -> None:
    own = start()
    own.post("/api/repos", json={"name": "r", "namespace": "local"})
    url = "/api/repos/local/r/file/main/%2e%2e%2f%2e%2e%2f%2e%2e%2fstolen.txt"
    response = own.put(url, files={"file": ("../../evil.txt", b"x")}, data={"message": "m"})
    assert response.status_code in (400, 404)
    assert not list(tmp_path.rglob("stolen.txt")) + list(tmp_path.rglob("evil.txt"))


def test_data_uris_can_be_refused(start: Callable[..., HubClient]) -> None:
    hub = start("--choice", "data_uri=refuse")
    body = {"model": "kling-video-o3-omni", "prompt": "x", "input_image": ["data:image/png;base64,AAAA"]}
    assert hub.post("/api/ai/queue", json=body).status_code == 500

"""One damaged, empty or foreign file in the media never hides the rest of a log, and is never shown or passed on."""

from __future__ import annotations

import json
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, png_image

from kling_nb.errors import LogError
from kling_nb.models.urls import sha256
from kling_nb.studio import Studio

HTML = b"<!doctype html><html><script>planted()</script></html>" * 40
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>planted()</script></svg>"


def _bomb() -> bytes:
    """Return a PNG of a few bytes that says it has 60,000 × 60,000 pixels."""
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


BYTES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "a web page": lambda data: HTML,
    "a drawing": lambda data: SVG,
    "noise": lambda data: bytes(range(256)) * 20,
    "noise after its first bytes": lambda data: data[:24] + bytes(range(256)) * 20,
    "a bomb": lambda data: _bomb(),
}
#: The files of a record: the digest in its sidecar, as a path of keys.
PLACES: Mapping[str, tuple[Any, ...]] = {
    "poster": ("clip", "poster"),
    "clip": ("clip", "digest"),
    "thumbnail": ("references", 0, "thumbnail"),
    "reference": ("references", 0, "digest"),
}

VIEWS: Mapping[str, Callable[[Studio, Path], Any]] = {
    "log": lambda studio, _: studio.log()._repr_mimebundle_(),
    "cards": lambda studio, _: [record._repr_mimebundle_() for record in studio.log()],
    "gallery": lambda studio, _: [studio.gallery().controller.poster(record) for record in studio.log()],
    "shown gallery": lambda studio, _: studio.gallery()._ipython_display_(),
    "compare": lambda studio, _: [
        studio.compare(*eight)._ipython_display_() for eight in batched(studio.log(status="succeeded"), 8)
    ],
    "methods": lambda studio, _: studio.log().methods(),
    "crate": lambda studio, folder: studio.log().export(folder / "a.zip"),
    "report": lambda studio, folder: studio.log().export(folder / "a.html"),
    "whole report": lambda studio, folder: studio.log().export(folder / "b.html", embed=50),
    "lines": lambda studio, folder: studio.log().export(folder / "a.jsonl"),
    "table": lambda studio, folder: studio.log().export(folder / "a.parquet"),
}


def batched(records: Any, size: int) -> list[list[Any]]:
    found = list(records)
    return [found[start : start + size] for start in range(0, len(found), size)]


@pytest.fixture
def copied(filled: Studio, tmp_path: Path) -> Path:
    """A copy of the log without its index, for a test to change before it is opened."""
    return shutil.copytree(filled.store.folder, tmp_path / "log", ignore=shutil.ignore_patterns("index.*", "locks"))


def sidecar_with_reference(folder: Path) -> Path:
    return next(path for path in (folder / "records").rglob("*.json") if json.loads(path.read_text())["references"])


def _at(whole: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        whole = whole[key]
    return whole


def put(folder: Path, whole: dict[str, Any], place: str, data: bytes, digest: str) -> Path:
    """Make a sidecar name a digest, and write its file, whatever its bytes are."""
    *parents, last = PLACES[place]
    name = digest.removeprefix("sha256:")
    suffix = ".mp4" if place == "clip" else ".jpg"
    _at(whole, tuple(parents))[last] = digest
    if place == "clip":
        whole["clip"]["file"] = f"media/{name[:2]}/{name}{suffix}"
    file = folder / "media" / name[:2] / f"{name}{suffix}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.fixture(scope="module")
def _broken(
    filled: Studio, _quick_hub: HubSide, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Studio, dict[str, str]]]:
    """A log with a record for each way to break each of its files, and the finding that each file deserves."""
    folder = tmp_path_factory.mktemp("broken") / "log"
    shutil.copytree(filled.store.folder, folder, ignore=shutil.ignore_patterns("index.*", "locks"))
    sidecar, expected = sidecar_with_reference(folder), dict[str, str]()
    for number, (damage, place, foreign) in enumerate(product(BYTES, PLACES, (False, True))):
        whole = json.loads(sidecar.read_text())
        digest = _at(whole, PLACES[place]).removeprefix("sha256:")
        data = BYTES[damage](next((folder / "media" / digest[:2]).glob(f"{digest}.*")).read_bytes())
        data += place.encode() if damage != "empty" else b""
        file = put(folder, whole, place, data, sha256(data if foreign else f"{number}".encode()))
        whole["id"] = f"broken{number:03}"
        sidecar.with_name(f"{whole['id']}.json").write_text(json.dumps(whole))
        expected[file.relative_to(folder).as_posix()] = "media invalid" if foreign else "media changed"
    studio = Studio(hub=_quick_hub.url, key="test-key", log=folder)
    yield studio, expected
    studio.close()


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_and_no_export_fails(_broken: tuple[Studio, dict[str, str]], tmp_path: Path, view: str) -> None:
    studio, _ = _broken
    assert len(studio.log()) == 3 + 2 * len(BYTES) * len(PLACES)
    VIEWS[view](studio, tmp_path)


def test_verify_names_each_file(_broken: tuple[Studio, dict[str, str]]) -> None:
    studio, expected = _broken
    found = {finding.about: finding.kind for finding in studio.log.verify() if finding.kind.startswith("media ")}
    assert {about: found.get(about) for about in expected} == expected


def test_a_web_page_among_the_media_is_never_linked_or_exported(
    _broken: tuple[Studio, dict[str, str]], tmp_path: Path
) -> None:
    studio, _ = _broken
    done = studio.log().export(tmp_path / "a.zip")
    with zipfile.ZipFile(done.path) as packed:
        assert not any(b"planted()" in packed.read(name) for name in packed.namelist())
    pages = [
        record
        for record in studio.log(status="succeeded")
        if record.clip and b"planted()" in (studio.store.folder / record.clip.file).read_bytes()
    ]
    assert len(pages) == 4
    for record in pages:
        assert f"the clip of {record.id}" in " ".join(done.omissions)
        html = record._repr_mimebundle_()["text/html"]
        assert not re.search(rf"(src|href)=['\"][^'\"]*{record.clip.digest[7:]}", html)


@pytest.mark.parametrize("file", ["../../x.mp4", "/etc/x.mp4", "C:\\x.mp4", "media/../../x.mp4"])
def test_a_path_that_leads_out_of_the_log_is_never_followed_and_is_named(
    copied: Path, hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path, file: str
) -> None:
    sidecar = sidecar_with_reference(copied)
    whole = json.loads(sidecar.read_text())
    whole["clip"]["file"] = file
    sidecar.write_text(json.dumps(whole))
    (tmp_path / "x.mp4").write_bytes(b"secret")
    studio = studio_at(hub)

    record = studio.log()[whole["id"]]
    bundle = record._repr_mimebundle_()
    assert "x.mp4" not in bundle["text/html"] + bundle["text/plain"]
    assert "<video" in bundle["text/html"], "the clip is found by its digest"
    studio.log().export(tmp_path / "a.zip")
    assert [finding.about for finding in studio.log.verify() if finding.kind == "path outside"] == [record.id]


IMPORTED = {
    ("poster", "a drawing"): "an SVG drawing",
    ("poster", "noise"): "a file of an unknown type",
    ("clip", "a web page"): "a web page",
    ("clip", "half"): "damaged",
    ("clip", "empty"): "empty",
    ("thumbnail", "a web page"): "a web page",
    ("thumbnail", "a bomb"): "damaged",
}


@pytest.mark.parametrize(("place", "damage"), IMPORTED)
def test_an_import_refuses_files_by_what_their_bytes_are(
    filled: Studio, hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path, place: str, damage: str
) -> None:
    crate = filled.log().export(tmp_path / "crate").path
    sidecar = sidecar_with_reference(crate)
    whole = json.loads(sidecar.read_text())
    folder = {"poster": "posters", "clip": "clips"}.get(place, "references")
    name = whole["id"] if place == "clip" else _at(whole, PLACES[place]).removeprefix("sha256:")[:16]
    file = next((crate / folder).glob(f"{name}.*"))
    data = BYTES[damage](file.read_bytes())
    put(tmp_path / "unused", whole, place, data, sha256(data))
    file.write_bytes(data)
    sidecar.write_text(json.dumps(whole))

    studio = studio_at(hub, log=tmp_path / "mine")
    report = studio.import_log(crate)

    (problem,) = [problem for problem in report.problems if IMPORTED[place, damage] in problem]
    assert whole["id"] in problem
    assert data not in [path.read_bytes() for path in (tmp_path / "mine" / "media").rglob("*") if path.is_file()]
    studio.log()._repr_mimebundle_()


def test_a_rerun_never_sends_an_image_that_was_changed(
    copied: Path, hub: HubSide, studio_at: Callable[..., Studio]
) -> None:
    whole = json.loads(sidecar_with_reference(copied).read_text())
    digest = _at(whole, PLACES["reference"]).removeprefix("sha256:")
    next((copied / "media" / digest[:2]).glob(f"{digest}.*")).write_bytes(png_image("#102030"))
    studio = studio_at(hub)
    with pytest.raises(LogError, match="missing from the log, or was changed"):
        studio.log()[whole["id"]].rerun()
    assert hub.enqueued == 0


def test_an_image_that_is_a_poster_and_a_reference_is_exported_as_both(
    copied: Path, hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    sidecar = sidecar_with_reference(copied)
    whole = json.loads(sidecar.read_text())
    whole["clip"]["poster"] = _at(whole, PLACES["thumbnail"])
    sidecar.write_text(json.dumps(whole))
    folder = studio_at(hub).log().export(tmp_path / "crate").path
    name = whole["clip"]["poster"].removeprefix("sha256:")[:16]
    assert (folder / "posters" / f"{name}.jpg").is_file() and (folder / "references" / f"{name}.jpg").is_file()

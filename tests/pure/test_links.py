"""How a cell reaches the log's media: relative and quoted, and never to a file that is not there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from kling_nb.links import Links, notebook_path
from kling_nb.models.record import Clip, Reference

from .samples import a_record

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "my films & clips #1" / "kling_log"
    (folder / "media" / "aa").mkdir(parents=True)
    (folder / "media" / "aa" / "ü.mp4").write_bytes(b"film")
    return folder


def links(log: Path, beside: Path) -> Links:
    return Links(log, beside, lambda digest: None, lambda data: "poster", lambda data: "thumbnail")


def test_a_clip_is_linked_relative_to_the_notebook_and_quoted(log: Path) -> None:
    record = a_record(clip=Clip(file="media/aa/ü.mp4", digest=DIGEST, size=4))
    url = links(log, log.parents[1]).clip(record)
    assert url is not None
    assert not set(url) & set(" &#ü")
    assert unquote(url) == "my films & clips #1/kling_log/media/aa/ü.mp4"
    assert (log.parents[1] / unquote(url)).exists()


def test_a_notebook_in_a_folder_beside_reaches_it_too(log: Path, tmp_path: Path) -> None:
    record = a_record(clip=Clip(file="media/aa/ü.mp4", digest=DIGEST, size=4))
    beside = tmp_path / "notebooks"
    assert unquote(links(log, beside).clip(record) or "").startswith("../my films")


def test_what_is_missing_has_no_link(log: Path, tmp_path: Path) -> None:
    gone = a_record(clip=Clip(file="media/aa/gone.mp4", digest=DIGEST, size=4))
    assert links(log, tmp_path).clip(gone) is None
    assert links(log, tmp_path).clip(a_record()) is None
    assert links(log, tmp_path).poster(gone) is None
    assert links(log, tmp_path).thumbnail(Reference(path="input_image.0", identity="u", given="u")) is None


def test_small_pictures_are_embedded(log: Path, tmp_path: Path) -> None:
    kept = tmp_path / "poster.jpg"
    kept.write_bytes(b"jpeg")
    found = Links(log, tmp_path, lambda digest: kept, lambda data: f"<{data!r}>", lambda data: "t")
    assert found.poster(a_record(clip=Clip(file="x", digest=DIGEST, size=1, poster=DIGEST))) == "<b'jpeg'>"


def test_the_notebook_is_what_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert notebook_path() is None
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/a b.ipynb")
    assert notebook_path() == Path("/somewhere/a b.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", "c0ffee-uuid")
    assert notebook_path() is None

"""Files that are not files, and names that are not UTF-8: refused in our own words, or used, and never waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, png_image
from support.clips import grey, write_clip

from kling_nb import errors
from kling_nb.studio import Studio

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX has such files and names")

NOT_UTF8 = os.fsdecode(b"caf\xe9")
USES: dict[str, Callable[[Studio, Path], Any]] = {
    "from_video": lambda studio, path: studio.from_video(path),
    "import_log": lambda studio, path: studio.import_log(path),
    "notebook of an export": lambda studio, path: studio.log().export(path.with_name("out.zip"), notebook=path),
}


@pytest.mark.parametrize("use", USES)
def test_a_path_that_is_not_that_of_a_file_is_refused_immediately(filled: Studio, tmp_path: Path, use: str) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    paths = {
        tmp_path / "pipe.jsonl": "is not a regular file",
        Path("/dev/zero"): "is not a regular file",
        tmp_path / "gone.mp4": "does not exist",
        Path("a\0b"): "is not a valid path|does not exist",
        Path("\ud800"): "is not a valid path|does not exist",
        Path(NOT_UTF8): "does not exist",
        **({tmp_path: "is a folder"} if use != "import_log" else {}),
    }
    for path, words in paths.items():
        with pytest.raises((errors.ExchangeError, errors.ArgumentError), match=words) as refused:
            USES[use](filled, path)
        assert str(refused.value).encode()


def test_a_file_that_is_not_a_video_is_refused_without_its_readers_words(filled: Studio, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    for data in (b"", b"abc", png_image(), b"\0" * 5000):
        file.write_bytes(data)
        with pytest.raises(errors.ExchangeError) as refused:
            filled.from_video(file)
        assert "Errno" not in str(refused.value)
        assert "notes.txt" in str(refused.value)


def test_a_name_that_is_not_utf8_can_be_used_everywhere(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    face, film = tmp_path / f"{NOT_UTF8}.png", tmp_path / f"{NOT_UTF8}.mp4"
    face.write_bytes(png_image())
    clip = studio.generate("@Image1 sails", input_image=[face], duration=3).result(60)
    assert (hub.posts, clip.record.references[0].name) == (1, "caf\ufffd.png")
    assert studio.from_video(clip.save(film)).id == clip.record.id
    notebook = tmp_path / f"{NOT_UTF8}.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    for name in (".zip", "", ".html", ".jsonl"):
        target = tmp_path / f"{NOT_UTF8} out{name}"
        assert studio.log().export(target, **({"notebook": notebook} if name == ".zip" else {}))
        assert target.exists()
    assert studio.import_log(tmp_path / f"{NOT_UTF8} out.zip").same == 1
    with pytest.raises(errors.RequestError, match="cannot be read"):
        film.write_bytes(b"abc")
        studio.generate("@Video1 sails", model="kling-video-o3-omni", input_video=film)
    made = write_clip(tmp_path / "made.mp4", [grey(9)] * 24 * 4).rename(film)
    assert studio.lint("@Video1 sails", model="kling-video-o3-omni", input_video=made)


def test_a_log_may_have_a_name_that_is_not_utf8(hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path) -> None:
    studio = studio_at(hub, log=tmp_path / NOT_UTF8)
    clip = studio.generate("a boat", duration=3).result(60)
    assert clip.path.parent.parent.parent == tmp_path / NOT_UTF8
    assert "caf%E9/media/" in clip._repr_mimebundle_()["text/html"]
    assert str(studio.log()._repr_mimebundle_()["text/html"]).encode()

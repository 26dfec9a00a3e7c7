"""The log's folder explains itself: a README, a `.gitignore`, and clips under names for people."""

import os

import pytest
from support.records import CLIP, make_record

from kling_nb.store import Log


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "kling_log")


def finished(log, number=0, prompt="a cat jumps"):
    digest = log.add_media(b"\0\0\0\x18ftypmp42" + bytes([number]), ".mp4")
    clip = CLIP.model_copy(update={"digest": digest, "file": log.file(digest).relative_to(log.folder).as_posix()})
    return log.save(make_record(number, prompt=prompt, status="succeeded", clip=clip))


def links(log):
    return sorted(path.name for path in (log.folder / "clips").glob("*"))


def test_a_clip_has_a_link_with_a_name_for_people(log):
    record = finished(log)

    (link,) = (log.folder / "clips").iterdir()
    assert link.name == "2026-11-01 a cat jumps · job00000.mp4"
    assert link.read_bytes() == log.file(record.clip.digest).read_bytes()
    assert not link.readlink().is_absolute()  # the folder can be moved


def test_a_link_follows_its_clip_into_the_trash_and_back(log):
    record = finished(log)
    log.trash(record.id)
    assert links(log) == []

    log.restore(record.id)
    assert len(links(log)) == 1


def test_the_folder_has_a_readme_and_an_ignore_file_which_stay_as_the_user_left_them(log):
    finished(log)
    assert "clips/" in (log.folder / "README.md").read_text("utf-8")
    assert "/media/" in (log.folder / ".gitignore").read_text("utf-8").splitlines()

    (log.folder / "README.md").write_text("mine", "utf-8")
    finished(Log(log.folder), 1)
    assert (log.folder / "README.md").read_text("utf-8") == "mine"


def test_a_system_without_links_has_the_clips_all_the_same(log, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    monkeypatch.setattr(os, "link", refuse)

    record = finished(log)

    assert links(log) == [] and log.get(record.id).clip == record.clip

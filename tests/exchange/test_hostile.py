"""An import is not trusted: nothing is written outside the log, unpacked without limit, or executed."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, png_image

from kling_nb import errors
from kling_nb.errors import ArgumentError
from kling_nb.exchange import importer
from kling_nb.exchange.importer import Staging
from kling_nb.models.canonical import canonical_json
from kling_nb.models.request import TARGET
from kling_nb.models.urls import sha256
from kling_nb.studio import Studio


@pytest.fixture(scope="module")
def _valid(filled: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled.log().export(tmp_path_factory.mktemp("exported") / "sound").path


@pytest.fixture
def crate(_valid: Path, tmp_path: Path) -> Path:
    """A valid crate, as a folder, for a test to change."""
    return shutil.copytree(_valid, tmp_path / "sound")


@pytest.fixture
def elsewhere(studio_at: Callable[..., Studio], hub: HubSide) -> Studio:
    return studio_at(hub)


def packed(crate: Path, extra: dict[str, bytes] | None = None, *, link: bool = False) -> Path:
    target = crate.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in crate.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(crate).as_posix())
        for name, data in (extra or {}).items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if link:
                info.external_attr = 0o120777 << 16
            archive.writestr(info, data)
    return target


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "log" not in path.relative_to(folder).parts[:1]}


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "clips/../../evil.txt", "C:evil.txt", "clips\\..\\evil"])
def test_nothing_is_written_outside(name: str, crate: Path, elsewhere: Studio, tmp_path: Path) -> None:
    archive = packed(crate, {name: b"evil"})
    before = everything(tmp_path)
    with pytest.raises(errors.ExchangeError, match="outside its folder"):
        elsewhere.import_log(archive)
    assert everything(tmp_path) == before
    assert len(elsewhere.log()) == 0


def test_a_link_in_an_archive_is_refused_and_one_in_a_folder_not_followed(
    crate: Path, elsewhere: Studio, tmp_path: Path
) -> None:
    with pytest.raises(errors.ExchangeError, match="outside its folder"):
        elsewhere.import_log(packed(crate, {"clips/x.mp4": b"/etc/passwd"}, link=True))
    secret = tmp_path / "secret.txt"
    secret.write_text("mine")
    (crate / "clips" / "link.mp4").symlink_to(secret)
    (crate / "records" / "link.json").symlink_to(secret)
    assert len(elsewhere.import_log(crate).added) == 3
    assert all(path.read_bytes() != b"mine" for path in elsewhere.store.folder.rglob("*") if path.is_file())


def test_an_archive_that_unpacks_to_far_more_is_refused(
    crate: Path, elsewhere: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importer, "LARGEST", 3_000_000)
    bomb = packed(crate, {"clips/bomb.mp4": bytes(4_000_000)})
    with pytest.raises(errors.ExchangeError, match="unpacks to far more"):
        elsewhere.import_log(bomb)
    assert len(elsewhere.log()) == 0


def test_a_damaged_archive_and_other_files_raise(crate: Path, elsewhere: Studio, tmp_path: Path) -> None:
    damaged = packed(crate)
    data = damaged.read_bytes()
    damaged.write_bytes(data[:2000] + bytes(1000) + data[3000:])
    with pytest.raises(errors.ExchangeError):
        elsewhere.import_log(damaged)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    for name, error in (("empty", errors.ExchangeError), ("notes.txt", ArgumentError), ("gone.zip", ArgumentError)):
        with pytest.raises(error, match=name):
            elsewhere.import_log(tmp_path / name)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
def test_an_archive_with_damaged_bytes_raises(method: int, crate: Path, elsewhere: Studio, tmp_path: Path) -> None:
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w", method) as packing:
        for file in sorted((crate / "clips").iterdir()):
            packing.write(file, f"clips/{file.name}")
    data = archive.read_bytes()
    for place in range(60, 4000, 97):
        archive.write_bytes(data[:place] + bytes(0xFF ^ byte for byte in data[place : place + 8]) + data[place + 8 :])
        with pytest.raises(errors.ExchangeError):
            elsewhere.import_log(archive)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["clips", "clips/a.mp4"], "packed.zip cannot be unpacked.*clips/a.mp4"),
        (["clips/a.mp4", "clips"], "packed.zip cannot be unpacked.*'clips'"),
        (["clips/" + "a" * 300 + ".mp4"], "packed.zip cannot be unpacked.*clips/aaa"),
    ],
)
def test_an_archive_whose_names_cannot_be_files_raises(
    names: list[str], words: str, elsewhere: Studio, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packing:
        for name in names:
            packing.writestr(name, "x")
    with pytest.raises(errors.ExchangeError, match=words):
        elsewhere.import_log(tmp_path / "packed.zip")


@pytest.mark.parametrize("form", ["zip", "folder", "lines"])
def test_an_import_onto_a_full_disk_raises_and_adds_nothing(
    form: str, crate: Path, filled: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    source = packed(crate) if form == "zip" else crate
    if form == "lines":
        source = filled.log().export(tmp_path / "study.jsonl").path
    # A limit on the size of one file has the same effect as a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(errors.ExchangeError) as refused:
            elsewhere.import_log(source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"Free some space in {tempfile.gettempdir()}" in str(refused.value)
    assert "kling-nb-import" not in str(refused.value), "that folder is deleted"
    assert len(elsewhere.log()) == 0


def test_a_file_that_cannot_be_read_raises(elsewhere: Studio, tmp_path: Path) -> None:
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    for name in ("loop.jsonl", "a" * 300 + ".jsonl"):
        with pytest.raises(errors.KlingError, match=name[:20]):
            elsewhere.import_log(tmp_path / name)


@pytest.mark.parametrize("form", ["jsonl", "crate"])
def test_a_vote_whose_voter_has_a_line_break_is_left_out_and_named(
    form: str, crate: Path, filled: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    record = filled.log(tag="walk")[0].id
    vote = json.dumps(VOTE | {"left": record, "right": record, "who": "Ann\u2028Lee"}, ensure_ascii=False)
    if form == "crate":
        source, file = crate, crate / "votes.jsonl"
        file.write_text(file.read_text("utf-8") + vote + "\n", "utf-8")
    else:
        source = filled.log().export(tmp_path / "study.jsonl").path
        source.write_text(source.read_text("utf-8") + f'{{"vote":{vote}}}\n', "utf-8")
    came = elsewhere.import_log(source)
    assert (len(came.added), came.votes) == (3, 7)
    assert any("line break" in problem for problem in came.problems), came.problems
    assert len(elsewhere.store.votes.all()) == 7


def changed(crate: Path, **changes: Any) -> None:
    # A record with a clip: which of them started first is random.
    file = next(file for file in sorted((crate / "records").glob("*.json")) if json.loads(file.read_text())["clip"])
    record = json.loads(file.read_text())
    record.update({name: value for name, value in changes.items() if "." not in name})
    record["clip"].update({name.partition(".")[2]: value for name, value in changes.items() if "." in name})
    file.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "../../evil"}, "its id is"),
        ({"batch": "a/b"}, "its batch is"),
        ({"clip.digest": "sha256:../../etc"}, "its clip has the digest"),
        ({"clip.file": "../../../etc/passwd"}, "its clip has the path"),
        ({"status": "prepared"}, "only ended jobs"),
        ({"request_hash": "sha256:" + "0" * 64}, "does not have the record's hash"),
        ({"note": "x" * 2_000_000}, "larger than a record"),
        ({"stars": "many"}, "not a readable record"),
    ],
)
def test_an_invalid_record_is_left_out_and_named(
    changes: dict[str, Any], words: str, crate: Path, elsewhere: Studio
) -> None:
    changed(crate, **changes)
    came = elsewhere.import_log(crate)
    assert len(came.added) == 2
    assert any(words in problem for problem in came.problems), came.problems


def test_a_local_path_in_a_request_is_refused_and_never_read(crate: Path, elsewhere: Studio, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png_image())
    asked = {"model": TARGET, "prompt": "@Image1", "duration": 3, "input_image": [str(tmp_path / "secret.png")]}
    changed(crate, canonical=asked, request_hash=sha256(canonical_json(asked)), references=[])
    came = elsewhere.import_log(crate)
    assert any("not one of its references" in problem for problem in came.problems), came.problems
    assert len(came.added) == 2


VOTE = {"id": "v1", "at": "2026-11-25T10:00:00Z", "who": "eve", "outcome": "left", "seed": 1}


@pytest.mark.parametrize(
    ("vote", "words"),
    [
        ({"left": "job1", "right": "job2"}, "clips that are not in the import"),
        ({"left": "../../x", "right": "job2"}, "not a valid vote"),
        ({"left": "job1", "right": "job2", "undone": True}, "it is undone"),
        ({"left": "job1", "right": "job2", "outcome": "all"}, "not a readable vote"),
        ({"left": "job1", "right": "job2", "who": "e" * 20_000}, "larger than a vote"),
    ],
)
def test_an_invalid_vote_is_left_out_and_named(
    vote: dict[str, Any], words: str, crate: Path, elsewhere: Studio
) -> None:
    (crate / "votes.jsonl").write_text(json.dumps(VOTE | vote))
    came = elsewhere.import_log(crate)
    assert (len(came.added), came.votes) == (3, 0)
    assert any(words in problem for problem in came.problems), came.problems


def test_a_crate_packed_with_its_folder_is_found(crate: Path, elsewhere: Studio, tmp_path: Path) -> None:
    around = tmp_path / "around"
    around.mkdir()
    crate.rename(around / "sound")
    came = elsewhere.import_log(packed(around))
    assert (len(came.added), came.votes, came.plans, came.problems) == (3, 7, 1, [])


def test_an_import_replaces_no_vote_and_no_score_of_this_log(crate: Path, filled: Studio) -> None:
    votes, scores = filled.store.votes.all(), filled.store.scores.of(list(filled.log()))
    for name, changes in (("votes", {"outcome": "tie"}), ("scores", {"value": 99.0, "at": "2027-01-01T00:00:00Z"})):
        file = crate / f"{name}.jsonl"
        lines = [json.dumps(json.loads(line) | changes) for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines))
    came = filled.import_log(crate)
    assert (came.votes, came.scores) == (0, 0)
    assert (filled.store.votes.all(), filled.store.scores.of(list(filled.log()))) == (votes, scores)


def test_a_plan_with_another_id_or_an_unknown_image_is_left_out(crate: Path, elsewhere: Studio) -> None:
    (file,) = (crate / "plans").iterdir()
    sound = file.read_text()
    for before, after, words in (
        ("for $5 or $6", "for $50", "its content has another id"),
        ('"repeat": 1', '"repeat": 900000000000', "cells"),
        ('"identity": "sha256:', '"identity": "sha256:0', "not one of its references"),
    ):
        file.write_text(sound.replace(before, after))
        came = elsewhere.import_log(crate)
        assert came.plans == 0
        assert any(words in problem for problem in came.problems), (words, came.problems)


def test_an_endless_line_is_not_read_to_its_end(
    filled: Studio, elsewhere: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Staging, "LARGEST", 1_100_000)
    file = filled.log().export(tmp_path / "study.jsonl").path
    file.write_bytes(b'{"vote":{"' + b"x" * 5_000_000 + b"\n" + file.read_bytes())
    read: list[int] = []
    monkeypatch.setattr(Staging, "line", _measured(read, Staging.line))
    came = elsewhere.import_log(file)
    assert len(came.added) == 3
    assert max(read) == 1_100_002
    assert "line 1 is not a readable vote" in came.problems[0]


def _measured(read: list[int], line: Any) -> Any:
    def measured(self: Staging, text: bytes, where: str) -> None:
        read.append(len(text))
        line(self, text, where)

    return measured


def test_a_clip_with_another_digest_is_missing(crate: Path, elsewhere: Studio) -> None:
    clip = sorted((crate / "clips").iterdir())[0]
    clip.write_bytes(b"another clip")
    came = elsewhere.import_log(crate)
    assert any("missing" in problem for problem in came.problems)
    assert {finding.kind for finding in elsewhere.store.verify()} == {"media missing"}


def test_an_imported_record_is_never_sent(crate: Path, elsewhere: Studio, hub: HubSide) -> None:
    elsewhere.import_log(crate)
    assert len(elsewhere.resume()) == 0
    assert hub.posts == 0

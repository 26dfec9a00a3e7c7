"""A clip's file contains its record, and the clip itself is unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from filmreader import tags_of
from hubside import HubSide, png_image
from support.videos import video_file

from kling_nb import errors
from kling_nb.engine.job import Clip
from kling_nb.exchange.mp4 import TAG, embed_record, is_signed, packets_of
from kling_nb.models.frames import frame_of
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.studio import Studio

KEY = "sk-planted-key-0123456789"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, _quick_hub: HubSide) -> tuple[Studio, Clip]:
    """A clip with sound and a picture, made with a planted key."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "private").mkdir()
    (folder / "private" / "face.png").write_bytes(png_image())
    studio = Studio(hub=_quick_hub.url, key=KEY, log=folder / "log")
    request: dict[str, Any] = {"prompt": "@Image1 <b>sails</b> über das Meer 海", "duration": 3, "generate_audio": True}
    clip = studio.generate(**request, input_image=[folder / "private" / "face.png"]).result(60)
    return studio, clip


def streams(file: Path) -> list[list[tuple[Any, ...]]]:
    """Every packet, read by independent code: time, size and bytes."""
    with av.open(str(file)) as container:
        found: list[list[tuple[Any, ...]]] = [[] for _ in container.streams]
        for packet in container.demux():
            found[packet.stream_index].append((packet.pts, packet.dts, packet.duration, bytes(packet)))
    return found


def test_saving_leaves_every_packet_as_it_was(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    _, clip = made
    saved = clip.save(tmp_path / "walk.mp4")
    assert streams(saved) == streams(clip.path)
    assert saved.read_bytes() != clip.path.read_bytes()
    assert list(tmp_path.glob("*.new")) == []


def test_a_clip_is_never_saved_over_a_file_of_the_log(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    studio, clip = made
    before = clip.path.read_bytes()
    (tmp_path / "link").symlink_to(clip.path.parent)
    for target in (clip.path, clip.path.parent, clip.path.with_name("new.mp4"), tmp_path / "link" / clip.path.name):
        with pytest.raises(errors.ArgumentError, match="log's own media"):
            clip.save(target)
    assert clip.path.read_bytes() == before
    assert list(clip.path.parent.iterdir()) == [clip.path]
    assert studio.store.verify() == []


def test_any_reader_of_metadata_finds_the_record(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    _, clip = made
    saved = clip.save(tmp_path)
    assert saved.name == f"{clip.record.id}.mp4"
    assert json.loads(tags_of(saved)[TAG])["record"]["request_hash"] == clip.record.request_hash


def test_the_record_can_be_read_on_another_machine(
    made: tuple[Studio, Clip], tmp_path: Path, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    _, clip = made
    elsewhere = studio_at(hub)
    record = elsewhere.from_video(clip.save(tmp_path / "walk.mp4"))
    same = {"holder": None, "by": "", "references": record.references}
    assert record.model_dump() == clip.record.model_copy(update=same).model_dump()
    panel = elsewhere.panel(record)
    assert panel.fields["prompt"] == clip.record.prompt
    assert "input_image" not in panel.fields or panel.fields["input_image"] == []
    with pytest.raises(errors.LogError, match=r"face\.png"):
        record.request()
    assert "face.png" in str(record.reproducibility)


def test_the_request_is_complete_where_the_log_has_its_images(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    studio, clip = made
    record = studio.from_video(clip.save(tmp_path / "walk.mp4"))
    assert studio.panel(record).request == record.request() == clip.record.request()


def test_a_saved_clip_contains_no_key_no_signature_and_no_folder(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    data = made[1].save(tmp_path / "walk.mp4").read_bytes()
    assert b"face.png" in data
    assert made[1].record.by
    assert b'"by":""' in data
    for secret in (KEY, "private", "X-Amz", "Signature", str(tmp_path.parent), 'holder":"'):
        assert secret.encode() not in data


def test_the_record_of_a_clip_that_was_cut_has_a_note(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    studio, clip = made
    saved, cut = clip.save(tmp_path / "walk.mp4"), tmp_path / "cut.mp4"
    with (
        av.open(str(saved)) as given,
        av.open(str(cut), "w", container_options={"movflags": "use_metadata_tags"}) as shorter,
    ):
        shorter.metadata.update(given.metadata)
        stream = given.streams.video[0]
        copy = shorter.add_stream_from_template(stream)
        for number, packet in enumerate(given.demux(stream)):
            if packet.dts is not None and number < 24:
                packet.stream = copy
                shorter.mux(packet)
    assert packets_of(cut) != packets_of(saved)
    assert "changed after this record" in studio.from_video(cut).notes[-1]


def test_a_file_without_a_valid_record_raises(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    studio, clip = made
    with pytest.raises(errors.ExchangeError, match="has no record"):
        studio.from_video(clip.path)
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(errors.ExchangeError, match=r"notes\.mp4 cannot be used"):
        studio.from_video(tmp_path / "notes.mp4")
    false = tmp_path / "false.mp4"
    with (
        av.open(str(clip.path)) as given,
        av.open(str(false), "w", container_options={"movflags": "use_metadata_tags"}) as other,
    ):
        other.metadata[TAG] = '{"record": {"id": 1}, "packets": ""}'
        copy = other.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                other.mux(packet)
    with pytest.raises(errors.ExchangeError, match="not a readable record"):
        studio.from_video(false)


def test_a_changed_clip_is_not_saved(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    _, clip = made
    before = clip.path.read_bytes()
    clip.path.write_bytes(before + b"\0\0\0\x08free")
    try:
        with pytest.raises(errors.LogError, match=rf"it is not the clip of {clip.record.id}.*verify\(\)"):
            clip.save(tmp_path / "walk.mp4")
    finally:
        clip.path.write_bytes(before)
    assert list(tmp_path.glob("*walk*")) == []


def test_a_record_without_a_clip_cannot_be_saved(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    hub.fault("failed", times=1)
    job = studio.generate("a boat", duration=3)
    job.wait(60)
    with pytest.raises(errors.ArgumentError, match="has no clip in this log"):
        job.record.save(tmp_path / "x.mp4")


def signed_clip(studio: Studio, clip: Clip, *, large: bool = False) -> Record:
    """Return the record of a clip with a C2PA box after its first box, as providers write it."""
    data = clip.path.read_bytes()
    first = int.from_bytes(data[:4])
    body = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"the proof" * 9
    size = (1).to_bytes(4) + b"uuid" + (16 + len(body)).to_bytes(8) if large else (8 + len(body)).to_bytes(4) + b"uuid"
    data = data[:first] + size + body + data[first:]
    digest = studio.store.add_media(data, ".mp4")
    assert clip.record.clip
    return clip.record.model_copy(update={"clip": clip.record.clip.model_copy(update={"digest": digest})})


@pytest.mark.parametrize("large", [False, True])
def test_the_proof_of_a_signed_clip_stays_valid(made: tuple[Studio, Clip], tmp_path: Path, large: bool) -> None:
    studio, clip = made
    record = signed_clip(studio, clip, large=large)
    saved = record.save(tmp_path / "walk.mp4")
    assert sha256(saved.read_bytes()) == record.clip.digest
    again = studio.from_video(saved)
    assert (again.id, again.request_hash, again.notes) == (record.id, record.request_hash, record.notes)
    with saved.open("ab") as out:
        out.write(b"\0\0\0\x08free")
    assert "changed after this record" in studio.from_video(saved).notes[-1]


def test_a_clip_without_a_signature_has_its_record_inside_alone(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    saved = made[1].save(tmp_path / "walk.mp4")
    assert [file.name for file in tmp_path.glob("walk*")] == ["walk.mp4"]
    assert not is_signed(saved)


@pytest.mark.parametrize(
    "data", [b"", b"abc", bytes(99), b"\0\0\0\1mdat", b"\0\0\0\x10ftypqt  \0\0\0\0", b"<html>" * 9]
)
def test_any_bytes_are_signed_or_not(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    assert is_signed(tmp_path / "a.mp4") is False


def test_a_label_of_the_provider_and_the_rotation_are_kept(made: tuple[Studio, Clip], tmp_path: Path) -> None:
    _, clip = made
    turned = video_file(tmp_path / "a.mp4", 1, (320, 192), turned=90)
    labelled, saved = tmp_path / "b.mp4", tmp_path / "c.mp4"
    with (
        av.open(str(turned)) as given,
        av.open(str(labelled), "w", container_options={"movflags": "use_metadata_tags"}) as other,
    ):
        other.metadata.update({"AIGC": '{"Label": "1"}', "comment": "made by Kling"})
        copy = other.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                other.mux(packet)
    embed_record(clip.record, labelled, saved)
    found = tags_of(saved)
    assert (found["AIGC"], found["comment"]) == ('{"Label": "1"}', "made by Kling")
    assert frame_of(saved, 0).size == frame_of(turned, 0).size == (192, 320)

"""Media: files under their content's name, clips with their facts, references with their thumbnails."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image
from support.images import encoded, jpeg

from kling_nb.errors import ArgumentError, TransferError
from kling_nb.models.asset import Asset
from kling_nb.models.urls import sha256
from kling_nb.store import Log
from kling_nb.store.media import Media
from kling_nb.store.probe import probe, thumbnail

Film = Callable[..., Path]


def downloaded(log: Log, source: Path) -> tuple[Path, str]:
    path = log.partial("job")
    shutil.copy(source, path)
    return path, sha256(path.read_bytes())


def test_the_same_bytes_are_stored_once(log: Log) -> None:
    digest = log.add_media(b"hello", ".jpg")
    assert log.add_media(b"hello", ".png") == digest == sha256(b"hello")
    assert [path.name for path in log.folder.rglob("*") if path.is_file()] == [f"{digest[7:]}.jpg"]
    assert log.file(digest) == log.folder / f"media/{digest[7:9]}/{digest[7:]}.jpg"
    assert log.file(sha256(b"other")) is None


@pytest.mark.parametrize("wrong", [b"", b"hellO", b"hello and more"])
def test_wrong_bytes_are_written_again(log: Log, wrong: bytes) -> None:
    digest = log.add_media(b"hello", ".bin")
    file = log.file(digest)
    assert file is not None
    file.write_bytes(wrong)
    assert log.add_media(b"hello", ".bin") == digest
    assert file.read_bytes() == b"hello"


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../etc", "a" * 64, "sha256:" + "A" * 64])
def test_an_invalid_digest_is_refused(log: Log, digest: str) -> None:
    with pytest.raises(ArgumentError, match="A digest must be"):
        log.file(digest)


def test_a_downloaded_file_is_moved_in_and_a_wrong_one_stays(log: Log) -> None:
    media, path = Media(log.folder), log.partial("job")
    path.write_bytes(b"clip")
    with pytest.raises(TransferError):
        media.move_in(path, sha256(b"another"), ".mp4")
    assert path.exists()
    file = media.move_in(path, sha256(b"clip"), ".mp4")
    assert not path.exists()
    assert log.file(sha256(b"clip")) == file
    assert file.read_bytes() == b"clip"


def test_a_clip_is_stored_with_its_format_and_its_poster(log: Log, film: Film) -> None:
    path, digest = downloaded(log, film("sound.mp4", frames=48, sound=True))
    size = path.stat().st_size
    clip = log.add_clip("job", path, digest)
    assert (clip.width, clip.height, clip.fps, clip.frames, clip.size) == (320, 180, 24.0, 48, size)
    assert clip.duration == pytest.approx(2.0, abs=0.06)
    assert (clip.video_codec, clip.audio_codec, clip.media_type) == ("h264", "aac", "video/mp4")
    assert (log.folder / clip.file) == log.file(digest)
    assert not path.exists()
    with Image.open(log.file(clip.poster)) as poster:
        assert (poster.format, poster.size) == ("JPEG", (320, 180))


def test_adding_a_clip_again_changes_nothing(log: Log, film: Film) -> None:
    source = film()
    assert log.add_clip("job", *downloaded(log, source)) == log.add_clip("job", *downloaded(log, source))


def test_an_image_is_a_result_too(log: Log) -> None:
    path = log.partial("job")
    path.write_bytes(jpeg((900, 600)))
    clip = log.add_clip("job", path, sha256(jpeg((900, 600))))
    assert (clip.media_type, clip.width, clip.height, clip.duration) == ("image/jpeg", 900, 600, None)
    with Image.open(log.file(clip.poster)) as poster:
        assert poster.size == (640, 427)


@pytest.mark.parametrize("faststart", [True, False])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.97, 0.999])
def test_a_damaged_clip_is_refused_and_left_where_it_is(log: Log, film: Film, part: float, faststart: bool) -> None:
    path, _ = downloaded(log, film(frames=48, sound=True, faststart=faststart))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(TransferError, match="cannot be decoded"):
        log.add_clip("job", path, sha256(path.read_bytes()))
    assert path.exists()
    assert not (log.folder / "media").exists()


def without_frames(clip: bytes) -> bytes:
    """A clip whose index lists no frame, as a hub sends it that was interrupted while it wrote one."""
    table = clip.index(b"stsz") + 8
    return clip[: table + 4] + bytes(4) + clip[table + 8 :]


def sound_with_a_cover(clip: Path, path: Path) -> bytes:
    """The sound of a clip with a picture, as a music player shows it."""
    with av.open(str(clip)) as source, av.open(str(path), "w", format="mp4") as out:
        track, cover = out.add_stream_from_template(source.streams.audio[0]), out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 64, "yuvj420p", 0x400
        out.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["video", ""])
def test_a_file_that_is_not_a_clip_is_refused(log: Log, film: Film, kind: str) -> None:
    clip = film().read_bytes()
    never = {
        "a web page": b"<html>expired</html>",
        "a page that is nearly a text": b"\xef\xbb\xbf\n<!DOCTYPE html>",
        "JSON": b'{"error": "expired"}',
        "three bytes": b"abc",
        "nothing but zeros": bytes(5000),
        "an MP4 without a body": b"\0\0\0\x18ftypmp42" + b"\0" * 500,
        "an MP4 without a frame": without_frames(clip),
        "an MP4 that ends after its header": clip[: clip.index(b"mdat") + 4],
        "sound with a cover": sound_with_a_cover(film("sound.mp4", sound=True), log.partial("sound")),
        "half a picture": jpeg()[:300],
        "a picture that no browser shows": encoded(Image.new("RGB", (64, 64)), "BMP"),
        "a scan": encoded(Image.new("RGB", (64, 64)), "TIFF"),
    }
    pictures = {form: encoded(Image.new("RGB", (64, 64)), form) for form in ("PNG", "JPEG", "GIF", "WEBP", "AVIF")}
    log.partial("sound").unlink()
    path = log.partial("job")
    for name, data in {**never, **(pictures if kind else {})}.items():
        path.write_bytes(data)
        with pytest.raises(TransferError, match="The hub sent"):
            pytest.fail(f"{name} is kept as {log.add_clip('job', path, sha256(data), kind)}")
    assert not (log.folder / "media").exists()


def test_a_clip_is_refused_in_place_of_an_image(log: Log, film: Film) -> None:
    path, digest = downloaded(log, film())
    with pytest.raises(TransferError, match="an MP4 video instead of an image"):
        log.add_clip("job", path, digest, "image")
    assert path.exists()


def test_a_reference_is_stored_with_its_bytes_and_a_thumbnail(log: Log) -> None:
    data = jpeg((400, 200))
    reference = log.add_reference(Asset.from_bytes(data, given="face.jpg"), path="input_image.0")
    assert (reference.path, reference.digest, reference.given) == ("input_image.0", sha256(data), "face.jpg")
    assert (reference.width, reference.height, reference.size) == (400, 200, len(data))
    assert log.file(reference.digest).read_bytes() == data
    with Image.open(log.file(reference.thumbnail)) as small:
        assert small.size == (96, 48)


def test_a_reference_by_address_loses_its_signature(log: Log) -> None:
    reference = log.add_reference(Asset.from_url("https://a.example/face.png?X-Amz-Signature=s"), path="input_image.0")
    assert reference.sent != "s"
    assert reference.sent == "https://a.example/face.png"
    assert (reference.digest, reference.thumbnail) == (None, None)


def test_a_video_reference_has_a_thumbnail_too(log: Log, film: Film) -> None:
    asset = Asset.from_path(film(), kind="video")
    reference = log.add_reference(asset, path="input_video")
    assert (reference.kind, reference.media_type) == ("video", "video/mp4")
    assert reference.thumbnail is not None


def test_a_thumbnail_is_upright_on_white_and_none_for_an_unreadable_file() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    with Image.open(io.BytesIO(thumbnail(io.BytesIO(jpeg((80, 40), exif=exif))))) as small:
        assert small.size == (40, 80)
    buffer = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(buffer, "PNG")
    buffer.seek(0)
    with Image.open(io.BytesIO(thumbnail(buffer))) as small:
        assert small.getpixel((5, 5)) == (255, 255, 255)
    assert thumbnail(io.BytesIO(b"nothing")) is None
    assert thumbnail(io.BytesIO(b"nothing"), video=True) is None


def test_probing_leaves_the_file_as_it_was(film: Film) -> None:
    path = film()
    before = path.read_bytes()
    probe(path)
    assert path.read_bytes() == before

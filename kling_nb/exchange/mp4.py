"""The record inside an MP4, in the file's metadata; the streams are copied packet by packet.

The record of a signed MP4, and of a file of another kind, is beside it: any change would break the signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from kling_nb.errors import ArgumentError, ExchangeError, KlingError, LogError
from kling_nb.exchange.untrusted import LARGEST, parse_record
from kling_nb.models.record import Record
from kling_nb.models.urls import printable
from kling_nb.session import Session
from kling_nb.store.disk import path_of, unreadable
from kling_nb.store.media import digest_of
from kling_nb.store.sidecars import errors_in

#: The metadata key, as `ffprobe -show_entries format_tags` lists it.
TAG = "kling_nb"
#: The metadata that a muxer writes itself; everything else is kept, such as a label that the video is generated.
_WRITTEN_AGAIN = {"major_brand", "minor_version", "compatible_brands", "encoder", TAG}


@dataclass(frozen=True)
class EmbeddedRecord:
    """The record in a file, and whether its video and sound are still those it was written for."""

    record: Record
    unchanged: bool


class _Envelope(BaseModel):
    """The JSON in the metadata: the record, and a digest of all packets of the streams."""

    record: dict[str, Any]
    packets: str


def embed_record(record: Record, source: Path, target: Path) -> None:
    """Copy an MP4 and write the record's public form into the copy. Raises `ExchangeError`."""
    with _errors(target):
        public = _published(record)
        text = _Envelope(record=public.model_dump(mode="json"), packets=packets_of(source)).model_dump_json()
        if len(text.encode()) > LARGEST:
            raise ExchangeError(f"Record {record.id} is too large for a file's metadata ({len(text):,} bytes).")
        _copy(source, target, {TAG: text, "title": record.prompt[:200]})


def _published(record: Record) -> Record:
    """Return what a file says that may go anywhere: without the name of the person who made it."""
    return record.public().model_copy(update={"by": ""})


def save(session: Session, record: Record, target: Path) -> Path:
    """Write a clip to a file, or into a folder with its record's id as name, and return the file; see `Record.save`.

    The record of a signed MP4 (C2PA), or of a file that is not an MP4, is written beside it as JSON. Raises
    `ArgumentError` if it has no clip, or for a target within the log's media, `LogError` if the clip's bytes were
    changed, and `ExchangeError` if the file cannot be written.
    """
    source = session.store.media_file(record.clip.digest) if record.clip else None
    if record.clip is None or source is None:
        raise ArgumentError(f"Record {record.id} has no clip in this log.")
    media = (session.store.folder / "media").resolve()
    with _errors(target):
        file = (target / record.id if target.is_dir() else target).expanduser().absolute()
        file = file if file.suffix and not target.is_dir() else file.with_name(file.name + source.suffix)
        where = file.parent.resolve() / file.name  # a link there is replaced, not its target
        if where == source.resolve() or media in where.parents:
            raise ArgumentError(f"{file} is in the log's own media folder. Give another path.")
        if digest_of(source) != record.clip.digest:
            raise LogError(
                f"{source} was changed: it is not the clip of {record.id} any more. Restore it from a copy; "
                "kn.log.verify() lists every changed file."
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        near = file.with_name(f".{file.name}.new")  # the file appears complete or not at all
        try:
            if source.suffix == ".mp4" and not is_signed(source):
                embed_record(record, source, near)
            else:
                shutil.copyfile(source, near)
                file.with_suffix(".json").write_text(_published(record).model_dump_json(indent=2))
            near.replace(file)
        finally:
            near.unlink(missing_ok=True)
        return file


def read_embedded(file: Path) -> EmbeddedRecord:
    """Return the record in an MP4, or beside a file, which is not trusted.

    Raises `ExchangeError` if there is none, or an invalid one.
    """
    import av

    if why := unreadable(file):
        raise ExchangeError(f"{str(file)!r} {why}. Give the path of a clip that was saved by record.save().")
    with _errors(file):
        beside = file.with_suffix(".json")
        if beside.is_file() and (file.suffix != ".mp4" or is_signed(file)):
            with beside.open("rb") as stream:
                record = parse_record(stream.read(LARGEST + 1), f"The content of {beside.name}")
            return EmbeddedRecord(record, record.clip is not None and digest_of(file) == record.clip.digest)
        with av.open(str(file), "r") as container:
            text = container.metadata.get(TAG, "")
        if not text:
            raise ExchangeError(
                f"{file.name} has no record: it was not saved by record.save(), or a program removed its metadata."
            )
        try:
            envelope = _Envelope.model_validate_json(text)
        except ValidationError as exc:
            raise ExchangeError(f"The record in {file.name} cannot be read ({errors_in(exc)}).") from exc
        record = parse_record(json.dumps(envelope.record), f"The content of {file.name}")
        return EmbeddedRecord(record, envelope.packets == packets_of(file))


def is_signed(file: Path) -> bool:
    """Return whether an MP4 has a `uuid` box, in which C2PA keeps its proof of where a file comes from.

    A copy of the packets alone would lose it, and the proof holds for the file byte by byte.
    """
    with file.open("rb") as stream:
        while len(head := stream.read(16)) >= 8:
            size, name = int.from_bytes(head[:4]), head[4:8]
            if name == b"uuid":
                return True
            if size == 1 and len(head) == 16:  # the size follows, in 8 bytes
                size = int.from_bytes(head[8:])
            if size < 8:  # to the end of the file, or not an MP4
                return False
            stream.seek(size - len(head), io.SEEK_CUR)
    return False


def packets_of(file: Path) -> str:
    """Return a digest of the bytes and times of all packets, stream by stream. Raises PyAV's errors."""
    import av

    with av.open(str(file), "r") as container:
        digests = {stream.index: hashlib.sha256() for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                start = container.streams[packet.stream_index].time_base
                digests[packet.stream_index].update(f"{_time(packet.dts, start)} {_time(packet.pts, start)} ".encode())
                digests[packet.stream_index].update(bytes(packet))
    return f"sha256:{hashlib.sha256(b''.join(digest.digest() for digest in digests.values())).hexdigest()}"


def _time(stamp: int | None, base: Any) -> str:
    # In microseconds, since another container may have another time base.
    return "" if stamp is None or base is None else str(round(stamp * base * 1_000_000))


def _copy(source: Path, target: Path, metadata: dict[str, str]) -> None:
    import av

    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        av.open(str(source), "r") as given,
        av.open(str(target), "w", format="mp4", container_options=options) as made,
    ):
        kept = {name: text for name, text in given.metadata.items() if name not in _WRITTEN_AGAIN}
        made.metadata.update(kept | metadata)
        copies = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                made.mux(packet)


@contextlib.contextmanager
def _errors(file: Path) -> Generator[None]:
    try:
        yield
    except KlingError:
        raise
    except (OSError, ValueError) as exc:  # PyAV's errors are OSErrors or ValueErrors
        why = getattr(exc, "strerror", None) or exc
        raise ExchangeError(f"{printable(str(file))} cannot be used: {why}.") from exc


def from_video(session: Session, file: str | Path) -> Record:
    """Return the record inside a clip's file; see `Studio.from_video`."""
    inside = read_embedded(path_of("file", file))
    notes = () if inside.unchanged else ("The clip was changed after this record was written into its file.",)
    return session.bind(inside.record.model_copy(update={"notes": (*inside.record.notes, *notes)}))

"""The record that travels inside an MP4, in the file's own metadata; the streams are copied packet by packet."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from kling_nb.errors import LogError
from kling_nb.exchange.untrusted import LARGEST, parse_record
from kling_nb.models.record import Record
from kling_nb.session import Session
from kling_nb.store.media import digest_of

#: The metadata key, as `ffprobe -show_entries format_tags` lists it.
TAG = "kling_nb"


@dataclass(frozen=True)
class EmbeddedRecord:
    """What a file holds: the record, and whether pictures and sound are those that it was written for."""

    record: Record
    untouched: bool


class _Envelope(BaseModel):
    """The metadata's JSON: the record, and a hash over every packet of the streams."""

    record: dict[str, Any]
    packets: str


def embed_record(record: Record, source: Path, target: Path) -> None:
    """Copy an MP4 and put the record's public form into the copy. Raises `LogError` for what cannot carry it."""
    with _trouble(target):
        public = record.public()
        text = _Envelope(record=public.model_dump(mode="json"), packets=packets_of(source)).model_dump_json()
        if len(text.encode()) > LARGEST:
            raise LogError(f"The record of {record.id} has {len(text):,} bytes, more than a file should carry.")
        _copy(source, target, {TAG: text, "title": record.prompt[:200]})


def save_clip(record: Record, source: Path, target: Path, media: Path) -> Path:
    """Write a clip to a file, or under its record's id into a folder; return where it is.

    What is no MP4 cannot carry its record, which then lies beside it as JSON. Raises `LogError`, also for a clip that
    is not the one of its record, and for a target within `media`, where the log keeps the files that it knows by their
    bytes.
    """
    with _trouble(target):
        file = (target / record.id if target.is_dir() else target).expanduser().absolute()
        file = file if file.suffix and not target.is_dir() else file.with_name(file.name + source.suffix)
        where = file.parent.resolve() / file.name  # a link there is replaced itself, not what it points to
        if where == source.resolve() or media.resolve() in where.parents:
            raise LogError(f"{file} lies within the log's own media, which nobody else writes to: give another path.")
        if record.clip is None or digest_of(source) != record.clip.digest:
            raise LogError(
                f"{source} is not the clip of {record.id}: its bytes were changed since. kn.log().verify() lists all "
                "that was; restore it from a copy."
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        near = file.with_name(f".{file.name}.new")  # the finished file appears at once, or not at all
        try:
            if source.suffix == ".mp4":
                embed_record(record, source, near)
            else:
                shutil.copyfile(source, near)
                file.with_suffix(".json").write_text(record.public().model_dump_json(indent=2))
            near.replace(file)
        finally:
            near.unlink(missing_ok=True)
        return file


def read_embedded(file: Path) -> EmbeddedRecord:
    """Return what an MP4 holds. The file is not trusted. Raises `LogError` when it holds no record, or a wrong one."""
    import av

    with _trouble(file):
        with av.open(str(file), "r") as container:
            text = container.metadata.get(TAG, "")
        if not text:
            raise LogError(
                f"{file.name} carries no record: it was not saved by record.save(), or a program dropped its metadata."
            )
        try:
            envelope = _Envelope.model_validate_json(text)
        except ValidationError as exc:
            raise LogError(f"The record in {file.name} cannot be read ({exc.error_count()} faults).") from exc
        record = parse_record(json.dumps(envelope.record), f"What {file.name} carries")
        return EmbeddedRecord(record, envelope.packets == packets_of(file))


def packets_of(file: Path) -> str:
    """Return a tagged sha256 over the bytes and times of every packet, stream by stream. Raises PyAV's errors."""
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
    # In microseconds: another container may count in other units.
    return "" if stamp is None or base is None else str(round(stamp * base * 1_000_000))


def _copy(source: Path, target: Path, metadata: dict[str, str]) -> None:
    import av

    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        av.open(str(source), "r") as given,
        av.open(str(target), "w", format="mp4", container_options=options) as made,
    ):
        made.metadata.update({name: text for name, text in given.metadata.items() if name == "comment"} | metadata)
        copies = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                made.mux(packet)


@contextlib.contextmanager
def _trouble(file: Path) -> Generator[None]:
    try:
        yield
    except LogError:
        raise
    except (OSError, ValueError) as exc:  # PyAV's errors are OSErrors or ValueErrors
        raise LogError(f"{file} cannot be used: {exc}") from exc


def save(session: Session, record: Record, target: Path) -> Path:
    """Write a record's clip to a file or into a folder, with the record inside; see `Record.save`."""
    source = session.store.file(record.clip.digest) if record.clip else None
    if source is None:
        raise LogError(f"Record {record.id} has no clip in this log.")
    return save_clip(record, source, target, session.store.folder / "media")


def from_video(session: Session, file: str | Path) -> Record:
    """Return the record inside a clip's file; see `Studio.from_video`."""
    inside = read_embedded(Path(file).expanduser())
    notes = () if inside.untouched else ("The clip was changed after this record was written into its file.",)
    return session.bind(inside.record.model_copy(update={"notes": (*inside.record.notes, *notes)}))

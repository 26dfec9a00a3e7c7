"""Files named by their content, `media/<first two hex>/<sha256 hex>.<ext>`, and downloads in `partial/`."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kling_nb.errors import ArgumentError, TransferError
from kling_nb.models.asset import Asset, sha256
from kling_nb.models.record import File, Reference
from kling_nb.models.urls import redact_url, suffix_of
from kling_nb.store.disk import move, write_whole, written_in
from kling_nb.store.probe import probe, thumbnail
from kling_nb.store.sidecars import DIGEST, checked_id

_log = logging.getLogger(__name__)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Media:
    """The media of one folder."""

    folder: Path

    def add(self, data: bytes, suffix: str) -> str:
        """Write bytes and return their digest; a file that is there already is not written again."""
        digest = sha256(data)
        known = self.local(digest)
        if known is not None and known.stat().st_size == len(data) and digest_of(known) == digest:
            return digest
        with written_in(self.folder):
            write_whole(known or self._path(digest, suffix), data)
        return digest

    def move_in(self, file: Path, digest: str, suffix: str) -> Path:
        """Move a file in and return its path. Raises `TransferError`, and leaves it, if it does not have the digest."""
        if digest_of(file) != digest:
            raise TransferError(f"{file.name} does not have the digest {digest[:19]}…: download it again.")
        known = self.local(digest)
        target = known or self._path(digest, suffix)
        with written_in(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            _move_from_anywhere(file, target)
        return target

    def copy_in(self, file: Path, digest: str) -> None:
        """Copy a file that has the digest, under the suffix of its content."""
        with file.open("rb") as stream:
            suffix = suffix_of(stream.read(64)) or file.suffix
        target = self._path(digest, suffix if _SUFFIX.fullmatch(suffix) else ".bin")
        near = target.with_name(f"{target.name}.new")
        with written_in(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, near)
            move(near, target)

    def file(self, digest: str) -> Path | None:
        """Return the file of a digest, None if there is none."""
        return self.local(digest)

    def local(self, digest: str) -> Path | None:
        """Return the file of a digest in this folder, None if there is none."""
        name = _hex(digest)
        folder = self._media / name[:2]
        # Nearly always one of these; the folder is listed for a file with another ending.
        for suffix in (".mp4", ".jpg", ".png", ".webm", ".webp", ".gif"):
            if (path := folder / f"{name}{suffix}").is_file():
                return path
        return next((file for file in sorted(folder.glob(f"{name}.*[!w]")) if file.is_file()), None)

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest; None, with a warning, for a file that cannot be read or was changed."""
        if (file := self.file(digest)) is None:
            return None
        try:
            data = file.read_bytes()
        except OSError as exc:
            _log.warning("%s cannot be read: %s", file, exc.strerror or exc)
            return None
        if sha256(data) != digest:
            _log.warning("%s was changed: its bytes do not have the digest in its name; see kn.log.verify().", file)
            return None
        return data

    def partial(self, job_id: str) -> Path:
        """Return the path of a job's unfinished download, and create its folder."""
        with written_in(self.folder):
            self.partials.mkdir(parents=True, exist_ok=True)
        return self.partials / f"{checked_id(job_id)}.part"

    @property
    def partials(self) -> Path:
        """The folder of unfinished downloads."""
        return self.folder / "partial"

    def all(self) -> Iterator[tuple[str, Path]]:
        """Yield every file with the digest in its name."""
        for path in sorted(self._media.glob("[0-9a-f][0-9a-f]/*")):
            if re.fullmatch(r"[0-9a-f]{64}", path.stem) and path.is_file():
                yield f"sha256:{path.stem}", path

    @property
    def _media(self) -> Path:
        return self.folder / "media"

    def _path(self, digest: str, suffix: str) -> Path:
        name = _hex(digest)
        if not _SUFFIX.fullmatch(suffix):
            raise ArgumentError(f"A suffix must be a dot and 1 to 8 letters or digits, got {suffix!r}.")
        return self._media / name[:2] / f"{name}{suffix}"


def digest_of(file: Path) -> str:
    """Return the digest of a file, `sha256:…`. Raises OSError."""
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _hex(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise ArgumentError(f"A digest must be 'sha256:' and 64 hex digits, got {digest!r}.")
    return digest.removeprefix("sha256:")


def _move_from_anywhere(file: Path, target: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    try:
        move(file, target)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise
        near = target.with_name(f"{target.name}.new")
        shutil.copyfile(file, near)
        move(near, target)
        file.unlink()


def clip_of(media: Media, file: Path, digest: str, kind: str = "") -> File:
    """Move a result into the media with its poster, and return its part of the record; see `Log.add_clip`."""
    facts, poster = probe(file, kind)
    size = file.stat().st_size
    with file.open("rb") as stream:
        suffix = suffix_of(stream.read(64)) or ".bin"
    relative = media.move_in(file, digest, suffix).relative_to(media.folder).as_posix()
    return File(file=relative, digest=digest, size=size, poster=media.add(poster, ".jpg"), **vars(facts))


def reference_of(media: Media, asset: Asset, path: str) -> Reference:
    """Write a request's asset into the media and return its part of the record; see `Log.add_reference`."""
    reference = Reference(
        path=path,
        identity=asset.identity,
        given=asset.given,
        name=asset.name,
        kind=asset.kind,
        source=asset.source,
    )
    if asset.data is None:
        return reference.model_copy(update={"sent": redact_url(asset.url) if asset.url else None})
    small = thumbnail(io.BytesIO(asset.data), video=asset.kind == "video")
    facts = asset.facts if asset.facts and not asset.facts.error else None
    return reference.model_copy(
        update={
            "digest": _add(media, asset),
            "media_type": asset.media_type,
            "width": facts.width if facts else None,
            "height": facts.height if facts else None,
            "size": len(asset.data),
            "thumbnail": media.add(small, ".jpg") if small else None,
            "original": _add(media, asset.original) if asset.original else None,
            "fixes": asset.fixes,
        }
    )


def _add(media: Media, asset: Asset) -> str | None:
    return media.add(asset.data, suffix_of(asset.data) or ".bin") if asset.data else None

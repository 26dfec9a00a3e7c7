"""Files under the name of their content: `media/<first two hex>/<sha256 hex>.<ext>`; and `partial/` for downloads."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kling_nb.errors import LogError, TransferError
from kling_nb.models.asset import Asset, sha256
from kling_nb.models.record import File, Reference
from kling_nb.models.urls import redact_url, suffix_of
from kling_nb.store.disk import move, write_whole, written_in
from kling_nb.store.probe import probe, thumbnail
from kling_nb.store.sidecars import checked_id

_TAGGED = re.compile(r"sha256:([0-9a-f]{64})")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Media:
    """The media of one log folder."""

    folder: Path

    def put(self, data: bytes, suffix: str) -> str:
        """Keep bytes and return their tagged digest; bytes that are there already are not written again."""
        digest = sha256(data)
        known = self.file(digest)
        if known is not None and known.stat().st_size == len(data) and digest_of(known) == digest:
            return digest
        with written_in(self.folder):
            write_whole(known or self._path(digest, suffix), data)
        return digest

    def adopt(self, file: Path, digest: str, suffix: str) -> str:
        """Move a file in. Raises `TransferError`, and leaves it, when its bytes are not those of the digest."""
        if digest_of(file) != digest:
            raise TransferError(f"{file.name} is not what was announced ({digest[:19]}…): fetch it again.")
        known = self.file(digest)
        target = known or self._path(digest, suffix)
        with written_in(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            _move_from_anywhere(file, target)
        return digest

    def file(self, digest: str) -> Path | None:
        """Return the file of a digest, None when it is not here."""
        name = _hex(digest)
        folder = self._media / name[:2]
        # Nearly always one of these; the listing is for a file that came under another ending.
        for suffix in (".mp4", ".jpg", ".png", ".webm", ".webp", ".gif"):
            if (path := folder / f"{name}{suffix}").is_file():
                return path
        return next(iter(sorted(folder.glob(f"{name}.*[!w]"))), None) if folder.is_dir() else None

    def relative(self, digest: str) -> str | None:
        """Return the file's path within the log's folder, with `/`, None when it is not here."""
        path = self.file(digest)
        return path.relative_to(self.folder).as_posix() if path else None

    def partial(self, job_id: str, suffix: str = ".part") -> Path:
        """Return where a download under way is kept; its folder is made."""
        if not _SUFFIX.fullmatch(suffix):
            raise LogError(f"{suffix!r} is no file ending.")
        with written_in(self.folder):
            self.partials.mkdir(parents=True, exist_ok=True)
        return self.partials / f"{checked_id(job_id)}{suffix}"

    @property
    def partials(self) -> Path:
        """The folder of downloads under way."""
        return self.folder / "partial"

    def all(self) -> Iterator[tuple[str, Path]]:
        """Every kept file with the digest that its name claims."""
        for path in sorted(self._media.glob("[0-9a-f][0-9a-f]/*")):
            if re.fullmatch(r"[0-9a-f]{64}", path.stem):
                yield f"sha256:{path.stem}", path

    @property
    def _media(self) -> Path:
        return self.folder / "media"

    def _path(self, digest: str, suffix: str) -> Path:
        name = _hex(digest)
        if not _SUFFIX.fullmatch(suffix):
            raise LogError(f"{suffix!r} is no file ending.")
        return self._media / name[:2] / f"{name}{suffix}"


def digest_of(file: Path) -> str:
    """Return the tagged sha256 of a file's bytes. Raises OSError."""
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _hex(digest: str) -> str:
    match = _TAGGED.fullmatch(digest)
    if match is None:
        raise LogError(f"{digest!r} is no digest: sha256: and 64 hex digits.")
    return match[1]


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


def clip_of(media: Media, file: Path, digest: str) -> File:
    """Move a result into the media, with its poster, and return its part of the record; see `Log.add_clip`."""
    facts, poster = probe(file)
    size = file.stat().st_size
    with file.open("rb") as stream:
        suffix = suffix_of(stream.read(64)) or ".bin"
    media.adopt(file, digest, suffix)
    relative = media.relative(digest) or ""
    return File(file=relative, digest=digest, size=size, poster=media.put(poster, ".jpg"), **vars(facts))


def reference_of(media: Media, asset: Asset, path: str) -> Reference:
    """Keep what a request refers to, and return its part of the record; see `Log.add_reference`."""
    if asset.data is None:
        sent = redact_url(asset.url) if asset.url else None
        return Reference(
            path=path, identity=asset.identity, given=asset.given, name=asset.name, kind=asset.kind, sent=sent
        )
    small = thumbnail(io.BytesIO(asset.data), video=asset.kind == "video")
    facts = asset.facts
    return Reference(
        path=path,
        identity=asset.identity,
        given=asset.given,
        name=asset.name,
        kind=asset.kind,
        digest=_put(media, asset),
        media_type=asset.media_type,
        width=facts.width if facts and not facts.error else None,
        height=facts.height if facts and not facts.error else None,
        size=len(asset.data),
        thumbnail=media.put(small, ".jpg") if small else None,
        original=_put(media, asset.original) if asset.original else None,
        fixes=asset.fixes,
    )


def _put(media: Media, asset: Asset) -> str | None:
    return media.put(asset.data, suffix_of(asset.data) or ".bin") if asset.data else None

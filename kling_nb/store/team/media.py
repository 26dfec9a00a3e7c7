"""A team's media: the bucket has every file by its digest; the folder is a cache, and holds files still to be sent."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kling_nb.errors import LogError
from kling_nb.models.urls import suffix_of
from kling_nb.store.disk import write_whole, written_in
from kling_nb.store.media import Media, digest_of
from kling_nb.store.sidecars import DIGEST
from kling_nb.store.team.bucket import Bucket

_log = logging.getLogger(__name__)
_KINDS = {".mp4": "video/mp4", ".webm": "video/webm", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True)
class TeamMedia(Media):
    """The media of a team; `wake` is called when something waits to be sent."""

    bucket: Bucket = field(default_factory=lambda: Bucket("file:///nowhere"))
    wake: Callable[[], object] = lambda: None

    def file(self, digest: str) -> Path | None:
        """Return the file of a digest, fetched at its first use; None without one, or without the bucket."""
        try:
            return self.local(digest) or self._fetched(digest)
        except LogError as exc:
            _log.warning("%s cannot be fetched: %s", digest[:19], exc)
            return None

    def add(self, data: bytes, suffix: str) -> str:
        """Write bytes and return their digest; they are sent soon."""
        digest = super().add(data, suffix)
        self._wait(digest)
        return digest

    def move_in(self, file: Path, digest: str, suffix: str) -> Path:
        """Move a file in, to be sent soon; see `Media.move_in`."""
        target = super().move_in(file, digest, suffix)
        self._wait(digest)
        return target

    def copy_in(self, file: Path, digest: str) -> None:
        """Copy a file that has the digest, to be sent soon."""
        super().copy_in(file, digest)
        self._wait(digest)

    # What waits

    def waiting(self) -> list[str]:
        """Return the digests of the files that have not arrived in the bucket."""
        folder = self.folder / "waiting"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return [digest for name in sorted(names) if DIGEST.fullmatch(digest := f"sha256:{name}")]

    def send(self, digest: str) -> int:
        """Send a waiting file and return its size. Raises `LogError` if the bucket is unreachable."""
        file = self.local(digest)
        size = file.stat().st_size if file else 0
        if file is None:
            _log.warning("%s is missing in %s and cannot be sent", digest[:19], self.folder)
        else:
            self.bucket.put(key_of(digest), file, _KINDS.get(file.suffix, "application/octet-stream"))
        self._marker(digest).unlink(missing_ok=True)
        return size

    def _wait(self, digest: str) -> None:
        # A marker, so that the file is sent by a later kernel if this one ends before.
        with written_in(self.folder):
            write_whole(self._marker(digest), b"")
        self.wake()

    def _marker(self, digest: str) -> Path:
        return self.folder / "waiting" / digest.removeprefix("sha256:")

    def _fetched(self, digest: str) -> Path | None:
        with written_in(self.folder):
            self.partials.mkdir(parents=True, exist_ok=True)
            part = self.partials / f"{digest.removeprefix('sha256:')}.{secrets.token_hex(4)}.fetch"
            try:
                if not self.bucket.fetch(key_of(digest), part):
                    return None
                if digest_of(part) != digest:
                    _log.warning("%s in %s does not have its digest: it is not used", digest[:19], self.bucket.address)
                    return None
                with part.open("rb") as stream:
                    suffix = suffix_of(stream.read(64)) or ".bin"
                return super().move_in(part, digest, suffix)
            finally:
                part.unlink(missing_ok=True)


def key_of(digest: str) -> str:
    """Return the name of a file's object. It has no suffix, so that the digest alone is enough to find it."""
    name = digest.removeprefix("sha256:")
    return f"media/{name[:2]}/{name}"

"""Signed URLs: a path that answers without a key until its time is over (HUB_API sections 7 and 8)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

__all__ = ["Signer"]


class Signer:
    """Signs paths with a secret that lives in the state folder, so that URLs outlive a restart."""

    def __init__(self, folder: Path) -> None:
        path = folder / "secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), encoding="ascii")
        self._secret = path.read_bytes()

    def signed(self, path: str, expires: int) -> str:
        """The path with its signature; `path` is as it stands in the URL, before quoting."""
        return f"{quote(path)}?oxen_signature={self._signature(path, expires)}&oxen_expires={expires}"

    def verdict(self, path: str, query: Mapping[str, str], now: float) -> str:
        """`none` without a signature, `good`, `expired` or `wrong`."""
        given, expires = query.get("oxen_signature"), query.get("oxen_expires", "")
        if given is None:
            return "none"
        if not expires.isdigit() or not hmac.compare_digest(
            given.encode(), self._signature(path, int(expires)).encode()
        ):
            return "wrong"
        return "good" if now < int(expires) else "expired"

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._secret, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

"""Signed URLs: paths that can be read without a key until they expire."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote


class Signer:
    """Signs paths with a secret from the state folder, so that URLs survive a restart."""

    def __init__(self, folder: Path) -> None:
        path = folder / "secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), encoding="ascii")
        self._secret = path.read_bytes()

    def sign(self, path: str, expires: int) -> str:
        """Return the quoted path with its signature; `path` itself is not quoted."""
        return f"{quote(path)}?oxen_signature={self._signature(path, expires)}&oxen_expires={expires}"

    def verify(
        self, path: str, query: Mapping[str, str], now: float
    ) -> Literal["missing", "invalid", "expired", "valid"]:
        """Check the signature in the query of a URL."""
        signature, expires = query.get("oxen_signature"), query.get("oxen_expires", "")
        if signature is None:
            return "missing"
        if not expires.isdigit():
            return "invalid"
        if not hmac.compare_digest(signature.encode(), self._signature(path, int(expires)).encode()):
            return "invalid"
        return "valid" if now < int(expires) else "expired"

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._secret, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

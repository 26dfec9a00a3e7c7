"""Bytes and addresses: a digest, a type told from the first bytes, and what of a URL may be kept."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit, urlunsplit

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
_URL = re.compile(r"https?://[^\s'\"<>]+", re.IGNORECASE)
_SECRET = re.compile(
    r"(?<![a-z])sig|signature|token|key|secret|credential|expires|policy|auth(?!or(?!i))|passw|pwd|hmac|jwt|session",
    re.IGNORECASE,
)


def sha256(data: bytes) -> str:
    """Return the tagged digest: `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def suffix_of(data: bytes) -> str:
    """Tell a file's type from its first bytes; empty when it is none that we know (HUB_API section 8)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ".gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:8] == b"ftyp":
        return ".mp4"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return ".webm"
    return ""


def media_type_of(data: bytes) -> str:
    """Return the MIME type told from the bytes, not from a name."""
    return _TYPES.get(suffix_of(data), "application/octet-stream")


@lru_cache(maxsize=256)
def hub_name(address: str) -> str:
    """Return a hub's address as records have it: one name, however it was written. What is no address stays as it is.

    >>> hub_name("HTTPS://Hub.Example:443/")
    'https://hub.example'
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return address
    if parts.scheme not in _PORTS or not parts.hostname:
        return address
    host = parts.hostname.lower()
    where = f"[{host}]" if ":" in host else host
    beyond = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{where}{beyond}{parts.path.rstrip('/')}"


_PORTS = {"http": 80, "https": 443}


def public_url(url: str) -> str:
    """Return the URL without credentials, and without its query when that is a signature: fit for a record.

    Raises `ValueError` for an address that cannot be taken apart (`http://[`).
    """
    parts = urlsplit(url)
    # Some servers separate parameters with a semicolon, which `parse_qsl` would read as part of a value.
    names = [unquote_plus(pair.partition("=")[0]) for pair in re.split("[&;]", parts.query)]
    query = "" if any(map(_SECRET.search, names)) else parts.query
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def public_text(text: str) -> str:
    """Return a text whose addresses have lost what `public_url` takes from them: fit for a message."""
    return _URL.sub(lambda found: _public_or_nothing(found[0]), text)


def _public_or_nothing(url: str) -> str:
    try:
        return public_url(url)
    except ValueError:
        return "(an address)"

"""Digests and types of bytes, and addresses and texts without secrets."""

from __future__ import annotations

import hashlib
import html
import ipaddress
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".jp2": "image/jp2",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".3gp": "video/3gpp",
}
_FIRST_BYTES = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"\0\0\0\x0cjP  ": ".jp2",
    b"\xff\x4f\xff\x51": ".jp2",
}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_URL = re.compile(r"https?://[^\s'\"<>]+", re.IGNORECASE)
_SECRET = re.compile(
    r"(?<![a-z])sig|signature|token|key|secret|credential|expires|policy|auth(?!or(?!i))|passw|pwd|hmac|jwt|session",
    re.IGNORECASE,
)


def sha256(data: bytes) -> str:
    """Return the tagged digest: `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def suffix_of(data: bytes) -> str:
    """Return the suffix of a file's type, from its first bytes; empty for an unknown type."""
    if data[:4] == b"RIFF":
        return {b"WEBP": ".webp", b"AVI ": ".avi"}.get(data[8:12], "")
    if data.startswith(b"\x1aE\xdf\xa3"):
        return ".mkv" if b"matroska" in data[:64] else ".webm"
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return ".bmp"
    if data[4:8] == b"ftyp":
        return _suffix_of_brands(data)
    return next((suffix for first, suffix in _FIRST_BYTES.items() if data.startswith(first)), "")


def _suffix_of_brands(data: bytes) -> str:
    """Return the suffix of an ISO media file: videos and the pictures of phones share its first box."""
    brand, end = data[8:12], min(int.from_bytes(data[:4]), len(data))
    brands = {brand, *(data[at : at + 4] for at in range(16, end, 4))}
    if brand in (b"avif", b"avis") or (brand in _HEIC_BRANDS and b"avif" in brands):
        return ".avif"
    if brand in _HEIC_BRANDS:
        return ".heic"
    if brand.startswith(b"3g"):
        return ".3gp"
    return ".mov" if brand == b"qt  " else ".mp4"


def media_type_of(data: bytes) -> str:
    """Return the MIME type of a file, from its first bytes."""
    return _TYPES.get(suffix_of(data), "application/octet-stream")


@lru_cache(maxsize=256)
def normalize_url(address: str) -> str:
    """Return a hub's address in the one spelling that records use; any other text as it is.

    >>> normalize_url("HTTPS://Hub.Example:443/")
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


def redact_url(url: str) -> str:
    """Return a URL without credentials, and without its query if that holds a signature or a token.

    Raises:
        ValueError: For an invalid address, such as `http://[`.
    """
    parts = urlsplit(url)
    # Some servers separate parameters with a semicolon, which `parse_qsl` would read as part of a value.
    names = [unquote_plus(pair.partition("=")[0]) for pair in re.split("[&;]", parts.query)]
    query = "" if any(map(_SECRET.search, names)) else parts.query
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def redact_urls(text: str) -> str:
    """Return a text with its addresses redacted as by `redact_url`."""
    return _URL.sub(lambda found: _public_or_nothing(found[0]), text)


def _public_or_nothing(url: str) -> str:
    try:
        return redact_url(url)
    except ValueError:
        return "(an address)"


#: Replaces a secret.
TAKEN = "…"
#: The length of the shortest key that is searched for; a shorter one would be found within words.
_SHORTEST = 6

_NAMED = r"(?:sig(?:nature)?|token|key|secret|credential|passw\w{0,10}|pwd|hmac|jwt|session)"
_QUOTE = r"(?:\\?['\"]|&quot;|&\#x27;|&\#39;|&\#34;)"
_PATTERNS = [
    # A header: `Authorization: Bearer …`, and `Bearer …` alone; `{key}`, `$KEY` and `<key>` are placeholders.
    r"(\bauthorization['\"]?\]?\s{0,3}[:=,]\s{0,3}['\"]?(?:[a-z]{1,12}\s+)?)(?![{$<]|(?:bearer|basic|token)\b)[^\s'\"\\]{4,}",
    r"(\bbearer\s+)(?!tokens?\b|[{$<])[^\s'\"\\<&]{4,}",
    r"(\bx-api-key['\"]?\s{0,3}[:=,]\s{0,3}['\"]?)(?![{$<])[^\s'\"\\]{4,}",
    # A string assigned to a name: `key="…"`, `"api_key": "…"`, `os.environ["OXEN_API_KEY"] = "…"`.
    r"((?:(?<![a-z])|(?<=api))(?:key|token|secret|passw(?:or)?d)"
    rf"(?:{_QUOTE})?\]?\s*(?:[:=]|,(?=\s*['\"]))\s*[rbf]?(?P<quote>{_QUOTE}))(?![{{$<])(?:(?!(?P=quote))\S){{4,}}",
    # A shell variable: `OXEN_API_KEY=…`.
    r"((?-i:[A-Z_]{0,40}(?:KEY|TOKEN|SECRET|PASSWORD))=)(?![{$<])[^\s'\"\\&;]{4,}",
    # A parameter of an address without a scheme, which `redact_urls` does not find.
    rf"([?&;](?:amp;)?[\w.~%-]{{0,40}}{_NAMED}[\w.~%-]{{0,40}}=)(?![{{$<])[^\s&;'\"<>\\]+",
]
_SECRETS = [re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS]


def printable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which stand for the bytes of a name that is not UTF-8."""
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)


def without_keys(text: str, keys: Iterable[str]) -> str:
    """Return a text without the given keys, however they are quoted or escaped in it."""
    for key in sorted(set(keys), key=len, reverse=True):  # a key may contain another one
        if len(key) >= _SHORTEST:
            text = _forms_of(key).sub(TAKEN, text)
    return text


@lru_cache(maxsize=8)
def _forms_of(key: str) -> re.Pattern[str]:
    forms = {key, html.escape(key), json.dumps(key)[1:-1], quote(key, safe="")}
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))), re.IGNORECASE)


def redact_secrets(text: str, keys: Iterable[str] = ()) -> str:
    """Return a text without the given keys, and without anything that looks like a key, a token or a signature.

    It is meant for code and prose that a person wrote: names, and placeholders for a secret, stay.
    """
    text = redact_urls(without_keys(text, keys))
    for pattern in _SECRETS:
        text = pattern.sub(_without, text)
    return text


def _without(found: re.Match[str]) -> str:
    return found[0] if found[0] == found[1] + TAKEN else found[1] + TAKEN


def is_loopback(host: str) -> bool:
    """Return whether a host name always means this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

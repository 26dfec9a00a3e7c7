"""Recognises, without fetching, addresses from which a service probably cannot fetch an image or a video."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from kling_nb.models.problem import Path, Problem, warning

#: Names that only a local network resolves.
_LOCAL_NAME = re.compile(r"(?:^|\.)(?:localhost|local|lan|internal|intranet|home|corp|home\.arpa)$|^[^.:]+$")

_LATEST = 2.0**36  # seconds, two thousand years

#: Pages that show a file to a person: the host, the path and query, the kind of page, and the remedy.
_PAGES = [
    (re.compile(host), re.compile(page), name, remedy)
    for host, page, name, remedy in (
        (
            r"^(drive|docs)\.google\.com$",
            r"^/(file|open|document|presentation|drawings|drive)\b",
            "Google Drive",
            "download the file, or use https://drive.google.com/uc?export=download&id=…",
        ),
        (r"^photos\.(google\.com|app\.goo\.gl)$", "", "Google Photos", "download the file, and use that"),
        (
            r"^github\.com$",
            r"^/[^/]+/[^/]+/(blob|tree)/(?!.*\?(.*&)?raw=(true|1)\b)",
            "GitHub",
            "use the address behind its Raw button, at raw.githubusercontent.com",
        ),
        (r"^gist\.github\.com$", r"^(?!.*/raw\b)", "GitHub", "use the address behind its Raw button"),
        (r"^(www\.)?dropbox\.com$", r"^(?!.*[?&](dl|raw)=1\b)", "Dropbox", "end the address in dl=1"),
        (r"^(.*\.)?gitlab\.com$", r"/-/(blob|tree)/", "GitLab", "write /-/raw/ in place of /-/blob/"),
        (r"^huggingface\.co$", r"/(blob|tree)/", "Hugging Face", "write /resolve/ in place of /blob/"),
        (r"^(1drv\.ms|onedrive\.live\.com|.*\.sharepoint\.com)$", "", "OneDrive", "download the file, and use that"),
        (r"^(www\.)?icloud\.com$", "", "iCloud", "download the file, and use that"),
        (r"^(www\.)?(we\.tl|wetransfer\.com)$", "", "WeTransfer", "download the file, and use that"),
        (r"^(www\.|m\.)?imgur\.com$", r"^(?!.*\.(jpe?g|png|gif|webp|mp4)$)", "Imgur", "use its address at i.imgur.com"),
        (r"^(www\.|m\.)?(youtube\.com|youtu\.be|vimeo\.com)$", "", "a video site", "download the file, and use that"),
        (
            r"^(www\.|m\.)?(instagram|facebook|tiktok|pinterest|reddit|x|twitter|flickr|artstation)\.com$",
            "",
            "a social network",
            "download the file, and use that",
        ),
        (r"^(www\.)?(unsplash|pexels|pixabay)\.com$", r"^(?!/photo-)", "a photo library", "use its download address"),
        (r"^(.*\.)?wiki(pedia|media)\.org$", r"^/wiki/", "Wikipedia", "use its address at upload.wikimedia.org"),
        (r"^(hub\.|www\.)?oxen\.ai$", r"^(?!/api/)", "Oxen", "use https://hub.oxen.ai/api/repos/…/file/main/…"),
    )
]


def check_address(path: Path, url: str, now: float | None = None) -> Iterator[Problem]:
    """Yield a warning for each reason why a service could not fetch an address.

    Args:
        now: Unix seconds; without it, the expiry of a signature is not checked.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if re.search(r"\s", url):
        yield warning(path, "the address contains a space", "write %20 in its place")
    if _is_private(host):
        yield warning(path, f"only this machine or network can reach {host}", "use the file itself, or a public URL")
    elif parts.scheme.lower() == "http":
        yield warning(path, "the address is not encrypted, and may be refused", "use https")
    where = f"{parts.path}?{parts.query}" if parts.query else parts.path
    for known, page, name, remedy in _PAGES:
        if known.search(host) and page.search(where):
            yield warning(path, f"the address is a page of {name}, not a file", remedy)
            break
    end = expiry_of(url)
    if now is not None and end is not None and end <= now:
        when = datetime.datetime.fromtimestamp(end, datetime.UTC)
        yield warning(path, f"the address expired on {when:%Y-%m-%d at %H:%M} UTC", "get a new one, or use the file")


def expiry_of(url: str) -> float | None:
    """Return the time in Unix seconds at which a signed address expires, None if it cannot be computed."""
    end = _expiry(url)
    return end if end is not None and 0 <= end < _LATEST else None


def _expiry(url: str) -> float | None:
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    try:
        for date, seconds in (("x-amz-date", "x-amz-expires"), ("x-goog-date", "x-goog-expires")):
            if date in query and seconds in query:
                return _time(query[date]) + float(query[seconds])
        if "oxen_expires" in query:
            return float(query["oxen_expires"])
        if {"ex", "is", "hm"} <= query.keys():  # Discord
            return float(int(query["ex"], 16))
        if "q-sign-time" in query:  # Tencent
            return float(query["q-sign-time"].partition(";")[2])
        if "sig" in query and "se" in query:  # Azure
            return _time(query["se"])
        if "expires" in query and _is_signed(query):
            return float(query["expires"])
    except (ValueError, OverflowError):
        return None
    return None


def _is_signed(query: Mapping[str, str]) -> bool:
    return bool({"signature", "awsaccesskeyid", "key-pair-id", "googleaccessid", "token", "sig"} & set(query))


def _time(text: str) -> float:
    """Read a time of ISO 8601, in UTC if it does not say."""
    found = datetime.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(int(host) if host.isdecimal() else unquote(host).partition("%")[0])
    except ValueError:
        return _LOCAL_NAME.search(host) is not None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return not (mapped or address).is_global or address.is_multicast

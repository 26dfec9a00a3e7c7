"""Downloads of results: streamed, hashed, resumed by Range, with fresh URLs when they expire (hub-api.md section 8)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from kling_nb import errors, retry
from kling_nb.hubs.client import HubClient, Note, origin_of
from kling_nb.hubs.responses import error_of, key_of, transport_error
from kling_nb.models.urls import redact_urls

_ATTEMPTS, _REDIRECTS = 8, 5
#: The bounds of a download: its bytes, its seconds, and the least bytes a second over some seconds.
_LARGEST, _LONGEST, _SLOWEST, _WINDOW = 2_000_000_000, 3 * 3600.0, 1000, 30.0
logger = logging.getLogger(__name__)


async def download(
    client: HubClient, url: str, target: Path, renew: Callable[[], Awaitable[str | None]], note: Note
) -> str:
    """Download a result into `target`, continuing after the bytes that an earlier attempt left there.

    Returns its `sha256:` digest.

    Args:
        client: The hub that the result is from.
        url: The result's URL, which may have expired.
        target: The file to write; incomplete bytes stay in it for the next attempt.
        renew: Returns a fresh URL.
        note: Takes the reason for each new attempt.

    Raises:
        TransferError: The file did not arrive whole after several attempts.
        TransferStopped: It is larger than any clip, or arrives too slowly. Nothing of it is left in `target`.
        LogError: `target` cannot be written.
    """

    async def attempt() -> str:
        return await _fetch(client, url, target, note)

    def wait(failures: int, exc: Exception) -> float | None:
        match exc:
            case errors.CreditError() | errors.UpdateRequired():  # a retry does not help (hub-api.md section 5)
                raise errors.TransferError(f"The clip could not be downloaded: {exc}") from exc
            case errors.TransferStopped():
                return None
            case errors.HubError() | errors.TransferError():
                if failures < _ATTEMPTS and retry.retry_after(exc) <= retry.LONGEST_RETRY_AFTER:
                    return retry.delay(failures, exc, 0.5)
                tries = "1 attempt" if failures == 1 else f"{failures} attempts"
                raise errors.TransferError(f"The clip did not arrive whole after {tries}: {exc}") from exc
            case _:
                return None

    async def on_retry(exc: Exception, _seconds: float) -> None:
        nonlocal url
        if isinstance(exc, errors.AuthError | errors.NotFound | errors.InvalidParams):
            url = await renew() or url
            note("The clip's URL had expired; the hub has signed a new one.")
        else:
            note(f"The download was interrupted: {exc}")

    digest = await retry.retrying(attempt, wait, on_retry=on_retry)
    _etag_file(target).unlink(missing_ok=True)
    return digest


async def _fetch(client: HubClient, url: str, target: Path, note: Note) -> str:
    have = target.stat().st_size if target.exists() else 0
    address = _joined(httpx.URL(await client.address()), url)
    try:
        async with _opened(client, address, _range_headers(target, have)) as response:
            if response.status_code == 416 and have:
                if response.headers.get("content-range", "").endswith(f"/{have}"):
                    return await asyncio.to_thread(_checked, target, have)  # it had arrived whole before
                target.unlink()  # more is here than there: not the same file
                raise errors.TransferError("The partial download does not match this file.")
            if response.is_error:
                raise _refusal(await client.whole(response))
            resumed = response.status_code == 206 and have > 0
            if resumed and not _continues(response, target, have):
                target.unlink()
                raise errors.TransferError("The server returned a different byte range than requested.")
            if resumed:
                note(f"The download continues at {have / 1e6:.1f} MB.")
            else:
                await asyncio.to_thread(_save_etag, target, client.cleaned(response.headers.get("etag", "")))
            expected = _length(response, have if resumed else 0)
            await _receive(response, target, expected or 0, append=resumed)
    except errors.TransferStopped:
        for file in (target, _etag_file(target)):
            file.unlink(missing_ok=True)
        raise
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as exc:
        raise transport_error(exc, at=origin_of(str(address)), key=key_of(exc)) from exc
    return await asyncio.to_thread(_checked, target, expected)


@asynccontextmanager
async def _opened(client: HubClient, address: httpx.URL, headers: dict[str, str]) -> AsyncGenerator[httpx.Response]:
    """Open a URL without the key; at the hub's own origin once more with it if asked for one.

    Redirects are followed by hand, so that the key never goes to another origin.
    """
    hub, with_key = await client.address(), False
    for _ in range(_REDIRECTS + 1):
        ours = origin_of(str(address)) == origin_of(hub)
        async with client.files.stream(
            "GET",
            address,
            headers={**headers, "Accept-Encoding": "identity"},
            auth=client.auth if with_key and ours else None,
        ) as response:
            if response.has_redirect_location:
                address = _joined(address, response.headers["location"])
                continue
            if response.status_code in (401, 403) and ours and not with_key and client.auth:
                with_key = True
                continue
            yield response
            return
    raise errors.TransferError(f"Exceeded the maximum of {_REDIRECTS} redirects.")


def _joined(base: httpx.URL, url: str) -> httpx.URL:
    """Return the complete URL of a result; the hub may have said anything. Raises `TransferError`."""
    try:
        address = base.join(url)
        valid = bool(address.host) and 0 < (address.port or 80) < 65536
    except (httpx.InvalidURL, ValueError):  # also a host name that is not IDNA
        valid, address = False, base
    if not valid or address.scheme not in ("http", "https"):
        raise errors.TransferError(f"The clip's URL must be a valid http or https URL, got {redact_urls(url)[:80]!a}.")
    return address


def _range_headers(target: Path, have: int) -> dict[str, str]:
    """Return headers that ask for the missing bytes, of the same file only: another one must not be appended."""
    if not have:
        return {}
    etag = _saved_etag(target)
    return {"Range": f"bytes={have}-", **({"If-Range": etag} if etag else {})}


def _continues(response: httpx.Response, target: Path, have: int) -> bool:
    """Whether the answer continues after `have` bytes of the same file; without a `Content-Range` it is as asked."""
    found = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("content-range", "").strip())
    before, now = _saved_etag(target), response.headers.get("etag", "")
    return (found is None or int(found[1]) == have) and (not before or not now or before == now)


def _etag_file(target: Path) -> Path:
    """Return the file next to `target` with its ETag, so that a later kernel can resume the download."""
    return target.with_name(f"{target.name}.etag")


def _saved_etag(target: Path) -> str:
    file = _etag_file(target)
    return file.read_text("utf-8") if file.exists() else ""


def _save_etag(target: Path, etag: str) -> None:
    file = _etag_file(target)
    try:
        if etag.startswith('"') and etag.isascii() and etag.isprintable():  # a weak one (W/…) promises no equal bytes
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(etag, "utf-8")
        else:
            file.unlink(missing_ok=True)
    except OSError:  # if nothing can be written here, writing the clip itself raises
        logger.debug("no ETag saved for %s", target.name)


async def _receive(response: httpx.Response, target: Path, expected: int, *, append: bool) -> None:
    """Write what arrives, of which `expected` bytes were announced, as long as it may be a clip."""
    began = since = time.monotonic()
    lately = 0
    _check_size(expected)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab" if append else "wb") as file:
            async for chunk in response.aiter_bytes():  # as it comes: a buffer is lost when the connection breaks
                file.write(chunk)
                _check_size(file.tell())
                lately, now = lately + len(chunk), time.monotonic()
                if now - began > _LONGEST:
                    raise errors.TransferStopped(f"The download did not end within {_LONGEST / 3600:.0f} hours.")
                if now - since > _WINDOW:
                    if lately < _SLOWEST * _WINDOW:
                        raise errors.TransferStopped(f"Only {lately:,} bytes arrived in {now - since:.0f} s.")
                    lately, since = 0, now
    except OSError as exc:  # a full disk, most of all: the clip stays at the hub for a while
        why = exc.strerror or str(exc)
        remedy = "Free some space or check its permissions; kn.resume() downloads the clip then."
        raise errors.LogError(f"The clip cannot be written to {target.parent} ({why}). {remedy}") from exc


def _check_size(size: int) -> None:
    if size > _LARGEST:
        raise errors.TransferStopped(f"The file is larger than any clip: more than {_LARGEST / 1e9:.0f} GB.")


def _refusal(response: httpx.Response) -> errors.HubError:
    if response.status_code in (401, 403, 404, 410):
        return errors.NotFound("The clip's URL has expired.", status=response.status_code)
    return error_of(response)


def _length(response: httpx.Response, before: int) -> int | None:
    if response.headers.get("content-encoding", "identity") != "identity":
        return None  # compressed by a proxy, unasked: the length is that of the compressed bytes
    length = response.headers.get("content-length", "")
    return before + int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def _checked(file: Path, expected: int | None) -> str:
    """Return the digest of a file that arrived whole."""
    size = file.stat().st_size
    if size == 0 or (expected is not None and size != expected):
        raise errors.TransferError(f"{size:,} of {expected or 0:,} bytes arrived.")
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"

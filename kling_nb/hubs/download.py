"""Results come down: streamed, hashed, resumed by Range, renewed when expired (HUB_API section 8)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from kling_nb import errors, retry
from kling_nb.hubs.client import HubClient, Say, origin_of, silently
from kling_nb.hubs.responses import error_of, transport_error

_ATTEMPTS, _REDIRECTS = 8, 5
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole: where, its `sha256:` digest and its size in bytes."""

    file: Path
    digest: str
    size: int


async def download(
    client: HubClient, url: str, target: Path, renew: Callable[[], Awaitable[str | None]], say: Say = silently
) -> Downloaded:
    """Fetch a result into `target`, going on from what an earlier attempt left there.

    `renew` gives a fresh URL when this one has expired; `say` is told of each new attempt. Raises `TransferError` when
    it did not arrive whole after several attempts; what arrived stays in `target`.
    """
    last: Exception | None = None
    attempt = 0
    while attempt < _ATTEMPTS and retry.requested_wait(last) <= retry.LONGEST_RETRY_AFTER:
        attempt += 1
        try:
            done = await _fetch(client, url, target, say)
            _mark_of(target).unlink(missing_ok=True)
            return done
        except (errors.CreditError, errors.UpdateRequired) as exc:  # asking again does not mend these (section 5)
            raise errors.TransferError(f"The clip could not be fetched: {exc}") from exc
        except (errors.AuthError, errors.NotFound, errors.InvalidParams) as exc:
            last, fresh = exc, await renew()
            url = fresh or url
            say("The clip's address had expired; the hub has signed it again.")
        except (errors.HubError, errors.TransferError) as exc:
            last = exc
            say(f"The download broke off: {exc}")
        if attempt < _ATTEMPTS and retry.requested_wait(last) <= retry.LONGEST_RETRY_AFTER:
            await asyncio.sleep(retry.delay(attempt, last, 0.5))
    tries = "1 attempt" if attempt == 1 else f"{attempt} attempts"
    raise errors.TransferError(f"The clip did not arrive whole after {tries}: {last}") from last


async def _fetch(client: HubClient, url: str, target: Path, say: Say) -> Downloaded:
    have = target.stat().st_size if target.exists() else 0
    try:
        async with _opened(client, url, _going_on(target, have)) as response:
            if response.status_code == 416 and have:
                if response.headers.get("content-range", "").endswith(f"/{have}"):
                    return await asyncio.to_thread(_whole, target, have)  # it had arrived whole before
                target.unlink()  # more is here than there: not the same file
                raise errors.TransferError("what was left of an earlier attempt does not fit")
            if response.is_error:
                await response.aread()
                raise _refusal(response)
            going_on = response.status_code == 206 and have > 0
            if going_on and not _fits(response, target, have):
                target.unlink()
                raise errors.TransferError("the rest that came does not go on where the first part ends")
            if not going_on:
                await asyncio.to_thread(_remember, target, response.headers.get("etag", ""))
            if going_on:
                say(f"The download goes on at {have / 1e6:.1f} MB.")
            await _receive(response, target, append=going_on)
            expected = _length(response, have if going_on else 0)
    except (httpx.TransportError, httpx.DecodingError) as exc:
        raise transport_error(exc, at=origin_of(url)) from exc
    return await asyncio.to_thread(_whole, target, expected)


def _going_on(target: Path, have: int) -> dict[str, str]:
    """The headers that ask for what is missing, of the same file only: another must not be put behind its half."""
    if not have:
        return {}
    tag = _marked(target)
    return {"Range": f"bytes={have}-", **({"If-Range": tag} if tag else {})}


def _fits(response: httpx.Response, target: Path, have: int) -> bool:
    """Whether what comes goes on where `have` bytes end; one that says nothing has answered what was asked."""
    found = re.match(r"bytes (\d+)-", response.headers.get("content-range", "").strip())
    before, now = _marked(target), response.headers.get("etag", "")
    return (found is None or int(found[1]) == have) and (not before or not now or before == now)


def _marked(target: Path) -> str:
    mark = _mark_of(target)
    return mark.read_text("utf-8") if mark.exists() else ""


def _mark_of(target: Path) -> Path:
    """Beside what has arrived: which file it is of, so that a later kernel can go on with it."""
    return target.with_name(f"{target.name}.etag")


def _remember(target: Path, tag: str) -> None:
    mark = _mark_of(target)
    try:
        if tag.startswith('"') and tag.isascii() and tag.isprintable():  # a weak one (W/…) promises no equal bytes
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(tag, "utf-8")
        else:
            mark.unlink(missing_ok=True)
    except OSError:  # what cannot be written here is said where the file itself is
        logger.debug("no mark beside %s", target.name)


async def _receive(response: httpx.Response, target: Path, *, append: bool) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab" if append else "wb") as file:
            async for chunk in response.aiter_bytes():  # as it comes: what is gathered first is lost by a break
                file.write(chunk)
    except OSError as exc:  # a full disk, most of all: the clip stays at the hub for a while
        why = exc.strerror or str(exc)
        remedy = "free some space there, or mend its rights; kn.resume() fetches it then"
        raise errors.LogError(f"The clip cannot be written to {target.parent} ({why}): {remedy}.") from exc


@asynccontextmanager
async def _opened(client: HubClient, url: str, headers: dict[str, str]) -> AsyncGenerator[httpx.Response]:
    """Open a URL bare; at the hub's own origin once more with the key if it asks for one.

    Redirects are followed by hand, so that the key never goes to another origin.
    """
    address, with_key = httpx.URL(client.base_url).join(url), False
    for _ in range(_REDIRECTS + 1):
        if address.scheme not in ("http", "https"):
            raise errors.TransferError(f"the result's address is no http address: {address.scheme}:")
        ours = origin_of(str(address)) == client.origin
        key = client.authorization() if with_key and ours else {}
        async with client.files.stream(
            "GET", address, headers={**headers, **key, "Accept-Encoding": "identity"}
        ) as got:
            if got.has_redirect_location:
                address = address.join(got.headers["location"])
                continue
            if got.status_code in (401, 403) and ours and not with_key and client.authorization():
                with_key = True
                continue
            yield got
            return
    raise errors.TransferError(f"the result's address leads on more than {_REDIRECTS} times")


def _refusal(response: httpx.Response) -> errors.HubError:
    if response.status_code in (401, 403, 404, 410):
        return errors.NotFound("the result's address has expired", status=response.status_code)
    return error_of(response)


def _length(response: httpx.Response, before: int) -> int | None:
    if response.headers.get("content-encoding", "identity") != "identity":
        return None  # packed by a proxy, unasked: the length is that of the packet
    length = response.headers.get("content-length", "")
    return before + int(length) if length.isdigit() else None


def _whole(file: Path, expected: int | None) -> Downloaded:
    size = file.stat().st_size
    if size == 0 or (expected is not None and size != expected):
        raise errors.TransferError(f"{size:,} of {expected or 0:,} bytes arrived")
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Downloaded(file, f"sha256:{digest}", size)

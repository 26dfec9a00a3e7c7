"""Uploads of local files to fal's CDN, which makes them public (fal-api.md section 8)."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import httpx

from kling_nb import errors, retry
from kling_nb.hubs.client import HubClient, origin_of
from kling_nb.hubs.fal_responses import read_fal
from kling_nb.hubs.responses import error_of, key_of, transport_error
from kling_nb.hubs.upload import UploadCache, UploadMethod, file_name, text_in, url_without_hub
from kling_nb.models.asset import Asset

_INITIATE = "/storage/upload/initiate?storage_type=fal-cdn-v3"
_ATTEMPTS = 4
#: A file with a lifetime is uploaded again after this part of it, since a job that waits reads it late.
_FRESH_PART = 0.5
_TIMEOUT = httpx.Timeout(120.0, connect=10.0)


class FalUploads:
    """Uploads assets; equal content is uploaded once, and its URL is reused while fal has the file."""

    def __init__(self, client: HubClient, cache: UploadCache, method: UploadMethod, lifetime: int | None) -> None:
        self._client, self._cache, self._lifetime = client, cache, lifetime
        self._method: UploadMethod = method
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def url_of(self, asset: Asset) -> str:
        """Return the URL to send for an asset: its own, or that of its uploaded bytes."""
        if url := await url_without_hub(self._method, asset):
            return url
        digest, origin = asset.digest or asset.identity, origin_of(await self._client.address())
        async with self._locks[digest]:
            known = await asyncio.to_thread(self._cache.upload_of, origin, digest)
            if known and await self._is_there(known):
                return str(known["url"])
            url = await self._upload(asset)
            until = None if self._lifetime is None else time.time() + self._lifetime * _FRESH_PART
            await asyncio.to_thread(self._cache.remember_upload, origin, digest, {"url": url, "until": until})
            return url

    async def _is_there(self, known: dict[str, object]) -> bool:
        """Return whether fal still has an uploaded file, as far as can be told."""
        until, url = known.get("until"), known.get("url")
        if not isinstance(url, str) or (isinstance(until, float | int) and time.time() > until):
            return False
        try:
            answer = await self._client.files.head(url)
        except httpx.HTTPError:
            return True  # fal may still reach it
        return answer.status_code not in (403, 404, 410)

    async def _upload(self, asset: Asset) -> str:
        headers = {}
        if self._lifetime is not None:
            headers["X-Fal-Object-Lifecycle-Preference"] = f'{{"expiration_duration_seconds": {self._lifetime}}}'
        wanted = {"content_type": asset.media_type, "file_name": file_name(asset)}
        answer = await self._client.send("POST", _INITIATE, read=read_fal, json=wanted, headers=headers)
        target, url = text_in(answer, "upload_url"), text_in(answer, "file_url")

        async def put() -> None:
            await self._put(target, asset)

        def wait(failures: int, exc: Exception) -> float | None:
            again = failures < _ATTEMPTS and retry.may_resend(exc, billed=False)
            return retry.delay(failures, exc, retry.jitter()) if again else None

        await retry.retrying(put, wait)
        return url

    async def _put(self, target: str, asset: Asset) -> None:
        """Send the bytes to the media host, without the key."""
        headers = {"Content-Type": asset.media_type}
        try:
            answer = await self._client.files.put(target, content=asset.data, headers=headers, timeout=_TIMEOUT)
        except httpx.TransportError as exc:
            raise transport_error(exc, at="fal.ai's storage", key=key_of(exc)) from exc
        except httpx.InvalidURL as exc:
            raise errors.ServerError(f"fal.ai gave an invalid upload address ({exc}).") from exc
        if not answer.is_success:
            raise error_of(answer)

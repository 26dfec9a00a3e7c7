"""Local pictures go up: to the hub's own storage and a signed URL, or another way of yours (HUB_API section 7)."""

from __future__ import annotations

import asyncio
import base64
import inspect
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, cast, get_args
from urllib.parse import quote

from kling_nb import errors
from kling_nb.hubs.client import HubClient
from kling_nb.models.asset import Asset

#: How a local file reaches the hub: its own workbench (the vendor's way), a public repository of yours (the documented
#: way), inside the request, or a function of yours that returns an address.
NamedMethod = Literal["workbench", "repository", "data-uri"]
UploadMethod = NamedMethod | Callable[[Asset], str | Awaitable[str]]
UPLOAD_METHODS: tuple[NamedMethod, ...] = get_args(NamedMethod)

#: A signed URL lives for about an hour; one older than this is signed again, in seconds.
SIGN_AGAIN_AFTER = 45 * 60.0
REPOSITORY, PLAYGROUND, FOLDER = "kling_nb", "playground", "kling_nb"


class UploadCache(Protocol):
    """What was put on a hub before, so that the same content goes up once. Never holds a signed URL."""

    def upload_of(self, origin: str, digest: str) -> dict[str, Any] | None:
        """Return where a content lies on a hub, or None."""
        ...

    def remember_upload(self, origin: str, digest: str, address: dict[str, Any]) -> None:
        """Keep where a content lies on a hub."""
        ...

    def forget_upload(self, origin: str, digest: str) -> None:
        """Drop what turned out to be gone."""
        ...


class Uploads:
    """Gives every asset an address that the hub can read; equal content goes up once, even when asked for at once."""

    def __init__(self, client: HubClient, memory: UploadCache, way: UploadMethod = "workbench") -> None:
        self._client, self._memory, self._way = client, memory, way
        self._signed: dict[str, tuple[str, float]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._namespace: str | None = None

    async def address_of(self, asset: Asset) -> str:
        """Return the URL to send for an asset: its own, or that of its uploaded bytes.

        Raises a `HubError` when the hub does not take it, `KlingError` when your own function fails.
        """
        if asset.url is not None:
            return asset.url
        if self._way == "data-uri":
            return f"data:{asset.media_type};base64,{base64.b64encode(asset.data or b'').decode()}"
        if not isinstance(self._way, str):
            return await _asked(self._way, asset)
        digest = asset.digest or asset.identity
        async with self._locks[digest]:
            url, signed = self._signed.get(digest, ("", 0.0))
            if not url or not 0 <= time.time() - signed < SIGN_AGAIN_AFTER:
                url = await self._uploaded(asset, self._way)
                self._signed[digest] = (url, time.time())  # not monotonic: that stands still while a laptop sleeps
            return url

    async def _uploaded(self, asset: Asset, way: str) -> str:
        if way == "workbench":
            return await self._by_workbench(asset)
        if way == "repository":  # public, so never the way of a name that nobody knows
            return await self._by_repository(asset)
        raise errors.SettingsError(
            f"upload={way!r} is no way to upload: use one of {', '.join(UPLOAD_METHODS)}, or a function."
        )

    async def _by_workbench(self, asset: Asset) -> str:
        """As the vendor's own client does it: the playground repository, then a signed URL."""
        digest = asset.digest or ""
        known = await asyncio.to_thread(self._memory.upload_of, self._client.origin, digest)
        if known:
            try:
                return await self._sign(known["namespace"], known["path"])
            except errors.NotFound:
                await asyncio.to_thread(self._memory.forget_upload, self._client.origin, digest)
        namespace = await self._playground()
        answer = await self._client.send(
            "POST",
            f"/api/repos/{namespace}/{PLAYGROUND}/workbench/context",
            files={"file": (_file_name(asset), asset.data, asset.media_type)},
            data={"directory": FOLDER},
        )
        address = {"namespace": namespace, "path": text_in(answer, "asset_path")}
        await asyncio.to_thread(self._memory.remember_upload, self._client.origin, digest, address)
        return await self._sign(namespace, address["path"])

    async def _sign(self, namespace: str, path: str) -> str:
        where = f"/api/repos/{namespace}/{PLAYGROUND}/file/presigned_url/main/{quote(path)}"
        return text_in(await self._client.get(where), "url")

    async def _playground(self) -> str:
        namespace = await self._user()
        try:
            await self._client.do("GET", f"/api/repos/{namespace}/{PLAYGROUND}")
        except errors.NotFound:
            await self._create(
                {
                    "name": PLAYGROUND,
                    "namespace": namespace,
                    "description": "Pictures for generations",
                    "visibility": "private",
                    "workbench": True,
                }
            )
        return namespace

    async def _by_repository(self, asset: Asset) -> str:
        """The documented way: a file in a public repository of the user's, named by its content."""
        namespace, name = await self._user(), _file_name(asset)
        path = f"/api/repos/{namespace}/{REPOSITORY}/file/main/{FOLDER}/{name}"
        if not await asyncio.to_thread(self._memory.upload_of, self._client.origin, f"repository {asset.digest}"):
            await self._create({"name": REPOSITORY, "namespace": namespace, "visibility": "public"})
            who = {"message": f"Add {name}", "name": namespace, "email": f"{namespace}@users.noreply"}
            content = {"files": {"file": (name, asset.data, asset.media_type)}, "data": who}
            await self._client.do("PUT", path, **content)
            remember = self._memory.remember_upload
            await asyncio.to_thread(remember, self._client.origin, f"repository {asset.digest}", {"path": path})
        return f"{self._client.base_url}{path}"

    async def _create(self, repository: dict[str, Any]) -> None:
        try:
            await self._client.do("POST", "/api/repos", json=repository)
        except errors.InvalidParams as exc:
            if exc.status != 409:  # 409: it exists
                raise

    async def _user(self) -> str:
        if self._namespace is None:
            self._namespace = text_in(await self._client.get("/api/users/me"), "user", "username")
        return self._namespace


def text_in(answer: Mapping[str, Any], *names: str) -> str:
    """Return a text in the hub's answer, by the names that lead to it. Raises `HubFault` when it is not there."""
    found: Any = answer
    for name in names:
        found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        where = ".".join(names)
        raise errors.HubFault(
            f"The hub's answer to an upload has no {where}: try again, or upload in another way, "
            f'kn.configure(upload="data-uri").',
            body=f"fields: {', '.join(map(str, answer))}"[:300],
        )
    return found


async def _asked(way: Callable[[Asset], str | Awaitable[str]], asset: Asset) -> str:
    try:
        # One that is no coroutine function may block, and the loop carries every other job too.
        given = way(asset) if inspect.iscoroutinefunction(way) else await asyncio.to_thread(way, asset)
        return str(await given) if inspect.isawaitable(given) else str(given)
    except Exception as exc:
        raise errors.KlingError(f"your upload function failed for {asset.given}: {exc}") from exc


def _file_name(asset: Asset) -> str:
    """A name that tells nothing of the user's machine: the content's hash and its type."""
    suffix = asset.media_type.rpartition("/")[2].replace("jpeg", "jpg")
    return f"{(asset.digest or asset.identity).rpartition(':')[2][:32]}.{suffix}"

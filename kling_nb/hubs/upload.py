"""Uploads of local images: to the hub's own storage and a signed URL, or another way (hub-api.md section 7)."""

from __future__ import annotations

import asyncio
import base64
import inspect
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, cast, get_args

from kling_nb import errors
from kling_nb.hubs.client import HubClient, origin_of, route
from kling_nb.hubs.responses import read_status
from kling_nb.models.asset import Asset, suffix_of

#: How a local file reaches the hub: its own workbench (as the vendor's client does), a public repository of the user's
#: (as documented), inside the request, or a function of the user's that returns a URL.
NamedMethod = Literal["workbench", "repository", "data-uri"]
UploadMethod = NamedMethod | Callable[[Asset], str | Awaitable[str]]
UPLOAD_METHODS: tuple[NamedMethod, ...] = get_args(NamedMethod)

#: A signed URL is valid for about an hour; an older one than this, in seconds, is signed again.
SIGN_AGAIN_AFTER = 45 * 60.0
REPOSITORY, PLAYGROUND, FOLDER = "kling_nb", "playground", "kling_nb"


class UploadCache(Protocol):
    """Remembers where content was uploaded to, so that it is uploaded once. Never holds a signed URL."""

    def upload_of(self, origin: str, digest: str) -> dict[str, Any] | None: ...
    def remember_upload(self, origin: str, digest: str, address: dict[str, Any]) -> None: ...
    def forget_upload(self, origin: str, digest: str) -> None: ...


class Uploads:
    """Uploads assets; equal content is uploaded once, even by simultaneous requests."""

    def __init__(self, client: HubClient, cache: UploadCache, method: UploadMethod = "workbench") -> None:
        self._client, self._cache = client, cache
        self._method: UploadMethod = method
        self._signed: dict[str, tuple[str, float]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._namespace: str | None = None

    async def url_of(self, asset: Asset) -> str:
        """Return the URL to send for an asset: its own, or that of its uploaded bytes.

        Raises a `HubError` when the hub refuses the upload, `KlingError` when the user's own function fails.
        """
        if url := await url_without_hub(self._method, asset):
            return url
        digest = asset.digest or asset.identity
        async with self._locks[digest]:
            url, signed = self._signed.get(digest, ("", 0.0))
            if not url or not 0 <= time.time() - signed < SIGN_AGAIN_AFTER:
                url = await (self._in_repository if self._method == "repository" else self._in_workbench)(asset)
                self._signed[digest] = (url, time.time())  # the monotonic clock stops while a laptop sleeps
            return url

    async def _in_workbench(self, asset: Asset) -> str:
        """Upload as the vendor's own client does: to the playground repository, then sign a URL."""
        digest, origin = asset.digest or "", origin_of(await self._client.address())
        known = await asyncio.to_thread(self._cache.upload_of, origin, digest)
        if known:
            try:
                return await self._sign(known["namespace"], known["path"])
            except errors.NotFound:
                await asyncio.to_thread(self._cache.forget_upload, origin, digest)
        namespace = await self._playground()
        answer = await self._client.send(
            "POST",
            route("api", "repos", namespace, PLAYGROUND, "workbench", "context"),
            files={"file": (file_name(asset), asset.data, asset.media_type)},
            data={"directory": FOLDER},
        )
        address = {"namespace": namespace, "path": text_in(answer, "asset_path")}
        await asyncio.to_thread(self._cache.remember_upload, origin, digest, address)
        return await self._sign(namespace, address["path"])

    async def _sign(self, namespace: str, path: str) -> str:
        where = route("api", "repos", namespace, PLAYGROUND, "file", "presigned_url", "main", *path.split("/"))
        return text_in(await self._client.send("GET", where), "url")

    async def _playground(self) -> str:
        namespace = await self._user()
        try:
            await self._client.send("GET", route("api", "repos", namespace, PLAYGROUND), read=read_status)
        except errors.NotFound:
            await self._create(
                {
                    "name": PLAYGROUND,
                    "namespace": namespace,
                    "description": "Images for generations",
                    "visibility": "private",
                    "workbench": True,
                }
            )
        return namespace

    async def _in_repository(self, asset: Asset) -> str:
        """Upload as documented: a file in a public repository of the user's, named after its content."""
        namespace, name = await self._user(), file_name(asset)
        address = await self._client.address()
        path = route("api", "repos", namespace, REPOSITORY, "file", "main", FOLDER, name)
        key = (origin_of(address), f"repository {asset.digest}")
        if not await asyncio.to_thread(self._cache.upload_of, *key):
            await self._create({"name": REPOSITORY, "namespace": namespace, "visibility": "public"})
            author = {"message": f"Add {name}", "name": namespace, "email": f"{namespace}@users.noreply"}
            file = (name, asset.data, asset.media_type)
            await self._client.send("PUT", path, read=read_status, files={"file": file}, data=author)
            await asyncio.to_thread(self._cache.remember_upload, *key, {"path": path})
        return f"{address}{path}"

    async def _create(self, repository: dict[str, Any]) -> None:
        try:
            await self._client.send("POST", "/api/repos", read=read_status, json=repository)
        except errors.InvalidParams as exc:
            if exc.status != 409:  # 409: it exists
                raise

    async def _user(self) -> str:
        if self._namespace is None:
            self._namespace = text_in(await self._client.send("GET", "/api/users/me"), "user", "username")
        return self._namespace


def text_in(answer: Mapping[str, Any], *names: str) -> str:
    """Return the text at a path of names in the hub's answer. Raises `ServerError` when it is missing."""
    found: Any = answer
    for name in names:
        found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        raise errors.ServerError(
            f"Unexpected response to an upload: missing '{'.'.join(names)}'. Try again, or use another method: "
            f'kn.configure(upload="data-uri").',
            body=f"fields: {', '.join(map(str, answer))}"[:300],
        )
    return found


async def url_without_hub(method: UploadMethod, asset: Asset) -> str | None:
    """Return the URL of an asset that the hub need not store; None for any other.

    It is the asset's own, a data URI, or that of the user's function. Raises `KlingError` if the function fails.
    """
    if asset.url is not None:
        return asset.url
    if method == "data-uri":
        return f"data:{asset.media_type};base64,{base64.b64encode(asset.data or b'').decode()}"
    return await _url_from(method, asset) if callable(method) else None


async def _url_from(method: Callable[[Asset], str | Awaitable[str]], asset: Asset) -> str:
    def call() -> Any:
        try:
            return method(asset)
        except StopIteration as exc:  # no future takes it: the job would wait for ever
            raise RuntimeError("it raised StopIteration") from exc

    try:
        # A plain function may block, and the loop carries every other job too.
        given = call() if inspect.iscoroutinefunction(method) else await asyncio.to_thread(call)
        url = await given if inspect.isawaitable(given) else given
    except Exception as exc:
        raise errors.KlingError(f"Your upload function failed for {asset.given}: {exc}") from exc
    if not re.match(r"(https?://[^\s/]|data:)", str(url), re.IGNORECASE) or not str(url).isprintable():
        raise errors.KlingError(
            f"Your upload function returned {ascii(url)[:200]} for {asset.given}: it must return a URL."
        )
    return str(url)


def file_name(asset: Asset) -> str:
    """Return a name that tells nothing about the user's machine: the content's hash and its type."""
    return f"{(asset.digest or asset.identity).rpartition(':')[2][:32]}{suffix_of(asset.data or b'') or '.bin'}"

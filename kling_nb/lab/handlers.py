"""HTTP and websocket handlers, for users who are logged in to the Jupyter server.

The server's rules on who may read and write files (`contents`) apply to these routes, too.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, AuthenticatedFileHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.websocket import WebSocketHandler

if TYPE_CHECKING:
    from kling_nb.lab.extension import Extension

T = TypeVar("T")
_RESOURCE = "contents"


class _Answers(APIHandler):
    auth_resource = _RESOURCE

    def initialize(self, extension: Extension) -> None:
        super().initialize()
        self.extension = extension


class AboutHandler(_Answers):
    """The version of the server half. Without this route, the browser side shows nothing."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.finish({"version": self.extension.version})


class DocumentationHandler(_Answers):
    """The documentation as Markdown."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        from kling_nb.lab.documentation import documentation

        await self.finish({"text": await found(documentation)})


class OverviewHandler(_Answers):
    """Jobs, clips and spending of every log."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.finish({"logs": await self.extension.overview()})


class RecordHandler(_Answers):
    """One record, `?id=…&log=…`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        record_id, name = self.get_query_argument("id"), self.get_query_argument("log", "")
        notebooks = await self.extension.notebooks()
        await self.finish(await found(lambda: self.extension.queries.record(record_id, name, notebooks)))


class CancelHandler(_Answers):
    """Ask a job's hub to stop it; its kernel may be busy or gone."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        body = self.get_json_body() or {}
        name, record_id = str(body.get("log") or ""), str(body.get("id") or "")
        await found(lambda: self.extension.queries.cancel(record_id, name))
        await self.finish({})


class MediaHandler(AuthenticatedFileHandler):
    """An image or a video of a log by its digest, with byte ranges: `media/<64 hex>?log=…`."""

    auth_resource = _RESOURCE

    def initialize(self, extension: Extension) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- tornado passes what the route names
        super().initialize(path="")
        self.extension = extension

    @web.authenticated
    @authorized
    async def get(self, digest: str) -> None:
        await self.answer(digest)

    @web.authenticated
    @authorized
    async def head(self, digest: str) -> None:
        await self.answer(digest, include_body=False)

    async def answer(self, digest: str, *, include_body: bool = True) -> None:
        """Send the file, or only its headers."""
        self.check_xsrf_cookie()
        name = self.get_query_argument("log")
        folder, file = await found(lambda: self.extension.queries.media(digest, name))
        self.root = str(folder.resolve())
        await web.StaticFileHandler.get(self, str(file.relative_to(folder)), include_body)

    def get_content_type(self) -> str:
        """Return the MIME type of an image or a video, and that of unknown bytes for any other file."""
        kind = mimetypes.guess_type(self.absolute_path or "")[0] or ""
        shown = kind.startswith(("image/", "video/")) and "svg" not in kind
        return kind if shown else "application/octet-stream"

    def set_headers(self) -> None:
        """Let the browser cache files, which are named by their content."""
        super().set_headers()
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")


class _Socket(WebSocketMixin, WebSocketHandler, JupyterHandler):  # pyright: ignore[reportIncompatibleMethodOverride] -- Jupyter's own mix
    auth_resource, action = _RESOURCE, "read"
    _track_activity = False

    def initialize(self, extension: Extension) -> None:
        super().initialize()
        self.extension = extension

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, self.action, _RESOURCE)):
            raise web.HTTPError(403)
        await super().get(*args, **kwargs)


class NotificationsHandler(_Socket):
    """Notifies a page of every change in a log."""

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        self.tell({"kind": "about", "version": self.extension.version})
        self.extension.news.add(self.tell)

    def on_message(self, message: str | bytes) -> None:
        """Ignore messages from the page."""

    def on_close(self) -> None:
        self.extension.news.remove(self.tell)
        super().on_close()

    def tell(self, news: dict[str, Any]) -> None:
        """Send a message; a page that has gone receives none."""
        if self.ws_connection is not None:
            self.write_message(json.dumps(news))


class GalleryPageHandler(_Answers):
    """The browser side of the gallery: its module and its style sheets."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        from kling_nb.lab.gallery import browser_side

        await self.finish(await found(browser_side))


class GalleryHandler(_Socket):
    """The gallery of one log for one page, `?log=…`: the messages that its widget would exchange with a kernel."""

    action = "write"

    async def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        self.set_nodelay(True)
        self._loop, self._turn = asyncio.get_running_loop(), asyncio.Lock()
        self.gallery: Any = None
        name = self.get_query_argument("log", "")
        try:
            async with self._turn:
                self.gallery = await asyncio.to_thread(self.extension.queries.gallery, name, self._from_thread)
                await asyncio.to_thread(self.gallery.start)
        except Exception as exc:  # noqa: BLE001 - the page shows what went wrong
            self._tell({"error": str(exc) or type(exc).__name__}, ())

    async def on_message(self, message: str | bytes) -> None:
        async with self._turn:  # one after the other, as a kernel would
            if self.gallery is not None:
                await asyncio.to_thread(self.gallery.receive, json.loads(message))

    def on_close(self) -> None:
        if self.gallery is not None:
            self._loop.run_in_executor(None, self.gallery.close)
        super().on_close()

    def _from_thread(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        self._loop.call_soon_threadsafe(self._tell, content, buffers)

    def _tell(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if self.ws_connection is not None:
            self.write_message(json.dumps({**content, "buffers": len(buffers)}, default=str))
            for part in buffers:
                self.write_message(bytes(part), binary=True)


async def found(ask: Callable[[], T]) -> T:
    """Return the result of a call on a thread. Raises `HTTPError` for anything that does not exist."""
    from kling_nb.errors import KlingError, NotSaved
    from kling_nb.lab.logs import UnknownLog

    try:
        return await asyncio.to_thread(ask)
    except (UnknownLog, NotSaved) as exc:
        raise web.HTTPError(404, str(exc), reason=str(exc)) from exc
    except KlingError as exc:
        raise web.HTTPError(409, str(exc), reason=str(exc)) from exc

"""The addresses of the server half. This module loads no log: `reading` does, at the first question."""

from __future__ import annotations

import asyncio
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join

from kling_nb.lab import handlers

if TYPE_CHECKING:
    from kling_nb.lab.news import News
    from kling_nb.lab.reading import Reading

BASE = "kling_nb/api"


def load(server: Any) -> None:
    """Add the addresses to a Jupyter server."""
    parts = {"extension": Extension(server)}
    routes = [
        (r"about", handlers.AboutHandler),
        (r"overview", handlers.OverviewHandler),
        (r"record", handlers.RecordHandler),
        (r"cancel", handlers.CancelHandler),
        (r"media/([0-9a-f]{64})", handlers.MediaHandler),
        (r"news", handlers.NewsHandler),
        (r"gallery/page", handlers.GalleryPageHandler),
        (r"gallery", handlers.GalleryHandler),
    ]
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, BASE, path), made, parts) for path, made in routes])
    server.log.info("kling_nb: the sidebar reads the logs of this server's notebooks.")


class Extension:
    """The parts that all handlers share."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @cached_property
    def version(self) -> str:
        """The version of the package."""
        return version("kling-nb")

    @cached_property
    def reading(self) -> Reading:
        """The logs; the first use loads the package's modules."""
        from kling_nb.lab.reading import Reading

        root = getattr(self._server.contents_manager, "root_dir", None)
        return Reading(Path(root) if root else None)

    @cached_property
    def news(self) -> News:
        """The news for open pages."""
        from kling_nb.lab.news import News

        return News(self)

    async def notebooks(self) -> list[str]:
        """Return the paths of the notebooks that are running."""
        sessions = await self._server.session_manager.list_sessions()
        return [str(session.get("path") or "") for session in sessions]

    async def overview(self) -> list[dict[str, Any]]:
        """Return the overview of every log of this server."""
        notebooks = await self.notebooks()
        return await asyncio.to_thread(lambda: self.reading.overview(notebooks))

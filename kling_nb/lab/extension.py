"""The routes of the server half. This module loads no log: `queries` does, at the first request."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_core.paths import jupyter_config_dir
from jupyter_server.utils import url_path_join

from kling_nb.lab import handlers

if TYPE_CHECKING:
    from kling_nb.lab.downloads import Downloads
    from kling_nb.lab.notifications import Notifications
    from kling_nb.lab.queries import Queries

BASE = "kling_nb/api"
#: Seconds between two checks for jobs without a kernel, and for a kernel that wants the server's jobs.
_LOOK, _HAND_OVER = 2.0, 0.3


def load(server: Any) -> None:
    """Add the routes to a Jupyter server."""
    extension = Extension(server)
    parts = {"extension": extension}
    routes = [
        (r"about", handlers.AboutHandler),
        (r"documentation", handlers.DocumentationHandler),
        (r"overview", handlers.OverviewHandler),
        (r"record", handlers.RecordHandler),
        (r"cancel", handlers.CancelHandler),
        (r"media/([0-9a-f]{64})", handlers.MediaHandler),
        (r"news", handlers.NotificationsHandler),
        (r"gallery/page", handlers.GalleryPageHandler),
        (r"gallery", handlers.GalleryHandler),
    ]
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, BASE, path), made, parts) for path, made in routes])
    server.io_loop.add_callback(extension.carry)
    server.log.info("kling_nb: the sidebar reads the logs of this server's notebooks.")


def carries() -> bool:
    """Return whether the setting that lets the server download clips is on."""
    folder = os.environ.get("JUPYTERLAB_SETTINGS_DIR") or Path(jupyter_config_dir()) / "lab" / "user-settings"
    try:
        text = (Path(folder) / "kling_nb" / "plugin.jupyterlab-settings").read_text("utf-8")
    except OSError:
        return False
    import json5  # Lab's settings files have comments

    try:
        settings: Any = json5.loads(text)
    except ValueError:
        return False
    return isinstance(settings, dict) and cast("dict[str, Any]", settings).get("carry") is True


class Extension:
    """The parts that all handlers share."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @cached_property
    def version(self) -> str:
        """The version of the package."""
        return version("kling-nb")

    @cached_property
    def queries(self) -> Queries:
        """The logs; the first use loads the package's modules."""
        from kling_nb.lab.queries import Queries

        root = getattr(self._server.contents_manager, "root_dir", None)
        return Queries(Path(root) if root else None)

    @cached_property
    def news(self) -> Notifications:
        """Notifies open pages of changes."""
        from kling_nb.lab.notifications import Notifications

        return Notifications(self)

    async def carry(self) -> None:
        """Download the clips of jobs whose kernels have ended, while the setting `carry` is on."""
        downloads: Downloads | None = None
        while True:
            if carries():
                if downloads is None:
                    from kling_nb.lab.downloads import Downloads

                    downloads = Downloads(self.queries.logs)
                notebooks = await self.notebooks()
                await asyncio.to_thread(downloads.look, notebooks)
            if downloads:
                await asyncio.to_thread(downloads.give_up, everything=not carries())
            await asyncio.sleep(_HAND_OVER if downloads and downloads.busy else _LOOK)

    async def notebooks(self) -> list[str]:
        """Return the paths of the notebooks that are running."""
        sessions = await self._server.session_manager.list_sessions()
        return [str(session.get("path") or "") for session in sessions]

    async def overview(self) -> list[dict[str, Any]]:
        """Return the overview of every log of this server."""
        notebooks = await self.notebooks()
        return await asyncio.to_thread(lambda: self.queries.overview(notebooks))

"""The panel's and the jobs' widgets, and what all widgets share: comms, mimebundles, and the linking of JavaScript.

`linked` joins the modules of `static/` into one, since a widget sends its browser side as a single module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import anywidget
import traitlets


@cache
def linked(entry: str) -> str:
    """Return `static/<entry>` and everything that it imports as one JavaScript module."""
    folder = files("kling_nb.ui") / "static"
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".js")}
    return link(entry, {name: _COMMENT.sub("", text) for name, text in sources.items()})


@cache
def styles(*names: str) -> str:
    """Return the named style sheets of `static/` as one, without comments."""
    folder = files("kling_nb.ui") / "static"
    return _CSS_COMMENT.sub("", "\n".join((folder / name).read_text("utf-8") for name in names))


#: Comments with types, on lines of their own or within one: a fifth of the text, which no browser needs.
_COMMENT = re.compile(r"^[ \t]*/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*\n|/\*\*(?:[^*]|\*(?!/))*\*/ ?", re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
_IMPORT = re.compile(r"^import\s*\{[^}]*\}\s*from\s*['\"]\./([\w.-]+\.js)['\"];?[ \t]*\n?", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|let|class)\b)", re.MULTILINE)


def link(entry: str, sources: Mapping[str, str]) -> str:
    """Join `entry` and all modules that it imports, dependencies first.

    The modules share one scope, and only `import { a } from "./b.js"` and `export` before a declaration are understood;
    the tests check that the modules keep to this.
    """
    bodies: dict[str, str] = {}

    def visit(name: str) -> None:
        for needed in _IMPORT.findall(sources[name]):
            if needed not in bodies:
                visit(needed)
        bodies[name] = _EXPORT.sub("", _IMPORT.sub("", sources[name])).strip()

    visit(entry)
    return "\n".join(f"// {name}\n{body}\n" for name, body in bodies.items())


class PanelWidget(anywidget.AnyWidget):
    """The browser side of a panel: shows these values and sends messages."""

    _esm: ClassVar[str] = linked("panel.js")
    _css: ClassVar[str] = styles(
        "base.css",
        "stars.css",
        "panel.css",
        "images.css",
        "shots.css",
        "library.css",
        "jobs.css",
        "code.css",
        "models.css",
        "help.css",
    )

    draft = traitlets.Dict().tag(sync=True)
    forms = traitlets.Dict().tag(sync=True)
    catalogue = traitlets.Dict().tag(sync=True)
    model_notices = traitlets.Dict().tag(sync=True)
    unsupported = traitlets.List().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    earlier = traitlets.Dict().tag(sync=True)
    money = traitlets.Unicode().tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    banner = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)
    extra = traitlets.Unicode().tag(sync=True)
    notes = traitlets.List().tag(sync=True)
    library = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


class RowsWidget(anywidget.AnyWidget):
    """The browser side of a cell with jobs."""

    _esm: ClassVar[str] = linked("jobs.js")
    _css: ClassVar[str] = styles("base.css", "stars.css", "jobs.css")

    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


class WatchWidget(anywidget.AnyWidget):
    """The browser side of the sheet of a run: says when its kernel has restarted."""

    _esm: ClassVar[str] = linked("run.js")
    _css: ClassVar[str] = styles("base.css")


def keep_reachable(widget: Any) -> None:
    """Let a widget's messages be handled while a cell runs.

    ipykernel 7.4 routes a message to the subshell that last published on the comm, which is the busy one; this undoes
    that. The method is private there and absent in other versions (jupyter.md section 4).
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):

        def as_requested(_data: Any, default: Any) -> Any:
            return default

        comm._reply_subshell_for = as_requested


def view_of(widget: Any) -> dict[str, Any]:
    """Return the mimebundle that displays a widget."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view}

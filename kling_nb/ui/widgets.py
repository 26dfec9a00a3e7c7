"""The panel's and the jobs' widgets, and what all widgets share: comms, mimebundles, and the linking of JavaScript.

`linked` joins the modules of `static/` into one, since a widget sends its browser side as a single module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import anywidget
import traitlets


class EsmError(ValueError):
    """The modules cannot be joined. This is a bug in the package, which its tests find."""


@dataclass(frozen=True)
class _Module:
    name: str
    imports: Mapping[str, tuple[str, ...]]
    defined: tuple[str, ...]
    exported: frozenset[str]
    body: str


@cache
def linked(entry: str) -> str:
    """Return `static/<entry>` and everything that it imports as one JavaScript module."""
    folder = files("kling_nb.ui") / "static"
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".js")}
    return link(entry, sources)


@cache
def styles(*names: str) -> str:
    """Return the named style sheets of `static/` as one."""
    folder = files("kling_nb.ui") / "static"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def link(entry: str, sources: Mapping[str, str]) -> str:
    """Join `entry` and all modules that it imports, dependencies first. Raises `EsmError`."""
    modules: dict[str, _Module] = {}
    _visit(entry, sources, modules, ())
    _refuse_clashes(modules)
    for module in modules.values():
        _refuse_unknown_names(module, modules)
    return "\n".join(f"// {module.name}\n{module.body.strip()}\n" for module in modules.values())


def _visit(name: str, sources: Mapping[str, str], done: dict[str, _Module], above: tuple[str, ...]) -> None:
    if name in above:
        raise EsmError(f"circular import: {' -> '.join((*above, name))}")
    if name in done:
        return
    if name not in sources:
        raise EsmError(f"{above[-1] if above else 'the entry'}: module {name!r} does not exist")
    module = _read(name, sources[name], is_entry=not above)
    for needed in module.imports:
        _visit(needed, sources, done, (*above, name))
    done[name] = module


_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*['\"]\./([\w.-]+\.js)['\"];?[ \t]*\n?", re.MULTILINE)
_DECLARED = re.compile(r"^(export\s+)?(?:async\s+)?(?:function\*?|const|let|class)\s+(\w+)", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|let|class)\b)", re.MULTILINE)
_FOREIGN = re.compile(r"^(?:import\b|export\s*[{*]|(?:var|const|let)\s*[{\[]).*", re.MULTILINE)


def _read(name: str, source: str, *, is_entry: bool) -> _Module:
    imports = {needed: _names(name, inside) for inside, needed in _IMPORT.findall(source)}
    body = _IMPORT.sub("", source)
    if foreign := _FOREIGN.search(body):
        raise EsmError(f"{name}: unsupported syntax: {foreign[0].strip()!r}")
    if not is_entry and re.search(r"^export\s+default\b", body, re.MULTILINE):
        raise EsmError(f"{name}: only the entry may export a default")
    declared = _DECLARED.findall(body)
    exported = frozenset(word for mark, word in declared if mark)
    return _Module(name, imports, tuple(word for _, word in declared), exported, _EXPORT.sub("", body))


def _names(name: str, inside: str) -> tuple[str, ...]:
    names = tuple(word.strip() for word in inside.split(",") if word.strip())
    for word in names:
        if not word.isidentifier():
            raise EsmError(f"{name}: unsupported syntax: import {{ {word} }}")
    return names


def _refuse_clashes(modules: Mapping[str, _Module]) -> None:
    owner: dict[str, str] = {}
    for module in modules.values():
        for word in module.defined:
            if word in owner:
                raise EsmError(f"{word!r} is defined in both {owner[word]} and {module.name}")
            owner[word] = module.name


def _refuse_unknown_names(module: _Module, modules: Mapping[str, _Module]) -> None:
    for needed, names in module.imports.items():
        for word in names:
            if word not in modules[needed].exported:
                raise EsmError(f"{module.name}: {needed} does not export {word!r}")


class PanelWidget(anywidget.AnyWidget):
    """The browser side of a panel: shows these values and sends messages."""

    _esm: ClassVar[str] = linked("panel.js")
    _css: ClassVar[str] = styles(
        "base.css", "panel.css", "images.css", "shots.css", "library.css", "jobs.css", "code.css", "models.css"
    )

    draft = traitlets.Dict().tag(sync=True)
    forms = traitlets.Dict().tag(sync=True)
    catalogue = traitlets.Dict().tag(sync=True)
    news = traitlets.Dict().tag(sync=True)
    unused = traitlets.List().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    earlier = traitlets.Dict().tag(sync=True)
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
    _css: ClassVar[str] = styles("base.css", "jobs.css")

    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


def keep_reachable(widget: Any) -> None:
    """Let a widget's messages be handled while a cell runs.

    ipykernel 7.4 routes a message to the subshell that last published on the comm, which is the busy one; this undoes
    that. The method is private there and absent in other versions (JUPYTER.md section 4).
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

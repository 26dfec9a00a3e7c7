"""The two anywidgets and what every widget of ours needs."""

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
    """The modules cannot be joined; a mistake in this package, found by its tests."""


@dataclass(frozen=True)
class _Module:
    name: str
    imports: Mapping[str, tuple[str, ...]]
    defined: tuple[str, ...]
    exported: frozenset[str]
    body: str


@cache
def linked(entry: str) -> str:
    """Return the browser side that starts at `static/<entry>`, as one module."""
    folder = files("kling_nb.ui") / "static"
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".js")}
    return link(entry, sources)


@cache
def styles(*names: str) -> str:
    """Return the named style sheets of `static/` as one."""
    folder = files("kling_nb.ui") / "static"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def link(entry: str, sources: Mapping[str, str]) -> str:
    """Join `entry` and all that it imports, what is needed first. Raises `EsmError`."""
    modules: dict[str, _Module] = {}
    _visit(entry, sources, modules, ())
    _refuse_clashes(modules)
    for module in modules.values():
        _refuse_unknown_names(module, modules)
    return "\n".join(f"// {module.name}\n{module.body.strip()}\n" for module in modules.values())


def _visit(name: str, sources: Mapping[str, str], done: dict[str, _Module], above: tuple[str, ...]) -> None:
    if name in above:
        raise EsmError(f"the modules import each other: {' -> '.join((*above, name))}")
    if name in done:
        return
    if name not in sources:
        raise EsmError(f"{above[-1] if above else 'the entry'}: there is no module {name!r}")
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
        raise EsmError(f"{name}: outside the linker's dialect: {foreign[0].strip()!r}")
    if not is_entry and re.search(r"^export\s+default\b", body, re.MULTILINE):
        raise EsmError(f"{name}: only the entry may export a default")
    declared = _DECLARED.findall(body)
    exported = frozenset(word for mark, word in declared if mark)
    return _Module(name, imports, tuple(word for _, word in declared), exported, _EXPORT.sub("", body))


def _names(name: str, inside: str) -> tuple[str, ...]:
    names = tuple(word.strip() for word in inside.split(",") if word.strip())
    for word in names:
        if not word.isidentifier():
            raise EsmError(f"{name}: outside the linker's dialect: import {{ {word} }}")
    return names


def _refuse_clashes(modules: Mapping[str, _Module]) -> None:
    owner: dict[str, str] = {}
    for module in modules.values():
        for word in module.defined:
            if word in owner:
                raise EsmError(f"{word!r} is defined in {owner[word]} and again in {module.name}")
            owner[word] = module.name


def _refuse_unknown_names(module: _Module, modules: Mapping[str, _Module]) -> None:
    for needed, names in module.imports.items():
        for word in names:
            if word not in modules[needed].exported:
                raise EsmError(f"{module.name}: {needed} does not export {word!r}")


class PanelWidget(anywidget.AnyWidget):
    """The browser's side of a panel: it shows these values and sends small messages."""

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
    """The browser's side of a cell that shows jobs."""

    _esm: ClassVar[str] = linked("jobs.js")
    _css: ClassVar[str] = styles("base.css", "jobs.css")

    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


def keep_reachable(widget: Any) -> None:
    """Let clicks be handled while a cell is busy.

    ipykernel 7.4 sends a message to the shell that last published on its comm, which is the busy one; this takes
    that back. The method is private there and absent elsewhere (JUPYTER.md section 4).
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_asked


def _as_asked(data: Any, default: Any) -> Any:
    return default


def view_of(widget: Any) -> dict[str, Any]:
    """Return the mimebundle that shows a widget."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view}

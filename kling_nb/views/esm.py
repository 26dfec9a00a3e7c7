"""Joins plain ES modules into the one text that anywidget takes, with no build step.

The dialect is small on purpose: named imports of neighbours (`import { a, b } from './x.js'`), exported functions,
constants and classes, and `export default` in the entry alone. All modules end in one scope, so top-level names must
be unique; a clash, a cycle or anything outside the dialect is an `EsmError` that says where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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
    folder = files("kling_nb.views") / "static"
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".js")}
    return link(entry, sources)


@cache
def styles(*names: str) -> str:
    """Return the named style sheets of `static/` as one."""
    folder = files("kling_nb.views") / "static"
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

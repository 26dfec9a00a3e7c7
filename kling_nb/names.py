"""The public names of `kn`, read from `__init__.pyi`, the only place that lists them.

An import in that file gives the home of a class or function, `name = _studio.name` is a verb of the shared studio, and
`name: Type` is a property of it.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


@cache
def names() -> dict[str, ast.stmt]:
    """Return the public names with their lines in the stub."""
    stub = ast.parse(Path(__file__).with_name("__init__.pyi").read_text("utf-8"))
    found: dict[str, ast.stmt] = {}
    for line in stub.body:
        match line:
            case ast.ImportFrom():
                found |= {alias.asname: line for alias in line.names if alias.asname}
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = line
            case _:
                pass
    return {name: line for name, line in found.items() if not name.startswith("_")}


def lookup(name: str) -> tuple[Any, bool]:
    """Return the value of a public name, and whether it stays the same when `configure` makes another studio.

    Raises:
        AttributeError: There is no such public name.
    """
    match names().get(name):
        case ast.ImportFrom(module=str(module)):
            return getattr(import_module(f"kling_nb.{module}"), name), True
        case ast.ImportFrom():
            return import_module(f"kling_nb.{name}"), True
        case ast.Assign():
            return import_module("kling_nb.shared").verb(name), True
        case ast.AnnAssign():
            return getattr(import_module("kling_nb.shared").studio(), name), False
        case _:
            raise AttributeError(f"module 'kling_nb' has no attribute {name!r}")

"""Make videos with Kling O3 Pro from a notebook, and keep the record of how each was made.

Importing starts nothing: no thread, no socket, no file, no look at the environment. Each name is loaded when it is
first used; `__init__.pyi` lists them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module 'kling_nb' has no attribute {name!r}")
    names = import_module("kling_nb.names")  # an import statement would call this function for `names`
    if name == "__all__":
        return list(names.names())
    value, lasting = names.lookup(name)
    if lasting:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(import_module("kling_nb.names").names())


def load_ipython_extension(shell: Any) -> None:
    """Add the magics `%%kling` and `%kling` to an IPython shell: what `%load_ext kling_nb` calls."""
    import_module("kling_nb.magics").load(shell)

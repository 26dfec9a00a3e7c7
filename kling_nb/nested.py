"""`asyncio.run(...)` inside a cell, for the user's own code. Nothing of ours needs it."""

from __future__ import annotations

import asyncio


def allow_nested_loops() -> None:
    """Let a cell call `asyncio.run(...)` and `loop.run_until_complete(...)` although the kernel's loop runs.

    Prefers the maintained `nest_asyncio2` where it is importable, else `nest_asyncio`. Raises `ValueError` for a loop
    that cannot be patched, such as uvloop's.
    """
    try:
        import nest_asyncio2 as nest
    except ImportError:
        import nest_asyncio as nest
    try:
        nest.apply(asyncio.get_running_loop())
    except RuntimeError:
        nest.apply()

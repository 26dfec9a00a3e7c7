"""The Jupyter extension: the logs of all notebooks in JupyterLab and Notebook 7. Only a Jupyter server imports it.

The exception is `standalone.py` with `page/`: the gallery as its own page, for `python -m kling_nb serve`.

`extension.py` adds the routes below `kling_nb/api`; everything else is imported at the first request.
`labextension/` is the browser side: plain modules that Lab loads as they are, without a build.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:  # pyright: ignore[reportUnusedFunction] -- Jupyter's name
    return [{"module": "kling_nb.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:  # pyright: ignore[reportUnusedFunction] -- Jupyter's name
    from kling_nb.lab.extension import load

    load(server)

"""The notebook that this kernel runs, and what shows it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import VSCODE_NOTEBOOK, Frontend, frontend_of, notebook_of

#: What the notebook format takes as the id of a cell.
_CELL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MINOR, _WITH_IDS = re.compile(rb'"nbformat_minor":\s*(\d+)'), 5


def frontend() -> Frontend:
    """Return what shows this kernel's outputs."""
    return frontend_of(os.environ, _namespace())


def notebook_path() -> Path | None:
    """Return the notebook that this kernel runs, None where nobody says."""
    return notebook_of(os.environ, _namespace().get(VSCODE_NOTEBOOK))


def cell_id() -> str:
    """Return the id of the cell that runs, empty where nobody tells it, or tells one that lasts.

    JupyterLab and Notebook 7 send it with each request to run a cell; others send nothing, or something of their own.
    For a notebook whose format has no ids yet (before 4.5) they make new ones up whenever it is opened.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    request = (shell.get_parent() if hasattr(shell, "get_parent") else None) or {}
    said = (request.get("metadata") or {}).get("cellId")
    is_id = isinstance(said, str) and _CELL.fullmatch(said)
    return str(said) if is_id and _minor(notebook_path()) >= _WITH_IDS else ""


def _minor(notebook: Path | None) -> int:
    """The minor number of a notebook's format, which Jupyter writes at its end; that of now where it cannot be read."""
    end = b""
    with suppress(OSError):
        if notebook:
            with notebook.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
                end = file.read()
    found = _MINOR.search(end)
    return int(found[1]) if found else _WITH_IDS


def beside_notebook() -> Path:
    """Return the notebook's folder, or the current one where no notebook is known.

    A cell may have changed the current folder since: what was paid for must be found again after a restart.
    Raises `SettingsError` when there is no current folder any more.
    """
    notebook = notebook_path()
    if notebook and notebook.parent.is_dir():
        return notebook.parent
    try:
        return Path.cwd()
    except FileNotFoundError:
        said = "The folder that this process was started in is gone: go to one that is there (os.chdir), and try again."
        raise SettingsError(said) from None


def _namespace() -> Mapping[str, Any]:
    """What the user's cells have defined, and what a frontend has put there."""
    return vars(sys.modules["__main__"])

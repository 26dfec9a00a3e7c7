"""The notebook that this kernel runs, its running cell, and the front end that shows it."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import MARIMO, VSCODE_NOTEBOOK, Frontend, frontend_of, notebook_of

#: A cell's ID in the notebook format.
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
#: Cells have IDs from format 4.5 on.
_MINOR, _MINOR_WITH_IDS = re.compile(rb'"nbformat_minor":\s*(\d+)'), 5


def frontend() -> Frontend:
    """Return the front end that shows this kernel's outputs."""
    return MARIMO if in_marimo() else frontend_of(os.environ, _namespace())


def in_kernel() -> bool:
    """Return whether a Jupyter kernel runs this code, whose cells show widgets and replace outputs."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython() if ipython else None, "kernel")


_marimo = False


def in_marimo() -> bool:
    """Return whether marimo runs this code. Only its own thread can find out; other threads get its answer."""
    global _marimo
    if not _marimo and (marimo := sys.modules.get("marimo")):
        _marimo = bool(getattr(marimo, "running_in_notebook", bool)())
    return _marimo


def running_cell() -> tuple[str, object] | None:
    """Return the cell that runs, and a value that is another one in its next run; None outside cells."""
    if in_marimo():
        from marimo._runtime.context import safe_get_context  # it has no public name for the cell that runs

        context = safe_get_context()
        run = context.execution_context if context else None
        return (str(run.cell_id), run) if run else None
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if shell is None:
        return None
    code = shell.user_ns.get("In", [""])[-1]
    cell = cell_id() or hashlib.sha256(str(code).encode("utf-8", "replace")).hexdigest()
    return cell, shell.execution_count


def where_views_live() -> str:
    """Return where panels and other views are shown, for code that runs elsewhere; empty in a notebook."""
    if in_kernel() or in_marimo():
        return ""
    return "Panels, galleries and players are shown in JupyterLab, Notebook 7, VS Code, Colab, Voila and marimo."


def notebook_path() -> Path | None:
    """Return the path of the notebook that this kernel runs, None if it is unknown."""
    if in_marimo():
        file = getattr(sys.modules["__main__"], "__file__", None)
        return Path(file).resolve() if file else None
    return notebook_of(os.environ, _namespace().get(VSCODE_NOTEBOOK))


def cell_id() -> str:
    """Return the permanent ID of the running cell, empty if there is none.

    JupyterLab and Notebook 7 send it with each execution request; other front ends send nothing or an ID of their own.
    For a notebook whose format has no cell IDs (before 4.5), they invent new ones whenever it is opened.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    request = (shell.get_parent() if hasattr(shell, "get_parent") else None) or {}
    sent = (request.get("metadata") or {}).get("cellId")
    valid = isinstance(sent, str) and _CELL_ID.fullmatch(sent)
    return str(sent) if valid and _minor(notebook_path()) >= _MINOR_WITH_IDS else ""


def _minor(notebook: Path | None) -> int:
    """Return the minor version of a notebook's format, which is at the end of the file; 5 if it cannot be read."""
    end = b""
    with suppress(OSError):
        if notebook:
            with notebook.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
                end = file.read()
    found = _MINOR.search(end)
    return int(found[1]) if found else _MINOR_WITH_IDS


def beside_notebook() -> Path:
    """Return the notebook's folder, or the current one if the notebook is unknown.

    A cell may have changed the current folder, and a log must be found again after a restart.

    Raises:
        SettingsError: The current folder does not exist any more.
    """
    notebook = notebook_path()
    if notebook and notebook.parent.is_dir():
        return notebook.parent
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise SettingsError(
            "The current working directory no longer exists. Change to another one with os.chdir and try again."
        ) from None


def _namespace() -> Mapping[str, Any]:
    """Return the variables of the user's cells, to which front ends add their own."""
    return vars(sys.modules["__main__"])

"""The notebook that this kernel runs, and what shows it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kling_nb.models.frontend import VSCODE_NOTEBOOK, Frontend, frontend_of, notebook_of

#: What the notebook format takes as the id of a cell.
_CELL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def frontend() -> Frontend:
    """Return what shows this kernel's outputs."""
    return frontend_of(os.environ, _namespace())


def notebook_path() -> Path | None:
    """Return the notebook that this kernel runs, None where nobody says."""
    return notebook_of(os.environ, _namespace().get(VSCODE_NOTEBOOK))


def cell_id() -> str:
    """Return the id of the cell that runs (nbformat 4.5), empty where the frontend does not tell it.

    JupyterLab and Notebook 7 send it with each request to run a cell; others send nothing, or something of their own.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    request = shell.get_parent() if hasattr(shell, "get_parent") else {}
    said = request.get("metadata", {}).get("cellId")
    return said if isinstance(said, str) and _CELL.fullmatch(said) else ""


def beside_notebook() -> Path:
    """Return the notebook's folder, or the current one where no notebook is known.

    A cell may have changed the current folder since: what was paid for must be found again after a restart.
    """
    notebook = notebook_path()
    return notebook.parent if notebook and notebook.parent.is_dir() else Path.cwd()


def _namespace() -> Mapping[str, Any]:
    """What the user's cells have defined, and what a frontend has put there."""
    return vars(sys.modules["__main__"])

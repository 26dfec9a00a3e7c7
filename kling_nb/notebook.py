"""The notebook that this kernel runs, and what shows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kling_nb.models.frontend import VSCODE_NOTEBOOK, Frontend, frontend_of, notebook_of


def frontend() -> Frontend:
    """Return what shows this kernel's outputs."""
    return frontend_of(os.environ, _namespace())


def notebook_path() -> Path | None:
    """Return the notebook that this kernel runs, None where nobody says."""
    return notebook_of(os.environ, _namespace().get(VSCODE_NOTEBOOK))


def beside_notebook() -> Path:
    """Return the notebook's folder, or the current one where no notebook is known.

    A cell may have changed the current folder since: what was paid for must be found again after a restart.
    """
    notebook = notebook_path()
    return notebook.parent if notebook and notebook.parent.is_dir() else Path.cwd()


def _namespace() -> Mapping[str, Any]:
    """What the user's cells have defined, and what a frontend has put there."""
    return vars(sys.modules["__main__"])

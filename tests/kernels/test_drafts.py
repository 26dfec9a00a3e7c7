"""The cell that a draft belongs to, as a real kernel is told it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from kernels.kernelside import Kernel

pytestmark = pytest.mark.kernel


def test_a_kernel_knows_the_id_of_the_cell_that_runs_where_the_frontend_tells_it(kernel: Kernel) -> None:
    ask = "from kling_nb.notebook.location import cell_id; print(repr(cell_id()))"
    told = ("2f1c0a9e-3b-_Z", "", "vscode-notebook-cell:/home/a.ipynb#W0sZmlsZQ==")
    assert [kernel.run(ask, cell_id=cell).text.strip() for cell in told] == ["'2f1c0a9e-3b-_Z'", "''", "''"]


def test_an_id_that_is_made_up_at_each_opening_is_no_id(kernel: Kernel, tmp_path: Path) -> None:
    said = list[str]()
    for minor in (4, 5):
        notebook = tmp_path / f"of-4-{minor}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(nbformat_minor=minor), notebook)
        ask = f"""import os
from kling_nb.notebook.location import cell_id
os.environ["JPY_SESSION_NAME"] = {str(notebook)!r}
print(repr(cell_id()))
del os.environ["JPY_SESSION_NAME"]"""
        said.append(kernel.run(ask, cell_id="2f1c0a9e").text.strip())
    assert said == ["''", "'2f1c0a9e'"]

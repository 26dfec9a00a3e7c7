"""The cell that a draft belongs to, as a real kernel is told it."""

from __future__ import annotations

import pytest

from kernels.kernelside import Kernel

pytestmark = pytest.mark.kernel


def test_a_kernel_knows_the_id_of_the_cell_that_runs_where_the_frontend_tells_it(kernel: Kernel) -> None:
    ask = "from kling_nb.notebook import cell_id; print(repr(cell_id()))"
    told = ("2f1c0a9e-3b-_Z", "", "vscode-notebook-cell:/home/a.ipynb#W0sZmlsZQ==")
    assert [kernel.run(ask, cell_id=cell).text.strip() for cell in told] == ["'2f1c0a9e-3b-_Z'", "''", "''"]

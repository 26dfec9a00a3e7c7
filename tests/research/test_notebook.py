"""`03_prompt_sweep.ipynb` from top to bottom in a real kernel, twice: the second time everything is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hubside import HubSide
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

pytestmark = pytest.mark.kernel


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubSide]:
    """The local hub that the notebook's kernel will find."""
    hub = HubSide(tmp_path / "home" / "state" / "kling_nb" / "localhub", speed=100)
    yield hub
    hub.close()


def executed(folder: Path) -> Any:
    notebook = nbformat.read(NOTEBOOKS / "03_prompt_sweep.ipynb", as_version=4)
    client = NotebookClient(
        notebook, timeout=100, resources={"metadata": {"path": str(folder)}}, shutdown_kernel="immediate"
    )
    return client.execute()


def html_of(notebook: Any, source: str) -> str:
    """What the cell that has these words shows."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source]
    return "".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)


def test_the_notebook_answers_its_question_and_pays_once(tmp_path: Path, hub: HubSide) -> None:
    shutil.copytree(NOTEBOOKS / "images", tmp_path / "images")
    notebook = executed(tmp_path)

    assert "12 clips; 12 to make, free" in html_of(notebook, "plan = kn.sweep(")
    assert "20 s is too much" in html_of(notebook, "duration=[3, 10, 20]")
    assert "12 done" in html_of(notebook, "run = plan.run(")  # the cell keeps the end of it, as plain HTML
    assert html_of(notebook, "plan.matrix(").count("<video") == 12
    assert "2 of 3 are there; 1 to make" in html_of(notebook, "wider = ")
    assert hub.posts == 12

    again = executed(tmp_path)
    assert "12 of 12 are there" in html_of(again, "plan = kn.sweep(")
    assert hub.posts == 12

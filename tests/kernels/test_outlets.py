"""A notebook without a viewer keeps static cards and no widgets."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.kernel
VIEWS = Path(__file__).parents[1] / "ui"
SETUP = """
import threading
from kling_nb.ui.outlet import publish
from kling_nb.ui.progress import display
from kling_nb.ui.panel.panel import Panel
from stand_in import Engine, Job, Studio
engine = Engine()
job = Job("A red kite", engine=engine)
view = display([job])
"""
WAIT = """
over = threading.Event()
job.subscribe(lambda progress: over.set() if progress.ended else None)
job.become("succeeded")
over.wait(60)
publish([job])
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, executed."""
    show = "panel = Panel(Studio(engine=engine), {'prompt': 'x'}); panel"
    click = "panel.generate()\n" + WAIT.replace("job.", "panel.jobs[0].").replace(
        "publish([job])", "publish(panel.jobs)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (SETUP, WAIT, show, click)])
    paths = [str(VIEWS.parents[1]), str(VIEWS), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        NotebookClient(notebook, timeout=60, kernel_name="python3", shutdown_kernel="immediate").execute()
    return notebook


def test_waiting_in_a_later_cell_leaves_the_card_in_the_first(notebook):
    output, note = notebook.cells[0].outputs
    assert note.data["text/html"] == "<div></div>"  # what to do should the kernel end: it did not
    assert output.data["text/html"] == "<div class='stand-in-card'>card of job-1</div>"
    assert "application/vnd.jupyter.widget-view+json" not in output.data
    assert notebook.cells[1].outputs == []


def test_a_panel_without_a_viewer_keeps_its_cards_too(notebook):
    assert "card of job-" in notebook.cells[2].outputs[1].data["text/html"]

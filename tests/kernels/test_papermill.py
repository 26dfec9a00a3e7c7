"""A parametrised experiment without a viewer: papermill runs it, it pays once, and it fails with one error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from hubside import HubSide
from papermill.exceptions import PapermillExecutionError

from kernels.kernelside import NEWEST, Place

pytestmark = pytest.mark.kernel

PARAMETERS = "subject = 'a fox'\nlights = ['at dawn']"
SWEEP = """
import kling_nb as kn
plan = kn.sweep("{subject} in the snow, {light}", subject=subject, light=lights, duration=3)
run = plan.run(budget="5.00")
run"""
ANSWER = "clips = run.result()\nlen(clips), str(run.spent)"


@pytest.fixture
def experiment(tmp_path: Path, hub: HubSide, place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook, and an environment in which its kernels find a hub with prices."""
    monkeypatch.setenv("JUPYTER_PATH", str(place.specs))
    monkeypatch.setenv("KLING_NB_HUB", hub.url)
    monkeypatch.setenv("OXEN_API_KEY", "oxen-planted-77aa")
    cells = [nbformat.v4.new_code_cell(source) for source in (PARAMETERS, SWEEP, ANSWER, "never = True")]
    cells[0].metadata.tags = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": f"line-{NEWEST}", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "experiment.ipynb")
    return tmp_path / "experiment.ipynb"


def executed(experiment: Path, name: str, **parameters: Any) -> Any:
    output = experiment.with_name(f"{name}.ipynb")
    papermill.execute_notebook(
        str(experiment), str(output), parameters, cwd=str(experiment.parent), progress_bar=False, execution_timeout=100
    )
    return nbformat.read(output, as_version=4)


def text_of(notebook: Any, source: str) -> str:
    """Return the last text of the cell that contains these words."""
    (cell,) = [cell for cell in notebook.cells if source in cell.source]
    return "\n".join(output.data["text/plain"] for output in cell.outputs if "data" in output)


def test_papermill_runs_a_sweep_and_a_second_run_pays_nothing_for_existing_clips(
    experiment: Path, hub: HubSide
) -> None:
    first = executed(experiment, "first", lights=["at dawn", "by moonlight"])
    assert text_of(first, "run.result()") == "(2, '1.344')"
    assert "2 done" in text_of(first, "plan.run(")  # the cell keeps the end of it
    assert hub.posts == 2

    wider = executed(experiment, "wider", lights=["at dawn", "by moonlight", "in fog"])
    assert text_of(wider, "run.result()") == "(3, '0.672')"
    assert hub.posts == 3


def test_a_failed_job_fails_the_run_with_one_error_that_names_it(experiment: Path, hub: HubSide) -> None:
    hub.fault("failed", times=1, message="The prompt was refused by the provider's safety check.")
    with pytest.raises(PapermillExecutionError) as failed:
        executed(experiment, "failed", subject="a wolf", lights=["at dawn", "by moonlight"])

    notebook = nbformat.read(experiment.with_name("failed.ipynb"), as_version=4)
    (cell,) = [cell for cell in notebook.cells if "run.result()" in cell.source]
    (error,) = [output for output in cell.outputs if output.output_type == "error"]
    assert failed.value.ename == error.ename == "JobFailed"
    assert "refused by the provider's safety check" in error.evalue
    job = error.evalue.split()[1]
    assert error.evalue.startswith(f"Job {job} (")
    assert job in text_of(notebook, "plan.run(")
    shown = "\n".join(error.traceback)
    assert "run.result()" in shown
    assert "kling_nb/" not in shown
    (never,) = [cell for cell in notebook.cells if "never" in cell.source]
    assert never.execution_count is None
    assert hub.posts == 2
    assert "oxen-planted" not in nbformat.writes(notebook)

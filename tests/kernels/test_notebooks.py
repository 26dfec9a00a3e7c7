"""Whole notebooks without a viewer: what stays in the file, and what must not."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hubside import HubSide, png_image
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from kernels.kernelside import NEWEST, Place

pytestmark = pytest.mark.kernel
RECORD = "application/vnd.kling_nb.record+json"
VIEW = "application/vnd.jupyter.widget-view+json"
START = "import kling_nb as kn\njob = kn.generate('A red kite over the sea', duration=3)\njob"
newest = pytest.mark.parametrize("line", [NEWEST], indirect=True)
KEY = "oxen-planted-7c1f0e9a4b"


class Run:
    """A notebook that is executed headless by a kernel of the line, with what its process said."""

    def __init__(self, line: str, place: Place, folder: Path) -> None:
        folder.mkdir()
        self.folder, self._line, self._place = folder, line, place
        self.notebook: Any = None

    def __call__(self, *cells: str, **environment: str) -> Any:
        self.notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = NotebookClient(
            self.notebook,
            timeout=60,
            kernel_name=f"line-{self._line}",
            resources={"metadata": {"path": str(self.folder)}},
            shutdown_kernel="immediate",
            store_widget_state=True,
        )
        with (self.folder / "kernel.said").open("wb") as said:
            client.execute(env=self._place.environment(**environment), stdout=said, stderr=said)
        return self.notebook


@pytest.fixture
def run(line: str, place: Place, hub: HubSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("JUPYTER_PATH", str(place.specs))
    return Run(line, place, tmp_path / "work")


def test_the_cell_that_began_keeps_the_card_and_no_widget(run: Run) -> None:
    notebook = run(START, "1 + 1", "clip = job.result()", START, "clip = await job")

    for began, waited in ((0, 2), (3, 4)):
        output, _note = notebook.cells[began].outputs
        assert "<video" in output.data["text/html"]
        assert VIEW not in output.data
        assert output.data[RECORD]["status"] == "succeeded"
        assert notebook.cells[waited].outputs == []


@newest
def test_a_job_that_fails_fails_the_cell_that_waits_with_one_clear_error(run: Run, hub: HubSide) -> None:
    hub.fault("failed", times=1, message="The prompt was refused by the provider's safety check.")

    with pytest.raises(CellExecutionError) as failed:
        run(START, "job.result()", "never = True", OXEN_API_KEY=KEY, KLING_NB_HUB=hub.url)

    assert failed.value.ename == "JobFailed"
    assert "The prompt was refused by the provider's safety check." in failed.value.evalue
    assert [output.output_type for output in run.notebook.cells[1].outputs] == ["error"]
    assert run.notebook.cells[2].execution_count is None
    assert "safety check" in run.notebook.cells[0].outputs[0].data["text/html"]
    assert KEY not in nbformat.writes(run.notebook)


@newest
def test_the_key_and_the_signatures_are_nowhere(run: Run, hub: HubSide) -> None:
    (run.folder / "face.png").write_bytes(png_image())
    notebook = run(
        "import logging\nlogging.basicConfig(level=logging.DEBUG)\nimport kling_nb as kn\nkn.hub()",
        "panel = kn.panel({'prompt': '@Image1 waves', 'input_image': ['face.png'], 'duration': 3})\npanel",
        "job = kn.generate('@Image1 waves', input_image=['face.png'], duration=3)\njob",
        "clip = await job\nclip",
        "try: kn.hub.model('no-such-model')\nexcept kn.errors.HubError as exc: print(repr(exc), vars(exc))",
        "import traceback\ntry: kn.generate('x', duration=99)\nexcept kn.errors.RequestError: traceback.print_exc()",
        "from kling_nb.shared import studio\nprint(vars(studio()), repr(job), vars(job), job.record)",
        "kn.log()",
        OXEN_API_KEY=KEY,
        KLING_NB_HUB=hub.url,
    )
    written = run.folder / "executed.ipynb"
    nbformat.write(notebook, written)
    written.with_suffix(".html").write_text(HTMLExporter().from_filename(str(written))[0])

    files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != "face.png"]
    assert {"executed.ipynb", "executed.html", "kernel.said"} < {path.name for path in files}
    assert notebook.metadata.widgets  # the state of the panel is in the file, and so in this search
    assert "succeeded" in [output.get("data", {}).get(RECORD, {}).get("status") for output in notebook.cells[3].outputs]
    secrets = [KEY.encode(), b64encode(KEY.encode()).rstrip(b"="), b"oxen_signature="]
    found = [(path.name, secret) for path in files for secret in secrets if secret in path.read_bytes()]
    assert found == []

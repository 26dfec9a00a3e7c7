"""How large a notebook with ten clips is, executed by a real kernel, beside one that embeds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from benchmarks.hub import KEY, BenchHub
from benchmarks.table import Row

_CLIPS = 10
_SETUP = "import kling_nb as kn\nkn.configure(hub={url!r}, key={key!r}, log='kling_log');"


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Execute both notebooks; the second shows the clips of the first."""
    clips = 3 if quick else _CLIPS
    with BenchHub(folder / "hub", takes=0.3, size="720p") as hub:
        cells = [_SETUP.format(url=hub.url, key=KEY), *map(_cell, range(clips))]
        cells += [f"kn.gather({', '.join(f'job_{n}' for n in range(clips))}).result();"]
        notebook = _executed(folder / "ours", cells)
    files = sorted((folder / "ours" / "kling_log" / "media").glob("*/*.mp4"))
    assert len(files) == clips
    shown = [f"Video({str(file)!r}, embed=True)" for file in files]
    theirs = _size(_executed(folder / "theirs", ["from IPython.display import Video", *shown])) / 1024
    against, whole = "IPython.display.Video(embed=True)", _size(notebook) / 1024
    notebook.metadata.pop("widgets", None)
    what = f"notebook with {clips} clips"
    yield Row(f"{what}, as JupyterLab saves it", _size(notebook) / 1024, "KB", theirs, against, 100 * clips / _CLIPS)
    yield Row(f"{what}, and nbclient's copy of the live widgets", whole, "KB", theirs, against)


def _cell(number: int) -> str:
    return f"job_{number} = kn.generate('A paper boat sets sail, take {number}', duration=3)\njob_{number}"


def _executed(folder: Path, cells: list[str]) -> nbformat.NotebookNode:
    folder.mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    how: dict[str, Any] = {"timeout": 180, "kernel_name": "python3", "shutdown_kernel": "immediate"}
    return NotebookClient(notebook, resources=resources, **how).execute()


def _size(notebook: nbformat.NotebookNode) -> int:
    return len(nbformat.writes(notebook).encode())

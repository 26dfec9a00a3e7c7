"""Sphinx extension: a page `notebooks/<name>.md` shows the notebook of that name, run on a local hub of this build.

The page in the repository is a stub; its text is replaced when Sphinx reads it. Clips are copied next to the page.
"""

from __future__ import annotations

import asyncio
import html
import logging
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from sphinx.application import Sphinx

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
#: These are shown without outputs.
NEED_A_DATABASE = {"05_team"}
#: Two kernels and the hub's two renderers keep a small machine busy.
AT_ONCE = 2
PANEL = "\n\n".join(
    f"```{{image}} ../screens/panel-shots-{scheme}.png\n:class: only-{scheme}\n:alt: The panel in a notebook\n```"
    for scheme in ("light", "dark")
)
_MEDIA = re.compile(r"""(?:src|href)=(['"])(kling_log/media/[^'"?#]+)\1""")


@dataclass
class Run:
    """The notebooks of one build: where they ran, and each with its outputs."""

    folder: Path | None = None
    documents: dict[str, Any] = field(default_factory=dict[str, Any])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    run = Run()
    app.add_config_value("executed_run", True, "env")
    app.connect("builder-inited", lambda app: _begin(app, run))
    app.connect("env-before-read-docs", lambda _app, _env, names: names.extend(set(_pages()) - set(names)))
    app.connect("source-read", lambda _app, name, source: _read(run, name, source))
    app.connect("build-finished", lambda app, exception: _end(app, run, exception))
    return {"parallel_read_safe": False}


def _pages() -> list[str]:
    return [f"notebooks/{path.stem}" for path in _sources()]


def _sources() -> list[Path]:
    return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


def _begin(app: Sphinx, run: Run) -> None:
    documents = {path: nbformat.read(path, as_version=4) for path in _sources()}
    if app.config.executed_run:
        run.folder = Path(tempfile.mkdtemp(prefix="kling_nb-docs-"))
        alone = [path for path in documents if path.stem not in NEED_A_DATABASE]
        documents |= zip(alone, asyncio.run(_execute_all(alone, run.folder)), strict=True)
    run.documents = dict(zip(_pages(), documents.values(), strict=True))


def _read(run: Run, name: str, source: list[str]) -> None:
    if name in run.documents:
        source[0] = _page(run.documents[name], f"{name.split('/')[-1]}.ipynb")


def _end(app: Sphinx, run: Run, exception: Exception | None) -> None:
    if exception is None:
        target = Path(app.outdir) / "notebooks"
        for name, document in run.documents.items():
            stem = name.split("/")[-1]
            shutil.copy(NOTEBOOKS / f"{stem}.ipynb", target)
            for media in _media_of(document) if run.folder else ():
                file = target / stem / media
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(run.folder / stem / media, file)
    if run.folder:
        shutil.rmtree(run.folder, ignore_errors=True)


async def _execute_all(sources: list[Path], workspace: Path) -> list[Any]:
    from kling_nb.localhub.serve import ensure, stop

    for name in ("httpx", "traitlets"):  # Sphinx prints what they log
        logging.getLogger(name).setLevel(logging.WARNING)
    state = workspace / "state"
    hub = state / "kling_nb" / "localhub"
    ensure(hub, speed=20)
    try:
        turn = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(_execute(source, workspace / source.stem, state, turn) for source in sources))
    finally:
        stop(hub)


async def _execute(source: Path, folder: Path, state: Path, turn: asyncio.Semaphore) -> Any:
    """Execute a notebook in its own folder and return it with its outputs."""
    folder.mkdir(parents=True)
    shutil.copytree(NOTEBOOKS / "images", folder / "images")
    others = ("OXEN_", "KLING_NB_", "JPY_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    environment |= {"XDG_STATE_HOME": str(state), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    client = NotebookClient(
        nbformat.read(source, as_version=4),
        timeout=120,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    async with turn:
        return await client.async_execute(env=environment)


def _media_of(document: Any) -> list[str]:
    outputs = (output for cell in document.cells for output in cell.get("outputs", ()))
    shown = (output.get("data", {}).get("text/html", "") for output in outputs)
    return sorted({found[2] for text in shown for found in _MEDIA.finditer(text)})


def _page(document: Any, name: str) -> str:
    """Return a notebook as MyST Markdown."""
    parts: list[str] = []
    for cell in document.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```{'ipython3' if cell.source.startswith('%') else 'python'}\n{cell.source}\n```")
        parts += _shown(cell, name.removesuffix(".ipynb"))
    parts.insert(1, f'```{{raw}} html\n<p><a href="{name}" download>Download this notebook</a></p>\n```')
    return "\n\n".join(parts) + "\n"


def _shown(cell: Any, stem: str) -> list[str]:
    """Return a cell's outputs. A page has no kernel: a screenshot shows the panel."""
    if "kn.panel(" in cell.source and cell.outputs:
        return [PANEL]
    shown = "".join(_html(output) for output in cell.outputs)
    shown = _MEDIA.sub(lambda found: found[0].replace("kling_log/", f"{stem}/kling_log/", 1), shown)
    return [f'``````{{raw}} html\n<div class="notebook-output">{shown}</div>\n``````'] if shown else []


def _html(output: Any) -> str:
    if output.output_type == "stream":
        return _pre(output.text)
    shown = output.data.get("text/html")
    if shown is None:
        return _pre(output.data.get("text/plain", ""))
    return "" if shown.startswith("<div class='kling-gone") else shown  # the note that a widget needs a kernel


def _pre(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>" if text.strip() else ""

"""`make demo`: run a notebook headless with a real kernel, and leave it in `demo/` with its HTML and its clips."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent / "demo"


def main(notebook: Path, caches: Sequence[str] = ("kling_log",)) -> None:
    """Execute a notebook in `demo/` and print the results. Raises `CellExecutionError` when a cell fails.

    `caches` are the folders of its clips.
    """
    began = time.monotonic()
    print(f"Running {notebook.name} with a real kernel …", flush=True)
    shutil.rmtree(DEMO, ignore_errors=True)
    shutil.copytree(HERE / "images", DEMO / "images")
    source = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        source,
        timeout=120,
        resources={"metadata": {"path": str(DEMO)}},
        shutdown_kernel="immediate",
        store_widget_state=False,  # a cell keeps static HTML, a panel its picture
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    executed = DEMO / notebook.name
    nbformat.write(client.execute(), executed)
    page = executed.with_suffix(".html")
    page.write_text(_as_page(executed), encoding="utf-8")
    found = [clip for cache in caches for clip in _clips_in(DEMO / cache)]
    clips = sorted(found, key=lambda clip: clip.stat().st_mtime)
    print(f"Done in {time.monotonic() - began:.0f} s.\n")
    for what, paths in (("Notebook", [executed]), ("As HTML", [page]), ("Clips", clips)):
        for path in paths:
            print(f"  {what:<9} {path.relative_to(HERE.parent)}  ({path.stat().st_size / 1024:,.0f} KB)")
    print("\nOpen the HTML in a browser, or the notebook live:  make lab")


#: nbconvert's page is light or dark; this page follows the browser. Outputs without a number begin where others do.
_STYLE = """<style>:root {{ color-scheme: light dark }}
.jp-OutputArea-prompt:empty {{ padding: var(--jp-code-padding); border: var(--jp-border-width) solid transparent }}
@media (prefers-color-scheme: dark) {{ {theme} }}</style>
<script>addEventListener("DOMContentLoaded", () => {{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {{ document.body.dataset.jpThemeLight = String(!dark.matches); }};
  dark.addEventListener("change", follow);
  follow();
}});</script>
</head>"""


def _as_page(notebook: Path) -> str:
    exporter = HTMLExporter()
    page, _ = exporter.from_filename(str(notebook))
    themes = (Path(folder) / "static" / "theme-dark.css" for folder in exporter.template_paths)
    theme = next(file for file in themes if file.is_file()).read_text("utf-8")
    return page.replace("</head>", _STYLE.format(theme=theme), 1)


def _clips_in(log: Path) -> list[Path]:
    # Its `clips` have names for people, where the system has links.
    return list((log / "clips").glob("*.mp4")) or list((log / "media").glob("*/*.mp4"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

"""The Python code in README.md and in the documentation runs as it is printed, on the local hub."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import linecache
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import kling_nb as kn
from kling_nb.localhub.serve import ensure, stop
from tests.docs.pages import DOCS, ROOT, blocks, pages

#: These read a log that another test makes.
ELSEWHERE = {"log-format.md"}
PAGES = [page for page in pages() if page.name not in ELSEWHERE and blocks(page, "python")]


#: Pages that use a frame of a clip as an image, which must be large enough for the model.
LARGE = {"storyboards.md"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Return the user's state folder with a quick local hub in it, for a size of clips."""
    folders: dict[str, Path] = {}

    def start(size: str) -> Path:
        if size not in folders:
            folders[size] = tmp_path_factory.mktemp("state")
            ensure(folders[size] / "kling_nb" / "localhub", speed=100, arguments=("--size", size))
        return folders[size]

    yield start
    for folder in folders.values():
        stop(folder / "kling_nb" / "localhub")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).with_suffix("").as_posix())
def test_the_code_of_a_page_runs(
    page: Path, state: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").symlink_to(ROOT / "notebooks" / "images")
    monkeypatch.setenv("XDG_STATE_HOME", str(state("360p" if page.name in LARGE else "90p")))
    studio = kn.configure()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for number, block in enumerate(blocks(page, "python"), 1):
            _run(block, f"{page.name}, block {number}", namespace)
        kn.resume().wait(60)
        if page.name == "README.md":
            assert namespace["clip"].path.stat().st_size > 0
            assert len(kn.log()) == 2
    finally:
        kn.configure().close()
        with contextlib.suppress(Exception):
            studio.close()


def test_the_cells_of_the_magics_page_run(
    state: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").symlink_to(ROOT / "notebooks" / "images")
    monkeypatch.setenv("XDG_STATE_HOME", str(state("90p")))
    shell = InteractiveShell()
    shell.history_manager.enabled = False
    studio = kn.configure()
    try:
        for block in blocks(DOCS / "magics.md", "ipython3"):
            shell.run_cell(block).raise_error()
        assert shell.user_ns["still"].path.is_file()
    finally:
        kn.configure().close()
        studio.close()


def _run(block: str, name: str, namespace: dict[str, Any]) -> None:
    linecache.cache[name] = len(block), None, block.splitlines(keepends=True), name  # for the traceback
    code = compile(block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)  # noqa: S307 - our own pages
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))


async def _awaited(result: object) -> None:
    await result  # type: ignore[misc]

"""The Python code in README.md and in the documentation runs as it is printed, on the local hub."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kling_nb as kn
from kling_nb.localhub.serve import ensure, stop
from tests.docs.pages import ROOT, blocks, pages

#: These read a log that another test makes.
ELSEWHERE = {"log-format.md"}
PAGES = [page for page in pages() if page.name not in ELSEWHERE and blocks(page, "python")]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's state folder, with a quick local hub in it."""
    folder = tmp_path_factory.mktemp("state")
    ensure(folder / "kling_nb" / "localhub", speed=100, arguments=("--size", "180p"))
    yield folder
    stop(folder / "kling_nb" / "localhub")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).with_suffix("").as_posix())
def test_the_code_of_a_page_runs(page: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").symlink_to(ROOT / "notebooks" / "images")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
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


def _run(block: str, name: str, namespace: dict[str, Any]) -> None:
    linecache.cache[name] = len(block), None, block.splitlines(keepends=True), name  # for the traceback
    code = compile(block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)  # noqa: S307 - our own pages
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))


async def _awaited(result: object) -> None:
    await result  # type: ignore[misc]

"""Notebooks with the real studio, in the JupyterLab that all browser tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hubside import HubSide
from lab import ROOT, Lab, Notebook
from playwright.sync_api import Page

from browser.screen import Screen


@pytest.fixture
def hub(hub_of_lab: HubSide) -> Iterator[HubSide]:
    hub_of_lab.mark()
    yield hub_of_lab
    hub_of_lab.clear()


@pytest.fixture
def apart(lab: Lab) -> Iterator[Page]:
    """A page of its own, for what would spoil the shared one."""
    page = lab.new_page()
    yield page
    page.close()


@pytest.fixture
def opened(lab: Lab, hub: HubSide) -> Iterator[Callable[..., Screen]]:
    """Open a notebook of cells in the page that all tests share, or in `page=`; closed in the end."""
    notebooks: list[Notebook] = []

    def show(*cells: str, notebook: Notebook | None = None, **how: object) -> Screen:
        notebooks.append(notebook or lab.notebook(*cells, **how))
        return Screen(notebooks[-1])

    yield show
    for notebook in notebooks:
        notebook.close()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Screen, str], None]:
    """Keep a picture of the page under `demo/screens`, for people to look at."""
    folder = ROOT / "demo" / "screens"
    folder.mkdir(parents=True, exist_ok=True)

    def take(screen: Screen, name: str) -> None:
        screen.page.screenshot(path=folder / f"{name}.png")

    return take

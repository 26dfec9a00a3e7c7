"""Notebooks with a real studio, in the JupyterLab that all browser tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

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
    """A separate page, for tests that would disturb the shared one."""
    page = lab.new_page()
    yield page
    page.close()


@pytest.fixture
def opened(lab: Lab, hub: HubSide) -> Iterator[Callable[..., Screen]]:
    """Open a notebook of cells, or an existing file, in the shared page; it is closed after the test.

    Each has its own kernel, which knows the name of the notebook.
    """
    notebooks: list[Notebook] = []

    def show(*cells: str, file: Path | None = None) -> Screen:
        notebooks.append(lab.open(file) if file else lab.notebook(*cells))
        return Screen(notebooks[-1])

    yield show
    lab.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    for notebook in notebooks:
        notebook.close()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Screen, str], None]:
    """Save a screenshot of the page under `demo/screens`."""
    folder = ROOT / "demo" / "screens"
    folder.mkdir(parents=True, exist_ok=True)

    def take(screen: Screen, name: str) -> None:
        screen.page.screenshot(path=folder / f"{name}.png")

    return take

"""The documentation builds without a warning, and a reader of it needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What a browser fetches by itself. Links that a reader follows may lead anywhere.
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "video": "src", "source": "src"}

#: `sphinx-build`; to look for garbage among the trees of all pages would be a sixth of its time.
BUILD = "import gc, sys; gc.disable(); from sphinx.cmd.build import main; sys.exit(main(sys.argv[1:]))"


class Fetched(HTMLParser):
    """Collects the addresses that a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(FETCHED.get(tag, ""))
        if address:
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly. Its notebooks are run by other tests."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-c", BUILD, "-q", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*build, str(ROOT / "docs"), str(folder / "html")],
        env={**os.environ, "KLING_NB_DOCS_EXECUTE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    found = {(page.name, address) for page in site.rglob("*.html") for address in _fetched(page)}
    assert len(found) > 20
    assert not {(page, address) for page, address in found if re.match(r"(https?:)?//", address)}


def test_no_style_sheet_loads_anything_from_another_host(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    assert not [
        (sheet.name, address)
        for sheet in sheets
        for address in re.findall(r"(?:url\(|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)", sheet.read_text("utf-8"))
    ]


def test_every_notebook_is_a_page_with_its_code(site: Path) -> None:
    for notebook in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text("utf-8")
        assert "highlight" in page, notebook.name
        assert (site / "notebooks" / notebook.name).is_file()


def _fetched(page: Path) -> Iterator[str]:
    parser = Fetched()
    parser.feed(page.read_text("utf-8"))
    yield from parser.addresses

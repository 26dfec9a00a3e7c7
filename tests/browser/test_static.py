"""The static form of each view in an untrusted notebook without a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest
from hubside import HubSide, png_image
from lab import Lab
from playwright.sync_api import Locator, expect

from browser.screen import Screen, plays, pwned
from kling_nb.studio import Studio

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
Shot = Callable[[Screen, str], None]
EVIL = '<img src=x onerror="window.__pwned=1"><script>window.__pwned=2</script>'
UNTRUSTED = "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted === false"
TRUST = "() => { for (const cell of window.jupyterapp.shell.currentWidget.content.model.cells) cell.trusted = true; }"
#: The position of each clip's caption, and the width of the clip; the third clip has its own row.
CAPTIONS = """(cell) => [...cell.querySelectorAll('video')].map((video) => {
  const [clip, said] = [video, video.parentElement.querySelector('b')].map((el) => el.getBoundingClientRect());
  return { under: said.top >= clip.bottom, aside: Math.round(said.left - clip.left), width: Math.round(clip.width) };
})"""
CARD, EMBEDDED, COMPARED, SHEET, PRESETS, ELEMENTS = range(6)


@pytest.fixture
def studio(lab: Lab, hub: HubSide, monkeypatch: pytest.MonkeyPatch, pace: object) -> Iterator[Studio]:
    """A studio whose log is next to a notebook of the Lab."""
    folder = lab.folder / "static"
    folder.mkdir()
    monkeypatch.chdir(folder)
    studio = Studio(hub=hub.url, key="test-key", log=folder / "kling_log")
    yield studio
    studio.close()


def test_cards_comparison_and_gallery_need_neither_trust_nor_kernel(
    opened: Callable[..., Screen], lab: Lab, studio: Studio, shot: Shot
) -> None:
    prompts = (f"A red kite {EVIL}", "A blue kite over the sea")
    jobs = studio.gather(studio.generate(prompt, duration=3) for prompt in prompts)
    first, second = (clip.record for clip in jobs.result(60))
    first = studio.log().annotate(first.id, tags=[EVIL], note=EVIL, stars=4)
    studio.presets[EVIL] = {"prompt": EVIL}
    studio.elements[EVIL] = {"frontal_image_url": png_image()}
    card = first._repr_mimebundle_()
    studio.options.embed = 5
    inside = second._repr_mimebundle_()
    studio.options.embed = "auto"
    gallery = studio.gallery().controller
    forms = [card, inside, gallery.comparison([first, second, first]).static, gallery.static({})]
    forms += [studio.presets._repr_mimebundle_(), studio.elements._repr_mimebundle_()]

    screen = opened(file=_written(lab, forms))
    assert screen.page.evaluate(UNTRUSTED)
    cells = [screen.root.locator(".jp-Notebook .jp-Cell").nth(number) for number in range(len(forms))]

    plays(cells[CARD].locator("video"))
    details = cells[CARD].locator("details", has_text="Progress")
    details.locator("summary").click()
    expect(details.locator("pre")).to_contain_text("Queued")
    expect(cells[CARD]).to_contain_text(f'kn.panel("{first.id}")')
    _is_shown(cells[EMBEDDED].locator("video"))  # a front end may remove the embedded clip; poster and link stay
    _leads_somewhere(cells[EMBEDDED].get_by_role("link", name="Open file"))
    expect(cells[COMPARED].locator("video")).to_have_count(3)
    plays(cells[COMPARED].locator("video").nth(1))
    captions = cells[COMPARED].evaluate(CAPTIONS)
    assert {(take["under"], take["aside"], take["width"]) for take in captions} == {(True, 0, captions[0]["width"])}
    expect(cells[COMPARED]).to_contain_text("over the sea")
    expect(cells[SHEET].locator("a img")).to_have_count(2)
    _leads_somewhere(cells[SHEET].locator("a").first)
    for cell in (CARD, COMPARED, SHEET, PRESETS, ELEMENTS):
        expect(cells[cell]).to_contain_text(EVIL)
    shot(screen, "static-untrusted")

    screen.page.evaluate(TRUST)
    plays(cells[EMBEDDED].locator("video"))
    assert pwned(screen.page) is None


def _written(lab: Lab, forms: list[Any]) -> Any:
    """Write a notebook that was run elsewhere, so that its signature is missing."""
    outputs = [nbformat.v4.new_output("display_data", data=dict(form)) for form in forms]
    cells = [nbformat.v4.new_code_cell("kn.show()", outputs=[output]) for output in outputs]
    path = lab.folder / "static" / "elsewhere.ipynb"
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def _is_shown(video: Locator) -> None:
    poster = str(video.get_attribute("poster"))
    assert poster.startswith("data:image/")
    assert video.evaluate("(video) => video.getBoundingClientRect().height") > 100


def _leads_somewhere(link: Locator) -> None:
    address = link.evaluate("(link) => link.href")
    answer = link.page.request.get(address)
    assert (answer.status, answer.body()[4:8]) == (200, b"ftyp")

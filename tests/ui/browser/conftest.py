"""Panels over a stand-in studio, in the JupyterLab that all browser tests share."""

import time

import pytest

SETUP = """
import io, sys
from PIL import Image
from kling_nb.ui.panel.panel import Panel
from kling_nb.ui.outlet import publish
from kling_nb.ui.progress import JobsView, display
from stand_in import Engine, Job, Studio
engine = Engine()
def picture(colour, size=(400, 300)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()
RED, BLUE, GREEN = map(picture, ("red", "blue", "green"))
studio = Studio(engine=engine)
"""


@pytest.fixture
def page(lab):
    return lab.page


@pytest.fixture
def notebook(lab):
    """Return a function that opens a notebook and runs the setup and the next cell."""
    opened = []

    def open_and_run(*cells):
        notebook = lab.used(SETUP, *cells)
        opened.append(notebook)
        notebook.run(0)
        notebook.run(1)
        return notebook

    yield open_and_run
    for notebook in opened:
        lab.put_back(notebook)


@pytest.fixture
def shown(notebook):
    """Return a function that runs a cell with a panel and returns its `Screen`."""
    return lambda *cells: Screen(notebook(*cells))


@pytest.fixture
def panel(shown):
    """Return a function that opens a panel over a stand-in studio and returns its `Screen`."""
    return lambda request="{}", *more: shown(f"panel = Panel(studio, {request}); panel", *more)


class Screen:
    """A panel on the screen, found by roles and labels as a user would."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .kn-panel").first
        self.prompt = self.root.get_by_role("textbox", name="Prompt", exact=True)
        self.generate = self.root.locator("[data-action=generate]")  # its text says what became of the last press
        self.tiles = self.root.locator(".kn-references .kn-tile")
        self.rows = self.root.locator(".kn-row")
        self.prompt.or_(self.root.locator(".kn-shot")).first.wait_for()

    def problem(self, path):
        """Return the problems shown for a path or below it."""
        return self.root.locator(f'.kn-problem[data-path="{path}"], .kn-problem[data-path^="{path}."]')

    def kernel_says(self, expression, expected):
        """Wait until an expression has a value in the kernel, which edits reach a moment after they are seen."""
        deadline = time.monotonic() + 60
        while (said := self.ask(expression)) != expected and time.monotonic() < deadline:
            self.page.wait_for_timeout(30)
        assert said == expected

    def ask(self, expression):
        """Evaluate an expression in the kernel and return its repr."""
        return self.page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const reply = await kernel.requestExecute({ code: '', silent: true, store_history: false,
                    user_expressions: { it: code } }).done;
                const it = reply.content.user_expressions.it;
                return it.status === 'ok' ? it.data['text/plain'] : `${it.ename}: ${it.evalue}`;
            }""",
            expression,
        )

    def add_image(self, selector, name="face.png", size=(400, 300), event="drop"):
        """Drop or paste an image that is drawn in the browser."""
        transfer = self.page.evaluate_handle(
            """async ([name, width, height]) => {
                const canvas = new OffscreenCanvas(width, height);
                canvas.getContext('2d').fillRect(0, 0, width, height);
                const transfer = new DataTransfer();
                transfer.items.add(new File([await canvas.convertToBlob()], name, { type: 'image/png' }));
                return transfer;
            }""",
            [name, *size],
        )
        target = self.root.locator(selector).first
        if event == "drop":
            target.dispatch_event("dragover", {"dataTransfer": transfer})
            target.dispatch_event("drop", {"dataTransfer": transfer})
        else:
            target.evaluate(
                "(el, data) => el.dispatchEvent(new ClipboardEvent('paste', "
                "{clipboardData: data, bubbles: true, cancelable: true}))",
                transfer,
            )

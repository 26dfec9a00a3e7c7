"""A real JupyterLab in headless Chromium, for tests: one server and one page, reused by many notebooks.

    with Lab.started(folder) as lab:
        notebook = lab.notebook("1 + 1", "import time")
        notebook.run()
        notebook.outputs(0)

Use it in a pytest process of its own: after Playwright's sync API, `asyncio.run` fails in the same process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "lab-of-the-tests"  # noqa: S105 - the token of a server that lives as long as the tests, on loopback
#: Seconds that the cells of a test may take.
_PATIENCE = 60
_EMPTY = """import ipywidgets
ipywidgets.Widget.close_all()
get_ipython().run_line_magic("reset", "-f")"""
#: After a page was loaded Lab opens the notebook of its address, once more and in front, when its layout has long come
#: back; its file browser is marked until then.
_READY = """() => {
  if (document.querySelector('.jp-mod-restoring')) return false;
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return Boolean(panel?.context?.isReady && kernel?.status === 'idle' && kernel?.connectionStatus === 'connected');
}"""


def chromium() -> str | None:
    """The browser to drive: `KLING_NB_CHROMIUM`, or one on the PATH; None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("KLING_NB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def wear(page: Page, theme: str) -> None:
    """Put on `light` or `dark` as the system would, and wait for Lab, whose splash lies over all until it has."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.wait_for_function(
        """(light) => document.body.dataset.jpThemeLight === light && !document.querySelector('#jupyterlab-splash')""",
        arg=str(theme == "light").lower(),
    )


class Lab:
    """A running server and a browser page on it."""

    def __init__(self, folder: Path, url: str, context: BrowserContext, env: Mapping[str, str]) -> None:
        self.folder, self.url, self._context, self._env = folder, url, context, env
        self._count = 0
        self._idle: list[Notebook] = []
        self.page = self.new_page()

    @classmethod
    @contextmanager
    def started(cls, folder: Path, *, env: Mapping[str, str] | None = None) -> Iterator[Lab]:
        """Start JupyterLab in `folder` and Chromium; stop both in the end."""
        port = _free_port()
        environment = _environment(folder) | dict(env or {})
        command, sign = _command(folder, port), f"/api/status?token={TOKEN}"
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
        with _serving(command, environment, folder / ".lab.log", sign, port) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
            yield cls(folder, url, browser.new_context(), environment)  # one, whose cache all pages share
            browser.close()

    @contextmanager
    def voila(self, folder: Path) -> Iterator[str]:
        """Serve a folder's notebooks with Voila, allowed to serve clips; gives its address."""
        port = _free_port()
        command = [
            *(sys.executable, "-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"),
            "--VoilaConfiguration.file_allowlist=.*\\.(png|jpg|gif|svg|mp4)",
        ]
        with _serving(command, self._env, folder / ".voila.log", "/voila/static/voila.js", port) as url:
            yield url

    def new_page(self, *, width: int = 1280, height: int = 1000, dark: bool = False) -> Page:
        """Open another page of the browser, with its own settings; it shows nothing yet."""
        page = self._context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_default_timeout(30_000)
        return page

    def notebook(self, *cells: str, page: Page | None = None, name: str = "") -> Notebook:
        """Write a notebook of code cells and open it, ready to run.

        Without a name it has a folder of its own, and so a log of its own.
        """
        return self.open(self._written(cells, self.folder / name if name else self._new_path()), page=page)

    def used(self, *cells: str) -> Notebook:
        """As `notebook`, but one that was put back will do: its kernel goes on, and its tab takes these cells."""
        if not self._idle:
            return self.notebook(*cells)
        notebook = self._idle.pop()
        self._written(cells, notebook.path)
        notebook.read_again()
        return notebook

    def put_back(self, notebook: Notebook) -> None:
        """Keep a notebook and its kernel, both emptied, for `used`; one that is still at work is shut down."""
        if notebook.emptied():
            self._idle.append(notebook)
        else:
            notebook.close()

    def seven(self, *cells: str, page: Page) -> Notebook:
        """Write a notebook and open it in Notebook 7, in a page of its own."""
        path = self._written(cells, self._new_path())
        name = self._name(path)
        page.goto(f"{self.url}/notebooks/{name}?token={TOKEN}")
        page.wait_for_function(_READY, timeout=60_000)
        return Notebook(page, path, name)

    def open(self, path: Path, *, page: Page | None = None) -> Notebook:
        """Open a notebook that is there; in the page that is open when Lab is in it, which is quicker."""
        page = page or self.page
        name = self._name(path)
        if page.evaluate("() => Boolean(window.jupyterapp)"):
            _bring_to_front(page, name)
        else:
            # A workspace of its own, which is empty: pages that meet in one would load again to part.
            page.goto(f"{self.url}/lab/workspaces/of-notebook-{self._count}/tree/{name}?token={TOKEN}")
        page.wait_for_function(_READY, timeout=60_000)
        return Notebook(page, path, name)

    def _new_path(self) -> Path:
        self._count += 1
        return self.folder / f"{self._count}" / f"notebook-{self._count}.ipynb"

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _written(self, cells: tuple[str, ...], path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        content.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(content, path)
        return path


@dataclass
class Notebook:
    """A notebook that is open in a page, by its file and by the name that Lab has for that."""

    page: Page
    path: Path
    name: str

    def run(self, cell: int | None = None, *, wait: bool = True) -> None:
        """Run one cell, or all of them; without `wait`, return as soon as it was asked for."""
        act = "notebook:run-all-cells" if cell is None else "notebook:run-cell"
        hung = self.page.evaluate(
            """async ([act, cell, wait, patience]) => {
                const panel = window.jupyterapp.shell.currentWidget;
                if (cell !== null) panel.content.activeCellIndex = cell;
                const done = window.jupyterapp.commands.execute(act).then(() => null);
                if (!wait) return null;
                const { id, status, connectionStatus } = panel.sessionContext.session.kernel;
                const late = new Promise((say) => setTimeout(say, patience, { id, status, connectionStatus }));
                return await Promise.race([done, late]);
            }""",
            [act, cell, wait, _PATIENCE * 1000],
        )
        assert not hung, f"cell {cell} has not ended in {_PATIENCE} s: {hung}\n{_stacks(hung['id'])}"

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """The outputs of a cell as they would be saved now."""
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.model.cells.get(i).outputs.toJSON()", cell
        )

    def executions(self, cell: int) -> int | None:
        """The number in a cell's brackets."""
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.model.cells.get(i).executionCount", cell
        )

    def save(self) -> dict[str, Any]:
        """Save and return the file's content, its many-line texts as one."""
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
        return nbformat.read(self.path, as_version=4)

    def reload(self) -> None:
        """Load the page again; the kernel lives on."""
        self.page.reload()
        self.page.wait_for_function(_READY, timeout=60_000)

    def read_again(self) -> None:
        """Bring the tab to the front, with what the file says now."""
        _bring_to_front(self.page, self.name)
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.revert(); }")
        self.page.wait_for_function(_READY, timeout=60_000)

    def emptied(self) -> bool:
        """Leave a kernel with no names and no widgets, and cells with no outputs; False when it is busy."""
        _await_front(self.page, self.name)
        return self.page.evaluate(
            """async (code) => {
                const panel = window.jupyterapp.shell.currentWidget;
                const kernel = panel.sessionContext.session?.kernel;
                // A kernel that ran a subshell's message calls itself idle, whatever its main shell does.
                const running = panel.content.widgets.some((cell) => cell.model.executionState === 'running');
                if (running || kernel?.status !== 'idle') return false;
                const reply = await kernel.requestExecute({ code, silent: true, store_history: false }).done;
                await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
                return reply.content.status === 'ok';
            }""",
            _EMPTY,
        )

    def close(self) -> None:
        """Shut the kernel down, busy or not, and close the tab without being asked to save."""
        self.page.evaluate(
            """async () => {
                const panel = window.jupyterapp.shell.currentWidget;
                await panel.sessionContext.session?.kernel?.interrupt();
                await panel.sessionContext.shutdown();
                panel.dispose();
            }"""
        )


def _bring_to_front(page: Page, name: str) -> None:
    """Open a notebook, or show the tab that has it."""
    # What the command promises is not waited for: now and then Lab drops that promise, and shows the notebook.
    page.evaluate("(path) => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", name)
    _await_front(page, name)


def _await_front(page: Page, name: str) -> None:
    page.wait_for_function("(path) => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=name)


def _stacks(kernel: str) -> str:
    """What the threads of a kernel that hangs are at, in the words of its fault handler; it is ended with that."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if kernel in (folder / "cmdline").read_text():
                log = next(file for file in (folder / "fd").iterdir() if file.resolve().name == ".lab.log").resolve()
                os.kill(int(folder.name), signal.SIGABRT)
                time.sleep(1)  # it writes while it dies, and tells nobody
                return log.read_text()[-8000:]
    return "there is no such process"


@contextmanager
def _serving(command: list[str], env: Mapping[str, str], log: Path, sign: str, port: int) -> Iterator[str]:
    """Run a server until the end of the block; `sign` is a path that it answers once it is up."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, env=dict(env), stdout=said, stderr=subprocess.STDOUT, start_new_session=True, cwd=log.parent
        )
    try:
        _await_server(f"{url}{sign}", server, log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(5)


def _command(folder: Path, port: int) -> list[str]:
    return [
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.terminals_enabled=False"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        "--LanguageServerManager.autodetect=False",  # else each notebook starts the type checker of this environment
    ]


def _environment(folder: Path) -> dict[str, str]:
    """Folders of its own for everything that Jupyter keeps, and our package on the path of its kernels."""
    home = folder / ".jupyter-of-tests"
    settings = home / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True, exist_ok=True)
    news = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(news))
    (quiet / "themes.jupyterlab-settings").write_text(json.dumps({"adaptive-theme": True}))
    places = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    paths = [str(ROOT), str(ROOT / "tests" / "ui"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONFAULTHANDLER": "1",
        **{name: str(place) for name, place in places.items()},
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _await_server(sign: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(sign, timeout=2).close()
            return
        except urllib.error.HTTPError as exc:
            if exc.code < 500:  # it answers
                return
        except (urllib.error.URLError, OSError):
            pass
        if server.poll() is not None:
            raise RuntimeError(f"the server ended before it answered; see {log}")
        time.sleep(0.1)  # a server has no other way to say that it is up
    raise TimeoutError(f"the server did not answer within 60 s; see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

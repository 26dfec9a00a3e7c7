"""A real JupyterLab in headless Chromium, for tests: one server and one page, reused by many notebooks.

    with Lab.started(folder) as lab:
        notebook = lab.notebook("1 + 1", "import time")
        notebook.run()
        notebook.outputs(0)

Use it in its own pytest process: after Playwright's sync API, `asyncio.run` fails in the same process.
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
from typing import TYPE_CHECKING, Any

import nbformat

from tests import kernelnursery

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "lab-of-the-tests"  # noqa: S105 - the token of a server that lives as long as the tests, on loopback
#: Seconds that a cell of a test may take.
_CELL_TIMEOUT = 60
_EMPTY = """import ipywidgets
ipywidgets.Widget.close_all()
get_ipython().run_line_magic("reset", "-f")"""
#: After a page load, Lab restores its layout and only then opens the notebook of the URL in front; its file browser is
#: marked until then.
_READY = """() => {
  if (document.querySelector('.jp-mod-restoring')) return false;
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return Boolean(panel?.context?.isReady && kernel?.status === 'idle' && kernel?.connectionStatus === 'connected');
}"""


def chromium() -> str | None:
    """Return the browser of `KLING_NB_CHROMIUM`, or one on the PATH; None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("KLING_NB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def set_theme(page: Page, theme: str) -> None:
    """Switch the system theme to `light` or `dark`, and wait until Lab has followed and its splash is gone."""
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
    def started(
        cls, folder: Path, *, env: Mapping[str, str] | None = None, python: str = sys.executable, base: str = ""
    ) -> Iterator[Lab]:
        """Start JupyterLab in `folder`, and Chromium; stop both at the end.

        Args:
            env: More of its environment.
            python: The interpreter whose JupyterLab it is.
            base: A prefix of its addresses, such as `/user/ann`.
        """
        from playwright.sync_api import sync_playwright  # lazily: the tests of a server alone need no browser

        port = free_port()
        environment = lab_environment(folder, python=python) | dict(env or {})
        command = [*lab_command(folder, port, python), f"--ServerApp.base_url={base}/"]
        sign = f"{base}/api/status?token={TOKEN}"
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
        with serving(command, environment, folder / ".lab.log", sign, port) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
            context = browser.new_context()  # one, so that all pages share its cache
            yield cls(folder, url + base, context, environment)
            browser.close()

    @contextmanager
    def voila(self, folder: Path) -> Iterator[str]:
        """Serve the notebooks of a folder, and their clips, with Voila; gives its URL."""
        port = free_port()
        command = [
            *(sys.executable, "-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"),
            "--VoilaConfiguration.file_allowlist=.*\\.(png|jpg|gif|svg|mp4)",
        ]
        with serving(command, self._env, folder / ".voila.log", "/voila/static/voila.js", port) as url:
            yield url

    def new_page(self, *, width: int = 1280, height: int = 1000, dark: bool = False) -> Page:
        """Open an empty page with its own settings."""
        page = self._context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_default_timeout(60_000)
        return page

    def notebook(self, *cells: str, page: Page | None = None, name: str = "") -> Notebook:
        """Write a notebook of code cells and open it, ready to run.

        Without a name it has its own folder, and therefore its own log.
        """
        return self.open(self._written(cells, self.folder / name if name else self._new_path()), page=page)

    def used(self, *cells: str) -> Notebook:
        """Like `notebook`, but reuse one that was put back: its kernel continues, and its tab shows these cells."""
        if not self._idle:
            return self.notebook(*cells)
        notebook = self._idle.pop()
        self._written(cells, notebook.path)
        notebook.read_again()
        return notebook

    def put_back(self, notebook: Notebook) -> None:
        """Clear a notebook and its kernel for `used`; shut down a busy one."""
        if notebook.emptied():
            self._idle.append(notebook)
        else:
            notebook.close()

    def seven(self, *cells: str, page: Page, name: str = "") -> Notebook:
        """Write a notebook and open it in Notebook 7, in its own page."""
        path = self._written(cells, self.folder / name if name else self._new_path())
        name = self._name(path)
        page.goto(f"{self.url}/notebooks/{name}?token={TOKEN}")
        page.wait_for_function(_READY, timeout=60_000)
        return Notebook(page, path, name)

    def open(self, path: Path, *, page: Page | None = None) -> Notebook:
        """Open an existing notebook; in the open page if Lab is loaded there, which is quicker."""
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
    """An open notebook: its page, its file, and the file's name in Lab."""

    page: Page
    path: Path
    name: str

    def run(self, cell: int | None = None, *, wait: bool = True) -> None:
        """Run one cell, or all of them; without `wait`, return immediately."""
        act = "notebook:run-all-cells" if cell is None else "notebook:run-cell"
        hung = self.page.evaluate(
            """async ([act, cell, wait, timeout]) => {
                const panel = window.jupyterapp.shell.currentWidget;
                if (cell !== null) panel.content.activeCellIndex = cell;
                const done = window.jupyterapp.commands.execute(act).then(() => null);
                if (!wait) return null;
                const { id, status, connectionStatus } = panel.sessionContext.session.kernel;
                const late = new Promise((resolve) => setTimeout(resolve, timeout, { id, status, connectionStatus }));
                return await Promise.race([done, late]);
            }""",
            [act, cell, wait, _CELL_TIMEOUT * 1000],
        )
        assert not hung, f"cell {cell} has not ended within {_CELL_TIMEOUT} s: {hung}\n{_stacks(hung['id'])}"

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """Return the current outputs of a cell."""
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.model.cells.get(i).outputs.toJSON()", cell
        )

    def executions(self, cell: int) -> int | None:
        """Return the execution count of a cell."""
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.model.cells.get(i).executionCount", cell
        )

    def save(self) -> dict[str, Any]:
        """Save the notebook and return its content."""
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
        return nbformat.read(self.path, as_version=4)

    def reload(self) -> None:
        """Reload the page; the kernel keeps running."""
        self.page.reload()
        self.page.wait_for_function(_READY, timeout=60_000)

    def read_again(self) -> None:
        """Bring the tab to the front, with the current content of the file."""
        _bring_to_front(self.page, self.name)
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.revert(); }")
        self.page.wait_for_function(_READY, timeout=60_000)

    def emptied(self) -> bool:
        """Clear the kernel's names and widgets, and all outputs; return False if the kernel is busy."""
        _await_front(self.page, self.name)
        return self.page.evaluate(
            """async (code) => {
                const panel = window.jupyterapp.shell.currentWidget;
                const kernel = panel.sessionContext.session?.kernel;
                // After a message of a subshell a kernel reports idle even if its main shell is busy.
                const running = panel.content.widgets.some((cell) => cell.model.executionState === 'running');
                if (running || kernel?.status !== 'idle') return false;
                const reply = await kernel.requestExecute({ code, silent: true, store_history: false }).done;
                await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
                return reply.content.status === 'ok';
            }""",
            _EMPTY,
        )

    def close(self) -> None:
        """Shut down the kernel, busy or not, and close the tab without a prompt to save."""
        self.page.evaluate(
            """async () => {
                const panel = window.jupyterapp.shell.currentWidget;
                await panel.sessionContext.session?.kernel?.interrupt();
                await panel.sessionContext.shutdown();
                panel.dispose();
            }"""
        )


def _bring_to_front(page: Page, name: str) -> None:
    """Open a notebook, or show its tab."""
    # Do not wait for the promise of the command: now and then Lab drops it although it shows the notebook.
    page.evaluate("(path) => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", name)
    _await_front(page, name)


def _await_front(page: Page, name: str) -> None:
    page.wait_for_function("(path) => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=name)


def _stacks(kernel: str) -> str:
    """Kill a kernel that hangs and return the stack traces of its threads, from its fault handler."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if kernel in (folder / "cmdline").read_text():
                log = next(file for file in (folder / "fd").iterdir() if file.resolve().name == ".lab.log").resolve()
                os.kill(int(folder.name), signal.SIGABRT)
                time.sleep(1)  # it writes the traces while it exits
                return log.read_text()[-8000:]
    return "no such process"


@contextmanager
def serving(command: list[str], env: Mapping[str, str], log: Path, sign: str, port: int) -> Iterator[str]:
    """Run a server until the end of the block; `sign` is a path that answers once the server is up."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=dict(env), stdout=output, stderr=subprocess.STDOUT, start_new_session=True, cwd=log.parent
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


def lab_command(folder: Path, port: int, python: str = sys.executable) -> list[str]:
    """Return the command of a server without a browser."""
    return [
        python,
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.terminals_enabled=False"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        "--LanguageServerManager.autodetect=False",  # otherwise each notebook starts a type checker
    ]


def lab_environment(folder: Path, base: Mapping[str, str] = os.environ, python: str = sys.executable) -> dict[str, str]:
    """Return an environment with separate Jupyter folders, and with our package on the path of its kernels."""
    home = folder / ".jupyter-of-tests"
    settings = home / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True, exist_ok=True)
    news = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(news))
    (quiet / "themes.jupyterlab-settings").write_text(json.dumps({"adaptive-theme": True}))
    forked = home / "forked" / "kernels" / "python3"
    if python == sys.executable:
        forked.mkdir(parents=True, exist_ok=True)
        spec = {"argv": kernelnursery.argv(), "display_name": "Python 3 (ipykernel)", "language": "python"}
        (forked / "kernel.json").write_text(json.dumps({**spec, "metadata": {"debugger": True}}))
    paths = [str(ROOT), str(ROOT / "tests" / "ui"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **base,
        "PYTHONFAULTHANDLER": "1",
        **laid_out(home),
        "JUPYTER_PATH": str(forked.parents[1]),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def laid_out(home: Path) -> dict[str, str]:
    """Make Jupyter's folders in `home`, with the extension as it is in the sources, and return their variables.

    What is installed may be a copy of earlier sources.
    """
    folders = {name: home / name for name in ("config", "data", "runtime")}
    source = ROOT / "kling_nb" / "lab"
    shutil.copytree(source / "labextension", folders["data"] / "labextensions" / "kling_nb", dirs_exist_ok=True)
    shutil.copytree(source / "config", folders["config"] / "jupyter_server_config.d", dirs_exist_ok=True)
    return {f"JUPYTER_{name.upper()}_DIR": str(folder) for name, folder in folders.items()}


def _await_server(sign: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(sign, timeout=2).close()
            return
        except urllib.error.HTTPError as exc:
            if exc.code < 500:  # it is up
                return
        except (urllib.error.URLError, OSError):
            pass
        if server.poll() is not None:
            raise RuntimeError(f"the server ended before it answered; see {log}")
        time.sleep(0.1)  # there is no event to wait for
    raise TimeoutError(f"the server did not answer within 60 s; see {log}")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

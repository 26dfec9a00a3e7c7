"""The log of a team in JupyterLab's sidebar: two people, a PostgreSQL database and an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hubside import HubSide
from lab import set_theme
from playwright.sync_api import expect
from support import postgres, swift

from hosts.extension import FRONT, errors_of, ours, sidebar, started

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(postgres.UNAVAILABLE), reason=postgres.UNAVAILABLE or "-"),
]
MADE = """import os
os.environ["KLING_NB_USER"] = "{person}"
import kling_nb as kn
kn.budget(day="20")
kn.generate("{prompt}", duration=3).result()"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a team's database and bucket."""
    with ExitStack() as servers:
        found = {"KLING_NB_DATABASE": servers.enter_context(closing(postgres.Postgres())).schema()}
        if swift.UNAVAILABLE:
            found["KLING_NB_MEDIA"] = f"file://{tmp_path_factory.mktemp('bucket')}"
        else:
            found |= servers.enter_context(closing(swift.Swift())).environment
            found["KLING_NB_MEDIA"] = f"s3://{swift.BUCKET}/lab"
        yield found


def test_the_clips_and_jobs_of_colleagues_are_seen_and_played(
    team: dict[str, str], environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    with started(tmp_path, environment | team) as lab:
        said = errors_of(lab.page)
        for person, prompt in (("ann", "A paper boat on a rainy street"), ("bob", "A heron lands on the reeds")):
            lab.notebook(MADE.format(person=person, prompt=prompt), name=f"{person}/{person}.ipynb").run(0)
        hub_of_lab.fault("stuck", times=1)
        waiting = "import kling_nb as kn\njob = kn.generate('A red kite over the dunes', duration=3)\njob"
        lab.notebook(waiting, name="eve/eve.ipynb").run(0)
        panel = sidebar(lab.page)
        for person in ("ann", "bob"):
            clip = panel.locator(".knl-clip", has_text=person).first
            expect(clip.locator(".knl-poster")).to_have_js_property("complete", True)
        expect(panel.locator(".knl-job", has_text="A red kite").first).to_be_visible()
        clip.locator(".knl-face").click()
        lab.page.wait_for_function("() => document.querySelector('.knl-video')?.currentTime > 0.1")
        clip.get_by_role("button", name="Put into notebook").click()
        expect(lab.page.locator(f"{FRONT} .jp-OutputArea-output video")).to_have_count(1)
        assert ours(said) == []
        for theme in ("light", "dark"):
            set_theme(lab.page, theme)
            lab.page.screenshot(path=tmp_path / f"team-{theme}.png")
        hub_of_lab.clear()

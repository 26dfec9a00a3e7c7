"""A plan in a real JupyterLab: the run in progress, and its clips in a matrix."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hubside import HubSide, until
from playwright.sync_api import expect

from browser.screen import Screen

pytestmark = pytest.mark.browser
Opened = Callable[..., Screen]
Shot = Callable[[Screen, str], None]
SLOW = 60_000
PLAN = """import kling_nb as kn
plan = kn.sweep(
    "a paper boat on a pond, {camera}, {light}",
    camera=["camera holds still", "slow dolly in"],
    light=["soft morning light", "hard neon light", "candle light from behind the reeds, late in the evening"],
    duration=3,
)
plan"""


def test_a_run_is_paused_resumed_and_cancelled(opened: Opened, hub: HubSide, shot: Shot) -> None:
    screen = opened(PLAN, "run = plan.run(limit=1)\nrun")
    screen.run(0, 1)
    view = screen.root.locator(".kn-run")
    tiles = view.locator(".kling-plan-tile")
    pause = view.locator(".kn-run-pause")

    expect(tiles).to_have_count(6)
    pause.click()
    expect(view.locator(".kling-plan")).to_contain_text("paused", timeout=SLOW)
    expect(tiles.first.locator("img")).to_be_visible(timeout=SLOW)  # the running clip is finished and has its poster
    expect(view.locator(".kling-plan")).to_contain_text(re.compile("1 done · 5 waiting"))
    assert hub.posts == 1
    shot(screen, "run-paused")

    pause.click()
    until(lambda: hub.posts == 2)
    expect(tiles.nth(1)).to_contain_text("running", timeout=SLOW)
    view.locator(".kn-run-cancel").click()
    sheet = screen.root.locator(".kling-plan").nth(1)
    expect(sheet).to_contain_text("The run was cancelled", timeout=SLOW)
    expect(view).to_have_count(0)  # plain HTML has replaced it
    expect(sheet).to_contain_text("4 not started")
    shot(screen, "run-cancelled")
    assert hub.posts == 2


def test_the_clips_of_a_matrix_play_under_the_pointer(opened: Opened, shot: Shot) -> None:
    screen = opened(PLAN, "plan.run().result(); plan.matrix('light', 'camera')")
    screen.run(0, 1)
    assert screen.errors() == []
    matrix = screen.root.locator(".kling-matrix")
    expect(matrix.locator("video")).to_have_count(6)
    first, second = matrix.locator("video").nth(0), matrix.locator("video").nth(3)

    playing = "(video) => !video.paused && video.currentTime > 0.2"
    first.hover()
    until(lambda: first.evaluate(playing))
    shot(screen, "matrix")
    grounds = "(rows) => rows.map((row) => getComputedStyle(row).backgroundColor)"
    assert set(matrix.locator("tr").evaluate_all(grounds)) == {"rgba(0, 0, 0, 0)"}  # no stripes, no hover of Jupyter's
    long = screen.root.locator(".kling-plan-tile").nth(2).locator("div[style*='max-height']")
    expect(long).to_have_css("-webkit-line-clamp", "2")  # long text ends in an ellipsis
    second.hover()
    until(lambda: second.evaluate(playing))
    assert first.evaluate("(video) => video.paused")

    screen.page.emulate_media(reduced_motion="reduce")
    screen.root.locator(".kling-plan").first.hover()
    until(lambda: second.evaluate("(video) => video.paused"))
    first.hover()
    second.hover()
    assert first.evaluate("(video) => video.paused")

"""Voting in a real browser, by keyboard only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hubside import HubSide
from playwright.sync_api import expect

from .screen import Screen

pytestmark = pytest.mark.browser

SLOW = 60_000
MAKE = """
import kling_nb as kn
plan = kn.sweep("a {mood} boat", mood=["calm", "wild", "dark"], duration=3)
done = plan.run().result()
"""


def test_blind_pairs_are_voted_on_by_keyboard_and_ranked(
    opened: Callable[..., Screen], hub: HubSide, shot: Callable[[Screen, str], None]
) -> None:
    screen = opened(MAKE, "plan.vote(seed=4)", "plan.ranking(by='mood')")
    screen.run(0, 1)
    vote = screen.root.locator(".kn-vote")
    expect(vote).to_have_attribute("data-ready", "0", timeout=SLOW)
    for side in ("left", "right"):
        video = vote.get_by_label(f"{side} clip")
        screen.page.wait_for_function("(v) => v.videoWidth > 0 && v.currentTime > 0", arg=video.element_handle())
    assert "calm" not in vote.inner_text()
    vote.focus()
    shot(screen, "vote")
    for number, key in enumerate(("ArrowLeft", "u", "ArrowRight", "ArrowDown", "s")):
        screen.page.keyboard.press(key)
        expected = (1, 0, 1, 2, 3)[number]
        if expected < 3:
            expect(vote).to_have_attribute("data-ready", str(expected))
    expect(vote.get_by_text("All pairs are done")).to_be_visible()
    expect(vote.get_by_text("Which is better?")).to_be_hidden()  # no pair is left
    screen.run(2)
    expect(screen.root.locator(".kling-ranking")).to_contain_text("2 votes")
    shot(screen, "ranking")
    assert hub.posts == 3

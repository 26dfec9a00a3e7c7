"""The sound of a comparison: one clip at a time, or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browser.screen import Screen

pytestmark = pytest.mark.browser


def test_one_compared_clip_is_audible_at_a_time(opened: Callable[..., Screen]) -> None:
    screen = opened(
        "import kling_nb as kn\n"
        "sung = [kn.generate(f'A bell rings, take {n}', duration=3, generate_audio=True) for n in (1, 2, 3)]\n"
        "clips = kn.gather(*sung).result()",
        "kn.compare(*clips)",
    )
    screen.run(0, 1)
    player = screen.root.locator(".kn-compare")
    expect(player).to_have_attribute("data-ready", "true", timeout=60_000)
    muted = "(player) => [...player.querySelectorAll('.kn-stage video')].map((video) => video.muted)"
    assert player.evaluate(muted) == [False, True, True]

    player.get_by_role("button", name="Listen to clip B").click()
    assert player.evaluate(muted) == [True, False, True]
    player.get_by_role("button", name="Listen to clip C").click()
    assert player.evaluate(muted) == [True, True, False]
    player.get_by_role("button", name="Listen to clip C").click()
    assert player.evaluate(muted) == [True, True, True]

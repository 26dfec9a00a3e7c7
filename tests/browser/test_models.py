"""Other models in the panel: chosen by keyboard, with a form from their schema, or withdrawn by the hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, until
from playwright.sync_api import expect
from support.videos import video_file

from browser.screen import Screen

pytestmark = pytest.mark.browser

SLOW = 60_000
TARGET = "kling-video-o3-pro-reference-to-video"


def choose(screen: Screen, words: str) -> None:
    """Open the model picker, type, and choose the first match."""
    screen.panel.locator(".kn-model").press("Enter")
    screen.page.keyboard.type(words)
    screen.page.keyboard.press("Enter")


def printed(screen: Screen, cell: int) -> str:
    """Run a cell and return what it prints."""
    screen.run(cell)
    return screen.notebook.outputs(cell)[0]["text"]


def test_a_model_is_chosen_by_keyboard_and_its_form_makes_a_clip(
    opened: Callable[..., Screen], shot: Callable[[Screen, str], None], tmp_path: Path
) -> None:
    screen = opened(
        "import kling_nb as kn\n"
        "panel = kn.panel({'prompt': '@Image1 turns', 'negative_prompt': 'blur', 'duration': 3})",
        "panel",
        "print(panel.jobs[0].record.model, panel.fields)",
    )
    screen.run(0, 1)
    panel = screen.panel
    screen.drop("face.png")
    expect(panel.locator(".kn-references .kn-tile")).to_have_count(1)

    choose(screen, "o3 pro image-to-video")
    expect(panel.locator(".kn-model")).to_have_text("Kling O3 Pro Image to Video")
    expect(panel.locator(".kn-model")).to_be_focused()
    expect(panel.locator(".kn-slot.kn-filled")).to_have_count(1)
    expect(panel.get_by_role("note", name="Unused fields")).to_contain_text("negative_prompt")
    panel.locator("summary", has_text="More settings").click()
    panel.get_by_role("radio", name="1:1").check(force=True)
    shot(screen, "image-to-video")
    screen.generate.click()
    expect(screen.cards.locator("video")).to_have_count(1, timeout=SLOW)

    choose(screen, "omni")
    expect(panel.get_by_role("radio", name="1080p")).to_be_checked()
    expect(panel.get_by_role("radio", name="1:1")).to_be_checked()
    choose(screen, "o3 pro reference")
    expect(panel.get_by_role("note", name="Unused fields")).to_be_hidden()
    expect(panel.locator(".kn-references .kn-tile")).to_have_count(1)
    panel.get_by_role("button", name="Undo").click()
    expect(panel.locator(".kn-model")).to_have_text("Kling O3 Omni")
    panel.get_by_role("button", name="Redo").click()
    expect(panel.locator(".kn-model")).to_have_text("Kling O3 Pro Reference to Video")
    until(lambda: "'negative_prompt': 'blur'" in printed(screen, 2))  # an edit reaches the kernel a moment later
    assert printed(screen, 2).startswith("kling-video-o3-pro-image-to-video")

    choose(screen, "video-to-video edit")
    expect(panel.locator(".kn-price-note")).to_contain_text("video")
    expect(screen.generate).to_be_disabled()
    with screen.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Input Video: choose a file").click()
    chooser.value.set_files(video_file(tmp_path / "walk.mp4", seconds=3))
    expect(panel.locator(".kn-video-name")).to_have_text("walk.mp4")
    expect(panel.locator(".kn-summary-line b")).to_have_text("3 s")
    expect(panel.locator(".kn-price-note")).to_contain_text("$1.008")
    screen.generate.click()
    expect(screen.cards.locator("video")).to_have_count(2, timeout=SLOW)


def test_the_request_of_a_withdrawn_model_moves_to_its_successor(
    opened: Callable[..., Screen], hub: HubSide, shot: Callable[[Screen, str], None]
) -> None:
    hub.fault("withdrawn", match={"model": TARGET})
    screen = opened(
        "import kling_nb as kn\npanel = kn.panel({'multi_prompt': [{'prompt': 'One', 'duration': 2},"
        " {'prompt': 'Two', 'duration': 2}]})",
        "panel",
        "print(panel.jobs[0].record.model, panel.jobs[0].record.prompt)",
    )
    screen.run(0, 1)
    gone = screen.panel.get_by_role("group", name="Model not available")
    expect(gone).to_contain_text(TARGET)
    expect(gone.locator(".kn-alternative").first).to_contain_text("multi_prompt")
    expect(screen.generate).to_be_disabled()
    shot(screen, "withdrawn")

    gone.get_by_role("button", name="Switch to Kling O3 Omni").click()
    expect(gone).to_be_hidden()
    expect(screen.prompt).to_have_value("One\nTwo")
    screen.generate.click()
    expect(screen.cards.locator("video")).to_have_count(1, timeout=SLOW)
    screen.run(2)
    assert screen.notebook.outputs(2)[0]["text"].startswith("kling-video-o3-omni One")

    # The same request for several models: each shows what it takes and costs, and the clips come side by side.
    screen.panel.get_by_role("button", name="Several models").click()
    several = screen.panel.get_by_role("group", name="Several models")
    several.locator("[data-model=kling-video-o3-pro-text-to-video]").check()
    start = several.locator("[data-action=run-models]")
    expect(start).to_have_text("Generate 1 clip · free")  # that of the chosen model is there
    start.click()
    expect(several.get_by_role("status")).to_contain_text("Started as plan")
    expect(screen.rows).to_have_count(2)
    expect(screen.root.locator(".kling-matrix video")).to_have_count(2, timeout=SLOW)

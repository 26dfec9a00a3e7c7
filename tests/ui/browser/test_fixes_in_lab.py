"""Buttons at problems, in a real JupyterLab: each changes the draft so that its problem is gone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_other_spellings_of_mentions_are_rewritten_by_a_button_and_undone(panel):
    screen = panel('{"prompt": "", "input_image": [RED, BLUE]}')
    screen.prompt.fill("<<<image_1>>> meets ＠Image2 👩‍👩‍👧")
    expect(screen.root.locator(".kn-count").first).to_have_text("33 / 512")  # this emoji has five characters

    screen.root.get_by_role("button", name="Write @Image1 and @Image2").click()

    expect(screen.prompt).to_have_value("@Image1 meets @Image2 👩‍👩‍👧")
    expect(screen.prompt).to_be_focused()
    expect(screen.problem("prompt")).to_have_count(0)
    screen.kernel_says("panel.fields['prompt'][:21]", "'@Image1 meets @Image2'")
    screen.root.get_by_role("button", name="Undo").click()
    expect(screen.prompt).to_have_value("<<<image_1>>> meets ＠Image2 👩‍👩‍👧")


def test_a_list_of_shots_becomes_a_storyboard_and_the_prompt_stays(panel):
    screen = panel('{"prompt": ""}')
    text = "[0-3s] a cat wakes [3-7s] it runs"
    screen.prompt.fill(text)

    screen.root.get_by_role("button", name="Make 2 shots (7 s)").click()

    expect(screen.root.locator(".kn-shot textarea")).to_have_count(2)
    expect(screen.root.locator(".kn-shot textarea").nth(1)).to_have_value("it runs")
    screen.kernel_says("[shot['duration'] for shot in panel.fields['multi_prompt']]", "[3, 4]")
    screen.kernel_says("[problem.field for problem in panel.problems]", "[]")
    screen.root.get_by_role("radio", name="Prompt").or_(screen.root.get_by_text("Prompt", exact=True)).first.click()
    expect(screen.prompt).to_have_value(text)


def test_speech_without_audio_has_a_button_that_turns_audio_on(panel):
    screen = panel("""{"prompt": 'He says "I am home."'}""")
    screen.root.get_by_role("button", name="Turn audio on").click()
    screen.kernel_says("panel.fields['generate_audio']", "True")
    expect(screen.problem("prompt")).to_have_count(0)


def test_refused_content_is_shown_at_the_image_that_the_hub_names(panel):
    screen = panel('{"prompt": "@Image1 and @Image2", "input_image": [RED, BLUE]}')
    screen.generate.click()
    screen.kernel_says("len(studio.started)", "1")
    screen.ask("studio.started[0].fail('body.image_urls.1: flagged by a content checker', kind='moderation')")

    expect(screen.problem("input_image.1")).to_contain_text("change what it says or shows")

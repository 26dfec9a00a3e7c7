"""Composing under a real mouse and keyboard: undo, the time line, other input methods, mends, kept things."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

THREE = '{"multi_prompt": [{"prompt": p, "duration": d} for p, d in (("one", 3), ("two", 4), ("three", 5))]}'
LENGTHS = "[shot['duration'] for shot in panel.fields['multi_prompt']]"


def test_undo_goes_back_over_the_whole_form_and_keeps_the_texts_own(panel, page):
    screen = panel('{"prompt": "Start", "input_image": [RED, BLUE]}')
    undo = screen.root.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()

    screen.tiles.nth(0).focus()
    page.keyboard.press("Delete")
    screen.prompt.click()
    page.keyboard.press("End")
    page.keyboard.type(" here")
    page.keyboard.press("Control+z")  # the text's own
    expect(screen.prompt).to_have_value("Start")
    expect(screen.tiles).to_have_count(1)
    page.keyboard.press("Control+z")  # nothing of this text is left to undo: the form's
    expect(screen.tiles).to_have_count(2)
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    expect(screen.tiles).to_have_count(1)
    expect(screen.prompt).to_have_value("Start here")

    screen.root.get_by_role("radio", name="Shots").check()
    screen.root.get_by_role("button", name="Add a shot").click()
    for _ in range(3):
        undo.click()
    expect(screen.root.get_by_role("radio", name="One prompt")).to_be_checked()
    undo.click()
    expect(undo).to_be_disabled()
    screen.kernel_says("(panel.fields['prompt'], len(panel.fields['input_image']))", "('Start', 2)")


def test_a_fill_from_python_can_be_undone(panel):
    screen = panel('{"prompt": "Mine"}')
    screen.ask("panel.fill({'prompt': 'From Python'})")
    expect(screen.prompt).to_have_value("From Python")

    screen.root.get_by_role("button", name="Undo").click()

    expect(screen.prompt).to_have_value("Mine")
    screen.kernel_says("panel.fields['prompt']", "'Mine'")


def test_boundaries_between_shots_are_dragged_and_moved_with_keys(panel, page):
    screen = panel(THREE)
    first = screen.root.get_by_role("separator", name="End of shot 1")
    track = screen.root.locator(".kn-track").bounding_box()
    edge = first.bounding_box()

    page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + 10)
    page.mouse.down()
    for share in (0.28, 0.3, 0.33):
        page.mouse.move(track["x"] + track["width"] * share, edge["y"] + 12)
    page.mouse.up()
    screen.kernel_says(LENGTHS, "[5, 2, 5]")
    expect(first).to_have_attribute("aria-valuenow", "5")

    page.keyboard.press("ArrowLeft")
    last = screen.root.get_by_role("separator", name="End of shot 3")
    last.press("End")
    screen.kernel_says(LENGTHS, "[4, 3, 8]")
    expect(screen.root.locator(".kn-total")).to_have_text("15 / 15 s")
    expect(last).to_have_attribute("aria-valuetext", "Shot 3 lasts 8 s, 15 s in all")

    screen.root.get_by_role("button", name="Split in two").nth(2).click()
    screen.kernel_says(LENGTHS, "[4, 3, 4, 4]")
    screen.root.get_by_role("button", name="Undo").click()
    screen.root.get_by_role("button", name="Undo").click()
    screen.kernel_says(LENGTHS, "[4, 3, 5]")


def test_nothing_is_completed_while_an_input_method_composes(panel, page):
    screen = panel('{"input_image": [RED]}')
    screen.prompt.click()
    keys = page.context.new_cdp_session(page)
    options = screen.root.get_by_role("option")

    page.keyboard.type("看 @")
    expect(options).to_have_count(1)
    keys.send("Input.imeSetComposition", {"text": "zhong", "selectionStart": 5, "selectionEnd": 5})
    expect(options.first).to_be_hidden()
    page.keyboard.press("Enter")  # belongs to the input method, and picks nothing
    keys.send("Input.insertText", {"text": "中"})
    expect(screen.prompt).to_have_value("看 @中")
    page.keyboard.type(" @Im")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")

    expect(screen.prompt).to_have_value("看 @中 @Image1 ")
    screen.kernel_says("panel.fields['prompt']", "'看 @中 @Image1 '")

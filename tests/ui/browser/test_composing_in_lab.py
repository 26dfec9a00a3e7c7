"""Composing with a real mouse and keyboard: undo, timeline, input methods, image fitting, presets and elements."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

THREE = '{"multi_prompt": [{"prompt": p, "duration": d} for p, d in (("one", 3), ("two", 4), ("three", 5))]}'
LENGTHS = "[shot['duration'] for shot in panel.fields['multi_prompt']]"


def test_undo_covers_the_whole_form_including_text(panel, page):
    screen = panel('{"prompt": "Start", "input_image": [RED, BLUE]}')
    undo = screen.root.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()

    screen.tiles.nth(0).focus()
    page.keyboard.press("Delete")
    screen.prompt.click()
    page.keyboard.press("Home")
    page.keyboard.insert_text("At the ")
    expect(screen.prompt).to_have_value("At the Start")
    page.keyboard.press("Control+z")
    expect(screen.prompt).to_have_value("Start")
    expect(screen.tiles).to_have_count(1)
    assert screen.prompt.evaluate("(area) => area.selectionStart") == 0  # the caret is at the change
    page.keyboard.press("Control+z")
    expect(screen.tiles).to_have_count(2)
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    expect(screen.tiles).to_have_count(1)
    expect(screen.prompt).to_have_value("At the Start")

    screen.root.get_by_role("radio", name="Shots").check()
    screen.root.get_by_role("button", name="Add shot").click()
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


def test_boundaries_between_shots_are_moved_by_mouse_and_keyboard(panel, page):
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
    expect(last).to_have_attribute("aria-valuetext", "Shot 3 lasts 8 s, 15 s in total")

    screen.root.get_by_role("button", name="Split shot").nth(2).click()
    screen.kernel_says(LENGTHS, "[4, 3, 4, 4]")
    screen.root.get_by_role("button", name="Undo").click()
    screen.root.get_by_role("button", name="Undo").click()
    screen.kernel_says(LENGTHS, "[4, 3, 5]")

    grips = screen.root.locator(".kn-grip")
    grips.nth(2).drag_to(grips.nth(0))
    screen.kernel_says(LENGTHS, "[5, 4, 3]")
    screen.root.get_by_role("button", name="Duplicate shot").nth(2).click()
    screen.kernel_says(LENGTHS, "[5, 4, 3, 3]")


def test_blocks_on_the_timeline_are_moved_by_mouse_and_keyboard(panel, page):
    screen = panel(THREE)
    blocks = screen.root.locator(".kn-block")
    track = screen.root.locator(".kn-track").bounding_box()
    at = lambda second: (track["x"] + track["width"] * second / 15, track["y"] + 15)  # noqa: E731

    page.mouse.move(*at(10))
    page.mouse.down()
    for second in (9, 8, 6.5):
        page.mouse.move(*at(second))
    expect(screen.root.locator(".kn-shot textarea").nth(0)).to_have_value("one")  # nothing changes before the drop
    page.mouse.up()
    screen.kernel_says(LENGTHS, "[3, 5, 4]")
    expect(screen.root.get_by_text("Shot 3 is now shot 2.")).to_be_attached()
    expect(screen.root.locator(".kn-shot textarea").nth(1)).to_have_value("three")

    page.keyboard.press("Alt+ArrowLeft")  # the dragged block has the focus, and keeps it
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+End")
    screen.kernel_says(LENGTHS, "[5, 4, 3]")
    expect(blocks.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(screen.root.get_by_role("textbox", name="Prompt for shot 3")).to_be_focused()
    expect(screen.root.get_by_role("textbox", name="Prompt for shot 3")).to_have_value("one")

    page.mouse.move(*at(1))
    page.mouse.down()
    page.mouse.move(*at(14))
    page.keyboard.press("Escape")
    page.mouse.up()
    screen.root.get_by_role("button", name="Undo").click()
    screen.kernel_says(LENGTHS, "[5, 3, 4]")  # Escape cancelled the drag, so Undo undoes the step before


def test_completion_is_off_while_an_input_method_composes(panel, page):
    screen = panel('{"input_image": [RED]}')
    screen.prompt.click()
    keys = page.context.new_cdp_session(page)
    options = screen.root.get_by_role("option")

    page.keyboard.type("看 @")
    expect(options).to_have_count(1)
    keys.send("Input.imeSetComposition", {"text": "zhong", "selectionStart": 5, "selectionEnd": 5})
    expect(options.first).to_be_hidden()
    # This Enter belongs to the input method (key code 229) and chooses nothing.
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    keys.send("Input.insertText", {"text": "中"})
    expect(screen.prompt).to_have_value("看 @中")
    page.keyboard.type(" @Im")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")

    expect(screen.prompt).to_have_value("看 @中 @Image1 ")
    screen.kernel_says("panel.fields['prompt']", "'看 @中 @Image1 '")


def test_an_image_that_breaks_a_rule_is_fitted_with_one_click(panel, page):
    screen = panel('{"prompt": "@Image1 unrolls"}')
    screen.add_image(".kn-references", "banner.png", size=(1200, 300))
    tile = screen.tiles.first
    expect(tile).to_contain_text("too wide")

    tile.get_by_role("button", name="Fit banner.png").click()
    box = screen.root.get_by_role("group", name="Fit image")
    expect(box).to_contain_text("@Image1 · banner.png")
    expect(box).to_contain_text("1200 × 300 px")
    expect(box).to_contain_text("1200 × 480 px")
    tile.press("Delete")
    expect(box).to_be_hidden()  # it closes when its image is removed, and stays closed
    screen.root.get_by_role("button", name="Undo").click()
    expect(box).to_be_hidden()
    tile.get_by_role("button", name="Fit banner.png").click()
    box.get_by_role("button", name="Use fitted image").click()

    expect(tile).not_to_contain_text("too wide")
    expect(screen.generate).to_be_enabled()
    screen.kernel_says("panel.request.input_image[0].fixes", "('padded from 1200×300 to 1200×480 px',)")
    expect(tile).to_be_focused()
    page.keyboard.press("Control+z")
    expect(tile).to_contain_text("too wide")

    screen.add_image(".kn-references", "dot.png", size=(90, 90))
    expect(screen.tiles.nth(1)).to_contain_text("too small")
    expect(screen.tiles.nth(1).get_by_role("button", name="Fit")).to_have_count(0)


def test_presets_and_elements_are_saved_and_loaded(panel, page):
    screen = panel('{"prompt": "@Element1 walks", "elements": [{"frontal_image_url": RED}]}')
    menu, button = (screen.root.get_by_role(role, name="Presets", exact=True) for role in ("group", "button"))
    button.click()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    button.press("Enter")
    page.keyboard.type("<b>walk</b>")
    page.keyboard.press("Enter")
    expect(menu.get_by_role("listitem")).to_contain_text("<b>walk</b>@Element1 walks")
    menu.get_by_role("button", name="Rename").click()
    page.keyboard.type("stroll")
    page.keyboard.press("Enter")
    expect(menu.get_by_role("listitem")).to_contain_text("stroll")

    screen.root.locator("summary", has_text="Elements").click()
    screen.root.get_by_role("button", name="Save to library").click()
    page.keyboard.type("mara")
    page.keyboard.press("Enter")
    screen.root.get_by_role("button", name="From the library").click()
    screen.root.get_by_role("group", name="From the library").locator(".kn-library-load", has_text="mara").click()
    expect(screen.root.locator(".kn-element-name")).to_have_text(["@Element1 · mara", "@Element2 · mara"])
    screen.kernel_says("panel.fields['elements'][1]['frontal_image_url'].data == RED", "True")

    screen.prompt.fill("Something else")
    menu.locator(".kn-library-load", has_text="stroll").click()
    expect(screen.prompt).to_have_value("@Element1 walks")
    expect(screen.root.locator(".kn-element")).to_have_count(1)
    screen.root.get_by_role("button", name="Remove element").press("Enter")
    expect(screen.root.get_by_role("button", name="Add element")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(screen.root.locator(".kn-element")).to_have_count(1)
    button.click()
    menu.get_by_role("button", name="Delete stroll").click()
    menu.get_by_role("button", name="Delete", exact=True).click()
    expect(menu).to_contain_text("No presets yet")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_a_pasted_script_becomes_shots_and_undo_takes_it_back(panel, page):
    screen = panel('{"prompt": "Mine"}')
    screen.root.get_by_role("button", name="Paste a script").click()
    page.keyboard.insert_text("[0-3s] A cat wakes. [3-7s] It leaves.")
    page.keyboard.press("Control+Enter")
    expect(screen.root.locator(".kn-shot")).to_have_count(2)
    expect(screen.root.locator(".kn-script-notes li").first).to_contain_text("2 shots, 7 s")
    screen.kernel_says(LENGTHS, "[3, 4]")

    screen.root.get_by_role("button", name="Undo this").click()

    expect(screen.prompt).to_have_value("Mine")
    screen.kernel_says("panel.fields['prompt']", "'Mine'")


def test_words_come_by_slash_and_by_click_and_an_example_can_be_undone(panel, page):
    screen = panel('{"prompt": "A cat"}')
    screen.prompt.click()
    page.keyboard.press("End")
    page.keyboard.insert_text(", ")
    page.keyboard.type("/golden")
    page.keyboard.press("Enter")
    expect(screen.prompt).to_have_value("A cat, golden hour ")
    screen.root.get_by_role("button", name="Help", exact=True).click()
    screen.root.get_by_role("radio", name="Words").check(force=True)
    screen.root.get_by_role("button", name="pan left").click()
    expect(screen.prompt).to_have_value("A cat, golden hour pan left")

    screen.root.get_by_role("button", name="Help", exact=True).focus()
    page.keyboard.press("?")
    expect(screen.root.get_by_role("radio", name="Shortcuts")).to_be_checked()
    screen.root.get_by_role("radio", name="Examples").check(force=True)
    screen.root.get_by_role("button", name="From day to night").click()
    expect(screen.prompt).to_have_value(re.compile("sun sets"))
    screen.root.get_by_role("button", name="Undo (").click()
    expect(screen.prompt).to_have_value("A cat, golden hour pan left")

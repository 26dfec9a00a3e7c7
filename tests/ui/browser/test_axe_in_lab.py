"""axe-core finds no serious violation in the panel, in either theme."""

from __future__ import annotations

import pytest
from axe import violations
from lab import set_theme
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FULL = """{
    "multi_prompt": [{"prompt": "@Image3 walks in", "duration": 9}, {"prompt": "", "duration": 9}],
    "input_image": [RED, BLUE], "tail_image_url": GREEN, "negative_prompt": "blur",
    "elements": [{"frontal_image_url": RED}],
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_full_panel_has_no_serious_violation(panel, page, theme):
    screen = panel(FULL)
    set_theme(page, theme)
    for fold in screen.root.locator("details > summary").all():
        fold.click()
    screen.root.locator(".kn-model").click()
    expect(screen.root.get_by_role("option").first).to_be_visible()
    expect(screen.root.locator(".kn-problem").first).to_be_visible()
    try:
        assert violations(page, ".jp-NotebookPanel:not(.lm-mod-hidden) .kn-panel") == []
    finally:
        set_theme(page, "light")

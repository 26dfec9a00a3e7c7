"""The request as code and pasted code as a request, with a real mouse and keyboard."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_code_follows_the_form_while_it_is_open(panel, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen = panel('{"prompt": "a kite"}')
    code = screen.root.get_by_role("region", name="Request as code")
    screen.kernel_says("studio.__setattr__('coded', 0)", "None")
    screen.prompt.fill("a <b>red</b> kite & <script>alert(1)</script>")
    screen.kernel_says("panel.fields['prompt']", "'a <b>red</b> kite & <script>alert(1)</script>'")
    screen.kernel_says("studio.coded", "0")  # the fold is closed, so no code is requested

    screen.root.locator("summary", has_text="Code").click()
    expect(code).to_contain_text('kn.generate("a <b>red</b> kite & <script>alert(1)</script>", duration=5)')
    expect(screen.root.get_by_role("radiogroup", name="How to wait for the clip")).to_be_hidden()
    screen.root.get_by_role("radio", name="cURL").check()
    expect(code).to_contain_text("curl -sS -X POST")
    screen.root.get_by_role("radio", name="One call").check()
    expect(code).to_contain_text("/api/ai/videos/generate")
    screen.prompt.fill("a blue kite")
    expect(code).to_contain_text('"prompt": "a blue kite"')
    assert code.locator("*").count() == 0

    screen.root.get_by_role("button", name="Copy").click()
    expect(screen.root.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == code.text_content()

    screen.prompt.fill("")
    expect(code).to_be_hidden()
    expect(screen.root.locator(".kn-code-note")).not_to_be_empty()


def test_pasted_code_fills_the_form_and_lists_what_was_left_out(panel):
    screen = panel("""'''curl https://hub.oxen.ai/api/ai/queue -H 'Authorization: Bearer sk-not-to-be-seen' \\\\
        -d '{"prompt": "a kite", "duration": 9, "seed": "<b>3</b>"}' '''""")

    expect(screen.prompt).to_have_value("a kite")
    expect(screen.root.locator(".kn-slider-value")).to_have_text("9 s")
    note = screen.root.get_by_role("note", name="Not filled in")
    expect(note.get_by_role("listitem")).to_have_text(["seed: the model has no such field"])
    assert "sk-not-to-be-seen" not in screen.root.inner_html()

    note.get_by_role("button", name="Dismiss").click()
    expect(note).to_be_hidden()

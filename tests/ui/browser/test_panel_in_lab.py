"""The panel with a real mouse and keyboard."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

IMAGE = io.BytesIO()
Image.new("RGB", (400, 300), "teal").save(IMAGE, "PNG")
TWO = '{"prompt": "@Image1 meets @Image2", "input_image": [RED, BLUE]}'


def test_a_prompt_is_written_with_completion(panel, page):
    screen = panel('{"input_image": [RED, BLUE]}')
    screen.prompt.click()
    page.keyboard.type("Look, @")
    expect(screen.root.get_by_role("option")).to_have_count(2)
    begun, offer = (screen.root.locator(part).bounding_box() for part in ("[data-caret]", ".kn-completion:visible"))
    assert abs(offer["x"] - begun["x"]) < 3  # below the @, not over the text
    assert 0 < offer["y"] - begun["y"] - begun["height"] < 10

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("waves to @Nobody")

    expect(screen.prompt).to_have_value("Look, @Image2 waves to @Nobody")
    expect(screen.root.locator(".kn-layer .kn-known").first).to_have_text("@Image2")
    expect(screen.root.locator(".kn-layer .kn-unknown").first).to_have_text("@Nobody")
    expect(screen.problem("prompt")).to_contain_text("@Nobody")
    screen.kernel_says("panel.fields['prompt']", "'Look, @Image2 waves to @Nobody'")


def test_problems_and_prices_follow_what_is_typed_and_chosen(panel, page):
    screen = panel()
    expect(screen.generate).to_be_disabled()
    provider = screen.root.get_by_label("Provider")

    screen.prompt.fill("A red kite")
    expect(screen.generate).to_be_enabled()
    expect(screen.generate).to_have_text("Generate · $1.12")
    expect(provider).to_be_hidden()  # there is one

    screen.ask("studio.offers.update(oxen='$1.12', fal='$0.56')")
    screen.prompt.fill("A blue kite")
    expect(provider.get_by_role("option")).to_have_text(["oxen · $1.12", "fal · $0.56"])
    provider.select_option("fal")
    expect(screen.generate).to_have_text("Generate · $0.56")
    expect(screen.root.get_by_text("Files are public there.")).to_be_visible()
    screen.kernel_says("panel.request.hub", "'fal'")
    screen.prompt.fill("x" * 2501)

    expect(screen.root.locator(".kn-problem[data-severity=error]")).to_contain_text("2,501")
    expect(screen.generate).to_be_disabled()


def test_images_are_added_by_drop_paste_file_chooser_and_url(panel, page):
    screen = panel()
    add = screen.root.get_by_role("button", name="Add images")

    screen.add_image(".kn-references", "face.png")
    expect(screen.tiles).to_have_count(1)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(400, 300);
            canvas.getContext('2d').fillRect(0, 0, 400, 300);
            await navigator.clipboard.write([new ClipboardItem({ 'image/png': await canvas.convertToBlob() })]);
        }"""
    )
    screen.prompt.click()
    page.keyboard.press("Control+v")
    expect(screen.tiles).to_have_count(2)
    expect(screen.tiles.nth(1).locator("img")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        add.click()
    chooser.value.set_files({"name": "hand.png", "mimeType": "image/png", "buffer": IMAGE.getvalue()})
    expect(screen.tiles).to_have_count(3)
    screen.root.get_by_label("Image URL or path").fill("https://pictures.invalid/sea.png")
    page.keyboard.press("Enter")
    expect(screen.tiles).to_have_count(4)

    said = "['face.png', 'image.png', 'hand.png', 'sea.png']"
    screen.kernel_says("[a.name for a in panel.fields['input_image']]", said)
    expect(screen.prompt).to_have_value("")


def test_an_image_that_is_too_small_is_marked(panel):
    screen = panel()

    screen.add_image(".kn-references", "dot.png", size=(20, 20))

    expect(screen.problem("input_image.0").first).to_contain_text("20×20")
    expect(screen.tiles.first).to_have_attribute("data-level", "error")


def test_fifty_megabytes_arrive_complete_and_a_bar_shows_their_progress(panel, page):
    screen = panel()
    screen.root.evaluate(
        """(root) => {
            const look = () => root.querySelectorAll('.kn-upload i').forEach((bar) => shown.add(bar.style.width));
            const shown = window.__bars = new Set();
            new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true });
        }"""
    )
    transfer = page.evaluate_handle(
        """() => {
            const data = new Uint8Array(50 * 1024 * 1024);
            for (let piece = 0; piece < 50; piece += 1) data[piece * 1024 * 1024] = piece;
            const transfer = new DataTransfer();
            transfer.items.add(new File([data], 'large.png', { type: 'image/png' }));
            return transfer;
        }"""
    )
    screen.root.locator(".kn-references").dispatch_event("drop", {"dataTransfer": transfer})

    expect(screen.problem("input_image.0").first).to_contain_text("large.png", timeout=120_000)
    screen.kernel_says("len(panel.fields['input_image'][0].data)", str(50 * 1024 * 1024))
    screen.kernel_says("list(panel.fields['input_image'][0].data[::1024 * 1024]) == list(range(50))", "True")
    shares = [float(width[:-1]) for width in page.evaluate("() => [...window.__bars]") if width]
    assert shares == sorted(shares)
    assert len(shares) == 49  # one for each piece except the last, which ends the upload


def test_mentions_follow_a_dragged_image(panel):
    screen = panel(TWO)

    screen.tiles.nth(0).drag_to(screen.tiles.nth(1))

    expect(screen.prompt).to_have_value("@Image2 meets @Image1")
    screen.kernel_says("panel.fields['input_image'][0].data == BLUE", "True")


def test_images_are_moved_and_removed_with_the_keyboard(panel, page):
    screen = panel(TWO)
    screen.tiles.nth(0).focus()

    page.keyboard.press("Alt+ArrowRight")
    expect(screen.prompt).to_have_value("@Image2 meets @Image1")
    page.keyboard.press("Delete")

    expect(screen.tiles).to_have_count(1)
    expect(screen.prompt).to_have_value("@Image meets @Image1")
    expect(screen.tiles.first).to_be_focused()  # the neighbour, so that the next key continues there
    screen.tiles.first.get_by_role("button", name="Remove").press("Enter")
    expect(screen.root.get_by_role("button", name="Add images")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(screen.tiles).to_have_count(1)


def test_an_invalid_path_shows_its_error_at_the_field_and_can_be_corrected(panel, page):
    screen = panel()
    line, error = screen.root.get_by_label("Image URL or path"), screen.root.get_by_role("alert")
    line.fill("no/such.png")
    page.keyboard.press("Enter")

    expect(error).to_contain_text("no/such.png")
    expect(line).to_have_value("no/such.png")
    assert error.bounding_box()["y"] - line.bounding_box()["y"] < 60
    line.fill("https://pictures.invalid/sea.png")
    page.keyboard.press("Enter")
    expect(screen.tiles).to_have_count(1)
    expect(line).to_have_value("")
    expect(error).to_be_hidden()


def test_shots_are_added_timed_and_moved(panel, page):
    screen = panel('{"prompt": "A harbour at dawn", "duration": 6}')
    screen.root.get_by_role("radio", name="Shots").check()
    screen.root.get_by_role("button", name="Add shot").click()
    page.keyboard.type("The boat leaves")
    expect(screen.root.locator(".kn-total")).to_have_text("11 / 15 s")
    expect(screen.root.locator(".kn-raised-note")).to_have_text(re.compile(r"^\$[\d.]+ before shot 2 "))

    for _ in range(5):
        screen.root.get_by_role("button", name="one second more").nth(1).click()
    expect(screen.root.locator(".kn-total")).to_have_attribute("data-level", "error")
    expect(screen.root.locator('.kn-problem[data-path="multi_prompt"]')).to_contain_text("16 s")
    page.keyboard.press("Alt+ArrowUp")
    screen.root.get_by_role("button", name="one second less").nth(0).click()

    expect(screen.generate).to_be_enabled()
    shots = "[(shot['prompt'], shot['duration']) for shot in panel.fields['multi_prompt']]"
    screen.kernel_says(shots, "[('The boat leaves', 9), ('A harbour at dawn', 6)]")

    screen.root.locator(".kn-shot").last.get_by_role("button", name="Remove").press("Enter")
    expect(screen.root.get_by_role("button", name="Shot 1. ")).to_be_focused()
    page.keyboard.press("Control+z")
    screen.kernel_says(shots, "[('The boat leaves', 9), ('A harbour at dawn', 6)]")


def test_a_problem_of_a_shot_is_shown_at_that_shot(panel):
    screen = panel('{"multi_prompt": [{"prompt": "@Image3 walks in", "duration": 3}, {"prompt": "", "duration": 3}]}')
    shots = screen.root.locator(".kn-shot")

    expect(shots.nth(0).locator(".kn-problem")).to_have_attribute("data-severity", "warning")
    expect(shots.nth(1).locator(".kn-problem")).to_have_attribute("data-severity", "error")


def test_a_double_click_generates_once(panel):
    screen = panel('{"prompt": "A red kite"}')

    screen.generate.dblclick()

    expect(screen.rows).to_have_count(1)
    screen.kernel_says("len(studio.started)", "1")


def test_an_error_when_generating_is_shown(panel):
    screen = panel('{"prompt": "A red kite"}')
    screen.ask("exec('from kling_nb.errors import CreditError; studio.fault = CreditError(\"You have run out.\")')")

    screen.generate.click()

    expect(screen.root.get_by_role("alert")).to_contain_text("You have run out.")
    expect(screen.generate).to_be_enabled()


def test_twenty_jobs_show_a_summary_and_the_few_that_matter_now(panel):
    screen = panel('{"prompt": "A red kite", "num_generations": 4}')
    for number in range(5):
        screen.prompt.fill(f"A red kite, take {number}")
        screen.generate.click()
        screen.kernel_says("len(panel.jobs)", str(4 * number + 4))
    screen.ask("studio.started[3].fail('No face was found.', 'Use a clearer portrait. ' * 80)")
    screen.ask("[job.become('succeeded') for job in studio.started[:18] if job.progress.status == 'queued']")

    expect(screen.root.locator(".kn-summary")).to_contain_text("2 queued · 17 done · 1 failed")
    expect(screen.rows).to_have_count(4)
    refused = screen.root.locator(".kn-row[data-status=failed]")
    expect(refused).to_contain_text("No face was found.")
    assert refused.bounding_box()["height"] < 130  # the card has the full text
    expect(screen.root.locator(".kn-row[data-status=queued]")).to_have_count(2)

    screen.root.get_by_role("button", name="Show all 20").click()
    expect(screen.rows).to_have_count(20)


def test_an_error_of_the_hub_is_shown_at_its_field_until_the_field_is_changed(panel):
    screen = panel('{"prompt": "A red kite", "negative_prompt": "blur"}')
    screen.generate.click()
    screen.kernel_says("len(studio.started)", "1")
    screen.ask("studio.started[0].fail('Value error, negative_prompt must not be used here.')")

    refused = screen.problem("negative_prompt").filter(has_text="Value error, negative_prompt must not be used here.")
    screen.root.get_by_role("button", name="2 warnings").click()  # opens the fold of the field
    expect(refused).to_be_visible()
    screen.root.get_by_role("textbox", name="Negative prompt").fill("haze")
    expect(refused).to_be_hidden()


def test_a_schema_that_differs_from_the_bundled_one_shows_the_changes(shown):
    screen = shown(
        "from kling_nb.hubs.catalogue import bundled\n"
        "MODEL = 'kling-video-o3-pro-image-to-video'\n"
        "schema = bundled()[MODEL].request_schema\n"
        "seed = {'type': 'integer', 'title': 'Seed', 'minimum': 0}\n"
        "fields = {**schema['properties'], 'seed': seed}\n"
        "del fields['aspect_ratio']\n"
        "studio.source.schemas[MODEL] = {**schema, 'properties': fields}\n"
        "panel = Panel(studio, {'model': MODEL, 'prompt': 'x', 'input_image': RED}); panel"
    )

    news = screen.root.get_by_role("note", name="Model changes")
    expect(news).to_contain_text("seed")
    expect(news).to_contain_text("aspect_ratio")
    if not (seed := screen.root.get_by_label("Seed", exact=True)).is_visible():
        screen.root.locator("summary", has_text="More settings").click()
    seed.fill("7")
    screen.kernel_says("panel.fields['seed']", "7")


def test_a_job_is_cancelled_after_a_question(panel):
    screen = panel('{"prompt": "A red kite"}')
    screen.generate.click()
    screen.rows.first.get_by_role("button", name="Cancel").click()
    expect(screen.root.get_by_text("It may still be billed")).to_be_visible()
    screen.ask("studio.started[0].become('queued', price='free')")
    expect(screen.root.get_by_text("Cancel this job?", exact=True)).to_be_visible()

    screen.root.get_by_role("button", name="Cancel job").click()

    expect(screen.rows.first).to_have_attribute("data-status", "cancelled")


#: Lab asks for a subshell when a widget appears; before that, a click waits until the cell has ended.
LISTENING = """() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  return [...kernel._comms.values()].every((comm) => comm.subshellId);
}"""


def test_a_click_works_while_a_cell_is_busy(panel, page):
    screen = panel('{"prompt": "A red kite"}', "import time\ntime.sleep(60)")
    page.wait_for_function(LISTENING)

    screen.notebook.run(2, wait=False)
    screen.generate.click()

    expect(screen.rows).to_have_count(1)


def test_a_finished_card_is_static_and_saved_in_the_notebook(panel):
    screen = panel('{"prompt": "A red kite"}')
    screen.generate.click()
    expect(screen.rows).to_have_count(1)

    screen.ask("studio.started[0].become('succeeded')")
    expect(screen.rows.first).to_have_attribute("data-status", "succeeded")
    expect(screen.rows.first.locator(".kn-row-time")).to_have_text(re.compile(r"^ in 0:0\d$"))
    expect(screen.page.locator(".stand-in-card")).to_have_count(1)

    saved = screen.notebook.save()["cells"][1]["outputs"]
    assert "stand-in-card" in saved[1]["data"]["text/html"]


def test_the_panel_survives_a_reload_during_a_job(panel, page):
    screen = panel(TWO)
    screen.prompt.fill("@Image2 alone")
    screen.generate.click()
    expect(screen.rows).to_have_count(1)
    screen.notebook.save()

    screen.notebook.reload()
    expect(screen.prompt).to_have_value("@Image2 alone")
    expect(screen.tiles.first.locator("img")).to_be_visible()
    screen.ask("studio.started[0].become('succeeded')")

    expect(screen.rows.first).to_have_attribute("data-status", "succeeded")
    expect(page.locator(".kn-late .stand-in-card")).to_be_visible()


def test_python_can_fill_the_panel_on_the_screen(panel):
    screen = panel()

    screen.ask("panel.fill({'prompt': 'From Python', 'duration': 9})")

    expect(screen.prompt).to_have_value("From Python")
    expect(screen.generate).to_have_text("Generate · $2.016")


def test_a_second_view_shows_the_same_draft(panel):
    screen = panel("{}", "panel")
    screen.notebook.run(2)
    second = screen.page.locator(".kn-panel").nth(1)

    screen.prompt.fill("Both see this")

    expect(second.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("Both see this")


def test_the_live_rows_of_a_cell_are_replaced_by_their_card(notebook, page):
    opened = notebook("job = Job('A red kite', engine=engine); view = display([job])")
    expect(page.locator(".kn-jobs-view .kn-row")).to_have_attribute("data-status", "queued")

    page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code: \"job.become('succeeded')\", silent: true}).done; }"
    )

    expect(page.locator(".stand-in-card")).to_have_count(1)
    data = opened.save()["cells"][1]["outputs"][0]["data"]
    assert set(data) == {"text/html", "text/plain", "application/vnd.kling-nb.record+json"}


def test_a_high_price_is_confirmed_and_a_second_enter_does_not_pay(panel, page):
    screen = panel('{"prompt": "A red kite"}')
    screen.ask("setattr(studio, 'threshold', __import__('decimal').Decimal(1))")
    question = screen.root.get_by_role("group", name="Confirm the price")

    screen.generate.focus()
    page.keyboard.press("Enter")
    expect(question).to_contain_text("$1.12")
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    screen.kernel_says("len(studio.started)", "0")

    screen.generate.click()
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    screen.generate.click()
    question.get_by_role("button", name="Generate for $1.12").click()
    expect(screen.rows).to_have_count(1)
    screen.kernel_says("len(studio.started)", "1")

"""`%%kling` and `%kling` in a real kernel: what they send, what they show, what Tab offers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hubside import HubSide, png_image

from kernels.kernelside import NEWEST, Cell, Kernel

# What IPython does with a magic is the same in every line of ipykernel.
pytestmark = [pytest.mark.kernel, pytest.mark.parametrize("line", [NEWEST], indirect=True)]


@pytest.fixture
def loaded(kernel: Kernel) -> Kernel:
    """A kernel with the magics, and two pictures beside its notebook."""
    for name in ("face.png", "side.png"):
        (kernel.folder / name).write_bytes(png_image())
    (kernel.folder / "more").mkdir(exist_ok=True)
    kernel.run("%load_ext kling_nb\nimport kling_nb as kn")
    return kernel


def shown(cell: Cell) -> list[dict[str, Any]]:
    return [m.content["data"] for m in cell.heard if m.kind in ("display_data", "execute_result")]


def said(cell: Cell) -> str:
    return "\n".join([*(data["text/plain"] for data in shown(cell)), cell.text])


def told(kernel: Kernel, expression: str) -> Any:
    return json.loads(kernel.run(f"import json; print(json.dumps({expression}))").text)


def test_a_cell_is_a_request_and_its_tags_stand_in_the_record(loaded: Kernel, hub: HubSide) -> None:
    loaded.run("seconds, who = 4, 'a fox'")
    cell = loaded.run(
        "%%kling duration={seconds} image=face.png image=side.png tag=walk tag='day one' into=clip --wait\n"
        "@Image1, {who}, wakes beside @Image2\n--- 3\nIt stretches."
    )
    assert hub.posts == 1
    record = told(loaded, "clip.record.model_dump(mode='json')")
    assert record["status"] == "succeeded"
    assert record["tags"] == ["walk", "day one"]
    assert [shot["duration"] for shot in record["canonical"]["multi_prompt"]] == [4, 3]
    assert record["canonical"]["multi_prompt"][0]["prompt"] == "@Image1, a fox, wakes beside @Image2"
    assert [reference["name"] for reference in record["references"]] == ["face.png", "side.png"]
    _rows, _note = shown(cell)  # the rows, which become the card, and what to do should the kernel end
    assert "<video" in loaded.cards()[-1]

    assert "Nothing spent" in shown(loaded.run("%kling spending tag"))[0]["text/plain"]  # the local hub is free
    assert record["id"] in shown(loaded.run("%kling log tag='day one' stretches"))[0]["text/plain"]


def test_dry_says_what_is_wrong_and_what_it_costs_and_sends_nothing(loaded: Kernel, hub: HubSide) -> None:
    sound = said(loaded.run("%%kling duration=5 --dry\nA kite"))
    faulty = said(loaded.run("%%kling duration=2 --dry\n@Image3 waves"))
    loaded.run("seconds = 2.5")
    odd = said(loaded.run("%%kling duration=5 --dry\nA kite, {seconds:.0f} s, {so it goes}"))
    assert "{so it goes} is not a Python expression" in odd
    assert "{seconds" not in odd
    assert "No problems" in sound
    assert "free" in sound
    assert "5 s" in sound
    assert "2 s is too short" in faulty
    assert "@Image3" in faulty
    assert hub.posts == 0


def test_what_cannot_be_read_is_one_error_that_lists_it_all(loaded: Kernel, hub: HubSide) -> None:
    cell = loaded.ended(loaded.send("%%kling duraton=5 audio=maybe element=nobody\nA {lens} kite"))
    assert cell.error == "RequestError"
    assert cell.traceback.splitlines() == [
        "RequestError: nothing was sent",
        "  ✗ duraton: unknown option – did you mean duration?",
        "  ✗ audio: must be on or off, got 'maybe' – write on or off",
        "  ✗ prompt: {lens} is not defined – define it, or write {{lens}} to keep it as text",
    ]
    unknown = loaded.ended(loaded.send("%%kling element=nobody\n@Element1 waves"))
    assert "No element is named 'nobody'" in unknown.traceback
    assert hub.posts == 0


def test_a_job_that_fails_fails_the_cell_that_waits(loaded: Kernel, hub: HubSide) -> None:
    hub.fault("failed", times=1, message="The prompt was refused by the provider's safety check.")
    cell = loaded.ended(loaded.send("%%kling duration=3 --wait\nA kite that falls"))
    assert cell.error == "JobFailed"
    assert len(cell.traceback.splitlines()) == 1
    assert "safety check" in cell.traceback


def test_a_preview_is_free_and_not_a_result(loaded: Kernel) -> None:
    loaded.run("%%kling duration=3 count=2 tag=look into=draft --preview --wait\nA kite to look at")
    assert told(loaded, "[draft.record.kind, list(draft.record.tags), draft.record.generations]") == [
        "preview",
        ["look"],
        1,
    ]


def test_tab_offers_options_flags_models_tags_elements_and_files(loaded: Kernel) -> None:
    loaded.run("kn.elements['mara'] = kn.Element(frontal_image_url='face.png')")
    loaded.run("%%kling duration=3 tag=harbour --wait\nA harbour")
    cases = {
        "%%kling dur": "%%kling duration=",
        "%%kling duration=5 --d": "%%kling duration=5 --dry",
        "%%kling aspect=16": "%%kling aspect=16:9",
        "%%kling aspect=16:": "%%kling aspect=16:9",
        "%%kling audio=o": "%%kling audio=on",
        "%%kling model=kling-video-o3-o": "%%kling model=kling-video-o3-omni",
        "%%kling model=kling-video-o3-omni resol": "%%kling model=kling-video-o3-omni resolution=",
        "%%kling tag=har": "%%kling tag=harbour",
        "%%kling element=ma": "%%kling element=mara",
        "%%kling element=face.png,si": "%%kling element=face.png,side.png",
        "%%kling image=./fa": "%%kling image=./face.png",
        "%%kling image=mo": "%%kling image=more/",
        "%kling spen": "%kling spending",
        "%kling spending n": "%kling spending notebook",
        "%kling log tag=ha": "%kling log tag=harbour",
    }
    assert {line: loaded.completed(line)[:1] for line in cases} == {line: [whole] for line, whole in cases.items()}
    assert loaded.completed("%%kling duration=1") == [f"%%kling duration={n}" for n in range(10, 16)]


def test_the_bare_line_lists_every_option(loaded: Kernel) -> None:
    said = loaded.run("%kling").text
    assert all(word in said for word in ("duration=", "--dry", "generate_audio=", "%%kling"))

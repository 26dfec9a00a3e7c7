"""The texts of the panel, the gallery and the saved items, in one file: `tests/texts/views.txt`."""

import asyncio
import itertools
from decimal import Decimal
from types import SimpleNamespace

import pytest
from gallery_stand import Stand
from stand_in import Clock, Studio, png

from kling_nb.errors import KlingError, Unreachable
from kling_nb.ui.panel.controller import PanelController
from kling_nb.ui.panel.panel import Panel
from kling_nb.ui.panel.saved import SavedController
from tests.support.frontend import FakeFrontend
from tests.support.texts import assert_texts

TARGET = "kling-video-o3-pro-reference-to-video"


def test_the_texts_of_views(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = panel_texts() | banner_texts() | library_texts() | gallery_texts(tmp_path)
    assert_texts("views", texts)


def panel_texts():
    studio, clock = Studio(), itertools.count(0, 60)
    shots = [{"prompt": "one", "duration": 3}]
    panel = Panel(studio, {"prompt": "a kite", "multi_prompt": shots}, clock=lambda: next(clock))
    page, texts = FakeFrontend(panel), {}
    texts["prompt and shots"] = "\n".join(panel.widget.notes)
    texts["repr"] = repr(panel)
    page.press(price="$9.99")
    texts["another price"] = page.alert
    studio.threshold = Decimal("0.50")
    page.press(id="p2")
    texts["confirmation"] = page.replies[-1]["question"]
    page.edit(num_generations=3)
    page.press(id="p3")
    texts["confirmation of several"] = page.replies[-1]["question"]
    page.edit(prompt="")
    page.press(id="p4")
    texts["invalid request"] = page.alert
    texts["code of an invalid request"] = page.ask("code")["notes"][0]
    panel.fill('kn.generate("@Image1", input_image=["gone.png"])')
    texts["missing image in pasted code"] = "\n".join(panel.widget.notes)
    page.say("piece", id="u", piece=3)
    texts["interrupted upload"] = page.replies[-1]["reason"]
    page.say("piece", buffers=[b"x" * 9], id="u", size=1, piece=0)
    texts["damaged upload"] = page.replies[-1]["reason"]
    texts["image of another panel"] = page.ask("fit", key="a99")["reason"]
    no_frames = Panel(Studio(), {"model": "kling-video-o3-pro-text-to-video", "prompt": "x"})
    texts["model without a start frame"] = error_of(lambda: no_frames.set_start_frame(None))
    withdrawn = Studio()
    withdrawn.source.gone = {TARGET}
    texts["withdrawn model"] = str(Panel(withdrawn, {"prompt": "x"}).problems[0])
    return texts


def banner_texts():
    async def silent():
        raise Unreachable("The hub does not answer.")

    async def models():
        return []

    texts = {}
    for name, local, answer in (
        ("local hub", True, models),
        ("live hub", False, models),
        ("silent hub", False, silent),
    ):
        settings = SimpleNamespace(local=local, hub="https://hub.oxen.ai")
        selected = SimpleNamespace(title="hub.oxen.ai", key_source="the environment variable OXEN_API_KEY")
        session = SimpleNamespace(
            settings=settings,
            loop=SimpleNamespace(submit=asyncio.run),
            connection=SimpleNamespace(catalogue=SimpleNamespace(models=answer), selected=selected),
            store=None,
            display=SimpleNamespace(links=None),
            other_log_with=None,
        )
        banners = []
        PanelController(session).watch_hub(banners.append)
        texts[name] = "\n".join(f"{banner.text} ({banner.detail})" for banner in banners)
    return texts


def library_texts():
    saved = Studio().saved
    presets, elements = saved.presets, saved.elements
    presets["walk"] = {"prompt": "@Image1 walks", "input_image": [png()], "duration": 5, "aspect_ratio": "16:9"}
    presets["story"] = {"multi_prompt": [{"prompt": "one", "duration": 3}, {"prompt": "two", "duration": 4}]}
    elements["cup"] = png()
    elements["mara"] = {"frontal_image_url": png(), "reference_image_urls": [png("blue")]}
    return {
        "presets": "\n".join(f"{row.name}: {row.text} ({row.note})" for row in presets.rows()),
        "elements": "\n".join(f"{row.name}: {row.note}" for row in elements.rows()),
        "wrong name": error_of(lambda: presets.__setitem__("", {})),
        "wrong value": error_of(lambda: presets.__setitem__("x", 3)),
        "taken name": error_of(lambda: presets.rename("walk", "story")),
        "missing preset": error_of(lambda: presets["run"]),
    }


def gallery_texts(tmp_path):
    stand = Stand(tmp_path / "log", 12)
    page, texts = FakeFrontend(stand.gallery(clock=Clock())), {}
    page.say("generate", id="p", ids=["job00000"], price="$0.10")
    texts["another price in the gallery"] = page.alert
    page.say("compare", ids=["job00000", "job00009"])
    texts["comparison without a clip"] = page.alert
    texts["comparison of one"] = error_of(lambda: stand.controller.comparison(stand.controller.records(["job00000"])))
    stand.log.file(stand.clips[0].digest).unlink()
    texts["missing clip"] = page.say("clip", id="job00000", call="c")["reason"]
    saved = SavedController(None, None, stand.log, None)
    texts["missing clip of a frame"] = error_of(lambda: saved.frame("job00000", 0))
    stand.log.close()
    return texts


def error_of(act):
    with pytest.raises((KlingError, KeyError)) as caught:
        act()
    return str(caught.value)

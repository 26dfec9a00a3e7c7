"""What a person feels of the workbench, in JupyterLab and a real browser: typing, opening, looking, comparing."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.hub import BenchHub
from benchmarks.logbook import index, poster, record_of
from benchmarks.table import LeftOut, Row
from kling_nb.models.record import File, Record
from kling_nb.models.urls import sha256
from kling_nb.store.log import Log

_SCRIPTS = Path(__file__).with_suffix(".js").read_text("utf-8").partition("\n")[2].strip()
_IMAGES = Path(__file__).resolve().parents[1] / "notebooks" / "images"
_RECORDS = 2000
_FRAME = 1000 / 24

_SETUP = """import json
import kling_nb as kn
from ipywidgets import Button, Dropdown, FileUpload, HTML, IntSlider, Textarea, ToggleButtons, VBox
from IPython.display import HTML as Html
def plain():
    area, button = Textarea(placeholder="Prompt"), Button(description="Generate", disabled=True)
    button.add_class("plain")
    area.observe(lambda change: setattr(button, "disabled", not change.new.strip()), "value")
    return VBox([area, FileUpload(multiple=True), ToggleButtons(options=["16:9", "9:16", "1:1"]),
                 IntSlider(5, 3, 15), Dropdown(options=[1, 2, 3, 4]), HTML("$1.12"), button])
takes = kn.gather(*(kn.generate(f"@Image1 walks, take {n}", input_image=["images/cat.jpg"], duration=5)
                    for n in range(3))).result()"""
#: A storyboard whose last shot is still to be written.
_PANEL = """kn.panel({
    "multi_prompt": [
        {"prompt": "Close-up of @Image1, ears up: it has heard something", "duration": 2},
        {"prompt": "@Image2 on a wooden table, steam rises", "duration": 2},
        {"prompt": "", "duration": 3},
    ],
    "input_image": ["images/cat.jpg", "images/coffee.jpg"],
})"""
_BARE = """Html("".join(f"<video src='{take.path.relative_to(take.path.cwd())}' muted width=300></video>"
                     for take in takes))"""
_WHOLE = """Html("".join(f"<p><img src='{poster}' width=160><br>{words}</p>"
                     for poster, words in json.load(open("many.json"))))"""
_SETTING, _OURS, _PLAIN, _COMPARE, _VIDEOS, _MANY, _GALLERY, _SHEET = range(8)
_CELLS = (_SETUP, _PANEL, "plain()", "kn.compare(takes)", _BARE, "kn.configure(log='many')", "kn.gallery()", _WHOLE)
_PROMPT, _GENERATE = ".kn-shot:last-child textarea", ".kn-primary"
_AREA, _BUTTON = "textarea", ".plain"


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Measure one after the other in one notebook. Raises `LeftOut` without a browser."""
    from tests.lab import Lab, chromium

    if chromium() is None:
        raise LeftOut("there is no Chromium on this machine")
    folder.mkdir(parents=True)
    shutil.copytree(_IMAGES, folder / "images")
    _records(folder)
    state = folder / "state"
    with (
        BenchHub(state / "kling_nb" / "localhub", takes=1.0, size="720p"),
        Lab.started(folder, env={"XDG_STATE_HOME": str(state), "HOME": str(folder)}) as lab,
    ):
        bench = _Bench(lab)
        bench.notebook.run(_SETTING)
        yield from _opening(bench, 3 if quick else 9)
        yield from _typing(bench, 10 if quick else 40)
        yield from _comparing(bench, 3.5)
        bench.notebook.run(_MANY)
        yield from _looking(bench, 2 if quick else 5)
        bench.notebook.close()


class _Bench:
    """One notebook in one page, and what goes through the page's websockets."""

    def __init__(self, lab: Any) -> None:
        self.page = lab.page
        self.sent: list[int] = []
        self.received: list[int] = []
        self.page.on("websocket", self._listen)
        self.notebook = lab.notebook(*_CELLS, name="workbench.ipynb")

    def ask(self, script: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"(given) => {_SCRIPTS}.{script}(given)", list(arguments))

    def shown(self, cell: int, selector: str, words: str = "") -> float:
        """Milliseconds from running a cell to something of it on the screen."""
        return self.ask("shown", cell, selector, words)

    @contextlib.contextmanager
    def typing(self, cell: int, field: str, button: str) -> Iterator[list[float]]:
        self.ask("watch", cell, field, button)
        waits: list[float] = []
        yield waits
        waits += self.page.evaluate("() => window.__waits")

    def _listen(self, socket: Any) -> None:
        socket.on("framesent", lambda frame: self.sent.append(len(frame)))
        socket.on("framereceived", lambda frame: self.received.append(len(frame)))

    def memory(self) -> float:
        """Megabytes that the browser's pages hold, by the system's own count."""
        session = self.page.context.browser.new_browser_cdp_session()
        page = self.page.context.new_cdp_session(self.page)
        page.send("HeapProfiler.collectGarbage")
        running = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(_held(one["id"]) for one in running if one["type"] == "renderer") / 1024


def _opening(bench: _Bench, times: int) -> Iterator[Row]:
    """A panel with two pictures and three shots; one was shown before, so that kernel and page are warm."""
    ours, plain = (list[float](), list[float]())
    for _ in range(times + 1):
        ours.append(bench.shown(_OURS, ".kn-primary", "Generate · "))
        plain.append(bench.shown(_PLAIN, _BUTTON))
    what = "cell to usable panel, warm kernel"
    yield Row(what, median(ours[1:]), "ms", median(plain[1:]), "seven plain ipywidgets", aim=400)


def _typing(bench: _Bench, times: int) -> Iterator[Row]:
    """Real keys, one after the other; and then a sentence, as fast as people type, for what goes over the wire."""
    seen: dict[int, tuple[list[float], float, float]] = {}
    for cell, field, button, shown in (
        (_OURS, _PROMPT, _GENERATE, "Generate · "),
        (_PLAIN, _AREA, _BUTTON, ""),
    ):
        bench.shown(cell, button, shown)
        with bench.typing(cell, field, button) as waits:
            for _ in range(times):
                for key in ("x", "Backspace"):
                    bench.page.keyboard.press(key)
                    bench.page.wait_for_timeout(150)
        sentence = "The cat sniffs at the cup and leans back. " * 2
        bench.page.wait_for_timeout(1500)
        before = len(bench.sent), sum(bench.sent) + sum(bench.received)
        bench.page.keyboard.type(sentence, delay=90)
        bench.page.wait_for_timeout(1500)
        messages, volume = len(bench.sent) - before[0], sum(bench.sent) + sum(bench.received) - before[1]
        seen[cell] = (sorted(waits), messages / len(sentence), volume / len(sentence) / 1024)
    ours, plain = seen[_OURS], seen[_PLAIN]
    against = "ipywidgets.Textarea"
    yield Row("keystroke to verdict, median", median(ours[0]), "ms", median(plain[0]), against, aim=100)
    yield Row("keystroke to verdict, 95 of 100", _most(ours[0]), "ms", _most(plain[0]), against)
    yield Row("messages to the kernel for each keystroke", ours[1], "", plain[1], against, aim=1)
    yield Row("bytes both ways for each keystroke", ours[2], "KB", plain[2], against)


def _comparing(bench: _Bench, seconds: float) -> Iterator[Row]:
    """Three clips of 5 s at 720p, how far apart their times are while they play."""
    drifts: dict[int, list[float]] = {}
    for cell, ready, videos in ((_COMPARE, ".kn-compare[data-ready]", ".kn-stage video"), (_VIDEOS, "video", "video")):
        bench.shown(cell, ready)
        root = bench.page.locator(".jp-Notebook .jp-Cell").nth(cell)
        if cell == _COMPARE:
            root.get_by_role("button", name="Play (space)").click()
        else:
            root.scroll_into_view_if_needed()
            bench.ask("play", cell)
        drifts[cell] = bench.ask("drift", cell, videos, seconds)
    ours, bare = drifts[_COMPARE], drifts[_VIDEOS]
    against = "three <video>, each played"
    yield Row("three clips compared, apart by", median(ours), "ms", median(bare), against, aim=_FRAME)
    yield Row("three clips compared, 95 of 100 frames", _most(ours), "ms", _most(bare), against, aim=_FRAME)


def _looking(bench: _Bench, times: int) -> Iterator[Row]:
    """The gallery over 2,000 records, then one page of HTML with all of them.

    One after the other: a page is busy for a second with throwing 2,000 pictures away, whatever comes next.
    """
    ours, plain = (list[float](), list[float]())
    held: dict[int, list[float]] = {_GALLERY: [], _SHEET: []}
    for cell, image, took in ((_GALLERY, ".kn-card .kn-poster", ours), (_SHEET, "img", plain)):
        for _ in range(times + 1):
            bench.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
            before = bench.memory()
            took.append(bench.shown(cell, image))
            bench.page.wait_for_load_state("networkidle")
            held[cell].append(bench.memory() - before)
    against = f"{_RECORDS:,} <img> at once"
    what = f"{_RECORDS:,} records: "
    yield Row(f"{what}gallery to first paint", median(ours[1:]), "ms", median(plain[1:]), against, aim=500)
    # The most: what is thrown away is not all given back, so that the next time takes less.
    yield Row(f"{what}memory of the browser", max(held[_GALLERY]), "MB", max(held[_SHEET]), against)
    bench.shown(_GALLERY, ".kn-card .kn-poster")
    gaps = bench.ask("scrolled", _GALLERY, ".kn-grid", 120)
    yield Row(f"{what}scrolling, from frame to frame, median", median(gaps), "ms", 1000 / 60, "the screen's own beat")


def _records(folder: Path) -> None:
    """A log with posters that differ, and the same as a list of files and words."""
    log = Log(folder / "many")
    posters = [log.add_media(poster(number), ".jpg") for number in range(100)]
    records = [_kept(number, posters[number % len(posters)]) for number in range(_RECORDS)]
    index(log, records)
    files = [file.relative_to(log.folder).as_posix() for still in posters if (file := log.file(still))]
    shown = [(f"many/{files[n % len(files)]}", record.prompt) for n, record in enumerate(records)]
    (folder / "many.json").write_text(json.dumps(shown))
    log.close()


def _kept(number: int, still: str) -> Record:
    record = record_of(number)
    clip = File(file=f"clips/{record.id}.mp4", digest=sha256(record.id.encode()), size=1, poster=still)
    return record.model_copy(update={"clip": clip, "status": "succeeded"})


def _most(values: list[float]) -> float:
    return values[len(values) * 95 // 100]


def _held(pid: int) -> int:
    """Kilobytes that no other process shares; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

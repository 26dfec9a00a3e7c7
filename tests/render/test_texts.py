"""The texts of the static forms, in one file: `tests/texts/render.txt`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from kling_nb.models.catalogue import Model
from kling_nb.models.judgements import Score
from kling_nb.models.price import Estimate
from kling_nb.models.problem import error, warning
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure
from kling_nb.render import figures, plan
from kling_nb.render.card import card_html, card_text
from kling_nb.render.compare import compare_text, diff, gallery_html, gallery_text
from kling_nb.render.figures import (
    LimitRow,
    RankRow,
    ScoredRow,
    ScorerRow,
    SpendingRow,
    limits_html,
    limits_text,
    ranking_html,
    ranking_text,
    scorers_html,
    scorers_text,
    scores_html,
    scores_text,
    spending_html,
    spending_text,
)
from kling_nb.render.formatting import estimate_note
from kling_nb.render.page import offline_html, running_html, running_plan_html, stack_cards
from kling_nb.render.plan import MatrixSheet, PlanSheet, Tile, matrix_html, matrix_text, plan_html, plan_text
from kling_nb.render.report import Heading, Judgements, PlanSection, methods, report_html
from kling_nb.render.tables import (
    HubInfo,
    OptionRow,
    SavedRow,
    hub_html,
    hub_text,
    models_html,
    models_text,
    options_html,
    options_text,
    problems_html,
    problems_text,
    progress_html,
    progress_text,
    records_html,
    records_text,
    saved_html,
    saved_text,
)
from tests.render.kit import CLIP, NOON, Media, NoMedia, at, record_of
from tests.render.reader import text_of
from tests.support.texts import assert_texts

SHOTS = {
    "multi_prompt": [{"prompt": "@Element1 walks in", "duration": 4}, {"prompt": "cut to black", "duration": 3}],
    "elements": [{"frontal_image_url": "https://example.com/a.png"}],
}
IMAGE = CLIP.model_copy(update={"media_type": "image/png", "duration": None})


def test_the_texts_of_cards():
    full = record_of(
        {"prompt": "@Image1 turns", "input_image": ["https://example.com/a.png"], "negative_prompt": "blur"},
        tags=("night",),
        note="the best one",
        stars=4,
        rerun_of="01kb3m9x7a",
        plan="01kb3m0000",
        notebook="study.ipynb",
        notes=("resumed after a restart",),
        schema_digest=f"sha256:{'cd' * 32}",
    )
    failed = record_of(status="failed", failure=Failure(kind="JobFailed", message="Too long.", remedy="Cut it."))
    others = {
        "image": record_of(clip=IMAGE),
        "queued": record_of(status="queued"),
        "failed": failed,
        "cancelled": record_of(status="cancelled"),
        "unconfirmed": record_of(status="uncertain"),
    }
    local = record_of(SHOTS, kind="preview", local=True)
    assert_texts(
        "cards",
        {
            "card": text_of(card_html(full, Media(), [_score("motion", 1.25), _score("silence", None)])),
            "storyboard, preview on the local hub": text_of(card_html(local, NoMedia())),
            **{name: text_of(card_html(record, Media())).partition("\nCode\n")[0] for name, record in others.items()},
            "plain text": card_text(full),
            "plain text, failed": card_text(failed),
            "many cards": text_of(stack_cards([f"<div>card {number}</div>" for number in range(9)])),
        },
    )


def test_the_texts_of_tables():
    records = [record_of(), record_of(local=True), record_of(status="uncertain"), record_of(status="failed")]
    progress = Progress("x", "processing", "a paper boat", "m", at(0), at(9), expected=at(162), price="$1.12")
    ended = Progress(
        *("x", "failed", "a paper boat", "m", at(0), at(75)),
        failure=Failure(kind="x", message="Out of credits.", remedy="Top up."),
    )
    problems = [
        error(("duration",), "20 is too long", "give 3 to 15"),
        warning((), "odd", "check"),
        warning((), "x", "y"),
    ]
    rated = record_of(stars=3, note="n", tags=("a",))
    saved = SavedRow("walk", "@Image1 walks", "5 s", (), NOON)
    real = HubInfo("Oxen.ai", "https://hub.oxen.ai", False, "model", "OXEN_API_KEY", False, ("other",))
    local = HubInfo("Local hub", "http://127.0.0.1:1", True, "model", in_catalogue=True)
    silent = HubInfo("Oxen.ai", "https://hub.oxen.ai", False, "model", error="No answer within 6 s.")
    option = OptionRow("embed", "auto", "where clips are embedded")
    assert_texts(
        "tables",
        {
            "records": text_of(records_html(records, Media(), total=148)),
            "records, plain": records_text(records, total=148),
            "no records": records_text([]),
            "gallery": text_of(gallery_html(records, NoMedia(), total=9)),
            "gallery, plain": gallery_text(records[:1], total=1),
            "comparison, plain": compare_text(records[:2], diff([record_of(SHOTS), rated])),
            "no differences": compare_text([record_of(), record_of()]),
            "saved": text_of(saved_html([saved], "preset")),
            "saved, plain": saved_text([saved, saved], "element"),
            "nothing saved": saved_text([], "preset"),
            "options": text_of(options_html([option])),
            "options, plain": options_text([option]),
            "problems": text_of(problems_html(problems)),
            "problems, plain": problems_text(problems),
            "no problems": problems_text([]),
            "hub": text_of(hub_html(real)),
            "hub, plain": hub_text(real),
            "local hub": hub_text(local),
            "silent hub": hub_text(silent),
            "models": text_of(models_html({"hub.oxen.ai": [Model(id="model")]})),
            "models, plain": models_text({"hub.oxen.ai": [Model(id="model")], "fal.ai": []}),
            "progress": text_of(progress_html(progress, at(42))),
            "progress, plain": progress_text(progress, at(42)),
            "progress, late": progress_text(progress, at(170)) + "\n" + progress_text(progress, at(500)),
            "progress, ended": text_of(progress_html(ended, at(900))),
            "without a kernel": text_of(offline_html("Run this cell.")),
            "without a kernel, running": text_of(running_html([progress])),
            "without a kernel, several running": text_of(running_html([progress, progress])),
            "without a kernel, plan": text_of(running_plan_html("01kb3m0000")),
            "price notes": "\n".join(
                estimate_note(_estimate(source, rate, unit))
                for source, rate, unit in (
                    ("live", Decimal("0.224"), "second"),
                    ("bundled", Decimal("0.03"), "image"),
                    ("free", None, "second"),
                    ("unknown", None, "second"),
                )
            ),
        },
    )


def test_the_texts_of_figures_plans_and_reports(monkeypatch):
    monkeypatch.setattr(figures, "SHOWN", 1)
    monkeypatch.setattr(plan, "INVALID", 1)
    rank = [RankRow("calm", 0.8, 0.6, 0.9, 12, 9.5), RankRow("wild", None, None, None, 0, 0)]
    scored = [ScoredRow("01kb3m9x7r", "calm", None, {"motion": _score("motion", 1.25), "silence": None})]
    scorer = ScorerRow("motion", "1", "px", "Mean motion.", True)
    spending = [
        SpendingRow("today", 4, Decimal(3), Decimal(2), Decimal(1), Decimal(5), 1),
        SpendingRow("yesterday", 1, Decimal(1)),
    ]
    limits = [LimitRow("a day", Decimal(5), Decimal(2)), LimitRow("one request", Decimal(3), None)]
    states = ("existing", "missing", "running", "uncertain", "skipped", "failed", "done", "waiting", "cancelled")
    tiles = [Tile(f"clip {number}", state, "record") for number, state in enumerate(states)]
    axes = {"seed": ("1", "2"), "mood": ("a", "b", "c", "d", "e")}
    sheet = PlanSheet(
        *("01kb3m0000", tiles, axes),
        invalid=[("clip 9", "duration: 20 is too long")] * 2,
        cells=30,
        price=Decimal("13.44"),
        expected=90,
    )
    run = PlanSheet("p", tiles, spent=Decimal(3), remaining=Decimal(2), paused=True, stopped="The budget is used up.")
    image = record_of(clip=IMAGE, estimate=_estimate("live", Decimal("0.03"), "image"))
    matrix = MatrixSheet("seed", "mood", ("1",), ("a", "b"), {("1", "a"): tiles[:2]})
    records = [record_of(SHOTS), record_of(local=True), record_of(status="failed")]
    judged = Judgements(7, 4, [("By mood", ranking_html(rank, "7 votes"))], ["motion"], [("r", "calm", [None])])
    heading = Heading("A study", "Of boats.", ("Ann", "Bo"), "CC-BY-4.0")
    report = report_html([], Media(), heading, NOON, plans=[PlanSection("p", axes, matrix)], judged=judged)
    assert_texts(
        "figures",
        {
            "scores": text_of(scores_html(scored * 3, ["silence: the clip has no sound"])),
            "scores, plain": scores_text(scored, ["silence: the clip has no sound"]),
            "scorers": text_of(scorers_html([scorer, scorer._replace(built_in=False, meaning="")], ["broken"])),
            "scorers, plain": scorers_text([scorer], ["broken"]),
            "ranking": text_of(ranking_html(rank, "7 votes")),
            "ranking, plain": ranking_text(rank, "7 votes"),
            "spending": text_of(spending_html("day", spending, spending[0])),
            "spending, plain": spending_text("day", spending, spending[0]),
            "nothing spent": spending_text("day", [], SpendingRow("all")),
            "limits": text_of(limits_html(limits, unknown_ok=True)),
            "limits, plain": limits_text(limits, unknown_ok=True),
            "no limits": limits_text([], unknown_ok=False),
            "plan": text_of(plan_html(sheet)),
            "plan, plain": plan_text(sheet),
            "new plan": PlanSheet("p", tiles[1:2], price=None, free=False).summary,
            "plan with an unpriced clip": PlanSheet("p", tiles[1:2] * 3, price=Decimal(2), unpriced=1).summary,
            "unpriced plan": PlanSheet("p", tiles[1:2] * 2, price=Decimal(0), unpriced=2).summary,
            "free plan": PlanSheet("p", tiles[1:2] * 3, free=True, real_price=Decimal(4)).summary,
            "empty plan": PlanSheet("p", []).summary,
            "run": run.summary,
            "run with unpriced clips": replace(run, unpriced=1).summary,
            "matrix": text_of(matrix_html(matrix)),
            "matrix, plain": matrix_text(matrix),
            "report": text_of(report.partition("<body>")[2].partition("</body>")[0]),
            "methods": methods(records, plans=[(axes, 2)], votes=7, people=4),
            "methods, one image": methods([image]),
            "methods, none": methods([]),
        },
    )


def _estimate(source: Any, rate: Decimal | None, unit: Any, **changes: Any) -> Estimate:
    seconds = 0 if unit == "image" else 5
    each = rate and rate * (seconds or 1)
    values = {"each": each, "total": each, "seconds": seconds, "generations": 1}
    return Estimate(**values, rate=rate, source=source, unit=unit, as_of=NOON.date(), **changes)


def _score(name: str, value: float | None) -> Score:
    return Score(clip="sha256:x", name=name, version="1", unit="px", value=value, at=NOON)

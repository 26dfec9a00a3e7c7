"""Values print on one short line, clips draw as a strip, and a terminal gets each result once."""

from __future__ import annotations

import copy
import pickle
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide

import kling_nb as kn
from kling_nb.studio import Studio
from tests.support.images import jpeg

LONG = "a paper boat drifts down the gutter, " * 12


@pytest.fixture(scope="module")
def studio(_quick_hub: HubSide, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(hub=_quick_hub.url, key="test-key", log=tmp_path_factory.mktemp("printing") / "log")
    yield studio
    studio.close()


@pytest.fixture(scope="module")
def clips(studio: Studio) -> list[kn.Clip]:
    return studio.generate(f"@Image1 {LONG}", duration=3, input_image=[jpeg((640, 360))], num_generations=2).result(60)


def test_everything_a_cell_prints_is_one_short_line(studio: Studio, clips: list[kn.Clip]) -> None:
    clip, record = clips[0], clips[0].record
    request = record.request()
    plan = studio.sweep(LONG, duration=[3, 5])
    values: list[Any] = [
        clip, record, request, record.clip, record.times, record.references[0], record.estimate,
        kn.ReferenceToVideo(multi_prompt=[kn.Shot(prompt=LONG[:500], duration=2)] * 6),
        kn.Element(frontal_image_url=jpeg((640, 360)), reference_image_urls=[jpeg((640, 360))]),
        *request.assets(), studio.hub(), studio.hub.models()[0], studio.price("x"), plan, plan.cells[0], studio.log(),
    ]  # fmt: skip
    for value in values:
        assert "\n" not in repr(value)
        assert len(repr(value)) < 500, repr(value)
        assert "sha256:" not in repr(clip) + repr(record) + repr(request)


def test_a_printed_clip_is_for_a_person(clips: list[kn.Clip]) -> None:
    assert str(clips[0]).startswith("@Image1 a paper boat")
    assert f"{clips[0].width}×{clips[0].height}" in str(clips[0])
    assert clips[0].id in repr(clips[0])


def test_a_printed_plan_names_each_invalid_request_and_why(studio: Studio) -> None:
    plan = studio.sweep("a boat, {light}", duration=[3, 99])
    assert all(str(problem) in str(plan) for cell in plan.cells for problem in cell.problems)
    assert plan.id in str(plan)


def test_several_clips_draw_as_a_strip(clips: list[kn.Clip]) -> None:
    bundle: dict[str, str] = clips._repr_mimebundle_()  # type: ignore[attr-defined]
    assert bundle["text/html"].count("<video") == 2
    assert len(bundle["text/plain"].splitlines()) == 2
    assert clips == list(clips) == copy.copy(clips)
    assert len(pickle.loads(pickle.dumps(clips))) == 2  # noqa: S301 - our own bytes


def test_an_audit_says_in_a_sentence_that_all_is_well(studio: Studio, clips: list[kn.Clip]) -> None:
    assert studio.log.verify() == []
    assert repr(studio.log.verify()).startswith("All is well: 2 records")
    poster = studio.store.file(clips[0].record.clip.poster or "")  # type: ignore[union-attr]
    assert poster is not None
    data = poster.read_bytes()
    poster.write_bytes(b"something else")
    assert repr(studio.log.verify()).startswith("1 problem (2 records checked):\n")
    poster.write_bytes(data)


def test_the_help_of_the_package_starts_with_tasks() -> None:
    begin = pydoc.plain(pydoc.render_doc(kn)).splitlines()[:32]
    for verb in ("panel", "generate", "resume", "log", "gallery", "sweep", "budget", "export", "hub"):
        assert any(f"kn.{verb}(" in line or f").{verb}(" in line for line in begin), verb


def test_a_terminal_prints_a_result_once_and_says_where_panels_are_shown(hub: HubSide, tmp_path: Path) -> None:
    cells = [
        "import kling_nb as kn",
        f"kn.configure(hub={hub.url!r}, key='test-key').hub.models()[0]",
        "job = kn.generate('a paper boat', duration=3)",
        "job",
        "clip = job.result(); print('NOTHING BEFORE', clip)",
        "clip",
        "kn.panel()",
    ]
    ipython = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    said = subprocess.run(
        ipython, input="\n".join([*cells, "exit", ""]), capture_output=True, text=True, check=True, timeout=100
    ).stdout
    assert said.count("record 20") == 1
    assert "JupyterLab" in said.partition("<Panel")[2]

"""The nouns of a studio: its hub, its log, and the records and plans that come out of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hubside import HubSide

from kling_nb import errors
from kling_nb.models.request import OMNI, TARGET
from kling_nb.studio import Studio


def test_the_models_of_the_hub_are_listed_with_their_prices(studio: Studio) -> None:
    models = studio.hub.models()
    assert models[TARGET].pricing is not None
    assert {TARGET, OMNI} <= {model.id for model in models}
    assert len(models) == len(list(models)) > 2
    assert models[0].id == next(iter(models)).id
    html, text = models._repr_html_(), repr(models)
    for model in models:
        assert model.id in html
        assert model.id in text


def test_the_hub_describes_one_model_or_names_alternatives(studio: Studio) -> None:
    assert studio.hub.model(TARGET).request_schema
    with pytest.raises(errors.ModelNotFound) as unknown:
        studio.hub.model("kling-video-o3-pro-refernce-to-video")
    assert TARGET in unknown.value.alternatives


def test_the_log_takes_filters_or_records_but_not_both(studio: Studio) -> None:
    job = studio.generate("a paper boat", duration=3)
    clip = job.result(60)
    for given in (job, clip, clip.record, [clip.record.id], [job, clip]):
        assert [record.id for record in studio.log(given)] == [clip.record.id]
    assert [record.id for record in studio.log("paper")] == [clip.record.id]
    assert list(studio.log("no such words")) == []
    with pytest.raises(errors.ArgumentTypeError):
        studio.log([clip], stars=4)
    with pytest.raises(errors.ArgumentTypeError):
        studio.log([5])


def test_records_that_were_given_are_exported_together(studio: Studio, tmp_path: Path) -> None:
    clips = [studio.generate(prompt, duration=3).result(60) for prompt in ("a boat", "a kite", "a tram")]
    exported = studio.log(clips[:2]).export(tmp_path / "two.jsonl")
    lines = [json.loads(line) for line in exported.path.read_text().splitlines()]
    assert {line["id"] for line in lines if "id" in line} == {clip.record.id for clip in clips[:2]}


def test_maintenance_is_of_the_whole_log(studio: Studio) -> None:
    studio.generate("a paper boat", duration=3).result(60)
    assert studio.log.verify() == []
    assert studio.log.rebuild() == 1
    assert not hasattr(studio.log(), "verify")


def test_a_clip_says_how_long_and_how_large_it_is(studio: Studio) -> None:
    clip = studio.generate("a paper boat", duration=3).result(60)
    assert clip.duration == pytest.approx(3, abs=0.2)
    assert (clip.width > 0, clip.height > 0, clip.path.is_file()) == (True, True, True)


def test_jobs_can_be_awaited_together_by_asyncio(studio: Studio) -> None:
    async def both() -> list[str]:
        jobs = [studio.generate(prompt, duration=3) for prompt in ("a boat", "a kite")]
        return [clip.record.id for clip in await asyncio.gather(*jobs)]

    assert len(set(asyncio.run(both()))) == 2


def test_a_question_to_the_hub_from_its_own_thread_is_refused(studio: Studio, hub: HubSide) -> None:
    async def ask() -> None:
        studio.hub.models()

    with pytest.raises(errors.KlingError, match="event-loop thread"):
        studio.session.loop.submit(ask()).result(60)

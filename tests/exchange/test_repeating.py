"""Holding two runs beside each other, and running one again exactly as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hubside import HubSide, png_image

from kling_nb import errors
from kling_nb.models.canonical import canonical_json
from kling_nb.studio import Studio


def test_a_replay_sends_what_was_sent_even_when_the_originals_are_gone(
    studio: Studio, hub: HubSide, tmp_path: Path
) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(png_image())
    first = studio.generate("@Image1 sails", input_image=[face], duration=3).result(60).record
    face.write_bytes(png_image("#102030"))
    again = first.rerun().result(60).record
    assert (again.rerun_of, again.request_hash) == (first.id, first.request_hash)
    assert canonical_json(again.canonical) == canonical_json(first.canonical)
    assert again.references[0].identity == first.references[0].identity
    assert first.clip and again.clip
    assert hub.posts == 2


def test_an_edited_record_is_not_repeated(studio: Studio, hub: HubSide) -> None:
    record = studio.generate("a boat", duration=3).result(60).record
    edited = record.model_copy(update={"canonical": {**record.canonical, "prompt": "a yacht"}})
    with pytest.raises(errors.LogError, match="edited"):
        edited.rerun()
    assert hub.posts == 1


def test_a_difference_names_only_what_differs_and_marks_the_words(studio: Studio) -> None:
    jobs = studio.gather(
        studio.generate("a red <b>boat</b> sails", duration=3), studio.generate("a blue <b>boat</b> sails", duration=4)
    )
    one, other = (clip.record for clip in jobs.result(60))
    found = one.diff(other.id)
    labels = [item.label for item in found]
    assert {"Prompt", "Duration", "Price"} <= set(labels)
    assert not {"Model", "Aspect", "Schema", "Versions"} & set(labels)
    assert [word.text for word in found[0].values[0] if word.marked] == ["red"]
    html = found._repr_html_()
    assert html.count("<video") == 2
    assert "<b>boat" not in html


def test_the_same_record_has_no_difference(studio: Studio) -> None:
    record = studio.generate("a boat", duration=3).result(60).record
    assert list(record.diff(record)) == []


def test_a_record_differs_from_records_only(studio: Studio) -> None:
    record = studio.generate("a boat", duration=3).result(60).record
    with pytest.raises(errors.ArgumentTypeError, match="Expected a record"):
        record.diff(1)


def test_what_the_hub_says_today_is_part_of_the_promise(studio: Studio, hub: HubSide) -> None:
    record = studio.generate("a boat", duration=3).result(60).record
    said = record.reproducibility
    assert "can be sent again" in said.can[0]
    assert "seed" in said.cannot[0]
    changed = record.model_copy(update={"schema_digest": "sha256:" + "0" * 64})
    assert "schema has changed" in str(changed.reproducibility)
    gone = record.model_copy(update={"model": "kling-video-gone"})
    assert "no longer lists kling-video-gone" in str(gone.reproducibility)

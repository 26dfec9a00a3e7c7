"""docs/log-format.md describes a log as it is: its example files have the fields of real ones."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kling_nb.models.budget import Limits
from kling_nb.models.canonical import hash_of
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.price import Estimate
from kling_nb.models.record import Failure, Record, Reference, Times
from kling_nb.models.record import File as File
from kling_nb.studio import Studio
from tests.docs.pages import DOCS, after, blocks, first_column
from tests.hubside import png_image

PAGE = DOCS / "log-format.md"
#: Objects whose keys are the user's, the model's or the hub's.
FREE = {"canonical", "sent", "server", "delivery", "axes", "at", "request", "fields", "plans", "parts"}


@pytest.fixture
def log(studio: Studio, tmp_path: Path) -> Path:
    """A log with one of everything."""
    cat = tmp_path / "cat.png"
    cat.write_bytes(png_image())
    plan = studio.sweep({"prompt": "@Image1, {light}", "input_image": [cat]}, light=["day", "night"], duration=[3])
    first, second = plan.run().result()
    studio.presets["walk"] = first
    studio.budget(day="25.00")
    now = datetime.datetime.now(datetime.UTC)
    vote = Vote(id="5b0c7a1d", at=now, who="ada", left=first.id, right=second.id, outcome="left", seed=1)
    studio.store.votes.add([vote])
    score = Score(clip=first.clip.digest, name="sharpness", version="1", unit="dB", value=23.5, at=now)
    studio.store.scores.add([score])
    studio.log().annotate(second.id, stars=1)
    studio.store.trash(second.id)
    return studio.store.folder


@pytest.mark.parametrize(
    "pattern",
    ["records/*/*.json", "plans/*.json", "votes/*.jsonl", "scores/*.jsonl", "saved/preset/*.json", "budget.json"],
)
def test_an_example_has_the_fields_of_a_real_file(log: Path, pattern: str) -> None:
    (file,) = log.glob(pattern)
    example, real = (
        set(_fields(json.loads(text))) for text in (after(PAGE, f"Checked against {pattern}."), file.read_text("utf-8"))
    )
    # The items of a list that is empty in one of the two cannot be compared.
    assert not {field for field in example ^ real if "[]" not in field}


@pytest.mark.parametrize(
    "model",
    [Record, Reference, Estimate, Times, File, Failure, StoredPlan, Vote, Score, Limits],
    ids=lambda m: m.__name__,
)
def test_a_table_lists_exactly_the_fields_of_its_model(model: type[BaseModel]) -> None:
    name = "File" if model is File else model.__name__
    assert list(first_column(after(PAGE, name))) == list(model.model_fields)


def test_the_examples_have_the_hash_and_the_id_of_their_content() -> None:
    record = json.loads(after(PAGE, "Checked against records/*/*.json."))
    assert record["request_hash"] == hash_of(record["canonical"])
    plan = StoredPlan.model_validate_json(after(PAGE, "Checked against plans/*.json."))
    assert plan.id == plan.derived_id


def test_the_tree_names_everything_in_a_log(log: Path) -> None:
    tree = blocks(PAGE, "text")[0]
    for path in log.iterdir():
        name = f"{path.name}/" if path.is_dir() else path.name.removesuffix("-wal").removesuffix("-shm")
        assert f"\n  {name}" in tree, name


def test_the_program_that_reads_a_log_finds_every_clip(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = blocks(PAGE, "python")
    log.rename(log.with_name("kling_log"))
    monkeypatch.chdir(log.parent)
    exec(compile(program, str(PAGE), "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.split()[2] == "ok"


def _fields(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys, with `[]` for any item of a list."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (here := f"{path}.{name}" if path else name)
            if name not in FREE:
                yield from _fields(item, here)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item, f"{path}[]")

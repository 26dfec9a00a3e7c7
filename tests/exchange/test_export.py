"""Exports: a crate that an independent validator accepts, a report, JSON lines, Parquet; and their imports."""

from __future__ import annotations

import html
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import rocrate
from hubside import HubSide, png_image
from IPython.core.formatters import DisplayFormatter
from support.images import encoded, hidden, quarters, turned

from kling_nb import errors
from kling_nb.errors import RequestWarning
from kling_nb.exchange.export import export_beside
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.studio import Studio

from .conftest import FOLDER, KEY

ROOT = Path(__file__).resolve().parents[2]
GIVEN: dict[str, Any] = {
    "title": "Boats & <i>kites</i>",
    "authors": ["Ada Lovelace <https://orcid.org/0000-0002-1825-0097>", "Bob"],
    "licence": "CC-BY-4.0",
}


def told(studio: Studio) -> dict[str, dict[str, Any]]:
    """Return the records of a log without the fields that an import changes on purpose."""
    left_out = {"holder", "imported", "revision"}
    return {record.id: record.public().model_dump(mode="json", exclude=left_out) for record in studio.log()}


@pytest.fixture(scope="module")
def found(filled: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the issues that an independent validator finds in crates of two versions, and in an invalid one."""
    folder = tmp_path_factory.mktemp("validated")
    notebook = folder / "walk.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    for name, version in {"new": "1.3", "old": "1.1", "invalid": "1.3"}.items():
        done = filled.log().export(folder / name, version=version, notebook=notebook, **GIVEN)
        assert "an RO-Crate of 3 records, 2 clips" in repr(done)
    metadata = folder / "invalid" / "ro-crate-metadata.json"
    graph = json.loads(metadata.read_text())
    graph["@graph"] = [entity for entity in graph["@graph"] if entity["@id"] != "./"]
    metadata.write_text(json.dumps(graph))
    profiles = {"new": "ro-crate-1.3", "old": "process-run-crate", "invalid": "ro-crate-1.3"}
    asked = [word for name, profile in profiles.items() for word in (profile, folder / name)]
    context = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    python = ROOT / ".validator" / "bin" / "python"
    command = [python, Path(__file__).with_name("validator.py"), context, folder / "cache", *asked]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-2000:]
    return dict(zip(profiles, map(json.loads, said.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("crate", ["new", "old"])
def test_an_independent_validator_accepts_the_crate(found: dict[str, list[str]], crate: str) -> None:
    assert found[crate] == []


def test_the_validator_refuses_an_invalid_crate(found: dict[str, list[str]]) -> None:
    assert any("root" in issue.lower() for issue in found["invalid"]), found


def test_each_generation_is_an_action_with_its_inputs_and_its_result(filled: Studio, tmp_path: Path) -> None:
    folder = filled.log().export(tmp_path / "study", **GIVEN).path
    graph = {one["@id"]: one for one in json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]}
    actions = [one for one in graph.values() if one["@type"] == "CreateAction"]
    assert len(actions) == 3
    record = filled.log(tag="walk")[0]
    action = graph[f"#{record.id}"]
    files = {one["@id"] for one in action["object"]} | {one["@id"] for one in action["result"]}
    assert action["startTime"] <= action["endTime"]
    assert {f"clips/{record.id}.mp4", f"records/{record.id}.json"} <= files
    assert any(name.startswith("references/") for name in files)
    assert graph[action["agent"]["@id"]]["name"] == "Ada Lovelace"
    assert graph[action["instrument"]["@id"]]["name"] == record.model
    (plan,) = (one for one in graph.values() if one["@id"].startswith("plans/"))
    assert {one["@id"] for one in plan["about"]} == {f"#{one.id}" for one in filled.plan(plan["@id"][6:18]).records()}
    (score,) = graph[f"clips/{record.id}.mp4"]["additionalProperty"]
    scored = graph[score["@id"]]
    assert (scored["name"], scored["value"], scored["unitText"]) == ("sharpness", 12.5, "dB")
    assert graph["scores.jsonl"]["encodingFormat"] == "application/jsonl"
    assert graph["votes.jsonl"]["encodingFormat"] == "application/jsonl"
    failed = graph[f"#{filled.log(status='failed')[0].id}"]
    assert failed["actionStatus"]["@id"].endswith("FailedActionStatus")
    assert failed["error"] == "No <i>such</i> luck."
    assert (folder / f"clips/{record.id}.mp4").read_bytes() == filled.store.file(record.clip.digest).read_bytes()


@pytest.mark.parametrize("name", ["study.zip", "study", "study.jsonl"])
def test_an_export_can_be_imported_and_only_once(
    name: str, filled: Studio, tmp_path: Path, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    done = filled.log().export(tmp_path / name)
    elsewhere = studio_at(hub)
    came = elsewhere.import_log(done.path)
    assert (len(came.added), came.changed, came.plans, came.votes, came.scores) == (3, [], 1, 7, 2)
    assert told(elsewhere) == told(filled)
    assert elsewhere.store.votes.all() == filled.store.votes.all()
    records = list(filled.log())
    assert elsewhere.store.scores.of(records) == filled.store.scores.of(records)
    (plan,) = filled.store.plans.ids()
    if name != "study.jsonl":  # lines carry no media
        assert elsewhere.plan(plan).labels("prompt") == filled.plan(plan).labels("prompt")
        assert "2 of 2 done" in repr(elsewhere.plan(plan)), "they are not paid for twice"
    again = elsewhere.import_log(done.path)
    assert (again.added, again.changed, again.same, again.plans, again.votes, again.scores) == ([], [], 3, 0, 0, 0)
    if name != "study.jsonl":
        assert came.problems == []
        assert elsewhere.store.verify() == []
        record = elsewhere.log(tag="walk")[0]
        assert record.request() == filled.log(tag="walk")[0].request()


@pytest.mark.parametrize(
    ("image", "is_exported"),
    [(encoded(hidden(), "PNG"), False), (encoded(quarters(), "JPEG", exif=turned(6)), True)],
    ids=["hidden colours", "turned"],
)
def test_an_image_that_was_changed_is_exported_without_hidden_colours_and_imported(
    studio: Studio, tmp_path: Path, studio_at: Callable[..., Studio], hub: HubSide, image: bytes, is_exported: bool
) -> None:
    face = tmp_path / "face"
    face.write_bytes(image)
    with pytest.warns(RequestWarning, match="made white|turned"):
        record = studio.generate("@Image1 turns", input_image=[face], duration=3).result(60).record
    (reference,) = record.references
    assert studio.store.read(reference.original or "") == image
    done = studio.log().export(tmp_path / "study")
    exported = {sha256(path.read_bytes()) for path in done.path.rglob("*") if path.is_file()}
    assert (reference.digest in exported, reference.original in exported) == (True, is_exported)
    elsewhere = studio_at(hub)
    assert elsewhere.import_log(done.path).problems == []
    assert elsewhere.store.verify() == []
    (again,) = elsewhere.log()
    assert (again.request_hash, again.request()) == (record.request_hash, record.request())


def test_clips_that_an_export_lacks_are_missing_and_can_be_generated(
    filled: Studio, tmp_path: Path, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    # Records know their hub by its address: another log at the same hub is where such a plan continues.
    theirs, mine = studio_at(hub), studio_at(hub, log=tmp_path / "mine")
    plan = theirs.sweep({"prompt": "a {colour} kite"}, colour=["red", "blue"], duration=[3])
    price = plan.price
    records = plan.run().result(60)
    mine.import_log(plan.export(tmp_path / "plan.jsonl").path)
    here = mine.plan(plan.id)
    assert (len(here.missing), here.price, here.records()) == (2, price, [])
    assert {row["state"] for row in here.rows()} == {"missing"}
    assert "2 of 2 done" not in repr(here)
    made = here.run().result(60)
    assert all(mine.store.file(record.clip.digest) for record in made if record.clip)
    assert {record.id for record in made}.isdisjoint(record.id for record in records)
    assert (here.missing, here.price) == ([], 0)
    mine.import_log(plan.export(tmp_path / "plan.zip").path)
    assert {record.id for record in here.records()} == {record.id for record in records}, (
        "the imported clips fill the cells"
    )


def test_a_log_is_not_an_export(filled: Studio, studio: Studio) -> None:
    with pytest.raises(errors.ArgumentError, match=r"Use kn\.log\.merge\("):
        studio.import_log(filled.store.folder)


def test_importing_ones_own_crate_changes_nothing(filled: Studio, tmp_path: Path) -> None:
    before = [record.model_dump() for record in filled.log()]
    came = filled.import_log(filled.log().export(tmp_path / "own.zip").path)
    assert (came.added, came.changed) == ([], [])
    assert [record.model_dump() for record in filled.log()] == before


def test_the_cost_of_imported_records_does_not_count(
    filled: Studio, tmp_path: Path, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    elsewhere = studio_at(hub)
    elsewhere.import_log(filled.log().export(tmp_path / "study.zip").path)
    assert filled.spending().total.spent > 0
    assert elsewhere.spending().total.spent == 0


def test_the_columns_hold_the_same_as_the_records(filled: Studio, tmp_path: Path) -> None:
    frame = pd.read_parquet(filled.log().export(tmp_path / "study.parquet").path)
    records = {record.id: record for record in filled.log()}
    assert set(frame["id"]) == set(records)
    for row in frame.to_dict("records"):
        record = records[row["id"]]
        assert (row["prompt"], row["price"]) == (record.prompt, float(record.price or 0))
        assert row["created"].to_pydatetime() == record.times.created
        kept = Record.model_validate_json(row["record"])
        assert kept.model_dump() == record.public().model_dump()
    best = frame.set_index("id").loc[filled.log(tag="walk")[0].id]
    assert (best["axis.prompt"], best["axis.duration"]) == ("@Image1 <b>sails</b>", "4")
    assert (best["votes"], best["wins"]) == (7, 7.0)
    assert frame["score.sharpness"].dropna().tolist() == [best["score.sharpness"]] == [12.5]
    whole = pq.read_schema(tmp_path / "study.parquet").metadata
    assert [vote["who"] for vote in json.loads(whole[b"kling_nb.votes"])][-1] == "Dan"
    assert [plan["id"] for plan in json.loads(whole[b"kling_nb.plans"])] == filled.store.plans.ids()
    assert list(filled.log().to_frame()["id"]) == [record.id for record in filled.log()]


def test_no_export_contains_a_key_a_signature_or_a_folder(filled: Studio, tmp_path: Path) -> None:
    filled.log().export(tmp_path / "out" / "study")
    for name in ("study.html", "study.jsonl", "study.parquet"):
        filled.log().export(tmp_path / "out" / name)
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        data = file.read_bytes()
        for secret in (KEY, FOLDER, "X-Amz", "Signature=", "expires=", str(filled.store.folder)):
            assert secret.encode() not in data, (file.name, secret)


def written(file: Path, *, key: str) -> Path:
    """Write a notebook with a key in its cells, outputs and metadata, and with secrets that are not in use."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "source": ["import kling_nb as kn\n", f"kn.configure(key='{key}')\n", "clip = 1 + 1"]},
        {"cell_type": "code", "source": "kn.panel('curl -H \"Authorization: Bearer planted-bearer\" localhost')"},
        {"cell_type": "code", "source": "kn.configure(key='planted-earlier')\n%env OXEN_API_KEY=planted-env"},
        {
            "cell_type": "markdown",
            "source": "See https://h.org/a.mp4?X-Amz-Signature=planted-signature and h.org?key=planted",
        },
    ]
    cells[0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [f"the key is {key}\n"]}]
    cells[1]["outputs"] = [
        {"output_type": "display_data", "data": {"text/html": f"<b>{key}</b>", "application/json": {key: 1}}}
    ]
    cells[2]["metadata"] = {"said": {"key": key}}
    file.write_text(json.dumps({"cells": cells, "metadata": {"title": key}, "nbformat": 4, "nbformat_minor": 5}))
    return file


def test_a_notebook_is_exported_only_if_requested(
    filled: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(written(tmp_path / "study.ipynb", key=KEY)))
    beside = export_beside(list(filled.log()), filled.store, tmp_path)
    for done in (filled.log().export(tmp_path / "a.zip"), beside):
        with zipfile.ZipFile(done.path) as archive:
            assert not [name for name in archive.namelist() if name.endswith(".ipynb")]
            assert not [name for name in archive.namelist() if KEY.encode() in archive.read(name)]
        assert "notebook" not in repr(done)
    done = filled.log().export(tmp_path / "b", notebook=True)
    assert (done.path / "notebook.ipynb").is_file()
    assert "with the notebook study.ipynb" in repr(done)


def test_no_secret_of_a_notebook_is_exported(filled: Studio, tmp_path: Path) -> None:
    notebook = written(tmp_path / "study.ipynb", key=KEY)
    done = filled.log().export(tmp_path / "with", notebook=notebook)
    text = (done.path / "notebook.ipynb").read_text("utf-8")
    assert KEY not in text
    assert "planted" not in text
    told = json.loads(text)
    assert told["cells"][0]["source"] == ["import kling_nb as kn\n", "kn.configure(key='…')\n", "clip = 1 + 1"]
    assert "a secret was removed in 9 places" in repr(done)
    assert KEY in notebook.read_text(), "the notebook itself is not changed"


def test_a_notebook_that_cannot_be_exported_raises(
    filled: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    (tmp_path / "list.ipynb").write_text("[]")
    (tmp_path / "torn.ipynb").write_bytes(b'{"cells": [\xff')
    sound = written(tmp_path / "study.ipynb", key=KEY)
    for given, name, words in (
        (True, "x.zip", "running notebook"),
        (tmp_path / "gone.ipynb", "x.zip", "gone.ipynb"),
        (tmp_path, "x.zip", tmp_path.name),
        (tmp_path / "list.ipynb", "x.zip", "list.ipynb is not a notebook"),
        (tmp_path / "torn.ipynb", "x.zip", "torn.ipynb is not a notebook"),
        (5, "x.zip", "got 5"),
        (sound, "x.html", "Only a crate can contain a notebook"),
    ):
        with pytest.raises(errors.KlingError, match=words):
            filled.log().export(tmp_path / name, notebook=given)
        assert not (tmp_path / name).exists()


def test_the_report_is_one_page_with_its_text_escaped(filled: Studio, tmp_path: Path) -> None:
    page = filled.log().export(tmp_path / "study.html", embed=50, **GIVEN).path.read_text()
    assert not (tmp_path / "clips").exists(), "under the cap every clip is in the page"
    assert page.count("<video src='data:video/mp4;base64,") == 2
    for planted in ("<script", "<i>such", "<i>kites", "<b>sails"):
        assert planted not in page
    assert "<link" not in page
    (plan,) = filled.store.plans.ids()
    assert f"Plan {plan}" in page
    for record in filled.plan(plan).records():
        assert page.count(f"id='{record.id}'") == 1
        assert page.count(f"href='#{record.id}'") == 2, "from its plan, and from its scores"
    assert "&lt;b&gt;sails&lt;/b&gt; is ahead of all others" in page
    assert "<td title='sharp &lt;i&gt;enough&lt;/i&gt;'>12.5 dB</td>" in page
    beside = filled.log().export(tmp_path / "linked.html").path.read_text()
    assert beside.count("<video src='clips/") == 2
    assert len(list((tmp_path / "clips").iterdir())) == 2


@pytest.fixture
def replaced(filled: Studio) -> Iterator[Record]:
    """A record whose clip was replaced by another's, behind the log's back."""
    record, other = filled.log(status="succeeded")[:2]
    file, source = filled.store.file(record.clip.digest), filled.store.file(other.clip.digest)
    assert file is not None
    assert source is not None
    before = file.read_bytes()
    file.write_bytes(source.read_bytes())
    yield record
    file.write_bytes(before)


def test_a_changed_clip_is_never_exported(filled: Studio, replaced: Record, tmp_path: Path) -> None:
    name = f"clips/{replaced.id}.mp4"
    for number, (to, embed) in enumerate([("study.zip", 0), ("study", 0), ("page.html", 0), ("whole.html", 50)]):
        done = filled.log().export(tmp_path / str(number) / to, embed=embed)
        assert (done.records, done.clips) == (3, 1)
        assert f"the clip of {replaced.id}" in repr(done)
        assert "verify()" in repr(done)
        if to.endswith(".html"):
            page = done.path.read_text()
            assert page.count("<video src=") == 1
            assert "The file was changed" in page
    with zipfile.ZipFile(tmp_path / "0" / "study.zip") as archive:
        assert name not in archive.namelist()
        assert f"records/{replaced.id}.json" in archive.namelist()
        assert name not in archive.read("ro-crate-metadata.json").decode()
    assert not (tmp_path / "1" / "study" / name).exists()
    assert not (tmp_path / "2" / name).exists()
    assert filled.log().export(tmp_path / "x.jsonl").omissions == (), "lines contain no media"


def test_a_changed_image_is_never_exported(filled: Studio, tmp_path: Path) -> None:
    (reference,) = filled.log(tag="walk")[0].references
    file = filled.store.file(reference.digest)
    assert file is not None
    before = file.read_bytes()
    file.write_bytes(png_image("#123456"))
    try:
        done = filled.log().export(tmp_path / "study")
    finally:
        file.write_bytes(before)
    assert "the image face.png of" in repr(done)
    assert png_image("#123456") not in [path.read_bytes() for path in done.path.rglob("*") if path.is_file()]


def test_a_report_does_not_overwrite_another_file_beside_it(filled: Studio, tmp_path: Path) -> None:
    filled.log().export(tmp_path / "one.html")
    filled.log().export(tmp_path / "two.html")
    clip = sorted((tmp_path / "clips").iterdir())[0]
    clip.write_bytes(b"my own")
    with pytest.raises(errors.ArgumentError, match="is another file"):
        filled.log().export(tmp_path / "three.html")
    assert clip.read_bytes() == b"my own"
    assert not (tmp_path / "three.html").exists()


def test_methods_state_the_figures_of_the_records(filled: Studio) -> None:
    text = filled.log().methods()
    assert "3 generations in 3 requests were submitted to the model kling-video-o3-pro-reference-to-video" in text
    assert "They produced 2 clips with a total duration of 7 s (1 failed)." in text
    assert "The requests specified a duration of 3 to 4 s, an aspect ratio of 16:9 and audio in 1 of them." in text
    assert "1 generation used 1 reference image." in text
    assert "planned as a sweep over prompt (3 values), duration (3 values), generate_audio" not in text, "one value"
    assert "2 of the 3 were planned as a sweep over prompt (3 values) and duration (3 values)." in text
    assert "7 blind votes on pairs of clips were cast by 4 people." in text
    assert "$1.568" in text
    assert filled.log([]).methods() == "No clips were generated."


def test_methods_are_text_for_a_file_and_a_paragraph_in_a_cell(filled: Studio, tmp_path: Path) -> None:
    text = filled.log().methods()
    (tmp_path / "methods.txt").write_text(text)
    assert (tmp_path / "methods.txt").read_text() == text

    shown, _ = DisplayFormatter().format(text)

    assert shown["text/plain"] == text
    assert f">{text}</p>" in html.unescape(shown["text/html"])


@pytest.mark.parametrize(
    ("to", "more", "error"),
    [
        ("study.docx", {}, errors.ArgumentError),
        ("study.zip", {"version": "2.0"}, errors.ArgumentError),
        ("a" * 300 + ".zip", {}, errors.ExchangeError),
        ("taken.zip", {}, errors.ArgumentError),
        ("taken.html", {}, errors.ArgumentError),
        ("taken.jsonl", {}, errors.ArgumentError),
        ("taken.parquet", {}, errors.ArgumentError),
    ],
)
def test_an_export_that_is_not_possible_raises_and_writes_nothing(
    filled: Studio, tmp_path: Path, to: str, more: dict[str, Any], error: type[errors.KlingError]
) -> None:
    for ending in ("zip", "html", "jsonl", "parquet"):
        (tmp_path / f"taken.{ending}").write_text("x")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error):
        filled.log().export(tmp_path / to, **more)
    with pytest.raises(errors.ArgumentError, match="nothing to export"):
        filled.log([]).export(tmp_path / "none.zip")
    assert sorted(tmp_path.iterdir()) == before
    assert {path.read_text() for path in tmp_path.glob("taken.*")} == {"x"}


def test_an_archive_is_deterministic_in_its_names(filled: Studio, tmp_path: Path) -> None:
    with zipfile.ZipFile(filled.log().export(tmp_path / "study.zip").path) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert "ro-crate-metadata.json" in names


def test_anything_that_refers_to_a_record_can_be_exported(filled: Studio, studio: Studio, tmp_path: Path) -> None:
    job = studio.generate("a paper boat", duration=3)
    clip = job.result(60)
    plan = studio.sweep({"prompt": "a kite"}, duration=[3, 4])
    plan.run().wait(60)
    alone = [clip, job, clip.record, clip.record.id, [clip.record.id], [[job], (clip,)], studio.gather(job)]
    for number, one in enumerate([*alone, plan, [plan, job], studio.log(), studio.log()[:]]):
        lines = studio.log([one]).export(tmp_path / f"{number}.jsonl")
        assert lines.records == (1 if number < len(alone) else 2 if one is plan else 3)
        assert studio.log([one]).methods()
        assert studio.log()[clip] == clip.record
    crate = studio.log([plan, studio.sweep({"prompt": "never run"}, duration=[3, 4])]).export(tmp_path / "plans")
    assert len(list((crate.path / "plans").iterdir())) == 2


@pytest.mark.parametrize("wrong", [None, 5, [None], [b"x"], [[3]], object()])
def test_an_object_without_a_record_raises(filled: Studio, tmp_path: Path, wrong: Any) -> None:
    for ask in (filled.log, filled.compare):
        with pytest.raises(errors.ArgumentTypeError, match="Expected a record"):
            ask([wrong])
    with pytest.raises(errors.NotSaved, match="no record 'nobody'"):
        filled.log(["nobody"])


def test_a_string_is_one_author(filled: Studio, tmp_path: Path) -> None:
    whole = filled.log().export(tmp_path / "one", authors="Ann Lee")
    graph = json.loads((whole.path / "ro-crate-metadata.json").read_text())["@graph"]
    assert [node["name"] for node in graph if node["@type"] == "Person" and node["name"] == "Ann Lee"] == ["Ann Lee"]
    assert [node for node in graph if node["@type"] == "Person" and len(node["name"]) == 1] == []


@pytest.mark.parametrize(
    ("wrong", "error", "named"),
    [
        ({"authors": 5}, errors.ArgumentTypeError, "got 5"),
        ({"authors": ["Ann Lee", 7]}, errors.ArgumentTypeError, "7"),
        ({"licence": 4}, errors.ArgumentTypeError, "licence must be a string, got 4"),
        ({"title": 4}, errors.ArgumentTypeError, "title must be a string, got 4"),
        ({"description": ["a"]}, errors.ArgumentTypeError, "description must be a string"),
        ({"embed": "big"}, errors.ArgumentError, "got 'big'"),
        ({"embed": None}, errors.ArgumentError, "got None"),
        ({"embed": float("nan")}, errors.ArgumentError, "got nan"),
        ({"embed": -1}, errors.ArgumentError, "got -1"),
    ],
)
def test_a_wrong_argument_of_an_export_is_one_clear_error(
    filled: Studio, tmp_path: Path, wrong: dict[str, Any], error: type[errors.KlingError], named: str
) -> None:
    with pytest.raises(error) as refused:
        filled.log().export(tmp_path / "x.html", **wrong)
    assert named in str(refused.value)
    assert not (tmp_path / "x.html").exists()

"""Whatever a record holds, it comes back as it was: out of an MP4, a crate, lines and columns."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from pathlib import Path
from typing import Any

import av
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling_nb.exchange.bundle import Bundle
from kling_nb.exchange.export import export
from kling_nb.exchange.importer import import_records
from kling_nb.exchange.mp4 import embed_record, packets_of, read_embedded
from kling_nb.models.record import File, Record
from kling_nb.render.report import Heading
from kling_nb.store.log import Log
from kling_nb.store.media import digest_of

from .strategies import PICTURES, records

NOW = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
HEADING = Heading("Boats", "", ("Ada <https://orcid.org/0000-0002-1825-0097>",), "CC-BY-4.0")


def _film() -> tuple[Path, File]:
    """Two frames of 16 by 16: made once for all examples."""
    file = Path(tempfile.mkdtemp(prefix="kling_nb-film-")) / "film.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", 24)
        stream.width = stream.height = 16
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode())
    digest = digest_of(file)
    name = digest.removeprefix("sha256:")
    return file, File(file=f"media/{name[:2]}/{name}.mp4", digest=digest, size=file.stat().st_size)


FILM, CLIP = _film()
some = st.lists(records(CLIP), min_size=1, max_size=3, unique_by=lambda record: record.id)
#: A folder is the same for all examples: each makes what it needs in it, and clears it away.
quick = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
few = settings(quick, max_examples=6)


@pytest.fixture(autouse=True, scope="module")
def _cleared() -> Any:
    yield
    shutil.rmtree(FILM.parent)


def bundle(given_records: list[Record]) -> Bundle:
    """The parts of a record that are passed on, without media."""
    return Bundle([record.public() for record in given_records], lambda _: None)


def told(record: Record) -> dict[str, Any]:
    """All but what a hand over changes on purpose."""
    return record.public().model_dump(exclude={"imported", "revision", "holder"})


@quick
@given(records(CLIP))
def test_a_record_comes_back_out_of_an_mp4_and_the_streams_are_as_they_were(tmp_path: Path, record: Record) -> None:
    target = tmp_path / "saved.mp4"
    embed_record(record, FILM, target)
    inside = read_embedded(target)
    assert inside.record == record.public()
    assert inside.unchanged
    assert packets_of(target) == packets_of(FILM)


@quick
@given(some)
def test_records_come_back_out_of_lines(tmp_path: Path, some_records: list[Record]) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        file = export(bundle(some_records), Path(folder, "study.jsonl"), HEADING, now=NOW).path
        lines = file.read_text("utf-8").split("\n")
    assert [Record.model_validate_json(line) for line in lines if line] == [one.public() for one in some_records]


@quick
@given(some)
def test_records_come_back_out_of_columns(tmp_path: Path, some_records: list[Record]) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        file = export(bundle(some_records), Path(folder, "study.parquet"), HEADING, now=NOW).path
        rows = pq.read_table(file).to_pylist()
    assert [Record.model_validate_json(row["record"]) for row in rows] == [one.public() for one in some_records]
    assert [(row["id"], row["prompt"], row["note"]) for row in rows] == [
        (one.id, one.prompt, one.note) for one in some_records
    ]


@few
@given(some, st.sampled_from(["1.3", "1.1"]), st.sampled_from(["study.zip", "study", "study.jsonl"]))
def test_records_come_back_out_of_a_crate_into_another_log(
    tmp_path: Path, some_records: list[Record], version: str, name: str
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        here, there = Log(Path(folder, "here")), Log(Path(folder, "there"))
        for data, suffix in [(FILM.read_bytes(), ".mp4"), *((picture, ".png") for picture in PICTURES.values())]:
            here.add_media(data, suffix)
        saved = [here.save(record) for record in some_records]
        done = export(Bundle.of(saved, here), Path(folder, name), HEADING, version=version, now=NOW)
        came = import_records(done.path, there)
        assert sorted(came.added) == sorted(record.id for record in saved)
        assert [told(there.get(record.id)) for record in saved] == [told(record) for record in saved]
        if done.form == "crate":
            assert came.problems == []
            assert there.verify() == []
        here.close()
        there.close()

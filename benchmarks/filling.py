"""A team's tables filled by SQL, with many records made from one real one: saving as many would take hours."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.hub import KEY, BenchHub
from kling_nb.models.record import Record, Times
from kling_nb.store.log import Log
from kling_nb.store.tables import records as table
from kling_nb.store.team import tables as team_tables
from kling_nb.studio import Studio

#: Assumptions about a team that makes a million records in a year.
PEOPLE, NOTEBOOKS, CELLS, PER_YEAR = 50, 400, 120, 1_000_000
#: In every 3rd prompt, and in one of 25,000.
COMMON, RARE = "lantern", "zeppelin"
#: A score document for one record in so many.
SCORED = 4
_CHUNK = 50_000
_SCORE = (
    '{"clip":"sha256:CLIP","request":"","name":"motion","version":"2","unit":"% of width/s","value":12.5,"note":"",'
    '"parts":{},"at":"2026-01-01T00:00:00Z"}'
)

#: One row for each number: what differs from record to record. Prompts have 24 words, some far more often than others.
_VARIED = """
CREATE TEMP TABLE varied ON COMMIT DROP AS
SELECT n, 'many' || lpad(n::text, 8, '0') AS batch, md5('hash' || n) AS hash, gen_random_uuid()::text AS generation,
  md5('a' || n) || md5('b' || n) AS clip, md5('c' || n) || md5('d' || n) AS poster,
  'person' || lpad((hashint4(n) & 1023) % {people} || '', 2, '0') AS by,
  'notebook' || (hashint4(n + 7) & 65535) % {notebooks} || '.ipynb' AS notebook,
  now() - make_interval(secs => ({last} - n) * 31536000.0 / {year}) AS at,
  CASE WHEN n > {last} - {running} THEN 'processing' WHEN n % 20 = 0 THEN 'failed' ELSE 'succeeded' END AS status,
  CASE WHEN n % 5 < 3 THEN 'plan' || n / {cells} END AS plan,
  CASE WHEN n % 10 = 3 THEN 1 + n % 5 END AS stars,
  (SELECT string_agg('w' || floor(3000 * power(random(), 3))::int, ' ') FROM generate_series(1, 24 + 0 * n))
    || CASE WHEN n % 3 = 0 THEN ' {common}' ELSE '' END || CASE WHEN n % 25000 = 1 THEN ' {rare}' ELSE '' END AS prompt
FROM generate_series({first}, {last_of_chunk}) AS n"""
_OWN = {
    "id": "v.batch || '-0'",
    "batch": "v.batch",
    "status": "v.status",
    "created": "(extract(epoch FROM v.at) * 1000000)::bigint",
    "charged": "(extract(epoch FROM v.at) * 1000000)::bigint",
    "request_hash": "'sha256:' || v.hash || v.hash",
    "generation_id": "v.generation",
    "stars": "v.stars",
    "plan": "v.plan",
    "cell": "CASE WHEN v.plan IS NOT NULL THEN md5('cell' || n) END",
    "notebook": "v.notebook",
    "by": "v.by",
    "charge": "CASE v.status WHEN 'succeeded' THEN 'spent' WHEN 'processing' THEN 'open' ELSE 'uncertain' END",
    "arrived": "r.revision",
}


def real_record(folder: Path) -> Record:
    """Make a clip at a local hub, as a member of the team of the environment, and return its record."""
    with BenchHub(folder / "hub", takes=0.5) as hub:
        studio = Studio(hub=hub.url, key=KEY, log=folder / "maker")
        try:
            prompt = "A paper boat on a dark canal, slow dolly in, rain on the water, lantern light at dusk, no people"
            record = studio.generate(prompt, duration=5).result(60).record
            studio.sync()
            return record
        finally:
            studio.close()


def fill(url: str, real: Record, count: int, there: int = 0) -> None:
    """Fill the tables up to so many records, with their words, tags, scores, plans and sums; `there` are in already.

    The newest of a year come first, so that each size has the same jobs under way.
    """
    first, last = PER_YEAR - count + 1, PER_YEAR - there
    seconds = real.times.created.isoformat().replace("+00:00", "Z")
    with psycopg.connect(url) as connection:
        for begin in range(first, last + 1, _CHUNK):
            given: dict[str, Any] = {
                "people": PEOPLE,
                "notebooks": NOTEBOOKS,
                "cells": CELLS,
                "year": PER_YEAR,
                "running": 200,
                "common": COMMON,
                "rare": RARE,
                "first": begin,
                "last": PER_YEAR,
                "last_of_chunk": min(last, begin + _CHUNK - 1),
            }
            with connection.transaction():
                _run(connection, _VARIED.format(**given))
                _run(connection, _rows(), {"real": real.id})
                _run(connection, _BODIES, _replaced(real, seconds))
                for statement in _MORE:
                    _run(connection, statement, {"scored": SCORED, "cells": CELLS, "score": _SCORE})
        with connection.transaction():
            _run(connection, "UPDATE kernels SET seen = now()")
            _run(connection, "DELETE FROM sums")
            _run(connection, team_tables.SUM_UP)
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("records", "bodies", "words", "tags", "documents", "sums"):
            _run(connection, f"VACUUM ANALYZE {name}")


def fresh(real: Record, number: int, log: Log) -> Record:
    """Return one more record of a person, not sent yet, as the engine makes it."""
    return real.model_copy(
        update={
            "id": f"new{number:08}-0",
            "batch": f"new{number:08}",
            "status": "prepared",
            "generation_id": None,
            "clip": None,
            "server": {},
            "holder": log.holder(),
            "by": "person00",
            "times": Times(created=datetime.datetime.now(datetime.UTC)),
            "revision": 0,
        }
    )


def _rows() -> str:
    names = [column.name for column in table.columns if column.name != "seq"]
    values = ", ".join(_OWN.get(name, f"r.{name}") for name in names)
    return f"INSERT INTO records ({', '.join(names)}) SELECT {values} FROM varied v, records r WHERE r.id = %(real)s"  # noqa: S608 - our own columns


#: The JSON of the real record, with the values of each row in it.
_BODIES = """
INSERT INTO bodies (seq, json)
SELECT r.seq, replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(%(json)s,
  %(batch)s, v.batch), %(hash)s, v.hash || v.hash), %(generation)s, v.generation), %(prompt)s, v.prompt),
  %(clip)s, v.clip), %(poster)s, v.poster), %(at)s, to_char(v.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
  %(status)s, '"status":"' || v.status || '"'), '"by":"' || %(by)s || '"', '"by":"' || v.by || '"'),
  '"plan":null,"cell":null', CASE WHEN v.plan IS NULL THEN '"plan":null,"cell":null'
    ELSE '"plan":"' || v.plan || '","cell":"' || md5('cell' || n) || '"' END),
  '"stars":null,"note":"","notebook":null',
  '"stars":' || coalesce(v.stars::text, 'null') || ',"note":"","notebook":"' || v.notebook || '"')
FROM varied v JOIN records r ON r.id = v.batch || '-0'"""
_MORE = (
    "INSERT INTO words (seq, text) SELECT seq, ' ' || v.batch || ' 0 ' || v.prompt "
    "FROM varied v JOIN records r ON r.id = v.batch || '-0'",
    "INSERT INTO tags (tag, seq) SELECT CASE WHEN n %% 50 = 0 THEN 'best' ELSE 'project' || n / 20000 END, seq "
    "FROM varied v JOIN records r ON r.id = v.batch || '-0' WHERE n %% 5 = 0",
    # The nine scores of a clip, and a plan of 120 cells: as many bytes as real ones have.
    "INSERT INTO documents (path, text, revision, arrived) "
    "SELECT 'scores/' || clip || '.json', "
    "'[' || array_to_string(array_fill(replace(%(score)s, 'CLIP', clip), ARRAY[9]), ',') || ']', 1, 1 "
    "FROM varied WHERE n %% %(scored)s = 0",
    "INSERT INTO documents (path, text, revision, arrived) "
    "SELECT 'plans/' || plan || '.json', string_agg(md5(plan || i), ''), 1, 1 "
    "FROM (SELECT DISTINCT plan FROM varied WHERE plan IS NOT NULL AND n %% %(cells)s = 0) p, "
    "generate_series(1, 900) AS i GROUP BY plan ON CONFLICT DO NOTHING",
)


def _replaced(real: Record, at: str) -> dict[str, str]:
    assert real.clip and real.clip.poster and real.generation_id
    return {
        "json": real.model_dump_json(),
        "batch": real.batch,
        "hash": real.request_hash.removeprefix("sha256:"),
        "generation": real.generation_id,
        "prompt": real.prompt,
        "clip": real.clip.digest.removeprefix("sha256:"),
        "poster": real.clip.poster.removeprefix("sha256:"),
        "at": at,
        "status": '"status":"succeeded"',
        "by": real.by,
    }


def _run(connection: psycopg.Connection[Any], statement: str, given: dict[str, Any] | None = None) -> None:
    connection.execute(statement, given)  # pyright: ignore[reportArgumentType, reportCallIssue] -- psycopg wants literals

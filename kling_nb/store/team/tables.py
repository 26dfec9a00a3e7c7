"""The tables that only a team's database has, and the statements by which it decides."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, text

from kling_nb.store.tables import records

LAYOUT = 1

metadata = MetaData()

#: Small named values by their path in the log: limits, presets, plans, votes, scores, and records in the trash.
documents = Table(
    "documents",
    metadata,
    Column("path", String(collation="C"), primary_key=True),
    Column("text", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("arrived", Integer, nullable=False, server_default="0"),
    Column("changed", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
#: The active kernels. One that was not seen for `LEASE` seconds has lost its jobs.
kernels = Table(
    "kernels",
    metadata,
    Column("holder", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("host", String, nullable=False),
    Column("seen", DateTime(timezone=True), nullable=False),
)
#: What counts against each limit, in millionths of a dollar: adding up 100,000 rows before each job takes too long.
sums = Table(
    "sums",
    metadata,
    Column("scope", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
MORE = (
    "CREATE INDEX records_cell ON records (plan, cell) WHERE plan IS NOT NULL",
    "CREATE INDEX records_late ON records (id) WHERE arrived < revision",
    "CREATE INDEX documents_late ON documents (path) WHERE arrived < revision",
    "CREATE INDEX records_by ON records (by, created, seq)",
)
#: For searches. Without the extension, or the right to create it, all words are read.
TRIGRAMS = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
TRIGRAMS_SCHEMA = """
SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'"""
WORDS_INDEX = "CREATE INDEX words_trigrams ON words USING gin (text {schema}.gin_trgm_ops)"

LOCK = "SELECT pg_advisory_xact_lock(hashtext('kling_nb ' || current_schema()))"
#: Only spending takes this one.
MONEY_LOCK = "SELECT pg_advisory_xact_lock(hashtext('kling_nb money ' || current_schema()))"

_COLUMNS = [column.name for column in records.columns if column.name not in ("seq", "arrived")]
_PARTS = """
, b AS (INSERT INTO bodies (seq, json) SELECT seq, %(json)s FROM r
        ON CONFLICT (seq) DO UPDATE SET json = excluded.json)
, w AS (INSERT INTO words (seq, text) SELECT seq, %(words)s FROM r
        ON CONFLICT (seq) DO UPDATE SET text = excluded.text WHERE words.text <> excluded.text)
, d AS (DELETE FROM tags WHERE seq IN (SELECT seq FROM r) AND tag <> ALL(%(tags)s::text[]))
, t AS (INSERT INTO tags (tag, seq) SELECT DISTINCT x.tag, r.seq FROM r, unnest(%(tags)s::text[]) AS x(tag)
        ON CONFLICT DO NOTHING)
, s AS (INSERT INTO sums (scope, name, amount)
        SELECT x.scope, x.name, x.amount
        FROM r, unnest(%(scopes)s::text[], %(names)s::text[], %(amounts)s::bigint[]) AS x(scope, name, amount)
        ORDER BY 1, 2
        ON CONFLICT (scope, name) DO UPDATE SET amount = sums.amount + excluded.amount)
SELECT seq FROM r"""
_ALIVE = "EXISTS (SELECT 1 FROM kernels WHERE holder = {} AND seen > now() - make_interval(secs => %(lease)s))"

#: Writes a new record with everything that belongs to it; no row if the id is taken.
INSERT_RECORD = (
    f"WITH r AS (INSERT INTO records ({', '.join(_COLUMNS)}) "  # noqa: S608 - names of our own columns
    f"VALUES ({', '.join(f'%({name})s' for name in _COLUMNS)}) "
    f"ON CONFLICT (id) DO NOTHING RETURNING seq){_PARTS}"
)
#: Replaces one revision of a record by the next; no row if another kernel was first, or `dead` lives.
UPDATE_RECORD = (
    f"WITH r AS (UPDATE records SET {', '.join(f'{name} = %({name})s' for name in _COLUMNS if name != 'id')} "  # noqa: S608 - same
    f"WHERE id = %(id)s AND revision = %(expected)s AND NOT {_ALIVE.format('%(dead)s')} RETURNING seq){_PARTS}"
)
READ_RECORD = "SELECT json FROM bodies JOIN records USING (seq) WHERE id = %s"
READ_RECORDS = "SELECT id, json FROM bodies JOIN records USING (seq) WHERE id = ANY(%s)"
#: A record, and whether the kernel that runs its job is alive.
READ_WITH_HOLDER = f"""
SELECT b.json, {_ALIVE.format("b.json::json ->> 'holder'")}
FROM bodies b JOIN records USING (seq) WHERE id = %(id)s"""  # noqa: S608 - a constant
IS_ALIVE = f"SELECT {_ALIVE.format('%(holder)s')}"
#: All that decides whether records may be sent, in one row: whether this kernel is alive, the limits, what counts
#: against them, the cells of the plan that were sent already (imported clips, free and not local, do not count), and
#: the records.
DECIDE = f"""
SELECT {_ALIVE.format("%(holder)s")},
  (SELECT text FROM documents WHERE path = %(limits)s),
  (SELECT json_object_agg(scope, amount) FROM sums
   JOIN unnest(%(scopes)s::text[], %(names)s::text[]) AS x(scope, name) USING (scope, name)),
  (SELECT array_agg(cell) FROM records
   WHERE plan = %(plan)s AND cell = ANY(%(cells)s) AND id <> ALL(%(ids)s) AND (charge <> 'free' OR local)
     AND status IN ('submitting', 'uncertain', 'queued', 'processing', 'downloading', 'succeeded')),
  (SELECT array_agg(json) FROM bodies JOIN records USING (seq) WHERE id = ANY(%(ids)s))"""  # noqa: S608 - a constant
READ_SUMS = """
SELECT scope, sums.name, amount
FROM sums JOIN unnest(%(scopes)s::text[], %(names)s::text[]) AS x(scope, name) USING (scope, name)"""
#: A removed record is still paid for: its sums stay.
REMOVE_RECORD = """
WITH r AS (DELETE FROM records WHERE id = %(id)s AND revision = %(expected)s RETURNING id)
, d AS (INSERT INTO documents (path, text, revision) SELECT %(path)s, %(text)s, %(revision)s FROM r
        ON CONFLICT (path) DO UPDATE
        SET text = excluded.text, revision = documents.revision + 1, changed = now())
SELECT id FROM r"""

BEAT = """
UPDATE kernels SET seen = now()
WHERE holder = %(holder)s AND seen > now() - make_interval(secs => %(lease)s) RETURNING holder"""
NEW_KERNEL = "INSERT INTO kernels (holder, person, host, seen) VALUES (%(holder)s, %(person)s, %(host)s, now())"
MEMBERS = """
SELECT person, host, count(*), extract(epoch FROM now() - max(seen))::float FROM kernels
WHERE seen > now() - make_interval(secs => %(lease)s) GROUP BY person, host ORDER BY person, host"""

#: One statement for two kernels that found the same generation. No row: another kernel was first just now.
CLAIM = """
WITH new AS (
  INSERT INTO claims (generation_id, record) SELECT %(generation)s::text, %(id)s::text
  WHERE NOT EXISTS (SELECT 1 FROM records WHERE generation_id = %(generation)s::text AND id <> %(id)s::text)
  ON CONFLICT DO NOTHING RETURNING record)
SELECT record FROM new UNION ALL SELECT record FROM claims WHERE generation_id = %(generation)s LIMIT 1"""
#: One kernel at a time looks for a request's clip and starts it; a dead one's turn ends with its lease.
BEGIN_TURN = f"""
INSERT INTO claims AS c (generation_id, record) VALUES (%(turn)s, %(holder)s)
ON CONFLICT (generation_id) DO UPDATE SET record = excluded.record
WHERE NOT {_ALIVE.format("split_part(c.record, ' ', 1)")} RETURNING record"""  # noqa: S608 - a constant
END_TURN = "DELETE FROM claims WHERE generation_id = %(turn)s AND record = %(holder)s"

#: The next revision of a document; no row if another kernel was first.
PUT_DOCUMENT = """
INSERT INTO documents AS d (path, text, revision) VALUES (%(path)s, %(text)s, 1)
ON CONFLICT (path) DO UPDATE SET text = excluded.text, revision = d.revision + 1, changed = now()
WHERE %(expected)s::int IS NULL OR d.revision = %(expected)s::int RETURNING revision"""
READ_DOCUMENTS = "SELECT path, text, revision FROM documents WHERE path = ANY(%s)"
#: The documents of a folder, the last changed last.
_BELOW = """FROM documents
WHERE path >= %(under)s AND path < %(under)s || chr(1114111) AND text <> '' ORDER BY changed, path"""
LIST_DOCUMENTS = f"SELECT path, text, revision {_BELOW}"
LIST_PATHS = f"SELECT path {_BELOW}"

LATE_RECORDS = """
SELECT id, created, revision, arrived, json FROM records JOIN bodies USING (seq)
WHERE arrived < revision AND (%(keys)s::text[] IS NULL OR id = ANY(%(keys)s::text[])) ORDER BY id LIMIT %(limit)s"""
LATE_DOCUMENTS = """
SELECT path, 0, revision, arrived, text FROM documents WHERE arrived < revision
AND (%(keys)s::text[] IS NULL OR path = ANY(%(keys)s::text[])) ORDER BY path LIMIT %(limit)s"""
COUNT_LATE = """
SELECT (SELECT count(*) FROM records WHERE arrived < revision),
       (SELECT count(*) FROM documents WHERE arrived < revision)"""
RECORDS_ARRIVED = """
UPDATE records SET arrived = x.revision FROM unnest(%(keys)s::text[], %(revisions)s::int[]) AS x(id, revision)
WHERE records.id = x.id AND arrived < x.revision"""
DOCUMENTS_ARRIVED = """
UPDATE documents SET arrived = x.revision FROM unnest(%(keys)s::text[], %(revisions)s::int[]) AS x(path, revision)
WHERE documents.path = x.path AND arrived < x.revision"""

# A rebuild

RESTORE_DOCUMENT = """
INSERT INTO documents AS d (path, text, revision, arrived) VALUES (%(path)s, %(text)s, %(revision)s, %(revision)s)
ON CONFLICT (path) DO UPDATE SET text = excluded.text, revision = excluded.revision, arrived = excluded.arrived
WHERE d.revision < excluded.revision"""
REVISIONS = "SELECT id, revision FROM records WHERE id = ANY(%s)"
ALL_LATE = """
SELECT id, revision, arrived FROM records WHERE arrived < revision
UNION ALL SELECT path, revision, arrived FROM documents WHERE arrived < revision"""
LOCK_SUMS = "LOCK TABLE records, sums IN SHARE ROW EXCLUSIVE MODE"
SUM_UP = """
INSERT INTO sums (scope, name, amount)
SELECT x.scope, x.name, sum(cost) FROM records, LATERAL (VALUES
  ('total', ''), ('day', to_char(to_timestamp(charged / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
  ('notebook', coalesce(notebook, '')), ('person', by), ('plan', coalesce(plan, ''))) AS x(scope, name)
WHERE charge IN ('open', 'spent', 'uncertain') AND cost IS NOT NULL GROUP BY 1, 2"""
ADD_SUM = """
INSERT INTO sums (scope, name, amount) VALUES (%(scope)s, %(name)s, %(amount)s)
ON CONFLICT (scope, name) DO UPDATE SET amount = sums.amount + excluded.amount"""

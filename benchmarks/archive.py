"""Archives of millions of traces, filled by the database itself: minutes for ten million, where a client takes an hour.

A trace here is its narrow row, its cell and its counters: all that a draw reads. Payloads are left out. Signs, judges'
scores and categories come from 65,536 kinds made with the program's own rules; the key chooses a trace's kind, so what
is known of a trace does not depend on where in the shuffle it lies.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import Engine, text

from thumbwheel.app import weigh
from thumbwheel.domain.cell import Sign
from thumbwheel.store.engine import DAY_MICROS, HOUR_MICROS, micros
from thumbwheel.store.migrate import migrate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CATEGORIES = [f"category {number}" for number in range(20)]
DAYS = 91
SAID = [Sign.down, Sign.reason, Sign.edit, Sign.regenerate, Sign.regenerate | Sign.down, Sign.clarification]

_KINDS = 1 << 16
#: Traces of one statement.
_STEP = 250_000

_UNIFORM = {"sqlite": "abs(random() / 2)", "postgresql": "(random() * 4611686018427387904)::bigint"}
_KEY = {"sqlite": "random() & 9223372036854775807", "postgresql": "(random() * 9007199254740991)::bigint * 1024"}
_SLOT = {"sqlite": "sample_key & 65535", "postgresql": "(sample_key >> 12) & 65535"}
_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}
_AT = "(CAST(:begin AS BIGINT) + t.i * CAST(:step AS BIGINT))"
_SERIES = {
    "sqlite": "(WITH RECURSIVE s(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM s WHERE i < :last) SELECT i FROM s)",
    "postgresql": "(SELECT generate_series(CAST(:first AS BIGINT), CAST(:last AS BIGINT)) AS i)",
}


def fill(engine: Engine, n: int, project_id: int = 1) -> None:
    """Give an empty store `n` traces over a quarter, in order of time: 4 % have a negative sign, all a judge's score."""
    migrate(engine)
    here = engine.dialect.name
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            text("CREATE TABLE kinds (slot INTEGER PRIMARY KEY, category TEXT, score REAL, cell INTEGER)")
        )
        connection.execute(text("INSERT INTO kinds VALUES (:slot, :category, :score, :cell)"), _kinds())
    for first in range(1, n + 1, _STEP):
        last = min(first + _STEP - 1, n)
        with engine.execution_options(writes=True).begin() as connection:
            given = {
                "project": project_id,
                "first": first,
                "last": last,
                "begin": micros(NOW - timedelta(days=DAYS)),
                "step": DAYS * DAY_MICROS // n,
                "users": max(n // 20, 1),
            }
            connection.execute(text(_traces(here)), given)
            connection.execute(text(_EVIDENCE.format(slot=_SLOT[here])), given)
    with engine.execution_options(writes=True).begin() as connection:
        for statement in _COUNTS:
            connection.execute(text(statement), {"project": project_id, "last": n})
        connection.execute(text("DROP TABLE kinds"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)" if here == "sqlite" else "VACUUM ANALYZE"))


def _kinds() -> list[dict[str, object]]:
    rng = Random(1)
    kinds = []
    for slot in range(_KINDS):
        score = rng.betavariate(8, 1)
        cell = weigh((), score)
        if rng.random() < 0.04:
            cell = cell._replace(signs=rng.choice(SAID))
        category = CATEGORIES[min(19, int(rng.expovariate(0.35)))]
        kinds.append({"slot": slot, "category": category, "score": score, "cell": cell.number})
    return kinds


def _traces(here: str) -> str:
    # Keys come from a query of their own, since a kind is looked up by them; OFFSET keeps SQLite from merging the two.
    return f"""
        INSERT INTO traces (id, project_id, day, trace_id, started_at, received_at, category, user_id, judge_score,
                            judge_name, sample_key, content_hash)
        SELECT t.i, :project, {_AT} / {DAY_MICROS}, {_ID[here]}, {_AT}, {_AT}, kinds.category, 'user-' || ({_UNIFORM[here]} % :users), kinds.score, 'judge',
               t.sample_key, t.i
        FROM (SELECT i, {_KEY[here]} AS sample_key FROM {_SERIES[here]} AS series LIMIT {_STEP} OFFSET 0) AS t
        JOIN kinds ON kinds.slot = {_SLOT[here].replace("sample_key", "t.sample_key")}
        ORDER BY t.i
    """


_EVIDENCE = f"""
    INSERT INTO evidence (project_id, day, cell, sample_key, trace_ref, since, category, hour)
    SELECT :project, day, cell, sample_key, id, 0, traces.category, started_at / {HOUR_MICROS}
    FROM traces JOIN kinds ON slot = {{slot}}
    WHERE traces.id BETWEEN :first AND :last AND cell <> 0
    ORDER BY day, cell, sample_key
"""

_COUNTS = (
    *(
        f"""INSERT INTO trace_counts (project_id, hours, slot, epoch, category, n)
            SELECT :project, {hours}, started_at / {hours * HOUR_MICROS}, 0, category, count(*)
            FROM traces GROUP BY 3, 5"""
        for hours in (1, 24)
    ),
    *(
        f"""INSERT INTO evidence_counts (project_id, hours, slot, epoch, category, cell, n)
            SELECT :project, {hours}, hour / {hours}, 0, category, cell, count(*) FROM evidence GROUP BY 3, 5, 6"""
        for hours in (1, 24)
    ),
    "INSERT INTO trace_days (project_id, day) SELECT DISTINCT :project, day FROM traces",
    "INSERT INTO counters (name, value) VALUES ('trace', :last)",
    "INSERT INTO counters (name, value) VALUES ('judged-' || :project, :last)",
)

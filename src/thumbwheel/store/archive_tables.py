"""The archive's tables: traces, payloads, signals, their counters, and what other tools keep here.

Big and append-only; every index leads with the project and the day.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from thumbwheel.store.engine import JsonText, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# --- the archive ------------------------------------------------------------------------------------------------------

#: The last trace number given out. Numbers follow commit order.
counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

traces = Table(
    "traces",
    metadata,
    #: Place in the order of arrival.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("project_id", Integer, nullable=False),
    #: Days since 1970-01-01 of `started_at`, UTC.
    Column("day", Integer, nullable=False),
    #: The one form in which it is looked up (see `thumbwheel.domain.identity`).
    Column("trace_id", Text, nullable=False),
    #: As it was given, where that is another spelling.
    Column("given_id", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("name", Text),
    #: Empty when the trace has none.
    Column("category", Text, nullable=False),
    Column("user_id", Text),
    Column("session_id", Text),
    Column("model", Text),
    Column("prompt_version", Text),
    Column("release", Text),
    Column("tags", JsonText),
    Column("judge_score", Double),
    Column("judge_name", Text),
    #: Keyed hash of the trace id, uniform over [0, 2^63): order by it is a random permutation.
    Column("sample_key", BigInteger, nullable=False),
    #: Of what the client sent, to tell a retry from a reused id; 0 when it came as spans only.
    Column("content_hash", BigInteger, nullable=False),
    UniqueConstraint("project_id", "day", "trace_id"),
    Index(None, "project_id", "day", "category", "sample_key"),
    Index(None, "project_id", "day", "started_at"),
    Index(
        None,
        "project_id",
        "day",
        "user_id",
        sqlite_where=text("user_id IS NOT NULL"),
        postgresql_where=text("user_id IS NOT NULL"),
    ),
    Index(
        None,
        "project_id",
        "session_id",
        "started_at",
        sqlite_where=text("session_id IS NOT NULL"),
        postgresql_where=text("session_id IS NOT NULL"),
    ),
)

#: zstd-compressed JSON: input, output, documents, tool calls, metadata, and the spans it came as. Apart, so that narrow
#: scans stay narrow.
payloads = Table(
    "payloads",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

#: In which trace a span is: by its id, or by `response:` and the provider's id of its answer.
span_ids = Table(
    "span_ids",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: The trace's day.
    Column("day", Integer, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("trace_ref", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

#: Every score another tool's client sent, as given; what it became stands elsewhere and is made from it anew.
scores = Table(
    "scores",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: In the form in which ids are looked up.
    Column("score_id", Text, primary_key=True),
    #: Key of the trace, span or response it is about and that has not come yet.
    Column("waits_for", Text),
    Column("trace_ref", BigInteger),
    Column("session_id", Text),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    #: The whole score.
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "waits_for"),
    Index(None, "project_id", "trace_ref"),
    Index(None, "project_id", "at"),
)

signals = Table(
    "signals",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: The trace's day.
    Column("day", Integer, primary_key=True),
    Column("trace_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("user_id", Text),
    Column("rating", Text),
    Column("reason", Text),
    Column("edit_kind", Text),
    Column("seconds", Double),
    #: The trace's; empty when it has none.
    Column("category", Text, nullable=False),
    #: The whole signal.
    Column("body", Text, nullable=False),
    Column("content_hash", BigInteger, nullable=False),
    Index(
        "ix_signals_dwell",
        "project_id",
        "day",
        "category",
        "seconds",
        sqlite_where=text("seconds IS NOT NULL"),
        postgresql_where=text("seconds IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

#: Signals whose trace has not come yet.
pending_signals = Table(
    "pending_signals",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("trace_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("received_at", UtcTime, nullable=False),
    Column("body", Text, nullable=False),
    Column("content_hash", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: What was taken out of a trace and of what is about it: counts by type for each part, and keyed hash -> placeholder.
scrubbings = Table(
    "scrubbings",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: The trace's day; 0 when only what waits for it has come.
    Column("day", Integer, primary_key=True),
    #: In the form in which ids are looked up.
    Column("trace_id", Text, primary_key=True),
    Column("body", JsonText, nullable=False),
    sqlite_with_rowid=False,
)

#: How long answers are usually read, by category, and of all categories under the empty name.
dwell_norms = Table(
    "dwell_norms",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    #: Of ln(seconds).
    Column("median", Double, nullable=False),
    Column("mad", Double, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)

#: How many traces started in each hour and each day (see `thumbwheel.store.counts`).
trace_counts = Table(
    "trace_counts",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: Length of what is counted: 1 for an hour, 24 for a day.
    Column("hours", Integer, primary_key=True),
    #: Which hour or day it is, counted from 1970-01-01T00Z.
    Column("slot", Integer, primary_key=True),
    #: `framed_to` of the newest frame that had closed when they arrived, 0 for none.
    Column("epoch", BigInteger, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: The days that have traces, so that a search by id probes no others.
trace_days = Table(
    "trace_days",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("day", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

#: What is known of a trace before a human looks (see `thumbwheel.domain.cell`): a draw reads it in key order, cell by cell.
evidence = Table(
    "evidence",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: The trace's day.
    Column("day", Integer, primary_key=True),
    Column("cell", Integer, primary_key=True),
    Column("sample_key", BigInteger, primary_key=True),
    Column("trace_ref", BigInteger, primary_key=True),
    #: 1970 for what was known when a frame closed over the trace; the time it was learnt for what came later.
    Column("since", UtcTime, primary_key=True),
    Column("category", Text, nullable=False),
    Column("hour", Integer, nullable=False),
    Index(None, "trace_ref"),
    Index(
        None,
        "project_id",
        "since",
        sqlite_where=text("since > 0"),
        postgresql_where=text("since > 0"),
    ),
    sqlite_with_rowid=False,
)

#: How many of them are in each cell, apart from those of which nothing is known.
evidence_counts = Table(
    "evidence_counts",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("hours", Integer, primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("cell", Integer, primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: What a judge would answer.
suggestions = Table(
    "suggestions",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("trace_ref", BigInteger, primary_key=True),
    Column("judge", Text, primary_key=True),
    Column("failure_probability", Double, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)

#: Versions of the clusters that give a category to traces that come without one; the last one holds.
clusterings = Table(
    "clusterings",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("made_at", UtcTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("body", JsonText, nullable=False),
)

# --- for other tools' clients -----------------------------------------------------------------------------------------

#: What clients keep here to read it back, and nothing else looks at: datasets, score configs, queues of their own.
shelf = Table(
    "shelf",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    #: What it is part of; empty when it stands alone.
    Column("within", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    #: When it is of no more use; None for what is kept until somebody takes it off.
    Column("expires_at", UtcTime),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "kind", "within", "created_at", "id"),
    Index(
        None,
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
)

# --- sources ----------------------------------------------------------------------------------------------------------

#: How far another tool's data has been read: everything of `stream` with a time in [begun_at, done_to).
source_cursors = Table(
    "source_cursors",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: Which server, and which project there.
    Column("origin", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("begun_at", UtcTime, nullable=False),
    Column("done_to", UtcTime, nullable=False),
)

#: Which traces came from another tool, and the last label that was taken back to it.
source_traces = Table(
    "source_traces",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("origin", Text, primary_key=True),
    #: In the form in which it is looked up.
    Column("trace_id", Text, primary_key=True),
    #: What the tool calls it.
    Column("remote_id", Text, nullable=False),
    Column("pushed_label", Text),
    sqlite_with_rowid=False,
)

"""Every table. Migrations build exactly this; a test compares the two.

The archive (traces, payloads, signals, their counters) is big and append-only, and every index of it leads with
the project and the day. The ledger (queue, annotations, labels, artifacts, people) is small and transactional.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
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

# --- the installation -------------------------------------------------------------------------------------------------

#: Secrets this installation made for itself: signing, shuffling.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    #: What the project chose: reasons, consent, …
    Column("settings", JsonText, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, ForeignKey("projects.id"), nullable=False),
    Column("public_key", Text, nullable=False, unique=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("scopes", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("why", Text),
    Index(None, "project_id", "at"),
)

#: One row a job: whoever holds the lease runs it, so that many replicas fire it once.
jobs = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", UtcTime, nullable=False),
    Column("leased_until", UtcTime),
    Column("ran_at", UtcTime),
    Column("fault", Text),
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

# --- the queue --------------------------------------------------------------------------------------------------------

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("slice", JsonText, nullable=False),
    Column("pull", Integer, nullable=False),
    Column("raised_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Index(None, "project_id", "expires_at"),
)

draws = Table(
    "draws",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    #: The frame it closed: traces that started in [frame_start, frame_end) and were among the first `framed_to`.
    Column("frame_start", UtcTime, nullable=False),
    Column("frame_end", UtcTime, nullable=False),
    Column("framed_to", BigInteger, nullable=False),
    #: The draw whose frame it drew from again; it closed none of its own.
    Column("again_of", Text),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "at"),
    Index(None, "project_id", "frame_end"),
    Index(
        None,
        "project_id",
        "framed_to",
        sqlite_where=text("again_of IS NULL"),
        postgresql_where=text("again_of IS NULL"),
    ),
)

queue_entries = Table(
    "queue_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("draw_id", Text, ForeignKey("draws.id"), nullable=False),
    Column("trace_ref", BigInteger, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("picked_by", JsonText, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("serve_rank", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("inclusion_probability", Double, nullable=False),
    #: The draw's risk model about the trace.
    Column("risk", Double),
    #: The drift alert it was pulled for.
    Column("alert_id", Text),
    Column("core", Boolean, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("labels_needed", Integer, nullable=False),
    Column("category", Text),
    Column("added_at", UtcTime, nullable=False),
    Index(None, "project_id", "added_at"),
    Index(None, "project_id", "trace_id"),
    Index(None, "project_id", "trace_ref"),
    Index(None, "draw_id", "project_id"),
    Index(
        None,
        "project_id",
        "alert_id",
        sqlite_where=text("alert_id IS NOT NULL"),
        postgresql_where=text("alert_id IS NOT NULL"),
    ),
)

#: One row for every entry that still needs a judgement, and who holds it. Gone when nothing is left to do.
waiting = Table(
    "waiting",
    metadata,
    Column("entry_id", Text, ForeignKey("queue_entries.id"), primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    Column("serve_rank", Integer, nullable=False),
    Column("lease_token", Text),
    Column("leased_by", Text),
    Column("leased_until", UtcTime),
    #: Whom it is kept for; empty for anybody.
    Column("assigned_to", Text, nullable=False),
    #: Who judged or skipped it last; empty while nobody has. An annotator is served by ranges of it that leave out
    #: their own name, so that what they have done already is never walked over.
    Column("passed_by", Text, nullable=False),
    #: What it waits for, where that is no longer what it was drawn for: `relabel`.
    Column("purpose", Text),
    Index(None, "project_id", "added_at", "serve_rank", "entry_id"),
    Index(None, "project_id", "assigned_to", "passed_by", "added_at", "serve_rank"),
    Index(
        None,
        "project_id",
        "leased_by",
        sqlite_where=text("leased_by IS NOT NULL"),
        postgresql_where=text("leased_by IS NOT NULL"),
    ),
)

#: Entries that left the queue without a judgement.
drops = Table(
    "drops",
    metadata,
    Column("entry_id", Text, ForeignKey("queue_entries.id"), primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("dropped_at", UtcTime, nullable=False),
    Column("why", Text, nullable=False),
)

#: An annotator passed an entry on; it goes to somebody else.
skips = Table(
    "skips",
    metadata,
    Column("entry_id", Text, ForeignKey("queue_entries.id"), primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("why", Text),
)

#: A bulk change of what waits, with what it takes to undo it.
queue_changes = Table(
    "queue_changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    #: `drop` or `assign`.
    Column("kind", Text, nullable=False),
    #: Entry id -> whom it was kept for before.
    Column("body", JsonText, nullable=False),
    Column("undone_at", UtcTime),
    Index(None, "project_id", "at", "id"),
)

#: How many judgements a day are asked of a reviewer; the last row of each counts.
quotas = Table(
    "quotas",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True),
    #: 0 for none.
    Column("per_day", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
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

# --- annotations and labels -------------------------------------------------------------------------------------------

codebooks = Table(
    "codebooks",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("published_at", UtcTime, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("body", JsonText, nullable=False),
)

#: How the owner has sorted the notes of open coding so far; a draft, gone when they start over.
groupings = Table(
    "groupings",
    metadata,
    Column("project_id", Integer, primary_key=True),
    #: Goes up with every change, so that two people who sort at once are told.
    Column("revision", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", JsonText, nullable=False),
)

annotation_rows = Table(
    "annotations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("entry_id", Text, ForeignKey("queue_entries.id"), nullable=False),
    Column("annotator", Text, nullable=False),
    #: The lease it was made under: submitting twice is one annotation.
    Column("lease_token", Text, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    #: When a correction replaced it; the row stays.
    Column("superseded_at", UtcTime),
    Column("body", JsonText, nullable=False),
    #: What the annotator was told: label, dispute or waiting, and the id of it. Asked again, the answer is the same.
    Column("outcome", Text, nullable=False),
    Column("outcome_id", Text),
    Index(None, "entry_id", "project_id", "annotator"),
    Index(None, "project_id", "annotator", "at", "id"),
    Index(None, "project_id", "at"),
)

disputes = Table(
    "disputes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("entry_id", Text, ForeignKey("queue_entries.id"), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "closed_at", "opened_at", "id"),
    Index(None, "entry_id", "project_id"),
)

labels = Table(
    "labels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("entry_id", Text, ForeignKey("queue_entries.id"), nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("settled_at", UtcTime, nullable=False),
    Column("superseded_at", UtcTime),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "settled_at", "id"),
    Index(None, "entry_id", "project_id"),
    Index(None, "project_id", "trace_id"),
)

#: Labels that a revision of the codebook set aside. A label leaves this by being affirmed, or by its entry being judged again.
quarantines = Table(
    "quarantines",
    metadata,
    Column("label_id", Text, ForeignKey("labels.id"), primary_key=True),
    Column("project_id", Integer, nullable=False),
    #: The version that set it aside.
    Column("version", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("closed_by", Text),
    #: `affirmed`, `requeued` or `judged`.
    Column("outcome", Text),
    Index(None, "project_id", "closed_at", "at", "label_id"),
)

#: What the owner said of a reviewer's settled label when they looked again: judgements of people, for the purpose of audit.
spot_checks = Table(
    "spot_checks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("label_id", Text, ForeignKey("labels.id"), nullable=False),
    #: Whose label it was.
    Column("annotator", Text, nullable=False),
    Column("checked_by", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("agrees", Boolean, nullable=False),
    Column("superseded_at", UtcTime),
    Index(None, "project_id", "at"),
    Index(None, "label_id", "project_id"),
)

# --- what labels become -----------------------------------------------------------------------------------------------

#: Which outlet a label went through. A live label without a row here has not been routed yet.
routings = Table(
    "routings",
    metadata,
    Column("label_id", Text, ForeignKey("labels.id"), primary_key=True),
    Column("outlet", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("artifact_id", Text),
    #: The right that was missing, where it therefore made nothing or less.
    Column("lacks", Text),
    Column("at", UtcTime, nullable=False),
    Index(None, "project_id", "outlet"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("outlet", Text, nullable=False),
    Column("label_id", Text, ForeignKey("labels.id"), nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    #: When its label was superseded.
    Column("retired_at", UtcTime),
    #: The check a person chose for a golden row, in place of the one it was made with.
    Column("chosen_check", JsonText),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "outlet", "created_at"),
    Index(None, "project_id", "trace_id"),
    Index(None, "label_id"),
)

fixes = Table(
    "fixes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("shipped_at", UtcTime),
    Column("body", JsonText, nullable=False),
    Index(None, "project_id", "created_at"),
)

fix_labels = Table(
    "fix_labels",
    metadata,
    Column("fix_id", Text, ForeignKey("fixes.id"), primary_key=True),
    Column("label_id", Text, ForeignKey("labels.id"), primary_key=True),
    Index(None, "label_id"),
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

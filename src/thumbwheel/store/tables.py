"""The ledger's tables: queue, annotations, labels, artifacts. Small and transactional.

`metadata` holds these, the archive's and the installation's. Migrations build exactly them; a test compares the two.
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
    Table,
    Text,
    text,
)

from thumbwheel.store.engine import JsonText, UtcTime
from thumbwheel.store.people_tables import people

#: One for all of them, begun with the archive.
metadata = people.metadata

# --- what the server does by itself -----------------------------------------------------------------------------------

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

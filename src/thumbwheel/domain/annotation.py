"""From judgements to labels. A suggestion, an annotation and a label are three types with no common base."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """The answer to the codebook's question."""

    passed = "pass"
    failed = "fail"


class Settled(StrEnum):
    """How a label came about."""

    single = "single"
    agreed = "agreed"
    adjudicated = "adjudicated"


class Better(StrEnum):
    """Which of two answers to the same question is the better one."""

    this = "this"
    other = "other"
    equal = "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The answer of one trace beside another one's to the same question."""

    other_trace_id: str
    better: Better


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a judge would answer."""

    trace_id: str
    #: Model, prompt and codebook version in one name.
    judge: str
    #: Chance of failure in [0, 1].
    failure_probability: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What somebody says about one trace, before it is known which annotation or decision it becomes."""

    verdict: Verdict
    #: Ids of codebook categories; empty for a pass.
    categories: tuple[str, ...] = ()
    critique: str | None = None
    corrected_output: str | None = None
    #: Document id -> was it relevant.
    documents: dict[str, bool] = field(default_factory=dict)
    missing_knowledge: str | None = None
    comparison: Comparison | None = None
    #: Seconds the reviewer looked at it, as the page measured them.
    seconds: float | None = None
    #: The version it was made with; the current one when None.
    codebook_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One person's judgement of one entry under one codebook version."""

    id: str
    entry_id: str
    trace_id: str
    annotator: str
    verdict: Verdict
    #: Ids of codebook categories; empty for a pass.
    categories: tuple[str, ...]
    codebook_version: int
    at: datetime
    critique: str | None = None
    corrected_output: str | None = None
    #: Document id -> was it relevant.
    documents: dict[str, bool] = field(default_factory=dict)
    missing_knowledge: str | None = None
    comparison: Comparison | None = None
    #: Seconds the reviewer looked at it, as the page measured them.
    seconds: float | None = None
    #: The annotation this one corrects.
    supersedes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Annotations of one entry that differ, waiting for the rubric owner."""

    id: str
    entry_id: str
    trace_id: str
    annotation_ids: tuple[str, ...]
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The settled answer for one entry; the only thing that closes a loop."""

    id: str
    entry_id: str
    trace_id: str
    verdict: Verdict
    categories: tuple[str, ...]
    settled: Settled
    #: The annotations it rests on; all of them stay.
    annotation_ids: tuple[str, ...]
    annotators: tuple[str, ...]
    codebook_version: int
    settled_at: datetime
    #: Set when a rubric owner decided.
    decided_by: str | None = None
    critique: str | None = None
    corrected_output: str | None = None
    documents: dict[str, bool] = field(default_factory=dict)
    missing_knowledge: str | None = None
    comparison: Comparison | None = None
    #: The label this one replaces after a correction.
    supersedes: str | None = None
    #: Set when an owner said that it still holds under `codebook_version`, which came later than the judgements.
    affirmed_by: str | None = None
    affirmed_at: datetime | None = None

"""What a settled label becomes, and the fixes credited to labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import Right
from thumbwheel.domain.trace import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an artifact comes from, copied forward whole."""

    trace_id: str
    entry_id: str
    label_id: str
    policy: Policy
    draw_id: str
    codebook_version: int
    annotators: tuple[str, ...]
    traced_at: datetime
    labelled_at: datetime


class CheckKind(StrEnum):
    """How a new answer to a golden row is judged."""

    contains = "contains"
    regex = "regex"
    equals = "equals"
    callable = "callable"
    judge = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One test of an answer. `value` is the text, the pattern, or `module:function`; `negate` turns it round."""

    kind: CheckKind
    value: str = ""
    negate: bool = False


class GoldenStatus(StrEnum):
    """`open`: a known failure not yet fixed; `guarding`: fixed once, so it must never come back."""

    open = "open"
    guarding = "guarding"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRow:
    """A settled failure as a test of the application."""

    id: str
    input: Json
    #: The answer that failed.
    failed_output: Json
    #: What right looks like, when somebody wrote it down.
    expected: str | None
    #: What was wrong, in the reviewer's words.
    critique: str | None
    categories: tuple[str, ...]
    check: Check
    status: GoldenStatus
    provenance: Provenance
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencePair:
    """A better and a worse answer to the same input."""

    id: str
    input: Json
    chosen: str
    rejected: str
    #: In the order of `Right`.
    rights: tuple[Right, ...]
    provenance: Provenance
    created_at: datetime
    #: The trace whose answer this one's was compared with; None where the better one is a corrected answer.
    other_trace_id: str | None = None


class FixKind(StrEnum):
    """What was changed in the application."""

    prompt = "prompt"
    retrieval = "retrieval"
    code = "code"
    model = "model"
    data = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change in the application, credited to the labels it answers."""

    id: str
    kind: FixKind
    #: A commit, a pull request, a ticket.
    reference: str
    description: str
    label_ids: tuple[str, ...]
    #: The codebook categories it means to cure.
    categories: tuple[str, ...]
    created_at: datetime
    shipped_at: datetime | None = None

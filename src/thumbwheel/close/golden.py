"""Golden rows: a settled failure as a test of the application."""

from __future__ import annotations

from datetime import datetime

from thumbwheel.close.check import accept
from thumbwheel.close.text import is_message
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.artifact import Check, CheckKind, GoldenRow, GoldenStatus, Provenance
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Right
from thumbwheel.domain.trace import Json, Trace, text_of
from thumbwheel.errors import Invalid


def provenance(label: Label, entry: QueueEntry, trace: Trace) -> Provenance:
    """Where an artifact of this label comes from.

    Raises `Invalid` when the three do not belong together.
    """
    if not label.trace_id == entry.trace_id == trace.id or label.entry_id != entry.id:
        raise Invalid("a label, its entry and its trace belong together", field="trace_id")
    return Provenance(
        trace_id=trace.id,
        entry_id=entry.id,
        label_id=label.id,
        policy=entry.policy,
        draw_id=entry.draw_id,
        codebook_version=label.codebook_version,
        annotators=label.annotators,
        traced_at=trace.started_at,
        labelled_at=label.settled_at,
    )


def make_row(
    label: Label,
    entry: QueueEntry,
    trace: Trace,
    *,
    new_id: str,
    now: datetime,
    rights: frozenset[Right],
    check: Check | None = None,
    judged: bool = False,
) -> GoldenRow:
    """A golden row from a failure; it starts open, since nobody has fixed it yet.

    The corrected answer becomes what right looks like only when `rights`
    include evaluation. `check` is the one a person chose; without it
    `default_check` decides, and `judged` says that a judge is configured.

    Raises `Invalid` for a pass, for parts that do not belong together and for
    a check that cannot run.
    """
    if label.verdict is not Verdict.failed:
        raise Invalid("only a failure becomes a golden row", field="verdict")
    expected = label.corrected_output if Right.evaluate in rights else None
    return GoldenRow(
        id=new_id,
        input=trace.input,
        failed_output=trace.output,
        expected=expected,
        critique=label.critique,
        categories=label.categories,
        check=accept(check) if check else default_check(trace.output, expected, judged=judged),
        status=GoldenStatus.open,
        provenance=provenance(label, entry, trace),
        created_at=now,
    )


def default_check(failed_output: Json, expected: str | None, *, judged: bool = False) -> Check:
    """The check of a row for which nobody chose one.

    With a judge and a corrected answer: the judge compares the meaning of the
    new answer with the corrected one. Otherwise only what can be decided
    without a judge: the answer that failed must not come back word for word. That
    is little: it catches an application that has not changed, and lets any
    other wrong answer pass. A reviewer who knows a word that must (or must not) be in
    every right answer says more with a `contains` check.
    """
    if judged and expected:
        return Check(kind=CheckKind.judge, value=expected)
    return Check(kind=CheckKind.equals, value=text_of(failed_output), negate=True)


def target_input(row: GoldenRow) -> dict[str, Json]:
    """What the gate hands the application's function.

    An input that is an object goes in as it is. A text goes in as `{"input":
    text, "messages": [one user message]}`, a conversation as `{"input": the last
    user message's text, "messages": the conversation}`; anything else as
    `{"input": value}`.
    """
    value = row.input
    if isinstance(value, str):
        return {"input": value, "messages": [{"role": "user", "content": value}]}
    if is_message(value):
        value = [value]
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(is_message(message) for message in value):
        asked = [m for m in value if isinstance(m, dict) and m["role"] in ("user", "human")]
        return {"input": text_of(asked[-1] if asked else value[-1]), "messages": value}
    return {"input": value}

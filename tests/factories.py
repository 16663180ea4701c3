"""One of each noun, with defaults that belong together: `an_annotation()` is of `an_entry()`, which is of `a_trace()`.

Every field can be given by name: `a_trace(category="billing")`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from thumbwheel.domain.annotation import Annotation, Dispute, Label, Settled, Suggestion, Verdict
from thumbwheel.domain.artifact import (
    Check,
    CheckKind,
    Fix,
    FixKind,
    GoldenRow,
    GoldenStatus,
    PreferencePair,
    Provenance,
)
from thumbwheel.domain.codebook import Category, Codebook, CodebookVersion
from thumbwheel.domain.person import ApiKey, Person, Role, Scope
from thumbwheel.domain.queue import Draw, DriftAlert, Lease, Policy, Purpose, QueueEntry, Window
from thumbwheel.domain.signal import Edit, EditKind, Hunk, Rating, Right, Signal, SignalContext, SignalKind
from thumbwheel.domain.trace import Document, ToolCall, Trace

#: The Monday everything happens on.
MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

QUESTION = "How long do I have to return a kettle?"
WRONG = "You can return it within 60 days."
RIGHT = "You can return it within 30 days."


def a_document(**given: Any) -> Document:
    """The policy that has the answer."""
    return replace(Document(id="returns", content="Goods may be returned within 30 days.", score=0.9, rank=1), **given)


def a_tool_call(**given: Any) -> ToolCall:
    """A look at the order."""
    return replace(ToolCall(name="order", arguments={"id": 7}, result={"item": "kettle"}), **given)


def a_trace(**given: Any) -> Trace:
    """A question about returns, answered wrongly."""
    trace = Trace(
        id="trace-1",
        started_at=MONDAY,
        ended_at=MONDAY + timedelta(seconds=2),
        category="returns",
        user_id="user-1",
        session_id="session-1",
        model="small-1",
        prompt_version="7",
        release="2026.46",
        input=QUESTION,
        output=WRONG,
        documents=(a_document(),),
    )
    return replace(trace, **given)


def a_hunk(**given: Any) -> Hunk:
    """The number that was wrong."""
    return replace(Hunk(start=25, end=27, before="60", after="30", kind=EditKind.correction), **given)


def an_edit(**given: Any) -> Edit:
    """The wrong answer made right."""
    return replace(Edit(original=WRONG, edited=RIGHT, hunks=(a_hunk(),), kind=EditKind.correction), **given)


def a_signal(**given: Any) -> Signal:
    """A thumb down on `a_trace()`; other kinds need the field that belongs to them."""
    signal = Signal(
        id="signal-1",
        trace_id="trace-1",
        kind=SignalKind.user_rating,
        at=MONDAY + MINUTE,
        user_id="user-1",
        rating=Rating.down,
        context=SignalContext(model="small-1", prompt_version="7", category="returns", release="2026.46"),
    )
    kind = given.get("kind", SignalKind.user_rating)
    return replace(signal, **({} if kind is SignalKind.user_rating else {"rating": None}) | given)


def an_edit_signal(**given: Any) -> Signal:
    """A user's correction of `a_trace()`, free for every use."""
    return a_signal(**{"kind": SignalKind.user_edit, "edit": an_edit(), "rights": frozenset(Right)} | given)


def a_window(**given: Any) -> Window:
    """The seven days from `MONDAY`."""
    return replace(Window(start=MONDAY, end=MONDAY + 7 * DAY), **given)


def a_draw(**given: Any) -> Draw:
    """Eighty of a thousand, in the default mix, a day after the window."""
    draw = Draw(
        id="draw-1",
        at=MONDAY + 8 * DAY,
        seed=1,
        budget=80,
        window=a_window(),
        mix={"drift": 0.1, "negative": 0.3, "uncertain": 0.1, "stratified": 0.25, "random": 0.25},
        maturity_seconds=DAY.total_seconds(),
        framed_to=1000,
        population=1000,
        population_by_category={"returns": 600, "billing": 400},
    )
    return replace(draw, **given)


def a_drift_alert(**given: Any) -> DriftAlert:
    """Somebody saw returns change."""
    alert = DriftAlert(
        id="alert-1",
        name="returns up",
        slice={"category": "returns"},
        pull=10,
        raised_at=MONDAY,
        expires_at=MONDAY + 7 * DAY,
    )
    return replace(alert, **given)


def an_entry(**given: Any) -> QueueEntry:
    """`a_trace()` in the queue of `a_draw()` because of its thumb down."""
    entry = QueueEntry(
        id="entry-1",
        draw_id="draw-1",
        trace_id="trace-1",
        policy=Policy.negative,
        picked_by=(Policy.negative,),
        rank=1,
        serve_rank=1,
        reason="thumbs-down",
        inclusion_probability=0.5,
        core=False,
        purpose=Purpose.label,
        labels_needed=1,
        category="returns",
        added_at=MONDAY + 8 * DAY,
    )
    return replace(entry, **given)


def a_lease(**given: Any) -> Lease:
    """Ann's hold on `an_entry()`."""
    lease = Lease(entry_id="entry-1", annotator="ann", token="token-1", expires_at=MONDAY + 8 * DAY + HOUR)
    return replace(lease, **given)


def a_category(**given: Any) -> Category:
    """A wrong fact."""
    category = Category(
        id="wrong-fact",
        name="Wrong fact",
        definition="States something that is not so.",
        positive="60 days, where the policy says 30.",
        negative="About a month, where the policy says 30 days.",
        edge_case="The policy itself is out of date.",
        key="w",
    )
    return replace(category, **given)


def a_codebook(**given: Any) -> Codebook:
    """Two ways to fail: `wrong-fact` and `missed-point`."""
    missed = a_category(
        id="missed-point",
        name="Missed the point",
        definition="Answers another question.",
        positive="Shipping, when asked about returns.",
        negative="Both, when asked about one.",
        edge_case="The question can be read two ways.",
        key="m",
    )
    codebook = Codebook(name="support", question="Is the answer right?", categories=(a_category(), missed))
    return replace(codebook, **given)


def a_codebook_version(**given: Any) -> CodebookVersion:
    """`a_codebook()`, published first."""
    version = CodebookVersion(version=1, codebook=a_codebook(), published_at=MONDAY, published_by="owner")
    return replace(version, **given)


def a_codebook_file(**given: Any) -> dict[str, Any]:
    """What `a_codebook()` looks like as parsed YAML."""
    names = ("id", "name", "definition", "positive", "negative", "edge_case", "key")
    codebook = a_codebook()
    categories = [{name: getattr(category, name) for name in names} for category in codebook.categories]
    return {"name": codebook.name, "question": codebook.question, "categories": categories} | given


def a_suggestion(**given: Any) -> Suggestion:
    """A judge that expects a failure."""
    suggestion = Suggestion(trace_id="trace-1", judge="embedded-1", failure_probability=0.8, at=MONDAY + HOUR)
    return replace(suggestion, **given)


def an_annotation(**given: Any) -> Annotation:
    """Ann fails `an_entry()` for a wrong fact. A pass drops the category unless one is given."""
    annotation = Annotation(
        id="annotation-1",
        entry_id="entry-1",
        trace_id="trace-1",
        annotator="ann",
        verdict=Verdict.failed,
        categories=("wrong-fact",),
        codebook_version=1,
        at=MONDAY + 9 * DAY,
    )
    passed = given.get("verdict") is Verdict.passed
    return replace(annotation, **({"categories": ()} if passed else {}) | given)


def a_dispute(**given: Any) -> Dispute:
    """Two annotations of `an_entry()` that differ."""
    dispute = Dispute(
        id="dispute-1",
        entry_id="entry-1",
        trace_id="trace-1",
        annotation_ids=("annotation-1", "annotation-2"),
        opened_at=MONDAY + 9 * DAY,
    )
    return replace(dispute, **given)


def a_label(**given: Any) -> Label:
    """`an_annotation()` settled. A pass drops the category unless one is given."""
    label = Label(
        id="label-1",
        entry_id="entry-1",
        trace_id="trace-1",
        verdict=Verdict.failed,
        categories=("wrong-fact",),
        settled=Settled.single,
        annotation_ids=("annotation-1",),
        annotators=("ann",),
        codebook_version=1,
        settled_at=MONDAY + 9 * DAY,
    )
    passed = given.get("verdict") is Verdict.passed
    return replace(label, **({"categories": ()} if passed else {}) | given)


def a_provenance(**given: Any) -> Provenance:
    """From `a_trace()` by `an_entry()` to `a_label()`."""
    provenance = Provenance(
        trace_id="trace-1",
        entry_id="entry-1",
        label_id="label-1",
        policy=Policy.negative,
        draw_id="draw-1",
        codebook_version=1,
        annotators=("ann",),
        traced_at=MONDAY,
        labelled_at=MONDAY + 9 * DAY,
    )
    return replace(provenance, **given)


def a_check(**given: Any) -> Check:
    """The right number must be there."""
    return replace(Check(kind=CheckKind.contains, value="30 days"), **given)


def a_golden_row(**given: Any) -> GoldenRow:
    """`a_label()` as a test, not yet fixed."""
    row = GoldenRow(
        id="golden-1",
        input=QUESTION,
        failed_output=WRONG,
        expected=RIGHT,
        critique="The policy says 30.",
        categories=("wrong-fact",),
        check=a_check(),
        status=GoldenStatus.open,
        provenance=a_provenance(),
        created_at=MONDAY + 10 * DAY,
    )
    return replace(row, **given)


def a_preference_pair(**given: Any) -> PreferencePair:
    """The right answer over the wrong one, free for every use."""
    pair = PreferencePair(
        id="pair-1",
        input=QUESTION,
        chosen=RIGHT,
        rejected=WRONG,
        rights=tuple(Right),
        provenance=a_provenance(),
        created_at=MONDAY + 10 * DAY,
    )
    return replace(pair, **given)


def a_fix(**given: Any) -> Fix:
    """A prompt change that answers `a_label()`, not yet shipped."""
    fix = Fix(
        id="fix-1",
        kind=FixKind.prompt,
        reference="#12",
        description="Quote the policy's number.",
        label_ids=("label-1",),
        categories=("wrong-fact",),
        created_at=MONDAY + 11 * DAY,
    )
    return replace(fix, **given)


def a_person(**given: Any) -> Person:
    """Ann, an annotator."""
    return replace(Person(id="ann", name="Ann", role=Role.annotator, created_at=MONDAY), **given)


def an_api_key(**given: Any) -> ApiKey:
    """A key that may do everything."""
    key = ApiKey(id="key-1", project="default", public_key="tw_pk_1", scopes=frozenset(Scope), created_at=MONDAY)
    return replace(key, **given)

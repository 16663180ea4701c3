"""Hypothesis strategies for the nouns, small enough that collisions (same person, same time, same category) happen."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.factories import MONDAY, an_annotation
from thumbwheel.domain.annotation import Annotation, Verdict
from thumbwheel.domain.span import WHOLE, Span, SpanEvent, SpanKind, TraceFacts
from thumbwheel.domain.trace import Document, Json

CATEGORY_IDS = ("wrong-fact", "missed-point", "needless-refusal")
PEOPLE = ("ann", "bob", "cai")


def hostile_text(max_size: int = 60) -> SearchStrategy[str]:
    """Any text a user can send: control characters, lone surrogates, markup, other scripts."""
    nasty = st.sampled_from(["\x00", "\x1b[31m", "\ud800", "]]>", "<b>", "|", "\r\n", "\u202e", "&amp;", "`", "\ufffe"])
    anything = st.text(st.characters(exclude_categories=()), max_size=max_size)
    return st.lists(st.one_of(nasty, anything), max_size=4).map("".join)


def json_values() -> SearchStrategy[Json]:
    """Any JSON value an application may log as input or output."""
    scalars = (
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20)
    )
    keys = st.sampled_from(["content", "role", "text", "messages", "type", "x"])
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )


def dialect_values() -> SearchStrategy[Json]:
    """JSON values that are nearly messages, answers, documents or tool calls of some dialect."""
    keys = st.sampled_from(
        "role content parts contents type text tool_calls tool_call function name arguments id lc kwargs data message "
        "message_content messages choices generations system output input document page_content metadata score".split()
    )
    names = (
        "user assistant system tool human ai text tool_call tool_call_response reasoning HumanMessage { [1] x".split()
    )
    words = st.sampled_from([*names, '{"a": 1}', ""])
    scalars = st.none() | st.booleans() | st.integers(-2, 2) | words
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )


def span_pieces() -> SearchStrategy[Span]:
    """Reports of the few spans of trace `t`, which say little and contradict each other."""
    texts = st.sampled_from(["a", "b", "c"])
    maybe = st.none() | texts
    values = st.none() | texts | st.lists(texts, max_size=2) | st.dictionaries(texts, st.integers(0, 2), max_size=2)
    times = st.none() | st.integers(0, 3).map(lambda n: MONDAY + timedelta(seconds=n))
    facts = st.builds(
        TraceFacts,
        name=maybe,
        user_id=maybe,
        category=maybe,
        tags=st.lists(texts, unique=True, max_size=2).map(tuple),
        input=values,
        output=values,
        metadata=st.dictionaries(texts, values, max_size=2),
    )
    event = st.builds(SpanEvent, at=st.integers(0, 2), name=st.just("gen_ai.user.message"), body=texts)
    return st.builds(
        Span,
        trace_id=st.just("t"),
        id=st.sampled_from([WHOLE, "s1", "s2", "s3"]),
        stamp=st.integers(0, 2),
        parent_id=st.sampled_from([None, None, "s1", "elsewhere"]),
        root=st.sampled_from([None, None, True]),
        kind=st.none() | st.sampled_from([SpanKind.generation, SpanKind.tool, SpanKind.retriever]),
        name=maybe,
        started_at=times,
        ended_at=times,
        input=values,
        output=values,
        model=maybe,
        events=st.lists(event, max_size=2).map(tuple),
        documents=st.lists(st.builds(Document, id=texts), max_size=2).map(tuple),
        metadata=st.dictionaries(texts, values, max_size=2),
        facts=facts,
    )


def moments(minutes: int = 60) -> SearchStrategy[datetime]:
    """Whole minutes after `MONDAY`."""
    return st.integers(0, minutes).map(lambda minute: MONDAY + timedelta(minutes=minute))


@st.composite
def judgements(draw: st.DrawFn, *, entries: int = 1) -> list[Annotation]:
    """Up to twelve annotations of a few entries by three people, some correcting an earlier one of their own."""
    made: list[Annotation] = []
    for number in range(draw(st.integers(0, 12))):
        entry, annotator = draw(st.integers(1, entries)), draw(st.sampled_from(PEOPLE))
        verdict = draw(st.sampled_from(Verdict))
        categories = draw(st.lists(st.sampled_from(CATEGORY_IDS), min_size=1, max_size=3, unique=True))
        own = [one.id for one in made if one.annotator == annotator and one.entry_id == f"entry-{entry}"]
        made.append(
            an_annotation(
                id=f"annotation-{number}",
                entry_id=f"entry-{entry}",
                trace_id=f"trace-{entry}",
                annotator=annotator,
                verdict=verdict,
                categories=tuple(categories) if verdict is Verdict.failed else (),
                codebook_version=draw(st.integers(1, 3)),
                at=draw(moments()),
                supersedes=draw(st.sampled_from([None, *own])),
            )
        )
    return made

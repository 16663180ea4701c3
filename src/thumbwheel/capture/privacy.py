"""Privacy at the door: consent first, then personal data out, and only then is anything kept.

What was taken out is replaced by typed placeholders (`<EMAIL_1>`), the same one for the same value everywhere in a
trace, and counted by type. The original exists nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from thumbwheel.capture.edit import hunks
from thumbwheel.capture.score import consent_of
from thumbwheel.capture.scrubbing import Scrubbed, Scrubbing, fitting, texts_in
from thumbwheel.domain.score import Score
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.span import NO_FACTS, Span, TraceFacts
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace
from thumbwheel.ports import Scrubber

_PSEUDONYM: Final = re.compile(r"u_[a-z2-7]{16}")


class ConsentMode(StrEnum):
    """What a project asks of its users before it keeps what they say and do."""

    #: Kept unless the user said no.
    none_needed = "none_needed"
    #: Kept only when the user said yes.
    opt_in = "opt_in"
    #: Kept until the user says no; the page asked.
    opt_out = "opt_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRules:
    """What one channel of a project may keep."""

    consent: ConsentMode = ConsentMode.none_needed
    #: Types that are found and left in place: web addresses are what reviewers must check an answer by.
    keep: frozenset[str] = frozenset({"URL"})
    #: Whether user ids become pseudonyms.
    pseudonymise: bool = True


def may_keep(consent: Mapping[str, object] | None, mode: ConsentMode) -> bool:
    """Whether a signal may be kept, by what its page recorded under `given`: True, False, or nothing.

    A recorded no always holds; opt-in also needs a recorded yes.
    """
    given = None if consent is None else consent.get("given")
    return given is True if mode is ConsentMode.opt_in else given is not False


def pseudonym(value: str, key: bytes, *, prefix: str = "u_") -> str:
    """A stable name for a user that does not give him away: a hash of his id that needs the project's secret key.

    The same id and key give the same name; without the key neither the id
    nor whether two projects share a user can be told.
    """
    digest = hashlib.blake2b(value.encode(errors="surrogatepass"), key=fitting(key), digest_size=10).digest()
    return prefix + base64.b32encode(digest).decode().lower()


def is_pseudonym(user_id: str) -> bool:
    """Whether this has the form of a user's pseudonym.

    >>> is_pseudonym("u_mcqpzqw2pdixdryz"), is_pseudonym("u_17")
    (True, False)
    """
    return _PSEUDONYM.fullmatch(user_id) is not None


def admit_signal(
    signal: Signal,
    *,
    rules: PrivacyRules,
    scrubber: Scrubber,
    key: bytes,
    placeholders: Mapping[str, str] | None = None,
) -> Scrubbed[Signal] | None:
    """The signal as it may be kept; None when consent is missing.

    `placeholders` are those its trace was scrubbed with, where they are known.
    """
    if not may_keep(signal.consent, rules.consent):
        return None
    edit = signal.edit
    texts = [signal.comment, *((edit.original, edit.edited) if edit else ())]
    scrubbing = Scrubbing(scrubber, rules.keep, key, placeholders or {}, lambda: [text for text in texts if text])
    if edit is not None:
        original = None if edit.original is None else scrubbing.text(edit.original)
        edited = scrubbing.text(edit.edited)
        plain = replace(edit, original=original, edited=edited, hunks=())
        edit = hunks(original, edited) if edit.hunks and original is not None else plain
    return scrubbing.done(
        replace(
            signal,
            user_id=_user(signal.user_id, rules, key),
            comment=None if signal.comment is None else scrubbing.text(signal.comment),
            edit=edit,
            consent=None
            if signal.consent is None
            else {name: scrubbing.anything(v) for name, v in signal.consent.items()},
        )
    )


def admit_trace(
    trace: Trace,
    *,
    rules: PrivacyRules,
    scrubber: Scrubber,
    key: bytes,
    placeholders: Mapping[str, str] | None = None,
) -> Scrubbed[Trace]:
    """The trace as it may be kept: every text in it scrubbed under one numbering, its user a pseudonym.

    A session id in which something personal is found becomes a pseudonym too,
    so that the session's traces still belong together. `placeholders` are
    those of what came of it before.
    """
    aliases = _aliases(trace.user_id, rules, key)
    scrubbing = Scrubbing(scrubber, rules.keep, key, placeholders or {}, lambda: _texts(trace), aliases)
    return scrubbing.done(
        replace(
            trace,
            user_id=_user(trace.user_id, rules, key),
            session_id=_id(trace.session_id, scrubbing, key, "s_"),
            input=scrubbing.json(trace.input),
            output=scrubbing.json(trace.output),
            documents=_documents(trace.documents, scrubbing),
            tool_calls=_calls(trace.tool_calls, scrubbing),
            name=scrubbing.maybe(trace.name),
            category=scrubbing.maybe(trace.category),
            tags=tuple(scrubbing.text(tag) for tag in trace.tags),
            metadata=scrubbing.named(trace.metadata),
        )
    )


def admit_span(
    span: Span,
    *,
    rules: PrivacyRules,
    scrubber: Scrubber,
    key: bytes,
    placeholders: Mapping[str, str] | None = None,
) -> Scrubbed[Span]:
    """One report of one step as it may be kept; what it says of the whole trace included.

    `placeholders` are those of its trace's other reports.
    """
    aliases = _aliases(span.facts.user_id, rules, key)
    scrubbing = Scrubbing(scrubber, rules.keep, key, placeholders or {}, lambda: _span_texts(span), aliases)
    if scrubbing.idle:
        return scrubbing.done(span)
    return scrubbing.done(
        replace(
            span,
            name=scrubbing.maybe(span.name),
            input=scrubbing.json(span.input),
            output=scrubbing.json(span.output),
            system_prompt=scrubbing.json(span.system_prompt),
            events=tuple(replace(event, body=scrubbing.json(event.body)) for event in span.events),
            documents=_documents(span.documents, scrubbing),
            tool_arguments=scrubbing.json(span.tool_arguments),
            tool_result=scrubbing.json(span.tool_result),
            status_message=scrubbing.maybe(span.status_message),
            metadata=scrubbing.named(span.metadata),
            extra=scrubbing.named(span.extra),
            facts=span.facts if span.facts == NO_FACTS else _facts(span.facts, scrubbing, rules, key),
        )
    )


def _facts(facts: TraceFacts, scrubbing: Scrubbing, rules: PrivacyRules, key: bytes) -> TraceFacts:
    return replace(
        facts,
        name=scrubbing.maybe(facts.name),
        category=scrubbing.maybe(facts.category),
        user_id=_user(facts.user_id, rules, key),
        session_id=_id(facts.session_id, scrubbing, key, "s_"),
        tags=tuple(scrubbing.text(tag) for tag in facts.tags),
        input=scrubbing.json(facts.input),
        output=scrubbing.json(facts.output),
        documents=_documents(facts.documents, scrubbing),
        tool_calls=_calls(facts.tool_calls, scrubbing),
        metadata=scrubbing.named(facts.metadata),
    )


def admit_score(
    score: Score,
    *,
    asked: bool,
    rules: PrivacyRules,
    scrubber: Scrubber,
    key: bytes,
    placeholders: Mapping[str, str] | None = None,
) -> Scrubbed[Score] | None:
    """Another tool's score as it may be kept; None when consent is missing.

    `rules` are those of what is no user's word unless `asked`: then the score's metadata says under `consent` what
    its user agreed to, and the mode in force is put beside it.

    `placeholders` are those of its trace, where it is known.
    """
    said = consent_of(score.metadata)
    if asked and not may_keep(said, rules.consent):
        return None
    if asked and rules.consent is not ConsentMode.none_needed:
        score = replace(score, metadata={**score.metadata, "consent": _recorded(said, rules.consent)})
    texts = (score.value, score.label, score.correction, score.comment, score.metadata, score.extra)
    scrubbing = Scrubbing(scrubber, rules.keep, key, placeholders or {}, lambda: texts_in(*texts))
    return scrubbing.done(
        replace(
            score,
            session_id=_id(score.session_id, scrubbing, key, "s_"),
            value=scrubbing.text(score.value) if isinstance(score.value, str) else score.value,
            label=scrubbing.maybe(score.label),
            correction=scrubbing.json(score.correction),
            comment=scrubbing.maybe(score.comment),
            author=_id(score.author, scrubbing, key, "a_"),
            metadata=scrubbing.named(score.metadata),
            extra=scrubbing.named(score.extra),
        )
    )


def _recorded(said: Mapping[str, object] | None, mode: ConsentMode) -> dict[str, Json]:
    found: dict[str, Any] = {**(said or {}), "mode": mode.value}
    return {name: value for name, value in found.items() if value is not None}


def scrub_text(text: str, scrubber: Scrubber, *, keep: frozenset[str] = frozenset()) -> Scrubbed[str]:
    """One text on its own, with everything that is found replaced, save the types in `keep`."""
    scrubbing = Scrubbing(scrubber, keep, b"", {}, lambda: [text])
    return scrubbing.done(scrubbing.text(text))


def _user(user_id: str | None, rules: PrivacyRules, key: bytes) -> str | None:
    return pseudonym(user_id, key) if user_id is not None and rules.pseudonymise else user_id


def _aliases(user_id: str | None, rules: PrivacyRules, key: bytes) -> dict[str, str]:
    """What the user's id becomes wherever a key says that it is one: instrumentation copies it about."""
    return {user_id: pseudonym(user_id, key)} if user_id is not None and rules.pseudonymise else {}


def _id(value: str | None, scrubbing: Scrubbing, key: bytes, prefix: str) -> str | None:
    """An id; a pseudonym of it when something personal is in it."""
    personal = value is not None and scrubbing.finds(value)
    return pseudonym(value, key, prefix=prefix) if personal and value is not None else value


def _documents(documents: Sequence[Document], scrubbing: Scrubbing) -> tuple[Document, ...]:
    return tuple(replace(each, id=scrubbing.text(each.id), content=scrubbing.maybe(each.content)) for each in documents)


def _calls(calls: Sequence[ToolCall], scrubbing: Scrubbing) -> tuple[ToolCall, ...]:
    return tuple(
        replace(each, arguments=scrubbing.json(each.arguments), result=scrubbing.json(each.result)) for each in calls
    )


def _texts(trace: Trace) -> Iterator[str]:
    """Every text of a trace."""
    documents = [text for each in trace.documents for text in (each.id, each.content)]
    calls = [value for call in trace.tool_calls for value in (call.arguments, call.result)]
    return texts_in(trace.input, trace.output, trace.metadata, trace.name, trace.category, trace.tags, documents, calls)


def _span_texts(span: Span) -> Iterator[str]:
    """Every text of a report, and of what it says of the whole trace."""
    facts = span.facts
    documents = [text for each in (*span.documents, *facts.documents) for text in (each.id, each.content)]
    calls = [value for call in facts.tool_calls for value in (call.arguments, call.result)]
    own = (span.name, span.input, span.output, span.system_prompt, [event.body for event in span.events])
    step = (span.tool_arguments, span.tool_result, span.status_message, span.metadata, span.extra)
    whole = (facts.name, facts.category, facts.tags, facts.input, facts.output, facts.metadata)
    return texts_in(*own, *step, *whole, documents, calls)

"""The door everything passes on its way in: consent, then scrubbing. Nothing that comes after it has seen the original."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from thumbwheel.capture.privacy import (
    ConsentMode,
    PrivacyRules,
    admit_score,
    admit_signal,
    admit_span,
    admit_trace,
    is_pseudonym,
    pseudonym,
)
from thumbwheel.capture.score import ScoreRule, is_users_word, read_rules
from thumbwheel.capture.scrubbing import Scrubbed
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.score import Score
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.span import Span
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import ConsentMissing, ScrubberFailed
from thumbwheel.ports import Scrubber
from thumbwheel.store.ledger import Tx
from thumbwheel.store.scrubbings import Scrubbing

#: The channel whose consent mode holds for every channel without one of its own.
EVERY: Final = "*"

_Value = TypeVar("_Value")

#: What was taken out of the traces with these ids before, by key.
Before: TypeAlias = Callable[[Sequence[str]], Mapping[str, Scrubbing]]


class _Admit(Protocol[_Value]):
    def __call__(self, value: _Value, placeholders: Mapping[str, str], /) -> Scrubbed[_Value] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What one project lets in, and what it takes out of it."""

    scrubber: Scrubber
    #: Secret of the project: behind its pseudonyms, placeholders and content hashes.
    key: bytes
    rules: PrivacyRules = field(default_factory=PrivacyRules)
    #: Channel -> mode.
    consent: Mapping[str, ConsentMode] = field(default_factory=dict)
    #: What the names of other tools' scores stand for.
    scores: Mapping[str, ScoreRule] = field(default_factory=dict)

    @classmethod
    def of(cls, chosen: Mapping[str, Any], *, scrubber: Scrubber, key: bytes, pseudonymise: bool) -> Door:
        """By what a project chose (see `thumbwheel.services.project`), and by the installation where it chose nothing."""
        kept = chosen.get("keep")
        rules = PrivacyRules(pseudonymise=chosen.get("pseudonymise", pseudonymise))
        return cls(
            scrubber=scrubber,
            key=key,
            rules=rules if kept is None else replace(rules, keep=frozenset(kept)),
            consent={channel: ConsentMode(mode) for channel, mode in chosen.get("consent", {}).items()},
            scores=read_rules(chosen),
        )

    def name_of(self, user_id: str) -> str:
        """The name a user is kept under, given the id the application knows them by or that name itself."""
        given = not self.rules.pseudonymise or is_pseudonym(user_id)
        return user_id if given else pseudonym(user_id, self.key)

    def mode(self, channel: str) -> ConsentMode:
        """What is asked of users on this channel."""
        return self.consent.get(channel, self.consent.get(EVERY, ConsentMode.none_needed))


@dataclass(frozen=True, slots=True)
class Note:
    """What was taken out of one item."""

    #: Key of its trace.
    key: str
    part: str
    found: Scrubbing


class Admission:
    """Lets what arrives together through one door, in order."""

    def __init__(self, door: Door, ids: Sequence[str], before: Before) -> None:
        self._door = door
        self._ids = ids
        self._before = before
        self._placeholders: dict[str, Mapping[str, str]] | None = None
        self.notes: list[Note] = []

    def trace(self, trace: Trace) -> Trace:
        """The trace as it may be kept."""
        door = self._door

        def admit(value: Trace, placeholders: Mapping[str, str], /) -> Scrubbed[Trace]:
            return admit_trace(value, rules=door.rules, scrubber=door.scrubber, key=door.key, placeholders=placeholders)

        return self._through(trace, trace.id, "", admit)

    def span(self, span: Span) -> Span:
        """A report as it may be kept."""
        door = self._door

        def admit(value: Span, placeholders: Mapping[str, str], /) -> Scrubbed[Span]:
            return admit_span(value, rules=door.rules, scrubber=door.scrubber, key=door.key, placeholders=placeholders)

        return self._through(span, span.trace_id, f"span:{span.id}", admit)

    def signal(self, signal: Signal, channel: str) -> Signal:
        """The signal as it may be kept, with the channel it came by and what its user was asked.

        Raises:
            ConsentMissing: it may not be kept.
        """
        door, channel = self._door, signal.channel or channel
        mode = door.mode(channel)
        rules = door.rules if door.rules.consent is mode else replace(door.rules, consent=mode)

        def admit(value: Signal, placeholders: Mapping[str, str], /) -> Scrubbed[Signal] | None:
            return admit_signal(value, rules=rules, scrubber=door.scrubber, key=door.key, placeholders=placeholders)

        kept = self._through(signal, signal.trace_id, f"signal:{signal.id}", admit)
        asked = kept.consent if mode is ConsentMode.none_needed else {**(kept.consent or {}), "mode": mode.value}
        told = kept.channel == channel and kept.consent is asked
        return kept if told else replace(kept, channel=channel, consent=asked)

    def score(self, score: Score, channel: str) -> Score:
        """Another tool's score as it may be kept; a user's word with the channel it came by and what the user was asked.

        Raises:
            ConsentMissing: it may not be kept.
        """
        door, asked = self._door, is_users_word(score, self._door.scores)
        if asked:
            score = score if score.channel else replace(score, channel=channel)
        rules = replace(door.rules, consent=door.mode(score.channel or channel))

        def admit(value: Score, placeholders: Mapping[str, str], /) -> Scrubbed[Score] | None:
            return admit_score(
                value, asked=asked, rules=rules, scrubber=door.scrubber, key=door.key, placeholders=placeholders
            )

        about = score.trace_id or score.span_id or score.response_id or score.session_id or score.id
        return self._through(score, about, f"score:{score.id}", admit)

    def content(self, content: int) -> int:
        """A content hash as it may be kept: without the key nobody can try out what the content was."""
        hashed = hashlib.blake2b(content.to_bytes(8), key=self._door.key[:64], digest_size=8).digest()
        return int.from_bytes(hashed) >> 1 or 1

    def _through(self, value: _Value, trace_id: str, part: str, admit: _Admit[_Value]) -> _Value:
        """Scrub on its own, which is all that ordinary text needs; what had something in it, beside its trace."""
        key = id_key(trace_id)
        try:
            scrubbed = admit(value, {})
            if scrubbed is not None and scrubbed.counts:
                known = self._known()
                scrubbed = admit(value, known.get(key, {}))
                assert scrubbed is not None
                known[key] = scrubbed.placeholders
                self.notes.append(Note(key, part, Scrubbing({part: scrubbed.counts}, scrubbed.placeholders)))
        except Exception as fault:
            raise ScrubberFailed from fault
        if scrubbed is None:
            raise ConsentMissing(field="consent")
        return scrubbed.value

    def _known(self) -> dict[str, Mapping[str, str]]:
        if self._placeholders is None:
            before = self._before(self._ids)
            self._placeholders = {key: each.placeholders for key, each in before.items()}
        return self._placeholders


def days_of(tx: Tx, trace_ids: Sequence[str]) -> dict[str, int | None]:
    """Key -> day of each of these traces, None for one that has not come."""
    rows = tx.traces.find_many(trace_ids) if trace_ids else {}
    return {id_key(each): rows[each].day if each in rows else None for each in trace_ids}


def note_down(tx: Tx, notes: Sequence[Note]) -> None:
    """Keep what was taken out, beside the traces it was taken out of."""
    together: dict[str, Scrubbing] = {}
    for note in notes:
        together[note.key] = together.get(note.key, Scrubbing()).with_more(note.found)
    days = days_of(tx, list(together))
    tx.scrubbings.add_all([(key, days[key], found) for key, found in together.items()])

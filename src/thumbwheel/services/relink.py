"""Relink: a complaint that came by another way, and the trace it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from thumbwheel.capture.relink import CLOCK_SKEW, Candidate, Complaint, Exchange, rank
from thumbwheel.domain.instant import can_have_been
from thumbwheel.domain.signal import Signal, SignalKind
from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.errors import Invalid, NotHere
from thumbwheel.ports import Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.listings import TraceFilter
from thumbwheel.store.traces import day_of

#: Traces a complaint is compared with: those of its user, and the last ones before it.
_OF_USER: Final = 200
_NEWEST: Final = 500
#: How far back anybody may look, in days.
MOST_DAYS: Final = 90
#: Characters of a complaint.
MOST_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A ticket or chat message, as it was pasted."""

    text: str
    #: When it was written; None for now.
    at: datetime | None = None
    #: Who wrote it, by the id the application knows them by.
    user_id: str | None = None
    #: Where it was written: "ticket", "slack", …
    channel: str = "ticket"
    #: Number or address of the ticket; the same one is attached to a trace once.
    reference: str | None = None
    #: True when the writer agreed that it is kept, which a project may ask for on this channel.
    agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The traces a message may be about, the likeliest first."""

    items: Sequence[Candidate]
    #: Traces it was compared with.
    n_compared: int
    #: Whether those were all of the time looked at.
    complete: bool


@dataclass(frozen=True, slots=True)
class Relink:
    """Finds the trace of a complaint."""

    ledger: Ledger
    now: Now
    #: The name a project keeps a user under.
    pseudonym: Callable[[int, str], str]

    def candidates(self, project_id: int, message: Message, *, days: int = 7, limit: int = 10) -> Candidates:
        """The likeliest traces of the `days` before the message.

        It is compared with the last 200 traces of its user and the last 500
        of anybody, which bounds the work whatever the traffic.

        Raises:
            Invalid: there is nothing to compare, or the time is too long.
        """
        _check(message)
        if not 1 <= days <= MOST_DAYS:
            raise Invalid(f"Between 1 and {MOST_DAYS} days can be looked at.", field="days")
        at = self._at(message)
        user = message.user_id
        names = frozenset((user, self.pseudonym(project_id, user))) if user else frozenset[str]()
        window = TraceFilter(start=at - timedelta(days=days), end=at + CLOCK_SKEW)
        with self.ledger.read(project_id) as tx:
            refs, complete = _near(tx, window, sorted(names))
            exchanges = [_exchange(trace) for trace in tx.traces.list_whole(refs).values()]
        found = rank(Complaint(text=message.text, at=at, user_ids=names), exchanges, limit=limit)
        return Candidates(items=found, n_compared=len(exchanges), complete=complete)

    def signal(self, project_id: int, message: Message, trace_id: str, relinked_by: str) -> tuple[Signal, int]:
        """The message as a signal about this trace, and its content hash, to be kept like any other signal.

        Raises:
            Invalid: the message is empty or too long.
            NotHere: there is no such trace in this project.
        """
        _check(message)
        with self.ledger.read(project_id) as tx:
            row = tx.traces.find(trace_id)
        if row is None:
            raise NotHere(f"There is no trace {trace_id!r} in this project.")
        said = hashlib.blake2b(f"{message.channel}\0{message.reference or message.text}".encode(), digest_size=16)
        signal = Signal(
            id=f"relink-{said.hexdigest()}",
            trace_id=row.trace_id,
            kind=SignalKind.public_channel,
            at=self._at(message),
            user_id=message.user_id,
            comment=message.text,
            channel=message.channel,
            relinked_by=relinked_by,
            consent={"given": True} if message.agreed else None,
        )
        return signal, int.from_bytes(said.digest()[:8]) >> 1

    def _at(self, message: Message) -> datetime:
        now = self.now()
        if message.at is not None and not can_have_been(message.at, now):
            said = message.at.isoformat()
            raise Invalid(
                f"{said} is not a time when this can have been written: before 2000 or in the future.", field="at"
            )
        return message.at or now


def _near(tx: Tx, window: TraceFilter, user_ids: Sequence[str]) -> tuple[list[int], bool]:
    """Numbers of the traces worth a comparison, each once; and whether they are all there are in this time."""
    assert window.start is not None
    assert window.end is not None
    first, last = day_of(window.start), day_of(window.end)
    days = [day for day in tx.traces.list_days() if first <= day <= last]
    own = tx.listings.list_of_users(user_ids, days, _OF_USER) if user_ids else []
    newest = tx.listings.list_traces(window, _NEWEST)
    return list(dict.fromkeys([*own, *newest])), len(newest) < _NEWEST


def _exchange(trace: Trace) -> Exchange:
    return Exchange(
        trace_id=trace.id,
        started_at=trace.started_at,
        user_id=trace.user_id,
        category=trace.category,
        input=text_of(trace.input),
        output=text_of(trace.output),
    )


def _check(message: Message) -> None:
    if not message.text.strip():
        raise Invalid("Paste the text of the ticket or message.", field="text")
    if len(message.text) > MOST_TEXT:
        raise Invalid(f"A message has at most {MOST_TEXT:,} characters.", field="text")

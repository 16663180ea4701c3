"""From a complaint that names no trace to the few traces it may be about: same user, near in time, same words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rapidfuzz import fuzz

#: What the three hints count for; they add to 1. Words weigh most: a user has many traces, and an hour has more.
_WORDS, _USER, _TIME = 0.5, 0.3, 0.2
#: A complaint a day after its trace counts half as near as one at once.
_HALF: Final = timedelta(hours=24)
#: Clocks of a helpdesk and an application differ; a trace this much younger may still be meant.
CLOCK_SKEW: Final = timedelta(minutes=15)
#: Characters of a text that are compared.
_MOST: Final = 10_000
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A ticket or a chat message, as it was pasted."""

    text: str
    #: When it was written.
    at: datetime
    #: Who wrote it, under the names a trace may have for them: an id as it is, and its pseudonym.
    user_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A trace as far as a complaint can be compared with it."""

    trace_id: str
    started_at: datetime
    user_id: str | None
    category: str | None
    input: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trace the complaint may be about, and why."""

    exchange: Exchange
    #: In [0, 1]: order among these candidates, and no probability.
    score: float
    #: In [0, 1]: how much of the complaint's wording the trace has.
    likeness: float
    #: In words, the strongest reason first.
    why: tuple[str, ...]


def rank(complaint: Complaint, exchanges: Sequence[Exchange], *, limit: int) -> list[Candidate]:
    """The likeliest traces first, at most `limit`.

    A word tells the more the fewer of these traces have it: of the
    complaint's words, each weighted by ln((N + 1) / (n + 1)), the share that
    the trace has counts half, and rapidfuzz's token set ratio, which
    forgives misspelling, the other half.
    """
    words = [_words(f"{each.input[:_MOST]} {each.output[:_MOST]}") for each in exchanges]
    said = _words(complaint.text[:_MOST])
    n_having = Counter(word for each in words for word in each & said)
    weights = {word: math.log((len(words) + 1) / (n + 1)) for word, n in n_having.items()}
    found = [_candidate(complaint, each, having, weights) for each, having in zip(exchanges, words, strict=True)]
    return sorted(found, key=lambda each: (-each.score, each.exchange.trace_id))[:limit]


def _candidate(complaint: Complaint, exchange: Exchange, words: set[str], weights: dict[str, float]) -> Candidate:
    shared = sorted((word for word in weights if word in words), key=lambda word: (-weights[word], -len(word), word))
    # The 2 keeps one rare word from being all there is to a short complaint.
    share = math.fsum(weights[word] for word in shared) / (math.fsum(weights.values()) + 2.0)
    text = complaint.text[:_MOST].lower()
    sides = (exchange.input[:_MOST].lower(), exchange.output[:_MOST].lower())
    likeness = 0.5 * share + 0.5 * max(fuzz.token_set_ratio(text, side) for side in sides) / 100.0
    same_user = exchange.user_id is not None and exchange.user_id in complaint.user_ids
    nearness = _nearness(complaint.at - exchange.started_at)
    return Candidate(
        exchange=exchange,
        score=_WORDS * likeness + _USER * same_user + _TIME * nearness,
        likeness=likeness,
        why=tuple(_why(complaint, exchange, [word for word in shared if weights[word] > 0.0], same_user=same_user)),
    )


def _nearness(lag: timedelta) -> float:
    """1 for a complaint at once, 1/2 after a day, 1/8 after a week; 0 when the trace came after it."""
    if lag < -CLOCK_SKEW:
        return 0.0
    return 1.0 / (1.0 + max(lag, timedelta(0)) / _HALF)


def _why(complaint: Complaint, exchange: Exchange, shared: Sequence[str], *, same_user: bool) -> list[str]:
    why = ["the same user"] if same_user else []
    if shared:
        why.append(f"both say {', '.join(f'“{word}”' for word in shared[:5])}")
    lag = complaint.at - exchange.started_at
    why.append(f"{_span(lag)} before the message" if lag >= timedelta(0) else f"{_span(-lag)} after the message")
    if complaint.user_ids and exchange.user_id is not None and not same_user:
        why.append("but another user")
    return why


def _span(lag: timedelta) -> str:
    minutes = lag / timedelta(minutes=1)
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = round(minutes / size)
            return f"{n} {name}" + ("s" if n != 1 else "")
    return "less than a minute"


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))

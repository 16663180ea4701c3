"""A week of traffic that ends now: who asked what and when, and what they did about the answers.

The texts are recorded or hand-written (`corpus`), each asked exactly once; who
asks, when, under which release, and every signal is simulated from one seed.
Assumptions about users' reactions are in `behaviour`, those about traffic here.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Final

from thumbwheel.demo.behaviour import Visit, react
from thumbwheel.demo.corpus import SUPPORT, DemoText, texts
from thumbwheel.domain.trace import Json
from thumbwheel.errors import Invalid

#: How many people might come by (about 400 do in a week); the activity of the k-th is (k + 6) ** -0.9.
N_USERS: Final = 680
#: Relative traffic by hour of the day (UTC): quiet nights, a dip at noon, a second rise in the evening.
HOURS: Final = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    8,
    13,
    16,
    17,
    15,
    12,
    14,
    16,
    16,
    14,
    12,
    11,
    12,
    12,
    9,
    6,
    4,
)
#: Relative traffic by day, Monday first.
WEEKDAYS: Final = (1.0, 1.08, 1.1, 1.05, 0.92, 0.45, 0.5)
#: Chance that a session goes on after a trace, and the median pause before the next one in seconds.
GOES_ON: Final = 0.52
PAUSE: Final = 75.0
#: A release goes out at 14:00 UTC three days before `now`, to one trace in ten twelve hours earlier.
RELEASES: Final = ("2.3.0", "2.4.0")
CANARY: Final = 0.1
#: The release made this category worse: its failures are asked later in the week, where they meet it.
REGRESSED: Final = "code"
REGRESSION: Final = 3.0
#: Deployment names, not vendors' models: all recorded answers are ChatGPT's of 2023.
MODELS: Final = (("assistant-small", 0.68), ("assistant-large", 0.32))
#: The newer release tries a third model on some traffic.
PREVIEW: Final = ("assistant-large-preview", 0.12)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One moment at which one user asks something."""

    at: datetime
    user: int
    session: int
    last: bool


def week(now: datetime, seed: int) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """Traces and signals of the seven days before `now`, in native JSON, ordered by time.

    The same `now` and `seed` give the same week. Every time is before `now`,
    every signal after its trace's answer. Raises `Invalid` if `now` has no zone.
    """
    if now.tzinfo is None:
        raise Invalid("now needs a time zone")
    now, rng = now.astimezone(UTC), Random(seed)
    asked = sorted(((_place(text, rng), text) for text in texts()), key=lambda pair: pair[0])
    talkative = [rng.lognormvariate(-0.5, 1.0) for _ in range(N_USERS)]
    traces, signals = [], []
    for slot, (_, text) in zip(_slots(now, len(asked), rng), asked, strict=True):
        answered_at = slot.at + timedelta(milliseconds=round(_latency(text, rng) * 1000))
        traces.append(_trace(text, slot, answered_at, now, rng))
        visit = Visit(
            text=text,
            user_id=_user_id(slot.user),
            talkative=talkative[slot.user],
            answered_at=answered_at,
            last_in_session=slot.last,
        )
        signals.extend(react(visit, now, rng))
    signals.sort(key=lambda signal: (str(signal["at"]), str(signal["id"])))
    return traces, signals


def released_at(now: datetime) -> datetime:
    """When the newer release went to everybody."""
    day = now.astimezone(UTC).replace(hour=14, minute=0, second=0, microsecond=0)
    return day - timedelta(days=3)


def _place(text: DemoText, rng: Random) -> float:
    """Where in the week a text is asked, in [0, 1); uniform, but for failures of the regressed category."""
    place = rng.random()
    regressed = text.category == REGRESSED and text.verdict.failed
    return float(place ** (1 / REGRESSION)) if regressed else place


def _slots(now: datetime, count: int, rng: Random) -> list[_Slot]:
    """`count` moments in time order: sessions of one user each, by hour, weekday and how active users are."""
    start = now - timedelta(days=7)
    hours = list(accumulate(_traffic(start + timedelta(hours=hour, minutes=30)) for hour in range(7 * 24)))
    users = list(accumulate((rank + 6) ** -0.9 for rank in range(1, N_USERS + 1)))
    slots: list[_Slot] = []
    session = 0
    while len(slots) < count:
        session += 1
        hour = rng.choices(range(7 * 24), cum_weights=hours)[0]
        user = rng.choices(range(N_USERS), cum_weights=users)[0]
        at = start + timedelta(hours=hour, milliseconds=rng.randrange(3_600_000))
        slots.extend(_session(at, now, user, session, count - len(slots), rng))
    return sorted(slots, key=lambda slot: (slot.at, slot.session))


def _session(at: datetime, now: datetime, user: int, number: int, most: int, rng: Random) -> list[_Slot]:
    """The traces of one session: at most eight, none in the last minute before `now`."""
    times: list[datetime] = []
    while at < now - timedelta(minutes=1) and len(times) < min(most, 8):
        times.append(at)
        if rng.random() >= GOES_ON:
            break
        at += timedelta(milliseconds=round(rng.lognormvariate(math.log(PAUSE), 0.8) * 1000))
    return [_Slot(time, user, number, time is times[-1]) for time in times]


def _traffic(at: datetime) -> float:
    return HOURS[at.hour] * WEEKDAYS[at.weekday()]


def _latency(text: DemoText, rng: Random) -> float:
    """Seconds until the answer is complete: 170 characters a second, lognormal; 30 at most."""
    return min(30.0, rng.lognormvariate(math.log(0.6 + len(text.answer) / 170), 0.35))


def _trace(text: DemoText, slot: _Slot, answered_at: datetime, now: datetime, rng: Random) -> dict[str, Json]:
    newer = _is_newer(slot.at, now, rng)
    prompt = "support" if text.category == SUPPORT else "chat"
    return {
        "id": text.trace_id,
        "started_at": slot.at.isoformat(),
        "ended_at": answered_at.isoformat(),
        "user_id": _user_id(slot.user),
        "session_id": f"s-{slot.session:05d}",
        "model": _model(newer, rng),
        "prompt_version": f"{prompt}-v{8 if newer else 7}",
        "release": RELEASES[newer],
        **deepcopy(text.content),
    }


def _is_newer(at: datetime, now: datetime, rng: Random) -> bool:
    release = released_at(now)
    canary = rng.random() < CANARY and at >= release - timedelta(hours=12)
    return at >= release or canary


def _model(newer: bool, rng: Random) -> str:
    if newer and rng.random() < PREVIEW[1]:
        return PREVIEW[0]
    return rng.choices([name for name, _ in MODELS], [share for _, share in MODELS])[0]


def _user_id(user: int) -> str:
    return "u-" + blake2b(b"demo user %d" % user, digest_size=4).hexdigest()

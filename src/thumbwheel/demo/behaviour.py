"""What simulated users do after reading an answer.

This is a model, not a measurement: every number is an assumption, written down
here and in docs/demo.md, chosen for plausible orders of magnitude (about one
trace in twenty rated, most failures silent, every signal noisy). Nothing here
is fitted to thumbwheel's priors.

A user is *unhappy* with an answer when they notice a recorded failure, when it
reads like a refusal, or for reasons of their own although nothing is wrong with
it. Everything else follows from being unhappy or not, so a signal tells about
the recorded verdict only through this noise. Edits are made of the answer's own
text: a marked span is taken out, or something harmless is tidied.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from thumbwheel.demo.corpus import DemoText
from thumbwheel.domain.trace import Json

#: A pair (when unhappy, when content) of chances.
Chances = tuple[float, float]
#: One thing a user did: its kind, seconds after the answer, and the kind's own fields.
_Act = tuple[str, float, dict[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The assumptions, all of them. A pair is the chance for an (unhappy, content) user."""

    #: Chance that a user notices a recorded failure at all.
    notices_failure: float = 0.6
    #: Chance that an answer which reads like a refusal annoys, whatever its verdict.
    dislikes_refusal: float = 0.4
    #: Chance that a good answer disappoints anyway: taste, length, a question asked badly.
    dislikes_good: float = 0.05
    #: Thumbs; multiplied by how talkative the user is.
    rates: Chances = (0.14, 0.035)
    #: A thumb points down.
    rates_down: Chances = (0.92, 0.05)
    #: A thumb is given later rather than at once: about a day later, so some have not come yet.
    rates_late: float = 0.06
    #: A thumbs-down comes with a reason, a reason with a comment.
    gives_reason: float = 0.6
    comments: float = 0.3
    regenerates: Chances = (0.17, 0.012)
    #: The next turn asks again or corrects.
    clarifies: Chances = (0.13, 0.02)
    #: The session ends here and nothing was done with the answer; last traces of a session only.
    abandons: Chances = (0.35, 0.07)
    copies: Chances = (0.35, 1.0)
    #: Chance that a content user copies an answer, by category.
    copy_rate: dict[str, float] = field(
        default_factory=lambda: {
            "code": 0.4,
            "writing": 0.28,
            "rewriting": 0.28,
            "summary": 0.2,
            "language": 0.2,
        }
    )
    copy_rate_else: float = 0.1
    #: A copied answer is changed before it is used.
    edits_copy: Chances = (0.3, 0.08)
    #: The answer is edited in place.
    edits: Chances = (0.06, 0.004)
    #: Time on screen is reported: median `dwell_start` + characters / `dwell_speed`, lognormal.
    reports_dwell: float = 0.7
    dwell_start: float = 4.0
    dwell_speed: float = 28.0
    dwell_sigma: float = 0.65
    #: Unhappy users read a little longer, users who leave a good deal shorter.
    dwell_unhappy: float = 1.25
    dwell_abandoned: float = 0.4


DEFAULT: Final = Behaviour()

#: Reason -> weight: of a refusal, of a noticed failure, of anything else.
_REASONS: Final[dict[str, dict[str, float]]] = {
    "refusal": {"refused": 0.75, "missed_the_point": 0.15, "other": 0.1},
    "failure": {
        "hallucination": 0.5,
        "missed_the_point": 0.22,
        "outdated": 0.1,
        "formatting": 0.06,
        "other": 0.12,
    },
    "taste": {
        "missed_the_point": 0.34,
        "too_long": 0.26,
        "formatting": 0.2,
        "hallucination": 0.06,
        "other": 0.14,
    },
}
_COMMENTS: Final[dict[str, tuple[str, ...]]] = {
    "hallucination": (
        "This is not true.",
        "I looked it up and it is different.",
        "Made up?",
        "The numbers are wrong.",
    ),
    "missed_the_point": (
        "Not what I asked for.",
        "Read my question again please",
        "It left out half of it.",
    ),
    "refused": (
        "Why can't it just do it?",
        "Another refusal.",
        "It could do this last week.",
    ),
    "too_long": ("One sentence would have been enough.", "tl;dr"),
    "formatting": ("I can't paste this anywhere.", "Please no bullet points."),
    "outdated": ("That was years ago.", "Old information."),
    "other": ("meh", "Not helpful."),
}
_RIGHTS: Final[tuple[tuple[float, tuple[str, ...]], ...]] = (
    (0.6, ("evaluate", "prompt", "retrieve", "train")),
    (0.25, ("evaluate", "prompt")),
    (0.15, ("evaluate",)),
)
_REFUSAL: Final = re.compile(
    r"(?:^(?:i(?:'m| am)? )?(?:sorry|apologi)|as an ai(?: language)? model|\bi(?:'m| am) (?:not able|unable))"
)
_PREAMBLE: Final = re.compile(r"^(?:(?:I(?:'m| am) )?[Ss]orry|As an AI|Sure|Of course|Certainly)[^.!?\n]*[.!?:]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One answer in front of one user."""

    text: DemoText
    user_id: str
    #: Multiplies the chance of a thumb; its mean over users is 1.
    talkative: float
    answered_at: datetime
    last_in_session: bool


def reads_like_refusal(answer: str) -> bool:
    """Whether an answer opens like a refusal, which is all that a user sees at a glance."""
    return _REFUSAL.search(answer[:160].lower()) is not None


def react(visit: Visit, now: datetime, rng: Random, behaviour: Behaviour = DEFAULT) -> list[dict[str, Json]]:
    """What this user does about this answer, as signals in native JSON; what would happen after `now` is left out."""
    chance = _chance_unhappy(visit.text, behaviour)
    unhappy = rng.random() < chance
    acts = [
        *_said(visit, unhappy, rng, behaviour),
        *_did(visit, unhappy, rng, behaviour),
    ]
    signals = []
    for number, (kind, after, fields) in enumerate(sorted(acts, key=lambda act: act[1]), start=1):
        at = visit.answered_at + timedelta(milliseconds=round(after * 1000))
        if at < now:
            signals.append(_signal(visit, number, kind, at, fields))
    return signals


def _signal(visit: Visit, number: int, kind: str, at: datetime, fields: dict[str, Json]) -> dict[str, Json]:
    return {
        "id": f"{visit.text.trace_id}.{number}",
        "trace_id": visit.text.trace_id,
        "kind": kind,
        "at": at.isoformat(),
        "user_id": visit.user_id,
        **fields,
    }


def _chance_unhappy(text: DemoText, behaviour: Behaviour) -> float:
    chance = behaviour.notices_failure if text.verdict.failed else behaviour.dislikes_good
    if reads_like_refusal(text.answer):
        chance = 1 - (1 - chance) * (1 - behaviour.dislikes_refusal)
    return chance


def _said(visit: Visit, unhappy: bool, rng: Random, behaviour: Behaviour) -> Iterator[_Act]:
    """Thumb, and after a thumbs-down perhaps a reason with a comment."""
    if not _happens(behaviour.rates, unhappy, rng, times=visit.talkative):
        return
    late = rng.random() < behaviour.rates_late
    after = rng.lognormvariate(math.log(70_000), 0.6) if late else rng.lognormvariate(math.log(20), 0.8)
    down = _happens(behaviour.rates_down, unhappy, rng)
    yield "user_rating", after, {"value": "down" if down else "up"}
    if down and rng.random() < behaviour.gives_reason:
        reason = _reason(visit.text, rng)
        fields: dict[str, Json] = {"reason": reason}
        if rng.random() < behaviour.comments:
            fields["comment"] = rng.choice(_COMMENTS[reason])
        yield "user_reason", after + rng.uniform(2, 15), fields


def _did(visit: Visit, unhappy: bool, rng: Random, behaviour: Behaviour) -> Iterator[_Act]:
    """Everything a user does without saying what they think."""
    if _happens(behaviour.regenerates, unhappy, rng):
        yield "implicit_regenerate", rng.lognormvariate(math.log(18), 0.6), {}
    if _happens(behaviour.clarifies, unhappy, rng):
        yield "implicit_clarification", rng.lognormvariate(math.log(35), 0.6), {}
    if _happens(behaviour.edits, unhappy, rng):
        yield from _edited("user_edit", visit.text, unhappy, rng)
    copied = rng.random() < _copy_chance(visit.text, unhappy, behaviour)
    if copied:
        yield "implicit_copy", rng.lognormvariate(math.log(25), 0.6), {}
        if _happens(behaviour.edits_copy, unhappy, rng):
            yield from _edited("implicit_copy_edit", visit.text, unhappy, rng)
    left = visit.last_in_session and not copied and _happens(behaviour.abandons, unhappy, rng)
    seconds = _dwell(visit.text, unhappy, left, rng, behaviour)
    if left:
        yield "implicit_abandonment", seconds, {}
    if rng.random() < behaviour.reports_dwell:
        yield "implicit_dwell", seconds, {"seconds": seconds}


def _happens(chances: Chances, unhappy: bool, rng: Random, *, times: float = 1.0) -> bool:
    return rng.random() < chances[0 if unhappy else 1] * times


def _copy_chance(text: DemoText, unhappy: bool, behaviour: Behaviour) -> float:
    rate = behaviour.copy_rate.get(text.category, behaviour.copy_rate_else)
    return rate * behaviour.copies[0 if unhappy else 1]


def _dwell(text: DemoText, unhappy: bool, left: bool, rng: Random, behaviour: Behaviour) -> float:
    """Seconds on screen, one decimal, at most an hour."""
    median = behaviour.dwell_start + len(text.answer) / behaviour.dwell_speed
    factor = behaviour.dwell_abandoned if left else behaviour.dwell_unhappy if unhappy else 1.0
    return round(
        min(
            3600.0,
            max(
                0.3,
                rng.lognormvariate(math.log(median * factor), behaviour.dwell_sigma),
            ),
        ),
        1,
    )


def _reason(text: DemoText, rng: Random) -> str:
    seen = "refusal" if reads_like_refusal(text.answer) else "failure" if text.verdict.failed else "taste"
    return rng.choices(list(_REASONS[seen]), list(_REASONS[seen].values()))[0]


def _edited(kind: str, text: DemoText, unhappy: bool, rng: Random) -> Iterator[_Act]:
    """An edit, if the answer holds anything to take out or to tidy."""
    edited = corrected(text) if unhappy and text.verdict.failed else None
    edited = edited or tidied(text.answer, rng)
    if edited is None:
        return
    fields: dict[str, Json] = {"edited": edited}
    if kind == "user_edit":
        fields["original"] = text.answer
        rights = rng.choices([rights for _, rights in _RIGHTS], [weight for weight, _ in _RIGHTS])[0]
        fields["rights"] = list(rights)
    yield kind, rng.lognormvariate(math.log(110), 0.6), fields


def corrected(text: DemoText) -> str | None:
    """The author's right answer, or the recorded one without what was marked; None if too little would be left."""
    if text.verdict.corrected_output:
        return text.verdict.corrected_output
    edited = text.answer
    for span in text.verdict.spans:
        edited = edited.replace(span, "")
    edited = re.sub(r"[ \t]{2,}", " ", re.sub(r"\n{3,}", "\n\n", edited)).strip()
    return edited if edited != text.answer and len(edited) >= 40 else None


def tidied(answer: str, rng: Random) -> str | None:
    """A harmless edit: the opening phrase dropped, list numbers as dashes, or blank lines closed; None if none fits."""
    options = (
        _PREAMBLE.sub("", answer, count=1),
        re.sub(r"(?m)^\d+\. ", "- ", answer),
        answer.replace("\n\n", "\n"),
    )
    useful = [option for option in options if option != answer and len(option) >= 40]
    return rng.choice(useful) if useful else None

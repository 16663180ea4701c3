"""What another tool's score means here: signals of a user, a judge's suggestion, or a reviewer's verdict.

The name of a score decides little, since names are everybody's own; a project says what its names mean by rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from thumbwheel.domain.annotation import Suggestion, Verdict
from thumbwheel.domain.document import column, number
from thumbwheel.domain.score import Review, Score, ScoreSource, ScoreType
from thumbwheel.domain.signal import Edit, EditKind, Rating, Right, Signal, SignalKind
from thumbwheel.domain.trace import Json, text_of
from thumbwheel.errors import Invalid


class MeantAs(StrEnum):
    """What a project says a score's name stands for."""

    rating = "rating"
    reason = "reason"
    edit = "edit"
    judge = "judge"
    review = "review"
    #: Kept, and nothing made of it.
    nothing = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRule:
    """What one name means in one project."""

    meant_as: MeantAs | None = None
    #: Numbers that say surely bad and surely good; `low` may be the larger.
    low: float | None = None
    high: float | None = None
    #: A score's text -> the reason, or `good` or `bad`, that it stands for.
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a score becomes; nothing where it says nothing we have a word for."""

    signals: tuple[Signal, ...] = ()
    suggestion: Suggestion | None = None
    review: Review | None = None


_NO_RULE: Final = ScoreRule()
_GOOD: Final = frozenset(
    "good up thumbs_up 👍 pass passed correct right yes true positive relevant helpful factual grounded accepted like".split()
)
_BAD: Final = frozenset(
    "bad down thumbs_down 👎 fail failed incorrect wrong no false negative irrelevant unhelpful hallucinated ungrounded "
    "rejected dislike not_relevant not_correct non_factual".split()
)
#: Names whose text is a reason even when the project has none of that name.
_REASON_NAMES: Final = frozenset({"reason_category", "user_reason"})


def read_rules(settings: Mapping[str, Any]) -> dict[str, ScoreRule]:
    """The rules in a project's settings: `{"scores": {NAME: {"as", "low", "high", "values"}}}`; unusable ones are not.

    >>> read_rules({"scores": {"stars": {"as": "rating", "low": 1, "high": 5}}})["stars"].high
    5.0
    """
    given = settings.get("scores")
    return (
        {name: _rule(rule) for name, rule in given.items() if isinstance(rule, dict)} if isinstance(given, dict) else {}
    )


def check_rule(name: str, given: Any) -> None:
    """Refuse a rule that would not do what it says.

    Raises:
        Invalid: naming what is wrong with it.
    """
    if not isinstance(given, dict) or not given.keys() <= {"as", "low", "high", "values"}:
        raise Invalid('A rule for a score has "as", "low", "high" and "values", each if you like.', field=name)
    if given.get("as") is not None and given["as"] not in set(MeantAs):
        raise Invalid(f"A score is meant as {', '.join(MeantAs)}; not {given['as']!r}.", field=name)
    low, high = number(given.get("low", 0)), number(given.get("high", 1))
    if low is None or high is None or low == high:
        raise Invalid("A scale has two numbers that differ, the bad end first.", field=name)
    values = given.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in (*values, *values.values())):
        raise Invalid('"values" says for texts what they stand for: a reason, good or bad.', field=name)


def _rule(given: Mapping[str, Any]) -> ScoreRule:
    meant = given.get("as")
    values = given.get("values")
    return ScoreRule(
        meant_as=MeantAs(meant) if meant in set(MeantAs) else None,
        low=number(given.get("low")),
        high=number(given.get("high")),
        values={str(text): str(stands) for text, stands in values.items()} if isinstance(values, dict) else {},
    )


def merge_score(before: Score, now: Score) -> Score:
    """A score and an update of it: what the update says, over what was said before; an older report fills gaps only."""
    newer, older = (before, now) if now.stamp < before.stamp else (now, before)
    gaps = {name: getattr(older, name) for name in _FILLED if getattr(newer, name) is None}
    return replace(newer, **gaps, metadata=older.metadata | newer.metadata, extra=older.extra | newer.extra)


_FILLED: Final = (
    "trace_id span_id response_id session_id type value label correction comment client author channel"
).split()


def is_users_word(score: Score, rules: Mapping[str, ScoreRule]) -> bool:
    """Whether a user speaks by this score, who is asked before it is kept; reviewers and evaluators are not users.

    What the application reports is its user's word unless the project says that its name stands for a judge or a review.
    """
    meant = rules.get(score.name, _NO_RULE).meant_as or _DEFAULT.get(score.source)
    if meant in {MeantAs.judge, MeantAs.review}:
        return False
    return score.source is ScoreSource.api or meant is not MeantAs.nothing


def consent_of(metadata: Mapping[str, Json]) -> dict[str, object] | None:
    """What a score's metadata records of its user's consent; None where it records nothing.

    >>> consent_of({"consent": True}), consent_of({"consent": {"given": "false"}}), consent_of({"consent.given": "yes"})
    ({'given': True}, {'given': False}, {})
    """
    said = metadata.get("consent", metadata.get("consent.given"))
    if said is None:
        return None
    more: dict[str, object] = dict(said) if isinstance(said, dict) else {"given": said}
    given = _GIVEN.get(str(more.pop("given", None)).lower())
    return more if given is None else {"given": given, **more}


#: Instrumentation turns values into text.
_GIVEN: Final = {"true": True, "false": False}


def meaning(
    score: Score, *, trace_id: str, output: Json, rules: Mapping[str, ScoreRule], reasons: Sequence[str]
) -> Meaning:
    """What a score says about the trace it has been linked to.

    A number is a rating whose lower half is bad, false and 0 among them; a text is a reason where the project has it;
    a correction is an edit of `output`, the trace's; `implicit_*` is what a user did. Reviewers' scores become reviews
    and evaluators' suggestions. A rule for the score's name goes before all of that.
    """
    rule = rules.get(score.name, _NO_RULE)
    meant = rule.meant_as or _DEFAULT.get(score.source)
    if meant is MeantAs.nothing:
        return Meaning()
    if meant is MeantAs.review:
        return Meaning(review=_review(score, trace_id, output, rule))
    if meant is MeantAs.judge:
        return Meaning(suggestion=_suggestion(score, trace_id, rule))
    return Meaning(signals=tuple(_signals(score, trace_id, output, rule, reasons, meant)))


_DEFAULT: Final = {ScoreSource.annotation: MeantAs.review, ScoreSource.eval: MeantAs.judge}


# --- values


def goodness(score: Score, rule: ScoreRule) -> float | None:
    """How good the score says it was, 0 bad to 1 good; None where it does not say.

    Numbers are read on the rule's scale, else on 0 to 1, below and above which they count as its ends.
    """
    value = number(score.value) if not isinstance(score.value, str) else None
    if value is not None:
        low, high = (0.0 if rule.low is None else rule.low), (1.0 if rule.high is None else rule.high)
        return None if low == high else min(max((value - low) / (high - low), 0.0), 1.0)
    for text in (score.value, score.label):
        if isinstance(text, str):
            word = rule.values.get(text, text)
            if _word(word) in _GOOD | _BAD:
                return float(_word(word) in _GOOD)
    return None


def _word(text: str) -> str:
    return text.strip().casefold().replace("-", "_").replace(" ", "_")


def _unscaled(score: Score, rule: ScoreRule) -> bool:
    """Whether the number lies outside 0 to 1 and nobody said what its scale is."""
    value = None if isinstance(score.value, str) else number(score.value)
    return value is not None and rule.low is None and rule.high is None and not 0 <= value <= 1


def _text(score: Score) -> str | None:
    """The category a score names: its value, or what stands beside a number."""
    return score.value if isinstance(score.value, str) else score.label


# --- what it becomes


def _review(score: Score, trace_id: str, output: Json, rule: ScoreRule) -> Review:
    good = goodness(score, rule)
    return Review(
        id=score.id,
        trace_id=trace_id,
        name=score.name,
        verdict=None if good is None else Verdict.failed if good < 0.5 else Verdict.passed,
        value=score.value if score.value is not None else score.label,
        annotator=score.author,
        critique=score.comment,
        corrected_output=_corrected(score, output),
        family=score.family,
        at=score.at,
    )


def _suggestion(score: Score, trace_id: str, rule: ScoreRule) -> Suggestion | None:
    good = None if _unscaled(score, rule) else goodness(score, rule)
    if good is None:
        return None
    return Suggestion(trace_id=trace_id, judge=judge_of(score), failure_probability=1 - good, at=score.at)


def judge_of(score: Score) -> str:
    """The name of the judge a score comes from, if a judge gave it."""
    return column(":".join(filter(None, (score.family, score.name, score.author)))) or score.family


def _signals(
    score: Score, trace_id: str, output: Json, rule: ScoreRule, reasons: Sequence[str], meant: MeantAs | None
) -> list[Signal]:
    if meant is None and score.name in _IMPLICIT:
        return _implicit(score, trace_id)
    found: list[Signal] = []
    if meant in {None, MeantAs.rating}:
        found += _rating(score, trace_id, rule, meant)
    if meant in {None, MeantAs.reason}:
        found += _reason(score, trace_id, rule, reasons)
    if meant in {None, MeantAs.edit}:
        found += _edit(score, trace_id, output, meant)
    # What the score carries beside its value is said once.
    return [
        replace(each, id=_own_id(score, place), comment=None if place else score.comment)
        for place, each in enumerate(found)
    ]


def _own_id(score: Score, place: int) -> str:
    return score.id if place == 0 else f"{score.id}:{place}"


def own_ids(score: Score) -> list[str]:
    """The ids of every signal a score may have become."""
    return [_own_id(score, place) for place in range(3)]


def _signal(score: Score, trace_id: str, kind: SignalKind, **more: Any) -> Signal:
    rights = score.metadata.get("rights")
    return Signal(
        id=score.id,
        trace_id=trace_id,
        kind=kind,
        at=score.at,
        user_id=column(score.author),
        comment=score.comment,
        consent=consent_of(score.metadata),
        channel=score.channel,
        rights=frozenset(Right(each) for each in rights if each in set(Right))
        if isinstance(rights, list)
        else frozenset(),
        name=score.name,
        score=None if isinstance(score.value, str) else number(score.value),
        **more,
    )


_IMPLICIT: Final = frozenset(kind.value for kind in SignalKind if kind.value.startswith("implicit_"))


def _implicit(score: Score, trace_id: str) -> list[Signal]:
    kind, value = SignalKind(score.name), number(score.value)
    if kind is SignalKind.implicit_dwell:
        return [] if value is None or value < 0 else [_signal(score, trace_id, kind, seconds=value)]
    edited = score.value if kind is SignalKind.implicit_copy_edit and isinstance(score.value, str) else None
    if value == 0 and edited is None:
        return []
    return [_signal(score, trace_id, kind, edit=None if edited is None else _as_edit(edited))]


def _rating(score: Score, trace_id: str, rule: ScoreRule, meant: MeantAs | None) -> list[Signal]:
    texts = meant is MeantAs.rating or score.name == SignalKind.user_rating
    good = goodness(score, rule) if texts or number_of(score) is not None else None
    if good is None:
        return []
    rating = Rating.down if good < 0.5 else Rating.up
    return [_signal(score, trace_id, SignalKind.user_rating, rating=rating)]


def number_of(score: Score) -> float | None:
    """The score's number, if it has one; a number written as text is text."""
    return None if isinstance(score.value, str) else number(score.value)


def _reason(score: Score, trace_id: str, rule: ScoreRule, reasons: Sequence[str]) -> list[Signal]:
    text = _text(score)
    if text is None or score.type in {ScoreType.text, ScoreType.correction}:
        return []
    reason = rule.values.get(text, text)
    known = {_word(each): each for each in reasons}
    if _word(reason) in known:
        return [_signal(score, trace_id, SignalKind.user_reason, reason=known[_word(reason)])]
    if score.name in _REASON_NAMES or rule.meant_as is MeantAs.reason:
        return [_signal(score, trace_id, SignalKind.user_reason, reason="other")]
    return []


def _edit(score: Score, trace_id: str, output: Json, meant: MeantAs | None) -> list[Signal]:
    edited = _corrected(score, output)
    if edited is None and meant is MeantAs.edit and isinstance(score.value, str):
        edited = score.value
    return [] if edited is None else [_signal(score, trace_id, SignalKind.user_edit, edit=_as_edit(edited))]


def _as_edit(edited: str) -> Edit:
    return Edit(original=None, edited=edited, hunks=(), kind=EditKind.none)


def _corrected(score: Score, output: Json) -> str | None:
    """The better answer a score gives, as text of the same shape as the answer's text."""
    if score.correction is not None:
        return corrected_text(score.correction, output)
    if score.type is ScoreType.correction or (
        score.name == SignalKind.user_edit and score.type is not ScoreType.categorical
    ):
        return score.value if isinstance(score.value, str) else None
    return None


def corrected_text(correction: Json, output: Json) -> str:
    """A correction as text to lay beside the output's: a dictionary changes the fields of the output that it names.

    >>> corrected_text({"answer": "30 days"}, {"answer": "60 days", "source": "faq"})
    '30 days'
    >>> corrected_text({"answer": "30 days"}, "60 days")
    '30 days'
    """
    if not isinstance(correction, dict):
        return text_of(correction)
    if isinstance(output, dict):
        return text_of({**output, **correction})
    texts = [value for value in correction.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 else text_of(correction) if texts else json.dumps(correction, ensure_ascii=False)

"""What other tools' scores mean here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.factories import MINUTE, MONDAY
from thumbwheel.capture.score import Meaning, corrected_text, meaning, merge_score, own_ids, read_rules
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.signal import DEFAULT_REASONS, Rating, Right, SignalKind

BASE = Score(id="s", name="user_rating", trace_id="t", at=MONDAY, family="langfuse")


def meant(score: Score, output: Any = "60 days.", **rules: Any) -> Meaning:
    return meaning(
        score, trace_id="trace-1", output=output, rules=read_rules({"scores": rules}), reasons=DEFAULT_REASONS
    )


def signals(score: Score, **rules: Any) -> list[tuple[SignalKind, Any]]:
    """Each signal's kind with the value that belongs to it."""
    return [
        (each.kind, each.rating or each.reason or (each.edit and each.edit.edited) or each.seconds)
        for each in meant(score, **rules).signals
    ]


def a_score(value: Any = None, type: ScoreType | None = None, **given: Any) -> Score:
    return replace(BASE, value=value, type=type, **given)


@pytest.mark.parametrize(
    ("value", "rating"),
    [(1.0, Rating.up), (0.0, Rating.down), (1, Rating.up), (-1.0, Rating.down), (0.25, Rating.down), (0.5, Rating.up)],
)
@pytest.mark.parametrize("name", ["user_rating", "helpful"])
def test_numbers_and_booleans_are_ratings_and_keep_their_value(value: float, rating: Rating, name: str) -> None:
    (signal,) = meant(a_score(value, ScoreType.numeric, name=name)).signals
    assert (signal.kind, signal.rating, signal.score, signal.name) == (SignalKind.user_rating, rating, value, name)
    assert (signal.id, signal.trace_id, signal.at) == ("s", "trace-1", MONDAY)


@pytest.mark.parametrize(("value", "rating"), [("down", Rating.down), ("Thumbs Up", Rating.up), ("👎", Rating.down)])
def test_a_rating_may_be_a_word(value: str, rating: Rating) -> None:
    assert signals(a_score(value, ScoreType.categorical)) == [(SignalKind.user_rating, rating)]


@pytest.mark.parametrize("value", ["hallucination", "Hallucination", "missed the point", "missed-the-point"])
@pytest.mark.parametrize("name", ["reason_category", "why"])
def test_a_category_the_project_has_is_a_reason(value: str, name: str) -> None:
    expected = "missed_the_point" if value.startswith("missed") else "hallucination"
    assert signals(a_score(value, ScoreType.categorical, name=name)) == [(SignalKind.user_reason, expected)]


def test_an_unknown_category_is_another_reason_only_under_a_name_that_says_reason() -> None:
    assert signals(a_score("tone", ScoreType.categorical, name="reason_category")) == [
        (SignalKind.user_reason, "other")
    ]
    assert signals(a_score("billing", ScoreType.categorical, name="topic")) == []


def test_free_text_alone_is_no_signal_unless_it_is_an_edit() -> None:
    assert signals(a_score("too long, sorry", ScoreType.text, name="thoughts")) == []
    assert signals(a_score("30 days.", ScoreType.text, name="user_edit")) == [(SignalKind.user_edit, "30 days.")]
    assert signals(a_score("30 days.", ScoreType.correction, name="output")) == [(SignalKind.user_edit, "30 days.")]


def test_one_feedback_may_rate_name_a_reason_and_correct() -> None:
    score = a_score(0, label="hallucination", correction={"answer": "30 days."}, comment="no", family="langsmith")
    found = meant(score).signals
    assert [each.kind for each in found] == [SignalKind.user_rating, SignalKind.user_reason, SignalKind.user_edit]
    assert [each.id for each in found] == own_ids(score)
    assert [each.comment for each in found] == ["no", None, None]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("implicit_regenerate", 1.0, [(SignalKind.implicit_regenerate, None)]),
        ("implicit_regenerate", None, [(SignalKind.implicit_regenerate, None)]),
        ("implicit_copy", 0.0, []),
        ("implicit_dwell", 12.5, [(SignalKind.implicit_dwell, 12.5)]),
        ("implicit_dwell", -1.0, []),
        ("implicit_copy_edit", "30 days.", [(SignalKind.implicit_copy_edit, "30 days.")]),
    ],
)
def test_what_users_did_is_never_a_rating(name: str, value: Any, expected: list[Any]) -> None:
    assert signals(a_score(value, name=name)) == expected


def test_rights_and_consent_come_in_the_metadata() -> None:
    metadata: Any = {"rights": ["train", "sell"], "consent": {"given": True}}
    (signal,) = meant(a_score(1, metadata=metadata)).signals
    assert (signal.rights, signal.consent) == (frozenset({Right.train}), {"given": True})


@pytest.mark.parametrize(
    ("value", "label", "probability"),
    [
        (1.0, None, 0.0),
        (0.25, "x", 0.75),
        ("not_relevant", None, 1.0),
        ("Pass", None, 0.0),
        (7.0, None, None),
        ("x", None, None),
    ],
)
def test_an_evaluators_score_is_a_suggestion_where_it_says_how_good(
    value: Any, label: str | None, probability: float | None
) -> None:
    score = a_score(value, name="Relevance", label=label, source=ScoreSource.eval, author="gpt")
    found = meant(score)
    assert found.signals == ()
    assert (found.suggestion and found.suggestion.failure_probability) == probability
    assert found.suggestion is None or found.suggestion.judge == "langfuse:Relevance:gpt"


@pytest.mark.parametrize(("value", "verdict"), [(0, "fail"), (1, "pass"), ("bad", "fail"), ("unsure", None)])
def test_a_reviewers_score_is_a_review(value: Any, verdict: str | None) -> None:
    found = meant(a_score(value, source=ScoreSource.annotation, author="eve", comment="c", correction="30 days."))
    assert found.signals == ()
    assert found.review is not None
    assert (found.review.verdict, found.review.value, found.review.annotator) == (verdict, value, "eve")
    assert (found.review.critique, found.review.corrected_output) == ("c", "30 days.")


def test_a_project_says_what_its_own_names_mean() -> None:
    stars = {"as": "rating", "low": 1, "high": 5}
    assert signals(a_score(2, name="stars"), stars=stars) == [(SignalKind.user_rating, Rating.down)]
    assert signals(a_score(4, name="stars"), stars=stars) == [(SignalKind.user_rating, Rating.up)]
    tone = {"as": "reason", "values": {"rude": "unsafe"}}
    assert signals(a_score("rude", name="tone"), tone=tone) == [(SignalKind.user_reason, "unsafe")]
    assert signals(a_score("flat", name="tone"), tone=tone) == [(SignalKind.user_reason, "other")]
    assert signals(a_score(1, name="internal"), internal={"as": "nothing"}) == []
    assert signals(a_score("better", name="fix"), fix={"as": "edit"}) == [(SignalKind.user_edit, "better")]
    toxic = meant(a_score(0.9, name="toxicity"), toxicity={"as": "judge", "low": 1, "high": 0})
    assert toxic.suggestion is not None
    assert toxic.suggestion.failure_probability == pytest.approx(0.9)
    assert meant(a_score(0, name="expert"), expert={"as": "review"}).review is not None


@pytest.mark.parametrize(
    "settings", [{}, {"scores": []}, {"scores": {"a": 1}}, {"scores": {"a": {"as": "x", "low": "y"}}}]
)
def test_rules_that_cannot_be_used_change_nothing(settings: dict[str, Any]) -> None:
    rules = read_rules(settings)
    found = meaning(a_score(1), trace_id="t", output=None, rules=rules, reasons=())
    assert [each.rating for each in found.signals] == [Rating.up]


def test_the_later_report_of_a_score_wins_and_nothing_is_forgotten() -> None:
    first = a_score(0, comment="no", metadata={"a": 1, "b": 1}, stamp=1)
    later = a_score(1, stamp=2, at=MONDAY + MINUTE, metadata={"b": 2})
    for both in (merge_score(first, later), merge_score(later, first)):
        assert (both.value, both.comment, both.at, both.metadata) == (1, "no", MONDAY + MINUTE, {"a": 1, "b": 2})
    again = a_score(0, stamp=2)
    assert merge_score(later, again).value == 0


@pytest.mark.parametrize(
    ("correction", "output", "text"),
    [
        ("30", "60", "30"),
        ({"answer": "30"}, {"answer": "60", "source": "faq"}, "30"),
        ({"role": "assistant", "content": "30"}, {"role": "assistant", "content": "60"}, "30"),
        ({"anything": "30"}, "60", "30"),
        ({"a": 1}, None, '{"a": 1}'),
        ([{"role": "assistant", "content": "30"}], "60", "30"),
    ],
)
def test_a_correction_takes_the_shape_of_the_output(correction: Any, output: Any, text: str) -> None:
    assert corrected_text(correction, output) == text

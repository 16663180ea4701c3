"""Which trace a complaint is about: by its user, its time and its words, with the reasons said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.capture.relink import Complaint, Exchange, rank

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def an_exchange(
    trace_id: str = "t", *, hours: float = 2, user: str | None = None, asked: str = "hello", answered: str = "hi there"
) -> Exchange:
    return Exchange(
        trace_id=trace_id,
        started_at=NOON - timedelta(hours=hours),
        user_id=user,
        category=None,
        input=asked,
        output=answered,
    )


def a_complaint(text: str = "the answer was wrong", users: tuple[str, ...] = ()) -> Complaint:
    return Complaint(text=text, at=NOON, user_ids=frozenset(users))


def order(complaint: Complaint, *exchanges: Exchange) -> list[str]:
    return [each.exchange.trace_id for each in rank(complaint, exchanges, limit=10)]


KETTLE = an_exchange("kettle", asked="How long can I return a kettle?", answered="You can return it within 60 days.")
FLIGHT = an_exchange("flight", asked="Can I change my flight to Lisbon?", answered="Yes, for a fee of 30 euros.")
WEATHER = an_exchange("weather", asked="Will it rain tomorrow?", answered="Take an umbrella tomorrow.")


def test_the_trace_with_the_same_words_comes_first_and_says_which() -> None:
    complaint = a_complaint("Your bot said that I may return my kettle within 60 days. The shop says 30!")
    first = rank(complaint, [WEATHER, FLIGHT, KETTLE], limit=3)[0]
    assert first.exchange is KETTLE
    assert "“kettle”" in first.why[0]
    assert first.why[-1] == "2 hours before the message"


def test_misspelt_words_still_find_it() -> None:
    assert order(a_complaint("retrun kettel 60 dais"), WEATHER, FLIGHT, KETTLE)[0] == "kettle"


def test_of_the_same_words_the_user_decides() -> None:
    others, own = an_exchange("others", user="ann"), an_exchange("own", user="bo", hours=5)
    found = rank(a_complaint(users=("bo",)), [others, own], limit=2)
    assert [each.exchange.trace_id for each in found] == ["own", "others"]
    assert found[0].why[0] == "the same user"
    assert found[1].why[-1] == "but another user"


def test_of_the_same_words_and_user_the_nearer_in_time_decides() -> None:
    assert order(a_complaint(), an_exchange("old", hours=100), an_exchange("new", hours=1)) == ["new", "old"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "less than a minute before the message"),
        (1 / 60, "1 minute before the message"),
        (1, "1 hour before the message"),
        (60, "2 days before the message"),
        (-3, "3 hours after the message"),
    ],
)
def test_how_far_apart_they_are_is_said_in_words(hours: float, said: str) -> None:
    assert rank(a_complaint(), [an_exchange(hours=hours)], limit=1)[0].why == (said,)


def test_a_trace_that_came_after_the_message_is_no_nearer_than_a_very_old_one() -> None:
    after, old = rank(a_complaint(), [an_exchange("b", hours=-1), an_exchange("a", hours=24 * 60)], limit=2)[::-1]
    assert after.exchange.trace_id == "b"
    assert after.score < old.score


def test_clocks_may_differ_a_little() -> None:
    skewed, exact = (rank(a_complaint(), [an_exchange(hours=h)], limit=1)[0].score for h in (-0.2, 0))
    assert skewed == exact


def test_words_every_trace_has_tell_nothing() -> None:
    found = rank(a_complaint("the"), [an_exchange(str(n), asked="the", answered="the") for n in range(5)], limit=5)
    assert not any("both say" in reason for each in found for reason in each.why)


words = st.text(alphabet="abc é\n<>1", max_size=40)


@given(text=words, sides=st.lists(st.tuples(words, words, st.floats(-50, 5000)), max_size=8), limit=st.integers(1, 5))
def test_scores_are_shares_in_order_and_no_more_than_asked_for(
    text: str, sides: list[tuple[str, str, float]], limit: int
) -> None:
    exchanges = [
        an_exchange(str(n), asked=asked, answered=answered, hours=h) for n, (asked, answered, h) in enumerate(sides)
    ]
    found = rank(a_complaint(text), exchanges, limit=limit)
    scores = [each.score for each in found]
    assert len(found) == min(limit, len(exchanges))
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert all(each.why for each in found)

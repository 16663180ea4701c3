"""What a table is taken for: from its names, from what it holds, and from what somebody said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.connectors.fields import What
from thumbwheel.connectors.guess import TableGuess, guess_table
from thumbwheel.connectors.votes import guess_votes, read_meaning, read_vote
from thumbwheel.domain.signal import DEFAULT_REASONS
from thumbwheel.errors import Invalid

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def guess(rows: list[dict[str, Any]], what: What = What.signals, **said: Any) -> TableGuess:
    return guess_table(list(rows[0]), rows, what, reasons=DEFAULT_REASONS, **said)


def taken(found: TableGuess) -> dict[str, str]:
    return {each.column: each.field for each in found.columns if each.field}


# --- votes


@pytest.mark.parametrize(
    ("cells", "meaning"),
    [
        ([1, 0, 1], {"0": "down", "1": "up"}),
        ([1, -1], {"-1": "down", "1": "up"}),
        (["+1", "-1"], {"1": "up", "-1": "down"}),
        ([True, False], {"true": "up", "false": "down"}),
        (["👍", "👎"], {"👍": "up", "👎": "down"}),
        (["Thumbs Up", "thumbs-down"], {"thumbs_up": "up", "thumbs_down": "down"}),
        (["like", "dislike", "neutral"], {"like": "up", "dislike": "down", "neutral": "skip"}),
    ],
)
def test_thumbs_in_any_spelling_are_plain(cells: list[Any], meaning: dict[str, str]) -> None:
    found = guess_votes(cells, may_be_stars=True)
    assert found is not None
    assert found.sure
    assert {vote: read_vote(vote, found.meaning) for vote in meaning} == meaning
    assert [read_vote(cell, found.meaning) for cell in cells] == [meaning[w] for w in map(_word, cells)]


def _word(cell: Any) -> str:
    return str(cell).lower().replace(" ", "_").replace("s-d", "s_d").removeprefix("+")


@pytest.mark.parametrize(
    ("cells", "votes"),
    [
        ([1, 2, 3, 4, 5], "down down skip up up"),
        (["5", "4.0", "1"], "up up down"),
        ([-1, 0, 1], "down skip up"),
        ([0, 10, 7, 3], "down up up down"),
        ([0.1, 0.9], "down up"),
        ([100, 0, 50], "up down skip"),
    ],
)
def test_scales_are_guessed_and_never_sure(cells: list[Any], votes: str) -> None:
    found = guess_votes(cells, may_be_stars=True)
    assert found is not None
    assert not found.sure
    assert [read_vote(cell, found.meaning) for cell in cells] == votes.split()


def test_nothing_but_ones_may_be_stars() -> None:
    stars, thumbs = guess_votes([1, 1], may_be_stars=True), guess_votes([1, 1], may_be_stars=False)
    assert stars is not None
    assert thumbs is not None
    assert (stars.sure, thumbs.sure) == (False, True)


@given(st.lists(st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.booleans() | st.text(max_size=8), min_size=1))
def test_every_value_that_was_guessed_can_be_read(cells: list[Any]) -> None:
    found = guess_votes(cells, may_be_stars=True)
    if found is not None and all(type(cell) is int for cell in cells):
        assert {read_vote(cell, found.meaning) for cell in cells} <= {"up", "down", "skip"}


def test_prose_is_no_vote_and_a_strange_word_is_refused_by_itself() -> None:
    assert guess_votes([f"this is answer {n}" for n in range(30)], may_be_stars=False) is None
    assert guess_votes(["blue", "green"], may_be_stars=False) is None
    found = guess_votes(["up", "down", "sideways"], may_be_stars=False)
    assert found is not None
    with pytest.raises(Invalid, match="'sideways' stands for"):
        read_vote("sideways", found.meaning)


@pytest.mark.parametrize("given", ["up", "4..x=up", "4=good"])
def test_a_meaning_is_value_and_vote(given: str) -> None:
    with pytest.raises(Invalid, match="VALUE=up"):
        read_meaning([given])
    assert read_meaning(["4..5=up", "N/A=skip", "a=b=down"]) == {"4..5": "up", "n/a": "skip", "a=b": "down"}


# --- columns


def test_a_thumbs_table_with_usual_names_leaves_no_doubt() -> None:
    found = guess([{"id": 1, "message_id": "m1", "thumb": 1, "created_at": AT, "user_id": 7, "note": "x"}])
    assert taken(found) == {
        "id": "id",
        "message_id": "trace_id",
        "thumb": "value",
        "created_at": "at",
        "user_id": "user_id",
        "note": "comment",
    }
    assert found.doubts == []
    assert found.missing is None
    assert found.columns[1].samples == ("m1",)


def test_a_strange_table_is_guessed_by_looks_and_values_and_says_so() -> None:
    rows = [
        {
            "pk": UUID(int=n),
            "assistantMessageID": f"m{n}",
            "isHelpful": n % 2 == 0,
            "loggedOn": "2026-11-20",
            "shop": "a b",
        }
        for n in range(4)
    ]
    found = guess(rows)
    names = {"pk": "id", "assistantMessageID": "trace_id", "isHelpful": "value", "loggedOn": "at"}
    assert taken(found) == names
    assert found.doubts == ["the column 'assistantMessageID' as trace_id", "the column 'isHelpful' as value"]
    blind = guess([{"request_id": "r", "c1": "👍"}, {"request_id": "r", "c1": "👎"}])
    assert taken(blind) == {"request_id": "trace_id", "c1": "value"}
    assert blind.columns[1].why == "its values look like it"


def test_the_trace_is_named_by_the_nearest_thing_to_one() -> None:
    found = guess([{"answer_ref": "a", "request_ref": "r", "conversation_ref": "c", "vote": 1}])
    assert taken(found) == {"request_ref": "trace_id", "conversation_ref": "session_id", "vote": "value"}


def test_a_column_that_holds_something_else_than_its_name_says_is_not_taken_for_it() -> None:
    rows = [{"trace_id": "t", "feedback": f"The answer is wrong because of {n}", "liked": n % 2} for n in range(30)]
    found = guess(rows)
    assert taken(found)["liked"] == "value"
    assert taken(found).get("feedback") != "value"


def test_what_was_said_is_not_guessed_and_wins() -> None:
    rows = [{"trace_id": "t", "thumb": 1, "rating": 3}, {"trace_id": "t", "thumb": 0, "rating": 5}]
    found = guess(rows, given={"rating": "value", "thumb": "-"}, values={"value": {"3": "down", "5": "up"}})
    assert taken(found) == {"trace_id": "trace_id", "rating": "value"}
    assert found.doubts == []
    assert found.to_columns("app").read(rows[0]).items[0]["value"] == "down"
    with pytest.raises(Invalid, match="no column 'colour'"):
        guess(rows, given={"colour": "value"})
    with pytest.raises(Invalid, match="no field of signals"):
        guess(rows, given={"rating": "stars"})


def test_reasons_in_another_spelling_are_the_projects_and_others_are_asked_for() -> None:
    plain = guess([{"trace_id": "t", "reason": "Too long"}, {"trace_id": "t", "reason": "HALLUCINATION"}])
    assert plain.doubts == []
    assert plain.to_columns(None).read({"trace_id": "t", "reason": "Too long"}).items[0]["reason"] == "too_long"
    strange = guess([{"trace_id": "t", "reason": "inaccurate"}])
    assert strange.values["reason"].meaning == {"inaccurate": "other"}
    assert len(strange.doubts) == 1


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ({"thumb": 1, "input": "q"}, "trace_id"),
        ({"trace_id": "t", "comment": "c"}, "value"),
        ({"thumb": 1, "input": "q", "output": "a"}, None),
        ({"trace_id": "t", "kind": "implicit_copy"}, None),
    ],
)
def test_what_no_row_can_be_kept_without_is_named(row: dict[str, Any], missing: str | None) -> None:
    assert guess([row]).missing == missing


def test_a_table_of_traces_keeps_every_column() -> None:
    rows = [{"messageId": "m", "asked": "2026-11-20 10:00", "user_message": "q", "bot_reply": "a", "shop": "x"}]
    found = guess(rows, What.traces)
    assert taken(found) == {
        "messageId": "id",
        "asked": "started_at",
        "user_message": "input",
        "bot_reply": "output",
        "shop": "metadata.shop",
    }
    assert found.missing is None


# --- rows


def test_a_row_with_question_and_answer_has_its_trace() -> None:
    row = {"id": 7, "question": "q", "answer": "a", "thumb": 0, "created_at": AT, "user_id": "u", "correction": "b"}
    read = guess([row]).to_columns("feedback").read(row)
    assert read.trace == {"id": "feedback:7", "input": "q", "output": "a", "started_at": AT.isoformat(), "user_id": "u"}
    rating, edit = read.items
    assert (rating["trace_id"], rating["kind"], rating["value"]) == ("feedback:7", "user_rating", "down")
    assert (edit["kind"], edit["original"], edit["edited"]) == ("user_edit", "a", "b")


def test_a_vote_that_was_changed_is_another_signal_and_the_same_row_is_the_same() -> None:
    row = {"id": 7, "trace_id": "t", "thumb": 0}
    columns = guess([row, {**row, "thumb": 1}]).to_columns("feedback")
    first, again, changed = (columns.read(each).items[0]["id"] for each in (row, dict(row), {**row, "thumb": 1}))
    assert first == again != changed
    assert first.startswith("feedback:7:")


def test_three_stars_are_nothing_but_a_comment_beside_them_is_not_lost_in_silence() -> None:
    columns = guess([{"trace_id": "t", "stars": n, "comment": ""} for n in (1, 3, 5)]).to_columns(None)
    assert columns.read({"trace_id": "t", "stars": 3, "comment": ""}).items == []
    with pytest.raises(Invalid, match="comment"):
        columns.read({"trace_id": "t", "stars": 3, "comment": "so so"})

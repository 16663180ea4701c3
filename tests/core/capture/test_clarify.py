"""Corrections found in what users say next: by hand-written turns, and as often as on dialogues nobody here wrote."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thumbwheel.capture.clarify import _CUES, _STEMS, Clarification, Cue, clarifications, cue_of

SHARED = Path(__file__).parents[4] / "shared" / "data" / "traces"
TAU = {"air": "taubench_airline_few_shot.jsonl.gz", "ret": "taubench_retail_few_shot.jsonl.gz"}
NURTURE = "nurtureboss_traces_labeled.shared.jsonl.gz"

#: The turns that correct the answer before them, as one reader judged: dialogue / number of the user's turn.
CORRECTING = frozenset(
    "air2/2 air12/2 air18/6 ret11/5 ret15/5 ret21/4 ret21/5 ret21/6 nb7/4 nb8/6 nb8/7 nb19/2 nb26/6 nb35/12".split()
)


@pytest.mark.parametrize(
    ("turn", "cue"),
    [
        ("No, I meant the return fee, not the shipping fee.", Cue.meant),
        ("That’s not what I asked.", Cue.meant),
        ("I asked about July, you gave me June", Cue.meant),
        ("My question was whether it is refundable.", Cue.meant),
        ("I'm not asking for a refund!", Cue.meant),
        ("As I said, I have no order number.", Cue.said),
        ("I've already told you my zip code: 98187.", Cue.said),
        ("You misunderstood me.", Cue.wrong),
        ("that is incorrect, the fee is 5 euros", Cue.wrong),
        ("You didn't answer my question", Cue.wrong),
    ],
)
def test_words_that_correct(turn: str, cue: Cue) -> None:
    assert cue_of(turn) is cue


@pytest.mark.parametrize(
    "turn",
    [
        "No, that's all. Thanks!",
        "No.",
        "Actually, I've changed my mind. Can I exchange it instead?",
        "Yes, that's correct. Please proceed.",
        "Oops, I made a mistake. It's actually 9502127.",
        "What does that mean?",
        "Ordered by mistake.",
        "Is there anything else I should know?",
        "",
    ],
)
def test_words_that_do_not(turn: str) -> None:
    assert cue_of(turn) is None


def test_saying_it_again_is_a_correction_without_words_for_it() -> None:
    earlier = ["Hello", "Do you accept section 8 housing vouchers?"]
    assert cue_of("do you accept Section 8 housing vouchers", earlier) is Cue.again
    assert cue_of("Do you accept dogs and cats over thirty pounds?", earlier) is None
    assert cue_of("Yes please", ["Yes please"]) is None


def test_a_correction_names_the_answer_it_is_about() -> None:
    turns = [
        ("user", "That's not what I asked."),
        ("assistant", "Hello."),
        ("user", "What does a return cost?"),
        ("assistant", "Shipping costs 4 euros."),
        ("tool", "…"),
        ("user", "I meant the return."),
        ("user", "As I said."),
    ]
    assert list(clarifications(turns)) == [Clarification(5, 3, Cue.meant)]


def test_a_long_turn_costs_no_more_than_its_beginning() -> None:
    pasted = "word " * 100_000
    assert cue_of(pasted + "that's not what I asked", [pasted]) is Cue.again
    assert cue_of("a b c d e " * 5 + pasted + "that's not what I asked", ["x y z u v w"]) is None


def rows(name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with gzip.open(SHARED / name, "rt") as lines:
        for number, line in enumerate(lines):
            yield number, json.loads(line)


def dialogues() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for short, name in TAU.items():
        for number, row in rows(name):
            parts = re.split(r"\n(?=(?:user|assistant|tool): )", row["messages_display"])
            turns = [(role, text) for role, _, text in (part.partition(": ") for part in parts)]
            yield f"{short}{number}", [(role, "" if text == "None" else text) for role, text in turns]
    for number, row in rows(NURTURE):
        yield f"nb{number}", [(each["role"], str(each["content"] or "")) for each in row["messages"]]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared dialogues are not here")
def test_on_real_dialogues_it_is_as_right_as_its_page_says() -> None:
    found = 0
    right = set()
    for name, dialogue in dialogues():
        users = [place for place, (role, _) in enumerate(dialogue) if role == "user"]
        for each in clarifications(dialogue):
            found += 1
            right.add(f"{name}/{users.index(each.turn)}")
    assert (found, len(right & CORRECTING), len(CORRECTING)) == (7, 7, 14)


@pytest.mark.parametrize("cue", _CUES)
def test_what_a_cue_finds_has_one_of_its_stems(cue: Cue) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.from_regex(_CUES[cue]))
    def check(text: str) -> None:
        assert any(stem in text for stem in _STEMS[cue])

    check()

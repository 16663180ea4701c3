"""How alike notes read: on notes written for this test, sorted by their author before they were ever compared."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, homogeneity_score

from thumbwheel.annotate.grouping import clusters
from thumbwheel.connectors.note_features import alike
from thumbwheel.connectors.notes_file import parse
from thumbwheel.errors import Invalid

#: What went wrong -> how people put it.
WRITTEN = {
    "number": """says 60 days for returns, the policy says 30
        Return window is 30 days, not 60
        makes up the number of days for a refund
        wrong number: the policy has 30 days
        refund period invented, policy says 30 days
        the days are wrong, policy page says 30
        number of days does not match the policy
        states 10 days refund, the policy says 5 to 7 days""",
    "refusal": """refuses although it has the order tool
        declines to answer, it could have looked the order up
        needless refusal, the tool was there
        says it can't help with invoices but the invoice tool exists
        refused to help, tells me to call support
        passes me on to support instead of using the tool
        refuses to look up the order""",
    "long": """far too long, the answer is in the last paragraph
        wall of text before the actual answer
        answer is too long and buries the price
        way too long, nobody reads that
        too wordy, three paragraphs where one line would do
        the answer is hidden in a long wall of text""",
    "language": """answers in English, the user wrote in German
        user asked in German, answer is in English
        wrong language: French question, English reply
        replies in English to a Spanish question
        switches to English halfway through a German conversation
        answer should be in French like the question""",
    "tone": """tone is rude
        unfriendly tone
        patronising tone, explains the obvious
        tone of the reply is cold and rude""",
    "code": """code raises an error: undefined variable
        Python snippet has a syntax error
        the SQL query has a syntax error
        the code does not run, missing import
        code example does not compile""",
}


def written() -> tuple[list[str], list[str]]:
    """The notes in an order of chance, and what each is about."""
    pairs = [(mode, line.strip()) for mode, lines in WRITTEN.items() for line in lines.split("\n")]
    Random(4).shuffle(pairs)
    return [text for _, text in pairs], [mode for mode, _ in pairs]


def test_groups_hold_notes_about_the_same_far_more_often_than_chance() -> None:
    texts, truth = written()
    group_of = {note: number for number, members in enumerate(clusters(alike(texts))) for note in members}
    found = [group_of[place] for place in range(len(texts))]
    assert adjusted_rand_score(truth, found) > 0.45
    assert homogeneity_score(truth, found) > 0.8


def test_likeness_is_the_same_for_the_same_notes_and_between_zero_and_one() -> None:
    texts, _ = written()
    first = alike(texts)
    assert np.array_equal(first, alike(texts))
    assert np.allclose(first, first.T)
    assert np.allclose(np.diag(first), 1)
    assert first.min() >= 0


def test_notes_of_any_kind_can_be_compared() -> None:
    assert alike([]).shape == (0, 0)
    assert alike(["", "rude"]).tolist() == [[0, 0], [0, pytest.approx(1)]]
    odd = alike(["the", "\ud800 broken", "\x00", "说错了价格", "价格说错了", "x" * 100_000])
    assert np.isfinite(odd).all()
    assert odd[3, 4] > 0


def test_a_file_of_notes_is_read_and_its_faults_are_named_by_line() -> None:
    notes = parse('{"note": " too long "}\n\n{"note": "", "id": "b"}\n{"note": "rude", "id": 7, "annotator": "ann"}\n')
    assert [(note.id, note.text, note.annotator) for note in notes] == [("1", "too long", ""), ("7", "rude", "ann")]
    for text, fault in (("{", "Line 1 is not JSON"), ('{"note": 3}', "Line 1 is not an object"), ("[]", "Line 1")):
        with pytest.raises(Invalid, match=fault):
            parse(text)
    with pytest.raises(Invalid, match=r"Line 2: id 'a' is there twice"):
        parse('{"note": "x", "id": "a"}\n{"note": "y", "id": "a"}')

"""The owner's second look at reviewers' labels."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.factories import MONDAY, a_label
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.queue import Purpose
from thumbwheel.errors import Conflict, Invalid, NotHere


@pytest.fixture
def project(wheel: Wheel, clock: Clock) -> int:
    """Twelve labels of Ann's, settled a day before today, and one of Ben's."""
    number = wheel.project("default")
    with wheel.ledger.begin(number) as tx:
        for n in range(1, 14):
            name = "ben" if n == 13 else "ann"
            lay(tx, n, label=a_label(annotators=(name,)), verdict=Verdict.failed)
    clock.at = MONDAY.replace(hour=9)
    clock.advance(days=2)
    return number


def test_the_list_of_the_day_is_the_same_until_tomorrow(wheel: Wheel, clock: Clock, project: int) -> None:
    first = wheel.spot_check.today(project, "olga", 4)
    assert [look.annotator for look in first] == ["ann"] * 4 + ["ben"]
    wheel.spot_check.judge(project, first[0].label.id, "ann", "olga", agrees=True)
    clock.advance(hours=10)
    later = wheel.spot_check.today(project, "olga", 4)
    assert [look.label for look in later] == [look.label for look in first]
    assert [look.check is not None for look in later] == [True] + [False] * 4
    clock.advance(days=1)
    assert first[0].label not in [look.label for look in wheel.spot_check.today(project, "olga", 50)]


def test_agreement_is_counted_for_each_reviewer_with_its_limits(wheel: Wheel, project: int) -> None:
    looks = wheel.spot_check.today(project, "olga", 6)
    for number, look in enumerate(looks):
        wheel.spot_check.judge(project, look.label.id, look.annotator, "olga", agrees=number != 2)
    ann, ben = wheel.spot_check.agreement(project)
    assert (ann.annotator, ann.n_disagreed, ann.agreement.n) == ("ann", 1, 6)
    assert ann.agreement.estimate == pytest.approx(5 / 6)
    assert ann.agreement.low == pytest.approx(0.436, abs=0.001)
    assert ben.agreement.why == "not enough labels looked at: 1 of 5"


def test_a_second_word_on_a_label_replaces_the_first_and_can_be_taken_back(wheel: Wheel, project: int) -> None:
    look = wheel.spot_check.today(project, "olga")[0]
    for agrees in (True, False):
        wheel.spot_check.judge(project, look.label.id, "ann", "olga", agrees=agrees)
    (ann,) = wheel.spot_check.agreement(project)
    assert (ann.agreement.n, ann.n_disagreed) == (1, 1)
    assert wheel.spot_check.undo(project, "olga").label_id == look.label.id
    assert wheel.spot_check.agreement(project) == []
    with pytest.raises(Conflict, match="no check"):
        wheel.spot_check.undo(project, "olga")


def test_a_label_that_is_sent_back_goes_to_somebody_else_first(wheel: Wheel, project: int) -> None:
    look = wheel.spot_check.today(project, "olga")[0]
    entry_id = wheel.spot_check.send_back(project, look.label.id, "olga")
    (waiting,) = wheel.rubric.waiting(project, 5)
    assert (waiting.entry.id, waiting.purpose) == (entry_id, Purpose.relabel)
    assert wheel.annotate.next(project, "ann") is None
    served = wheel.annotate.next(project, "ben")
    assert served is not None
    assert served.entry.id == entry_id
    with pytest.raises(NotHere):
        wheel.spot_check.send_back(project, look.label.id, "olga")


def test_nobody_checks_themselves_nor_labels_of_others_as_somebodys(wheel: Wheel, project: int) -> None:
    look = wheel.spot_check.today(project, "olga")[0]
    with pytest.raises(Conflict):
        wheel.spot_check.judge(project, look.label.id, "ann", "ann", agrees=True)
    with pytest.raises(NotHere):
        wheel.spot_check.judge(project, look.label.id, "ben", "olga", agrees=True)
    with pytest.raises(Invalid):
        wheel.spot_check.today(project, "olga", 0)

"""The funnel counts traces, and a policy is measured by everything it picked."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_label, an_entry
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.queue import Policy, QueueEntry
from thumbwheel.measure.flow import PART_OF, Counts, conversion, funnel

WEEK = Counts(
    traces=2000,
    with_signals=300,
    drawn=80,
    annotated=60,
    labelled=50,
    failures=20,
    artifacts=20,
    fixes=8,
    shipped=4,
)


def labelled(
    n: int, picked_by: tuple[Policy, ...], verdict: Verdict, *, core: bool = False
) -> list[tuple[QueueEntry, Label]]:
    entry = an_entry(policy=picked_by[0], picked_by=picked_by, core=core)
    return [(entry, a_label(verdict=verdict))] * n


def test_each_step_is_a_share_of_the_one_it_is_part_of() -> None:
    steps = {step.name: step for step in funnel(WEEK)}
    assert list(steps) == [field.name for field in fields(Counts)]
    assert steps["traces"].share is None
    shares = {name: step.share.estimate for name, step in steps.items() if step.share}
    assert shares == {
        "with_signals": 0.15,
        "drawn": 0.04,
        "annotated": 0.75,
        "labelled": 50 / 60,
        "failures": 0.4,
        "artifacts": 1.0,
        "fixes": 0.4,
        "shipped": 0.5,
    }


def test_an_empty_window_claims_nothing() -> None:
    steps = funnel(Counts(**dict.fromkeys(PART_OF, 0)))
    assert [step.share.why for step in steps if step.share and step.name in ("with_signals", "fixes")] == [
        "not enough traces: 0 of 5",
        "not enough failures: 0 of 5",
    ]
    assert all(step.share.estimate is None for step in steps if step.share)


def test_an_entry_counts_for_every_policy_that_picked_it() -> None:
    found = conversion(
        labelled(6, (Policy.negative, Policy.random), Verdict.failed)
        + labelled(4, (Policy.random,), Verdict.passed, core=True)
        + labelled(6, (Policy.stratified,), Verdict.passed, core=True)
    )
    assert found.policies[Policy.negative].estimate == 1
    assert found.policies[Policy.random].estimate == 0.6
    assert found.policies[Policy.stratified].estimate == 0
    assert found.core.estimate == 0
    assert found.core.n == 10


def test_a_policy_that_picked_nothing_is_named_with_its_lack() -> None:
    found = conversion([])
    assert list(found.policies) == list(Policy)
    assert found.policies[Policy.drift].why == found.core.why == "not enough labels: 0 of 5"


picks = st.lists(st.sampled_from(Policy), min_size=1, unique=True).map(tuple)
outcomes = st.lists(st.tuples(picks, st.sampled_from(Verdict), st.booleans()), max_size=40)


@given(outcomes)
def test_cases_add_up_over_policies(rows: list[tuple[tuple[Policy, ...], Verdict, bool]]) -> None:
    found = conversion([row for picked, verdict, core in rows for row in labelled(1, picked, verdict, core=core)])
    assert sum(share.n for share in found.policies.values()) == sum(len(picked) for picked, _, _ in rows)
    assert found.core.n == sum(core for _, _, core in rows)
    failed = sum(
        round((share.estimate or 0) * share.n) for share in found.policies.values() if share.estimate is not None
    )
    assert failed <= sum(len(picked) for picked, verdict, _ in rows if verdict is Verdict.failed)

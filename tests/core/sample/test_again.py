"""What a draw leaves in store, and a second draw from the same frame."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.core.sample.frames import Frame, make_frame
from thumbwheel.domain.queue import Policy
from thumbwheel.sample.again import Earlier, Kept, earlier, keep
from thumbwheel.sample.draw import Drawn
from thumbwheel.sample.lane import Candidate
from thumbwheel.sample.ring import RING, Ring, starts


def kept_of(seed: int, drawn: Drawn) -> Kept:
    return keep(Ring(starts(seed)), drawn.thresholds, drawn.standing)


def before(frame: Frame, kept: Sequence[Kept]) -> Earlier:
    candidates = {row.trace_id: Candidate(row.trace_id, row.key, 1.0, row.user_id, row.category) for row in frame.rows}
    return earlier(kept, candidates, [frame.sizes_of] * len(kept))


@given(st.integers(0, 2**40))
def test_what_is_kept_survives_json(seed: int) -> None:
    kept = kept_of(seed, make_frame(seed=seed).draw(seed))
    assert Kept.of_json(json.loads(json.dumps(kept.to_json(), allow_nan=False))) == kept


def test_what_is_kept_names_no_user() -> None:
    frame = make_frame(users=2, cap=1, signals=1.0)
    kept = kept_of(1, frame.draw(1))
    assert any(threshold.closed for threshold in kept.thresholds.values())
    assert "user-" not in json.dumps(kept.to_json())


def test_a_capped_users_other_traces_keep_their_lower_chance() -> None:
    frame = make_frame(users=1, cap=1, signals=1.0)
    drawn = frame.draw(1)
    kept = kept_of(1, drawn)
    taken = {pick.trace_id for pick in drawn.picks}
    row = next(row for row in frame.rows if row.trace_id not in taken and row.user_id and row.negative > 0.1)
    known = Candidate(row.trace_id, row.key, 1.0, row.user_id)
    assert kept.probability(known, row.sizes) < kept.probability(known._replace(user_id=None), row.sizes)


@given(st.integers(0, 500))
def test_a_trace_that_was_not_taken_lies_outside_its_arcs(seed: int) -> None:
    frame = make_frame(seed=seed)
    drawn = frame.draw(seed)
    kept = kept_of(seed, drawn)
    taken = {pick.trace_id for pick in drawn.picks}
    for row in frame.rows:
        if row.trace_id not in taken:
            arcs = kept.arcs(Candidate(row.trace_id, row.key, 1.0, row.user_id), row.sizes)
            assert not any((row.key - start) % RING < length * RING for start, length in arcs.items())


@given(st.integers(0, 500))
def test_a_second_draw_takes_others_and_raises_every_chance(seed: int) -> None:
    frame = make_frame(60, seed=seed)
    first = frame.draw(seed)
    second = frame.draw(seed + 1, earlier=before(frame, [kept_of(seed, first)]))
    taken = {pick.trace_id: pick for pick in first.picks}
    assert not taken.keys() & {pick.trace_id for pick in second.picks}
    assert {pick.candidate.trace_id for pick in second.restated} == taken.keys()
    for pick in second.restated:
        assert taken[pick.candidate.trace_id].probability - 1e-12 <= pick.probability <= 1
    assert not any(pick.core for pick in second.picks)


def test_the_same_seed_again_goes_on_where_the_first_draw_stopped() -> None:
    frame = make_frame(400, quotas={Policy.random: 5})
    first = frame.draw(1)
    second = frame.draw(1, earlier=before(frame, [kept_of(1, first)]))
    ring = Ring(starts(1))
    order = sorted((ring.position(Policy.random, pick.candidate), pick) for pick in second.standing)
    assert [round(pick.probability, 12) for _, pick in order] == [round(order[-1][1].probability, 12)] * 10
    assert order[-1][1].probability > order[-1][0], "the threshold of a pick is the key after the last"


def test_a_draw_whose_picks_were_erased_can_be_followed_by_another() -> None:
    frame = make_frame()
    kept = kept_of(1, frame.draw(1))
    gone = set(list(kept.picks)[:5])
    rest = Frame([row for row in frame.rows if row.trace_id not in gone], quotas=frame.quotas, pulls=frame.pulls)
    second = rest.draw(2, earlier=before(rest, [kept]))
    assert {pick.candidate.trace_id for pick in second.restated} == kept.picks.keys() - gone


def test_no_earlier_draw_is_a_first_draw() -> None:
    frame = make_frame()
    drawn = frame.draw(3, earlier=before(frame, []))
    assert [pick.probability for pick in drawn.picks] == [pick.probability for pick in frame.draw(3).picks]

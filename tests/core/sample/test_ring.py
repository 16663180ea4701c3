"""The ring: keys, distances, ranges, lengths of unions."""

from __future__ import annotations

import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.ring import RING, Ring, covered, position, ranges, sample_key, starts, union

keys = st.integers(0, RING - 1)
arcs = st.dictionaries(keys, st.floats(0, 1), max_size=8)


def test_a_key_is_63_bits_and_belongs_to_the_secret() -> None:
    made = [sample_key(b"secret", f"trace-{n}") for n in range(2000)]
    assert all(0 <= key < RING for key in made)
    assert abs(statistics.mean(made) / RING - 0.5) < 0.02
    assert sample_key(b"secret", "trace-1") == made[1] != sample_key(b"other", "trace-1")


def test_any_id_and_any_secret_has_a_key() -> None:
    assert sample_key(b"", "\ud800") != sample_key(b"", "")
    assert sample_key(b"x" * 65, "a") != sample_key(b"x" * 64, "a")


def test_starts_follow_from_the_seed_and_the_uniform_policies_share_one() -> None:
    assert starts(1) == starts(1) != starts(2)
    assert starts(1)[Policy.random] == starts(1)[Policy.stratified]
    assert len(set(starts(-5).values())) == len(Policy) - 1


@given(keys, keys)
def test_a_position_lies_within_the_ring(key: int, start: int) -> None:
    assert 0 < position(key, start) <= 1
    assert position(start, start) == 0.5 / RING


@given(keys, st.integers(0, RING), st.integers(0, RING), keys)
def test_ranges_hold_exactly_the_keys_at_those_distances(start: int, near: int, far: int, key: int) -> None:
    made = ranges(start, near, far)
    assert all(0 <= low < high <= RING for low, high in made)
    assert any(low <= key < high for low, high in made) == (near <= (key - start) % RING < far)
    assert sum(high - low for low, high in made) == max(0, far - near)


@given(arcs)
def test_what_is_covered_is_what_a_walk_round_the_ring_finds(made: dict[int, float]) -> None:
    ends = {(start + round(length * RING)) % RING for start, length in made.items()}
    points = sorted({0, *made, *ends})
    found = 0
    for at, low in enumerate(points):
        high = points[at + 1] if at + 1 < len(points) else RING
        middle = (low + high) // 2
        if any((middle - start) % RING < length * RING for start, length in made.items()):
            found += high - low
    assert abs(covered(made) - found / RING) < 1e-9


@given(arcs, arcs)
def test_a_union_covers_no_less_than_either_and_no_more_than_both(one: dict[int, float], two: dict[int, float]) -> None:
    both = covered(union(one, two))
    assert max(covered(one), covered(two)) <= both + 1e-12
    assert both <= covered(one) + covered(two) + 1e-12


def test_earlier_arcs_stay_in_the_union() -> None:
    ring = Ring(dict.fromkeys(Policy, 0))
    joined = ring.arcs({Policy.drift: 0.2, Policy.random: 0.1}, {0: 0.05, RING // 2: 0.25})
    assert joined == {0: 0.2, RING // 2: 0.25}
    assert covered(joined) == 0.45


def test_seeds_move_the_ring() -> None:
    rng = random.Random(3)
    seen = {position(rng.getrandbits(63), starts(seed)[Policy.random]) for seed in range(100)}
    assert min(seen) < 0.1
    assert max(seen) > 0.9

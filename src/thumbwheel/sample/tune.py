"""A new mix from what each policy's entries turned into.

    a_k <- g a_k + (1-g) a0 + failures_k;  b_k <- g b_k + (1-g) b0 + passes_k      day by day, g = .97, a0 = 3, b0 = 17
    share_k in proportion to default_k * a_k / (a_k + b_k), then filled onto floors and caps

Yield alone would reward a queue of the riskiest traces only, which supports no estimate and finds few failures that
nobody complains about; so the proposal says beside it how many modes were found and how many failures were silent.

What a mix is expected to find is 80 sum_k share_k E[theta_k], theta_k ~ Beta(a_k, b_k); the difference between two
mixes has the standard deviation 80 sqrt(sum_k (share'_k - share_k)^2 Var[theta_k]), the policies taken as independent.
Of the failures a policy finds, (silent_k + s) / (failures_k + 1) are taken to be silent, s being the share of all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.mix import DEFAULT_MIX
from thumbwheel.stats.allocate import water_fill

#: What a day keeps of the day before, and what a policy is taken to be worth before anything is known: 3 of 20.
FORGET: Final = 0.97
PRIOR: Final = (3.0, 17.0)
FLOORS: Final[Mapping[Policy, float]] = {
    Policy.drift: 0.0,
    Policy.negative: 0.05,
    Policy.uncertain: 0.05,
    Policy.stratified: 0.10,
    Policy.random: 0.15,
}
CAPS: Final[Mapping[Policy, float]] = {
    Policy.drift: 0.15,
    Policy.negative: 0.50,
    Policy.uncertain: 0.30,
    Policy.stratified: 0.40,
    Policy.random: 0.30,
}
#: A mode counts as found with this many labelled failures.
FOUND: Final = 3


class Turned(NamedTuple):
    """A labelled entry, as far as the mix cares."""

    day: date
    picked_by: tuple[Policy, ...]
    failed: bool
    #: Codebook categories of a failure.
    modes: tuple[str, ...] = ()
    #: Whether no user's signal spoke against it.
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvidence:
    """What one policy's entries turned into."""

    policy: Policy
    n_labels: int
    n_failures: int
    #: Mean and 95 % interval of the share that fails, recent days counting more.
    conversion: float
    low: float
    high: float
    share: float
    proposed: float
    #: Of its failures, those no user's signal spoke against; and how many failure categories are among them.
    n_silent: int = 0
    n_modes: int = 0

    @property
    def bound(self) -> str | None:
        """Whether the proposed share is as low or as high as this policy's may be: "floor", "cap" or None."""
        if math.isclose(self.proposed, FLOORS[self.policy], abs_tol=1e-9):
            return "floor"
        return "cap" if math.isclose(self.proposed, CAPS[self.policy], abs_tol=1e-9) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A new mix, and why."""

    policies: tuple[PolicyEvidence, ...]
    n_labels: int
    #: Expected failures per 80 entries now and with the new mix.
    per_80: float
    per_80_proposed: float
    #: Limits of the difference between the two, 95 %.
    gain_low: float
    gain_high: float
    #: Failure category -> labelled failures, the most first.
    modes: Mapping[str, int]
    #: Share of the failures that no user's signal spoke against; None without failures.
    silent_share: float | None
    #: Expected silent failures per 80 entries now and with the new mix; None without failures.
    silent_per_80: float | None = None
    silent_per_80_proposed: float | None = None

    @property
    def gain(self) -> float:
        """Expected failures per 80 entries that the new mix finds more; less, when negative."""
        return self.per_80_proposed - self.per_80

    @property
    def modes_found(self) -> int:
        """Failure categories with three labelled failures or more."""
        return sum(n >= FOUND for n in self.modes.values())

    @property
    def mix(self) -> dict[str, float]:
        """The proposed shares, summing to 1."""
        return {row.policy.value: row.proposed for row in self.policies}

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "mix": self.mix,
            "policies": [
                {
                    "policy": row.policy.value,
                    "n_labels": row.n_labels,
                    "n_failures": row.n_failures,
                    "conversion": row.conversion,
                    "interval": [row.low, row.high],
                    "share": row.share,
                    "proposed": row.proposed,
                    "floor": FLOORS[row.policy],
                    "cap": CAPS[row.policy],
                    "bound": row.bound,
                    "n_silent": row.n_silent,
                    "n_modes": row.n_modes,
                }
                for row in self.policies
            ],
            "n_labels": self.n_labels,
            "failures_per_80": self.per_80,
            "failures_per_80_proposed": self.per_80_proposed,
            "gain": self.gain,
            "gain_interval": [self.gain_low, self.gain_high],
            "modes_found": self.modes_found,
            "modes": dict(self.modes),
            "silent_share": self.silent_share,
            "silent_per_80": self.silent_per_80,
            "silent_per_80_proposed": self.silent_per_80_proposed,
        }


def propose(turned: Sequence[Turned], current: Mapping[Policy, float], until: date) -> Proposal:
    """The mix these labels speak for, up to and with the day `until`; `current` are the shares in force."""
    mine = {policy: [entry for entry in turned if policy in entry.picked_by] for policy in Policy}
    known = {policy: posterior(entries, until) for policy, entries in mine.items()}
    means = {policy: a / (a + b) for policy, (a, b) in known.items()}
    proposed = shares_of(means)
    failures = [entry for entry in turned if entry.failed]
    per_80, per_80_proposed = _per_80(current, means), _per_80(proposed, means)
    slack = 1.96 * 80 * math.sqrt(sum((proposed[p] - current.get(p, 0.0)) ** 2 * _variance(*known[p]) for p in Policy))
    quiet = {policy: means[policy] * _silent(mine[policy], failures) for policy in Policy}
    return Proposal(
        policies=tuple(_evidence(p, mine[p], known[p], current.get(p, 0.0), proposed[p]) for p in Policy),
        n_labels=len(turned),
        per_80=per_80,
        per_80_proposed=per_80_proposed,
        gain_low=per_80_proposed - per_80 - slack,
        gain_high=per_80_proposed - per_80 + slack,
        modes=dict(Counter(mode for entry in failures for mode in entry.modes).most_common()),
        silent_share=sum(entry.silent for entry in failures) / len(failures) if failures else None,
        silent_per_80=_per_80(current, quiet) if failures else None,
        silent_per_80_proposed=_per_80(proposed, quiet) if failures else None,
    )


def _evidence(
    policy: Policy, mine: Sequence[Turned], known: tuple[float, float], share: float, proposed: float
) -> PolicyEvidence:
    # Taking this in takes longer than a draw, which needs none of it.
    from scipy import special

    a, b = known
    failures = [entry for entry in mine if entry.failed]
    return PolicyEvidence(
        policy=policy,
        n_labels=len(mine),
        n_failures=len(failures),
        conversion=a / (a + b),
        low=float(special.betaincinv(a, b, 0.025)),
        high=float(special.betaincinv(a, b, 0.975)),
        share=share,
        proposed=proposed,
        n_silent=sum(entry.silent for entry in failures),
        n_modes=len({mode for entry in failures for mode in entry.modes}),
    )


def _per_80(mix: Mapping[Policy, float], rates: Mapping[Policy, float]) -> float:
    return 80 * sum(mix.get(policy, 0.0) * rate for policy, rate in rates.items())


def _variance(a: float, b: float) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))


def _silent(mine: Sequence[Turned], failures: Sequence[Turned]) -> float:
    """Share of a policy's failures that is silent, drawn towards the share of all failures by one of them."""
    overall = sum(entry.silent for entry in failures) / len(failures) if failures else 0.0
    own = [entry.silent for entry in mine if entry.failed]
    return (sum(own) + overall) / (len(own) + 1)


def posterior(mine: Iterable[Turned], until: date) -> tuple[float, float]:
    """A and b of the share of a policy's entries that fail: each day forgets a little of the days before it."""
    days: dict[date, list[bool]] = {}
    for entry in mine:
        days.setdefault(entry.day, []).append(entry.failed)
    a, b = PRIOR
    day = min(days, default=until)
    while day <= until:
        found = days.get(day, [])
        a = FORGET * a + (1 - FORGET) * PRIOR[0] + sum(found)
        b = FORGET * b + (1 - FORGET) * PRIOR[1] + len(found) - sum(found)
        day += timedelta(days=1)
    return a, b


def shares_of(conversion: Mapping[Policy, float]) -> dict[Policy, float]:
    """Shares in proportion to the default ones and to what policies convert, on floors and under caps; they sum to 1."""
    wishes = [DEFAULT_MIX[policy] * conversion[policy] for policy in Policy]
    total = sum(wishes)
    filled = water_fill(
        [wish / total for wish in wishes],
        floors=[FLOORS[policy] for policy in Policy],
        caps=[CAPS[policy] for policy in Policy],
    )
    return {policy: float(share) for policy, share in zip(Policy, filled, strict=True)}

"""A new mix from what each policy's entries turned into.

    a_k <- g a_k + (1-g) a0 + failures_k;  b_k <- g b_k + (1-g) b0 + passes_k      day by day, g = .97, a0 = 3, b0 = 17
    share_k in proportion to default_k * a_k / (a_k + b_k), then filled onto floors and caps

Yield alone would reward a queue of the riskiest traces only, which supports no estimate and finds few failures that
nobody complains about; so the proposal says beside it how many modes were found and how many failures were silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from scipy import special

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A new mix, and why."""

    policies: tuple[PolicyEvidence, ...]
    n_labels: int
    #: Expected failures per 80 entries now and with the new mix.
    per_80: float
    per_80_proposed: float
    #: Failure categories with three labelled failures or more.
    modes_found: int
    #: Share of the failures that no user's signal spoke against; None without failures.
    silent_share: float | None

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
                }
                for row in self.policies
            ],
            "n_labels": self.n_labels,
            "failures_per_80": self.per_80,
            "failures_per_80_proposed": self.per_80_proposed,
            "modes_found": self.modes_found,
            "silent_share": self.silent_share,
        }


def propose(turned: Sequence[Turned], current: Mapping[Policy, float], until: date) -> Proposal:
    """The mix these labels speak for, up to and with the day `until`; `current` are the shares in force."""
    means, evidence = {}, {}
    for policy in Policy:
        mine = [entry for entry in turned if policy in entry.picked_by]
        a, b = posterior(mine, until)
        means[policy] = a / (a + b)
        evidence[policy] = (mine, float(special.betaincinv(a, b, 0.025)), float(special.betaincinv(a, b, 0.975)))
    proposed = shares_of(means)
    modes = Counter(mode for entry in turned if entry.failed for mode in entry.modes)
    failures = [entry for entry in turned if entry.failed]
    return Proposal(
        policies=tuple(
            PolicyEvidence(
                policy=policy,
                n_labels=len(mine),
                n_failures=sum(entry.failed for entry in mine),
                conversion=means[policy],
                low=low,
                high=high,
                share=current.get(policy, 0.0),
                proposed=proposed[policy],
            )
            for policy, (mine, low, high) in evidence.items()
        ),
        n_labels=len(turned),
        per_80=80 * sum(current.get(policy, 0.0) * mean for policy, mean in means.items()),
        per_80_proposed=80 * sum(proposed[policy] * mean for policy, mean in means.items()),
        modes_found=sum(n >= FOUND for n in modes.values()),
        silent_share=sum(entry.silent for entry in failures) / len(failures) if failures else None,
    )


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

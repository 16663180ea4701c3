"""The queues that are compared, each over many weeks of the same product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, TypeAlias

import numpy as np

from benchmarks.simulation.product import CATEGORIES, DRIFT_DAY, MODES, Day, a_day, rng_of, truth
from benchmarks.simulation.queue import Alert, Entry, Made, draw_day
from thumbwheel.capture.prior import BASE_RATE, SEED, sign_log_odds
from thumbwheel.domain.cell import AGAINST
from thumbwheel.domain.queue import Policy
from thumbwheel.measure.failure import Failures, failures
from thumbwheel.sample.mix import DEFAULT_MIX, shares
from thumbwheel.sample.risk import LabelledCell, RiskModel, from_priors, refit
from thumbwheel.sample.tune import Turned, propose

Mix: TypeAlias = Mapping[str, float]

BUDGET: Final = 80
WEEK: Final = 7
#: How far back labels teach the risk model, as in the program.
LEARN_FROM: Final = 28
#: A monitor notices the drift after three days, and asks for eight traces a day for a week.
ALERT: Final = Alert("orders", "orders", 8)
_NOTICED: Final = range(DRIFT_DAY + 3, DRIFT_DAY + 3 + WEEK)

DEFAULT: Final[Mix] = {policy.value: share for policy, share in DEFAULT_MIX.items()}
#: One policy alone still leaves random its floor of 15 %: the program does not draw without it.
MIXES: Final[Mapping[str, Mix]] = {
    "random only": {"random": 1.0},
    "mostly stratified": {"stratified": 1.0},
    "mostly negative": {"negative": 1.0},
    "mostly uncertain": {"uncertain": 1.0},
    "default mix": DEFAULT,
    "re-tuned mix": DEFAULT,
}
#: What people do without a sampler; nothing can be estimated from these.
WITHOUT: Final = ("thumbs-down only", "riskiest 80")

_FIRST_DATE: Final = date(2026, 1, 5)


@dataclass(slots=True)
class Run:
    """What one queue found in one product."""

    queue: str
    days: Sequence[Day]
    made: list[Made] = field(default_factory=list)
    #: In force each week.
    mixes: list[Mix] = field(default_factory=list)

    @property
    def entries(self) -> Iterable[Entry]:
        """Everything that was labelled."""
        return (entry for made in self.made for entry in made.entries)

    def estimate(self, first: int, n: int) -> tuple[Failures, float]:
        """The failure rate of `n` days as the program tells it, and as it is."""
        return failures([made.frame for made in self.made[first : first + n]]), truth(self.days[first : first + n])


def a_product(seed: int, n_days: int, per_day: int) -> list[Day]:
    """Weeks of one product."""
    rng = rng_of(seed, 1)
    return [a_day(number, per_day, rng) for number in range(n_days)]


def prior_model() -> RiskModel:
    """The risk model before there are labels."""
    return from_priors(BASE_RATE, sign_log_odds(SEED), SEED.version)


def run_queue(queue: str, days: Sequence[Day], seed: int) -> Run:
    """One queue over all the days; risk model, and the mix of the re-tuned one, are made anew every week."""
    run = Run(queue, days)
    model = prior_model()
    for day in days:
        if day.number % WEEK == 0:
            recent = [entry for entry in run.entries if entry.day >= day.number - LEARN_FROM]
            model = refit([_label(entry, queue) for entry in recent], prior_model())
            run.mixes.append(_mix(run, day.number))
        run.made.append(_draw(queue, day, model, run.mixes[-1], seed))
    return run


def _label(entry: Entry, queue: str) -> LabelledCell:
    # A queue without chances has nothing to weigh its labels with.
    return entry.as_label._replace(inclusion_probability=1.0) if queue in WITHOUT else entry.as_label


def _mix(run: Run, day: int) -> Mix:
    if run.queue != "re-tuned mix" or not run.made:
        return MIXES.get(run.queue, DEFAULT)
    turned = [_turned(entry) for entry in run.entries]
    return propose(turned, shares(run.mixes[-1]), _FIRST_DATE + timedelta(days=day)).mix


def _turned(entry: Entry) -> Turned:
    return Turned(
        day=_FIRST_DATE + timedelta(days=entry.day),
        picked_by=entry.picked_by,
        failed=entry.failed,
        modes=(MODES[entry.mode].name,) if entry.failed else (),
        silent=not entry.cell & int(AGAINST),
    )


def _draw(queue: str, day: Day, model: RiskModel, mix: Mix, seed: int) -> Made:
    own = seed * 1_000_003 + day.number
    if queue in WITHOUT:
        return _without(queue, day, model, rng_of(own, 2))
    alerts = [ALERT] if day.number in _NOTICED else []
    return draw_day(day, model, mix, budget=BUDGET, seed=own, rotation=day.number, alerts=alerts)


def _without(queue: str, day: Day, model: RiskModel, rng: np.random.Generator) -> Made:
    if queue == "thumbs-down only":
        said = np.flatnonzero(day.cells & int(AGAINST))
        places = rng.permutation(said)[:BUDGET]
    else:
        risks = [
            model.risk(CATEGORIES[category], int(cell))
            for category, cell in zip(day.categories, day.cells, strict=True)
        ]
        places = np.argsort(-np.array(risks), kind="stable")[:BUDGET]
    entries = [
        Entry(
            day=day.number,
            at=int(at),
            policy=Policy.negative,
            picked_by=(Policy.negative,),
            mode=int(day.modes[at]),
            category=CATEGORIES[day.categories[at]],
            cell=int(day.cells[at]),
            core=False,
            inclusion_probability=1.0,
            risk=0.0,
            serve_rank=rank,
        )
        for rank, at in enumerate(places, start=1)
    ]
    return Made(entries=entries, population={}, sums={})

"""What each kind of signal says about an answer before any label exists.

A prior bends the sampler. It is never shown as a label, and never counted as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from thumbwheel.capture.implicit import UNUSUAL
from thumbwheel.domain.cell import Sign
from thumbwheel.domain.signal import EditKind, Rating, Signal, SignalKind

#: Log-odds of a weight of 1: weights lie in [-1, 1], so that a re-estimated one compares with its seed.
LOG_ODDS_OF_ONE: Final = 3.0

#: Share of answers that fail where nothing else is known.
BASE_RATE: Final = 0.05

#: What a judge's verdict can be worth: log-likelihood ratios of one with TPR .8 and TNR .9, ln(.2/.9) and ln(.8/.1).
JUDGE_LIMITS: Final = (math.log(0.2 / 0.9), math.log(0.8 / 0.1))


class Evidence(StrEnum):
    """Signals that tell the same thing twice: within one of these only the strongest counts."""

    voice = "voice"
    rewriting = "rewriting"
    regenerate = "regenerate"
    clarification = "clarification"
    abandonment = "abandonment"
    copying = "copying"
    reading_time = "reading_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFact:
    """As much of a signal as its prior needs."""

    kind: SignalKind
    at: datetime
    rating: Rating | None = None
    reason: str | None = None
    #: None for an edit whose original is not known yet.
    edit_kind: EditKind | None = None
    user_id: str | None = None
    #: Set for a dwell time that could be compared (see thumbwheel.capture.implicit).
    dwell_z: float | None = None

    @classmethod
    def of(cls, signal: Signal) -> SignalFact:
        """The fact in a signal."""
        return cls(
            kind=signal.kind,
            at=signal.at,
            rating=signal.rating,
            reason=signal.reason,
            edit_kind=signal.edit.kind if signal.edit and signal.edit.original is not None else None,
            user_id=signal.user_id,
            dwell_z=signal.reading.z if signal.reading else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The weight of one kind of signal, or of one of its values, and where the weight comes from."""

    kind: SignalKind
    #: A rating, a reason or an edit kind; None stands for every value not listed.
    value: str | None = None
    #: In [-1, 1]; 1 = log-odds 3 towards failure, -1 = log-odds 3 towards a good answer.
    weight: float
    evidence: Evidence
    basis: str

    @property
    def log_odds(self) -> float:
        """What it adds to the log-odds of failure."""
        return LOG_ODDS_OF_ONE * self.weight


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorTable:
    """One version of all the priors. Re-estimation makes a new version; an old one is never changed."""

    version: int
    made_on: date
    note: str
    priors: tuple[Prior, ...]
    _by_value: dict[tuple[SignalKind, str | None], Prior] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_value", {(prior.kind, prior.value): prior for prior in self.priors})

    def weight_of(self, kind: SignalKind, value: str | None) -> float:
        """Weight of one value of a kind, else of the kind; 0 where it has none."""
        prior = self._by_value.get((kind, value), self._by_value.get((kind, None)))
        return 0.0 if prior is None else prior.weight

    def find(self, fact: SignalFact) -> Prior | None:
        """The prior that applies: the one for the signal's own value, else the one for its kind."""
        return self._by_value.get((fact.kind, _value(fact)), self._by_value.get((fact.kind, None)))


def _seeds(kind: SignalKind, evidence: Evidence, basis: str, weights: Mapping[str | None, float]) -> tuple[Prior, ...]:
    return tuple(Prior(kind=kind, value=v, weight=w, evidence=evidence, basis=basis) for v, w in weights.items())


#: Edits that correct nothing.
_DRESS: Final[Mapping[str | None, float]] = dict.fromkeys(
    (EditKind.whitespace, EditKind.citation, EditKind.markup, EditKind.none), 0.0
)
_REASONS: Final[Mapping[str | None, float]] = {
    "hallucination": 0.95,
    "unsafe": 0.95,
    "outdated": 0.9,
    "missed_the_point": 0.85,
    "refused": 0.8,
    "formatting": 0.6,
    "other": 0.6,
    "too_long": 0.5,
    None: 0.7,
}

#: What a project starts with.
SEED: Final = PriorTable(
    version=1,
    made_on=date(2026, 11, 23),
    note="Starting weights. That of regenerate follows a published figure; the others are judgements ranked around it.",
    priors=(
        *_seeds(
            SignalKind.user_rating,
            Evidence.voice,
            "judgement: about half of thumbs-down are confirmed failures; thumbs-up are given more freely than earned",
            {Rating.down: 0.9, Rating.up: -0.6},
        ),
        *_seeds(SignalKind.user_reason, Evidence.voice, "judgement: a named fault is a considered complaint", _REASONS),
        *_seeds(
            SignalKind.user_edit,
            Evidence.rewriting,
            "judgement: who rewrites an answer shows what was wrong with it; the strongest signal there is",
            {EditKind.correction: 1.0, **_DRESS, None: 0.0},
        ),
        *_seeds(
            SignalKind.implicit_copy_edit,
            Evidence.rewriting,
            "judgement: changed after copying, perhaps only to fit its new place; unseen changes count less",
            {EditKind.correction: 0.7, **_DRESS, None: 0.4},
        ),
        *_seeds(
            SignalKind.implicit_regenerate,
            Evidence.regenerate,
            "published precision of about 0.7, taken as the weight",
            {None: 0.7},
        ),
        *_seeds(
            SignalKind.implicit_clarification,
            Evidence.clarification,
            "judgement: a second question often means that the first was not answered, and often curiosity",
            {None: 0.5},
        ),
        *_seeds(
            SignalKind.implicit_abandonment,
            Evidence.abandonment,
            "judgement: people leave for many reasons",
            {None: 0.3},
        ),
        *_seeds(
            SignalKind.public_channel,
            Evidence.voice,
            "judgement: who writes a ticket has a reason, though not always one that is the answer's fault",
            {None: 0.85},
        ),
        *_seeds(SignalKind.implicit_copy, Evidence.copying, "judgement: what is copied is used", {None: -0.3}),
        *_seeds(
            SignalKind.implicit_dwell,
            Evidence.reading_time,
            f"judgement: a weak hint, and only where |z| > {UNUSUAL}",
            {"unusual": 0.15, None: 0.0},
        ),
    ),
)


def prior_table(stored: Mapping[str, Any] | None) -> PriorTable:
    """A version of the priors from its stored form (see `prior_json`); what a project starts with when None.

    A kind it does not name keeps the weight it started with.
    """
    if stored is None:
        return SEED
    given = {(row["kind"], row["value"]): row for row in stored["priors"]}
    return PriorTable(
        version=stored["version"],
        made_on=date.fromisoformat(stored["made_on"]),
        note=stored["note"],
        priors=tuple(
            replace(prior, weight=row["weight"], basis=row["basis"])
            if (row := given.get((prior.kind.value, prior.value))) is not None
            else prior
            for prior in SEED.priors
        ),
    )


def prior_json(table: PriorTable) -> dict[str, Any]:
    """A version of the priors as JSON values."""
    return {
        "version": table.version,
        "made_on": table.made_on.isoformat(),
        "note": table.note,
        "priors": [
            {"kind": prior.kind.value, "value": prior.value, "weight": prior.weight, "basis": prior.basis}
            for prior in table.priors
        ],
    }


def in_force(facts: Iterable[SignalFact]) -> tuple[SignalFact, ...]:
    """The facts that still stand, in order of time.

    Of one user's ratings the latest wins, and a thumbs-up withdraws the
    reasons he gave before it. Signals without a user count as one user's:
    a trace has one reader as a rule, and he may change his mind.
    """
    ordered = sorted(facts, key=lambda fact: fact.at)
    latest = {fact.user_id: fact for fact in ordered if fact.kind is SignalKind.user_rating}

    def stands(fact: SignalFact) -> bool:
        rating = latest.get(fact.user_id)
        if fact.kind is SignalKind.user_rating:
            return fact is rating
        withdrawn = rating is not None and rating.rating is Rating.up and fact.at <= rating.at
        return not (withdrawn and fact.kind is SignalKind.user_reason)

    return tuple(fact for fact in ordered if stands(fact))


def is_negative(facts: Iterable[SignalFact]) -> bool:
    """Do these signals make their trace eligible for the negative policy?"""
    return bool(negative_facts(facts))


def negative_facts(facts: Iterable[SignalFact]) -> tuple[SignalFact, ...]:
    """The signals in force that speak against the answer.

    A thumbs-down, a reason, an edit that corrects, an edit after copying
    (unless it is known to correct nothing), regenerate, clarification,
    abandonment and a complaint elsewhere. Copying and reading time never do.
    """
    return tuple(fact for fact in in_force(facts) if _speaks_against(fact))


#: The sign each kind of signal leaves, and the value of it whose prior stands for the sign (None: the kind's own).
_SIGNED: Final[Mapping[Sign, tuple[SignalKind, str | None]]] = {
    Sign.down: (SignalKind.user_rating, Rating.down),
    Sign.reason: (SignalKind.user_reason, None),
    Sign.edit: (SignalKind.user_edit, EditKind.correction),
    Sign.copy_edit: (SignalKind.implicit_copy_edit, EditKind.correction),
    Sign.regenerate: (SignalKind.implicit_regenerate, None),
    Sign.clarification: (SignalKind.implicit_clarification, None),
    Sign.abandonment: (SignalKind.implicit_abandonment, None),
    Sign.up: (SignalKind.user_rating, Rating.up),
    Sign.copied: (SignalKind.implicit_copy, None),
    Sign.dwell: (SignalKind.implicit_dwell, "unusual"),
}
#: A complaint elsewhere says what a reason says.
_SIGN_OF: Final = {kind: sign for sign, (kind, _) in _SIGNED.items()} | {SignalKind.public_channel: Sign.reason}


def signs(facts: Iterable[SignalFact]) -> Sign:
    """What these signals say, each thing once: a reason includes its thumb down, an edit one made after copying."""
    said = Sign(0)
    for fact in in_force(facts):
        if fact.kind is SignalKind.user_rating:
            said |= Sign.down if fact.rating is Rating.down else Sign.up
        elif _speaks_against(fact) or fact.kind is SignalKind.implicit_copy or _value(fact) == "unusual":
            said |= _SIGN_OF[fact.kind]
    if said & Sign.reason:
        said &= ~Sign.down
    if said & Sign.edit:
        said &= ~Sign.copy_edit
    return said


def sign_log_odds(table: PriorTable = SEED) -> dict[Sign, float]:
    """What each sign adds to the log-odds of failure; a reason counts no less than the thumb down it includes."""
    weights = {sign: table.weight_of(kind, value) for sign, (kind, value) in _SIGNED.items()}
    weights[Sign.reason] = max(weights[Sign.reason], weights[Sign.down])
    return {sign: LOG_ODDS_OF_ONE * weight for sign, weight in weights.items()}


def failure_log_odds(
    facts: Iterable[SignalFact],
    judge_score: float | None = None,
    base_rate: float = BASE_RATE,
    table: PriorTable = SEED,
) -> float:
    """Log-odds that the answer failed: the base rate's, plus one weight for each kind of evidence, plus the judge's.

    Within one kind of evidence the strongest signal towards failure and the
    strongest away from it count. `judge_score` is in [0, 1], 1 = good; its own
    log-odds count, within what a fair judge is worth (`JUDGE_LIMITS`).

    Raises ValueError for a base rate outside (0, 1) or a judge score outside [0, 1].

    >>> round(failure_log_odds([]), 3)
    -2.944
    """
    if not 0.0 < base_rate < 1.0:
        raise ValueError(f"base rate {base_rate} is not between 0 and 1")
    said = math.fsum(LOG_ODDS_OF_ONE * weight for weight in _strongest(in_force(facts), table).values())
    return math.log(base_rate / (1.0 - base_rate)) + said + _judged(judge_score)


def failure_probability(
    facts: Iterable[SignalFact],
    judge_score: float | None = None,
    base_rate: float = BASE_RATE,
    table: PriorTable = SEED,
) -> float:
    """Probability that the answer failed, from `failure_log_odds`; in (0, 1).

    >>> round(failure_probability([]), 3)
    0.05
    """
    return 1.0 / (1.0 + math.exp(-failure_log_odds(facts, judge_score, base_rate, table)))


def _speaks_against(fact: SignalFact) -> bool:
    match fact.kind:
        case SignalKind.user_rating:
            return fact.rating is Rating.down
        case SignalKind.user_edit:
            return fact.edit_kind is EditKind.correction
        case SignalKind.implicit_copy_edit:
            return fact.edit_kind in {EditKind.correction, None}
        case SignalKind.implicit_copy | SignalKind.implicit_dwell:
            return False
    return True


def _strongest(facts: Sequence[SignalFact], table: PriorTable) -> dict[Evidence, float]:
    """For each kind of evidence its largest weight towards failure and its largest away from it, added."""
    weights: dict[Evidence, list[float]] = {}
    for fact in facts:
        prior = table.find(fact)
        if prior is not None:
            weights.setdefault(prior.evidence, []).append(prior.weight)
    return {evidence: max(0.0, *found) + min(0.0, *found) for evidence, found in weights.items()}


def _judged(score: float | None) -> float:
    if score is None:
        return 0.0
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"judge score {score} is not in [0, 1]")
    low, high = JUDGE_LIMITS
    if score in (0.0, 1.0):
        return low if score else high
    return min(max(math.log((1.0 - score) / score), low), high)


def _value(fact: SignalFact) -> str | None:
    match fact.kind:
        case SignalKind.user_rating:
            return fact.rating
        case SignalKind.user_reason:
            return fact.reason
        case SignalKind.user_edit | SignalKind.implicit_copy_edit:
            return fact.edit_kind
        case SignalKind.implicit_dwell:
            return "unusual" if fact.dwell_z is not None and abs(fact.dwell_z) > UNUSUAL else None
    return None

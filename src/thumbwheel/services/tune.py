"""Tune: what the labels say about the mix and the priors. It proposes; a person puts it in force."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from thumbwheel.capture.prior import SEED, PriorTable, SignalFact, prior_json, prior_table
from thumbwheel.capture.refit import LabelledFacts, PriorChange, refit_priors
from thumbwheel.domain.queue import Draw, Policy
from thumbwheel.drawing.lists import Lists
from thumbwheel.drawing.model import mix_in_force, mixes_so_far, priors
from thumbwheel.drawing.one import OneDraw, Order
from thumbwheel.errors import Conflict
from thumbwheel.ports import Mint, Now
from thumbwheel.sample.again import Kept
from thumbwheel.sample.backlog import lowered
from thumbwheel.sample.draw import Pick
from thumbwheel.sample.lane import Candidate
from thumbwheel.sample.mix import DEFAULT_MIX, shares, split
from thumbwheel.sample.ring import covered
from thumbwheel.sample.risk import RiskModel
from thumbwheel.sample.tune import Proposal, Turned, propose
from thumbwheel.store.frames import frame_of
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.outcomes import Outcome

__all__ = ["MixVersion", "PriorChange", "Proposal", "Replayed", "Tune"]

#: How far back labels speak for the mix, and for the priors.
_MIX_FROM, _PRIORS_FROM = timedelta(days=90), timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A past draw as another mix would have made it."""

    draw_id: str
    at: datetime
    #: Entries by policy, then and now.
    picked: Mapping[str, int]
    replayed: Mapping[str, int]
    #: Entries of the replayed draw that have a label, and those of them that failed.
    n_known: int
    n_caught: int
    #: Failures the draw's labels stand for, those the other mix is expected to find, and the standard error of the
    #: difference. None while the draw has no labels.
    failures: float | None
    expected: float | None
    error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixVersion:
    """A mix that is or was in force."""

    #: 0 for the one a project starts with.
    version: int
    #: Share per policy, summing to 1.
    mix: Mapping[str, float]
    #: When and by whom it was put in force; None for version 0.
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Tune:
    """Proposals from labels, and what was put in force."""

    ledger: Ledger
    now: Now
    mint: Mint

    # --- the mix

    def propose(self, project_id: int) -> Proposal:
        """The mix the labels of the last 90 days speak for."""
        with self.ledger.read(project_id) as tx:
            return self._propose(tx)

    def mixes(self, project_id: int) -> list[MixVersion]:
        """Every mix there was, the one in force last."""
        with self.ledger.read(project_id) as tx:
            kept = mixes_so_far(tx)
        first = MixVersion(version=0, mix={policy.value: share / 100 for policy, share in DEFAULT_MIX.items()})
        later = [
            MixVersion(version=at, mix=each["mix"], at=datetime.fromisoformat(each["at"]), by=each["by"])
            for at, each in enumerate(kept, start=1)
        ]
        return [first, *later]

    def apply(self, project_id: int, by: str, seen: Mapping[str, float] | None = None) -> Proposal:
        """Put the proposed mix in force for draws to come; who did is kept, and the mix before it too.

        `seen` is the mix whoever applies it was shown; labels that came since may have changed it.

        Raises:
            Conflict: there are no labels to propose it from, or the proposal is no longer the one that was seen.
        """
        with self.ledger.begin(project_id) as tx:
            found = self._propose(tx)
            if not found.n_labels:
                raise Conflict("No entry has a label yet, so no mix is proposed that could be put in force.")
            if seen is not None and not _alike(found.mix, seen):
                raise Conflict("Labels have changed the proposal since it was shown; look at it again.")
            self._keep(tx, "mixes", {"mix": found.mix, "evidence": found.as_dict()}, by, "sample.tune")
        return found

    def _propose(self, tx: Tx) -> Proposal:
        now = self.now()
        turned = [
            Turned(
                day=each.settled_at.date(),
                picked_by=each.picked_by,
                failed=each.failed,
                modes=each.modes,
                silent=each.silent,
            )
            for each in tx.outcomes.list_settled(now - _MIX_FROM)
        ]
        return propose(turned, shares(mix_in_force(tx)), now.date())

    # --- past draws under another mix

    def replay(self, project_id: int, mix: Mapping[str, float] | None = None, last: int = 5) -> list[Replayed]:
        """The last draws, made again from their own frames with another mix (the proposed one when None).

        What the other mix would have found is estimated from the labels there are: a failure found with chance pi
        counts for pi' / pi, pi' being its chance under the other mix, so the difference between the mixes has the
        variance sum (1 - pi) (pi' / pi - 1)^2 (Horvitz-Thompson; picks taken as independent). Both are chances in
        this draw alone, whatever further draws of its frame did.

        Raises:
            Invalid: the mix cannot be.
        """
        with self.ledger.read(project_id) as tx:
            mix = self._propose(tx).mix if mix is None else mix
            shares(mix)
            draws = [draw for draw in tx.queue.list_draws(4 * last) if draw.again_of is None and draw.cells]
            return [self._replay(tx, draw, mix) for draw in draws[:last]]

    def _replay(self, tx: Tx, draw: Draw, mix: Mapping[str, float]) -> Replayed:
        frame = frame_of(tx.traces, tx.evidence, tx.queue, draw)
        kept = Kept.of_json(draw.thresholds)
        found = tx.queue.find_alerts([lane.part for lane in kept.thresholds if lane.policy is Policy.drift])
        alerts = sorted(found.values(), key=lambda alert: (alert.raised_at, alert.id))
        lists = Lists(tx, frame, RiskModel.of_json(draw.risk_model), alerts, draw.at, draw.at, draw.rotation)
        order = Order(
            id=draw.id,
            at=draw.at,
            seed=draw.seed,
            budget=draw.budget,
            mix=mix,
            # As much room as the queue had then.
            quotas=lowered(split(mix, draw.budget), sum(draw.quotas.values()) if "queue" in draw.shortfalls else None),
            maturity=timedelta(seconds=draw.maturity_seconds),
        )
        one = OneDraw(
            tx=tx, order=order, frame=frame, lists=lists, alerts=alerts, before=(), double=b"", mint=self.mint
        )
        drawn, again = one.pick()
        entries = tx.outcomes.list_for([draw.id])
        chances = {pick.trace_id: pick.probability for pick in drawn.picks}
        failures = [entry for entry in entries if entry.failed]
        rows = tx.traces.find_many([entry.trace_id for entry in failures])
        lists.rows |= rows
        missed = [
            Candidate(trace_id, row.sample_key, 1.0, row.user_id, row.category)
            for trace_id, row in rows.items()
            if trace_id not in chances
        ]
        sizes = partial(lists.sizes_of, at=draw.at, alerts=alerts)(missed)
        chances |= {each.trace_id: again.probability(each, sizes[each.trace_id]) for each in missed}
        own = {trace_id: covered(arcs) for trace_id, (arcs, _) in kept.picks.items()}
        return _replayed(draw, entries, own, chances, drawn.picks)

    # --- the priors

    def priors(self, project_id: int) -> list[PriorTable]:
        """Every version of the priors, the one in force last."""
        with self.ledger.read(project_id) as tx:
            return priors_so_far(tx)

    def fit_priors(self, project_id: int) -> tuple[PriorTable, list[PriorChange]]:
        """The priors the labels of the last 180 days speak for, and how each differs; nothing is put in force."""
        with self.ledger.read(project_id) as tx:
            return self._fit(tx)

    def apply_priors(self, project_id: int, by: str) -> tuple[PriorTable, list[PriorChange]]:
        """Put the re-estimated priors in force; the versions before stay, and who did it is kept.

        Raises:
            Conflict: there are no labels to estimate them from.
        """
        with self.ledger.begin(project_id) as tx:
            table, changes = self._fit(tx)
            if not any(change.n for change in changes):
                raise Conflict("No labelled trace has a signal yet, so there is nothing to re-estimate.")
            self._keep(tx, "priors", prior_json(table), by, "priors.fit")
        return table, changes

    def _fit(self, tx: Tx) -> tuple[PriorTable, list[PriorChange]]:
        labelled = tx.annotations.list_labelled(self.now() - _PRIORS_FROM)
        rows = tx.traces.find_many([label.trace_id for label in labelled])
        stored = tx.signals.list_for({trace_id: row.day for trace_id, row in rows.items()})
        labels = [
            LabelledFacts(
                [SignalFact.of(each.signal) for each in stored[label.trace_id]],
                label.failed,
                label.inclusion_probability,
            )
            for label in labelled
            if label.trace_id in stored
        ]
        return refit_priors(labels, priors(tx), self.now().date())

    def _keep(self, tx: Tx, name: str, value: dict[str, Any], by: str, action: str) -> None:
        now = self.now()
        settings = tx.people.project_settings(tx.project_id, lock=True)
        before = settings.get(name, [])
        kept = [*before, value | {"at": now.isoformat(), "by": by}]
        tx.people.set_project(tx.project_id, settings | {name: kept})
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=by, action=action, subject=f"{name} {len(kept)}", at=now, why=None
        )


def priors_so_far(tx: Tx) -> list[PriorTable]:
    """Every version of the priors, oldest first."""
    stored = tx.people.project_settings(tx.project_id).get("priors", [])
    return [SEED, *(prior_table(each) for each in stored)]


def _counted(policies: Iterable[Policy]) -> dict[str, int]:
    found: dict[str, int] = {}
    for policy in policies:
        found[policy.value] = found.get(policy.value, 0) + 1
    return found


def _alike(mix: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return all(math.isclose(mix.get(name, 0.0), other.get(name, 0.0), abs_tol=5e-4) for name in {*mix, *other})


def _replayed(
    draw: Draw,
    entries: Sequence[Outcome],
    own: Mapping[str, float],
    chances: Mapping[str, float],
    picks: Sequence[Pick],
) -> Replayed:
    labelled = [entry for entry in entries if entry.failed is not None]
    served, done = _counted(entry.policy for entry in entries), _counted(entry.policy for entry in labelled)
    failed = [entry for entry in labelled if entry.failed and entry.trace_id in chances and entry.trace_id in own]
    weights = [served[entry.policy.value] / done[entry.policy.value] for entry in failed]
    ratios = [
        weight * chances[entry.trace_id] / own[entry.trace_id] for entry, weight in zip(failed, weights, strict=True)
    ]
    more = [ratio - weight for ratio, weight in zip(ratios, weights, strict=True)]
    variance = sum((1 - own[entry.trace_id]) * each**2 for entry, each in zip(failed, more, strict=True))
    known = {entry.trace_id: bool(entry.failed) for entry in labelled}
    again = [known[pick.trace_id] for pick in picks if pick.trace_id in known]
    return Replayed(
        draw_id=draw.id,
        at=draw.at,
        picked=_counted(entry.policy for entry in entries),
        replayed=_counted(pick.policy for pick in picks),
        n_known=len(again),
        n_caught=sum(again),
        failures=math.fsum(weights) if labelled else None,
        expected=math.fsum(ratios) if labelled else None,
        error=math.sqrt(variance) if labelled else None,
    )

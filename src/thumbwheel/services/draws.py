"""Draws: what each one took and why, what became of it, and what it lost again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from thumbwheel.domain.queue import Draw, Policy
from thumbwheel.drawing.one import Drawing
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.outcomes import Outcome

__all__ = ["Account", "Draws", "Part"]

#: What the schedule drops; everything else somebody dropped by hand.
_BY_ITSELF = frozenset({"expired", "overflow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a draw took for one reason: a policy, an alert's slice, or everything of one category."""

    #: The policy, the alert, or the category; empty for traces without one.
    name: str
    #: Entries it was to take; None where nothing was asked of it by itself.
    asked: int | None
    got: int
    #: Why it took fewer than it was to, or more; None when it took what it was asked for.
    why: str | None = None
    #: Traces of the frame that are in it; None where nobody counted.
    population: int | None = None
    #: Entries of `got` that have a label, those of them that failed, and why how many were dropped unjudged.
    n_labelled: int = 0
    n_failed: int = 0
    dropped: Mapping[str, int]

    @property
    def n_dropped(self) -> int:
        """Entries that left the queue unjudged."""
        return sum(self.dropped.values())

    @property
    def n_open(self) -> int:
        """Entries without a label that stands: they wait for a judgement, or for the owner's, or it was set aside."""
        return self.got - self.n_labelled - self.n_dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A draw, accounted for."""

    draw: Draw
    whole: Part
    #: In order of priority.
    policies: tuple[Part, ...]
    #: Categories of the frame, the most traces first: asked is what the stratified policy was to take of each.
    categories: tuple[Part, ...]
    #: Alerts that were open, first raised first.
    alerts: tuple[Part, ...]

    @property
    def n_asked(self) -> int:
        """Entries it was to take once the queue's room was known."""
        return sum(self.draw.quotas.values())

    @property
    def lowered(self) -> str | None:
        """Why it was to take fewer than its budget, if it was."""
        return self.draw.shortfalls.get("queue")


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws that were made, to be looked at."""

    ledger: Ledger

    def recent(self, project_id: int, limit: int = 10) -> list[Account]:
        """The last draws, newest first."""
        with self.ledger.read(project_id) as tx:
            return _accounts(tx, tx.queue.list_draws(limit))

    def get(self, project_id: int, draw_id: str) -> Account:
        """One draw.

        Raises:
            NotHere: there is no such draw in this project.
        """
        with self.ledger.read(project_id) as tx:
            return _accounts(tx, [tx.queue.get_draw(draw_id)])[0]

    def describe(self, project_id: int, made: Drawing) -> Account:
        """A draw that was just made, also one that was only tried and is kept nowhere."""
        entries = [
            Outcome(
                draw_id=made.draw.id,
                trace_id=entry.trace_id,
                policy=entry.policy,
                category=entry.category or "",
                core=entry.core,
                inclusion_probability=entry.inclusion_probability,
                risk=entry.risk,
                failed=None,
                disputed=False,
            )
            for entry in made.entries
        ]
        with self.ledger.read(project_id) as tx:
            return _account(made.draw, entries, {}, _alert_names(tx, [made.draw]))


def _accounts(tx: Tx, draws: Sequence[Draw]) -> list[Account]:
    ids = [draw.id for draw in draws]
    entries: dict[str, list[Outcome]] = {draw_id: [] for draw_id in ids}
    for entry in tx.outcomes.list_for(ids):
        entries[entry.draw_id].append(entry)
    dropped: dict[str, Counter[tuple[str, str, str]]] = {draw_id: Counter() for draw_id in ids}
    for draw_id, policy, category, why, n in tx.outcomes.count_dropped(ids):
        dropped[draw_id][policy, category, why if why in _BY_ITSELF else "by hand"] += n
    names = _alert_names(tx, draws)
    return [_account(draw, entries[draw.id], dropped[draw.id], names) for draw in draws]


def _alert_names(tx: Tx, draws: Sequence[Draw]) -> dict[str, str]:
    parts = {part for draw in draws for policy, part, _, _ in draw.lists if policy == Policy.drift}
    return {alert.id: alert.name for alert in tx.queue.find_alerts(sorted(parts)).values()}


def _account(
    draw: Draw, entries: Sequence[Outcome], dropped: Mapping[tuple[str, str, str], int], alerts: Mapping[str, str]
) -> Account:
    return Account(
        draw=draw,
        whole=_part("", draw.budget, entries, dropped, set(Policy), None, population=draw.population),
        policies=tuple(_of_policy(policy, draw, entries, dropped) for policy in Policy),
        categories=_of_categories(draw, entries, dropped),
        alerts=tuple(
            Part(name=alerts.get(part, part), asked=asked, got=got, dropped={})
            for policy, part, asked, got in draw.lists
            if policy == Policy.drift
        ),
    )


def _of_policy(
    policy: Policy, draw: Draw, entries: Sequence[Outcome], dropped: Mapping[tuple[str, str, str], int]
) -> Part:
    asked = draw.quotas.get(policy.value, 0)
    found = _part(policy.value, asked, entries, dropped, {policy}, None, why=draw.shortfalls.get(policy.value))
    more = found.got - asked
    if policy is Policy.random and more > 0:
        return replace(found, why=f"{more} more, left over by the other policies")
    return found


def _of_categories(
    draw: Draw, entries: Sequence[Outcome], dropped: Mapping[tuple[str, str, str], int]
) -> tuple[Part, ...]:
    strata = {part: (asked, got) for policy, part, asked, got in draw.lists if policy == Policy.stratified}
    known = sorted(draw.population_by_category.items(), key=lambda each: (-each[1], each[0]))
    found = []
    for category, population in known:
        asked, got = strata.get(category, (0, 0))
        in_all = sum(entry.category == category for entry in entries)
        why = None
        if got < asked:
            rest = "all its traces are in the draw" if in_all >= population else "the others are taken already"
            why = f"{got} of {asked}: {rest}"
        found.append(_part(category, asked, entries, dropped, set(Policy), category, population=population, why=why))
    return tuple(found)


def _part(
    name: str,
    asked: int,
    entries: Sequence[Outcome],
    dropped: Mapping[tuple[str, str, str], int],
    policies: Collection[Policy],
    category: str | None,
    *,
    population: int | None = None,
    why: str | None = None,
) -> Part:
    mine = [each for each in entries if each.policy in policies and category in {None, each.category}]
    lost: Counter[str] = Counter()
    for (policy, part, reason), n in dropped.items():
        if policy in policies and category in {None, part}:
            lost[reason] += n
    return Part(
        name=name,
        asked=asked,
        got=len(mine),
        why=why,
        population=population,
        n_labelled=sum(each.failed is not None for each in mine),
        n_failed=sum(each.failed is True for each in mine),
        dropped=dict(lost),
    )

"""Close: what a settled label becomes, and the fixes credited to labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from thumbwheel.close.check import accept
from thumbwheel.close.golden import make_row
from thumbwheel.close.preference import make_compared, make_pair, to_trl
from thumbwheel.close.route import Outlet, lacking, outlets, rights_of
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.artifact import Check, Fix, FixKind, GoldenRow, PreferencePair
from thumbwheel.domain.instant import EARLIEST
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Right, Signal
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import IdReused, Invalid
from thumbwheel.ports import Mint, Now
from thumbwheel.store.artifacts import Artifact, Labelled, Place, Routing, Unrouted
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import day_of

__all__ = ["Close", "Labelled", "Page", "Routed"]

#: Labels routed in one transaction: replicas take turns.
_STRIDE = 200
_Item = TypeVar("_Item", GoldenRow, PreferencePair, Fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What one run of routing did."""

    labels: int = 0
    golden: int = 0
    preferences: int = 0
    #: Labels whose corrected answer was kept out of an outlet because a right was missing.
    withheld: int = 0
    #: Artifacts retired because their label was replaced or taken back.
    retired: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Some items, and the cursor of the page after them; None on the last page."""

    items: Sequence[_Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """Routes labels to their outlets, and credits fixes."""

    ledger: Ledger
    now: Now
    mint: Mint

    # --- routing

    def route(self, project_id: int) -> Routed:
        """Send every live label that has not been there yet through every outlet, and retire what is no longer true.

        Work is found by absence: any replica may run this, twice, at the same time.
        """
        with self.ledger.begin(project_id) as tx:
            retired = tx.artifacts.retire_superseded(self.now())
        total = Routed(retired=retired)
        while (done := self._route_some(project_id)).labels:
            total = _sum(total, done)
        return total

    def _route_some(self, project_id: int) -> Routed:
        with self.ledger.begin(project_id) as tx:
            found = tx.artifacts.list_unrouted(list(Outlet), _STRIDE)
            traces = tx.traces.list_whole([one.trace_ref for one in found])
            others = _others(tx, found)
            signals = _signals(tx, traces)
            routings = [
                routing
                for one in found
                for routing in self._routings(
                    one, traces.get(one.trace_ref), others.get(one.label.id), signals.get(one.label.trace_id, ())
                )
            ]
            kept = [routing for routing in routings if tx.artifacts.add(routing, self.now())]
            for one in found:
                if one.label.supersedes and one.label.verdict is Verdict.failed:
                    tx.fixes.carry(one.label.supersedes, one.label.id)
                if one.label.supersedes and one.label.affirmed_at:
                    tx.artifacts.carry_check(one.label.supersedes, one.label.id)
        return _routed(len(found), kept)

    def _routings(
        self, found: Unrouted, trace: Trace | None, other: Trace | None, signals: Sequence[Signal]
    ) -> list[Routing]:
        label, entry = found.label, found.entry
        if trace is None:
            # Its trace is past its retention: there is nothing to make a row of, now or later.
            return [Routing(label, outlet, None) for outlet in Outlet]
        rights = rights_of(label, signals)
        feeds = outlets(label, entry, trace, rights, other)
        return [
            Routing(
                label,
                outlet,
                self._make(outlet, label, entry, trace, other, rights) if outlet in feeds else None,
                lacking(outlet, label, trace, rights),
            )
            for outlet in Outlet
        ]

    def _make(
        self,
        outlet: Outlet,
        label: Label,
        entry: QueueEntry,
        trace: Trace,
        other: Trace | None,
        rights: frozenset[Right],
    ) -> Artifact:
        if outlet is Outlet.comparison:
            assert other is not None
            return make_compared(label, entry, trace, other, new_id=self.mint(), now=self.now())
        make: Mapping[Outlet, Callable[..., Artifact]] = {Outlet.golden: make_row, Outlet.preference: make_pair}
        return make[outlet](label, entry, trace, rights=rights, new_id=self.mint(), now=self.now())

    # --- artifacts

    def list_golden(self, project_id: int, limit: int = 100, cursor: str | None = None) -> Page[GoldenRow]:
        """Golden rows, oldest first.

        Raises:
            Invalid: the cursor is not one of ours.
        """
        with self.ledger.read(project_id) as tx:
            return _page(tx.artifacts.list_golden, limit, cursor)

    def list_pairs(self, project_id: int, limit: int = 100, cursor: str | None = None) -> Page[PreferencePair]:
        """Preference pairs, oldest first.

        Raises:
            Invalid: the cursor is not one of ours.
        """
        with self.ledger.read(project_id) as tx:
            return _page(tx.artifacts.list_pairs, limit, cursor)

    def stream_golden(self, project_id: int) -> Iterator[GoldenRow]:
        """Every golden row, oldest first, from one view of the store."""
        with self.ledger.read(project_id) as tx:
            yield from tx.artifacts.stream_golden()

    def stream_trl(self, project_id: int) -> Iterator[dict[str, list[dict[str, str]]]]:
        """Every preference pair in TRL's format, oldest first, from one view of the store."""
        with self.ledger.read(project_id) as tx:
            for pair in tx.artifacts.stream_pairs():
                yield to_trl(pair)

    def stream_labelled(self, project_id: int) -> Iterator[Labelled]:
        """Every live label with its entry, oldest first, without the corrected answers that lack the right."""
        with self.ledger.read(project_id) as tx:
            for found in tx.artifacts.stream_labelled():
                kept_back = found.lacks is not None
                yield replace(found, label=replace(found.label, corrected_output=None)) if kept_back else found

    def count_withheld(self, project_id: int, outlet: str) -> int:
        """How many labels are not, or not wholly, in this outlet (golden, preference) because a right is missing."""
        with self.ledger.read(project_id) as tx:
            return tx.artifacts.count_withheld(Outlet(outlet))

    def choose_check(self, project_id: int, row_id: str, check: Check) -> GoldenRow:
        """Judge answers to a golden row by this check from now on.

        Raises:
            NotHere: there is no such golden row.
            Invalid: the check cannot run.
        """
        accept(check)
        with self.ledger.begin(project_id) as tx:
            tx.artifacts.get_golden(row_id)
            tx.artifacts.set_check(row_id, check)
            return tx.artifacts.get_golden(row_id)

    # --- fixes

    def add_fix(
        self,
        project_id: int,
        kind: FixKind,
        reference: str,
        *,
        description: str = "",
        labels: Sequence[str] = (),
        categories: Sequence[str] = (),
        id: str | None = None,
    ) -> Fix:
        """Keep a fix and credit the labels it answers.

        A category credits every live failure in it that no fix answers yet, beside the labels
        named one by one; without categories the fix is about those of its labels. The
        same `id` twice is one fix.

        Raises:
            Invalid: a label is not a live failure of this project, nothing is left to credit, or there is no reference.
            IdReused: another fix has this id.
        """
        if not reference.strip():
            raise Invalid("A fix names its reference: a commit, a pull request, a ticket.", field="reference")
        with self.ledger.begin(project_id) as tx:
            kept = tx.fixes.find(id) if id else None
            fix = Fix(
                id=id or self.mint(),
                kind=kind,
                reference=reference.strip(),
                description=description,
                label_ids=kept.label_ids if kept else (),
                categories=tuple(categories),
                created_at=kept.created_at if kept else self.now(),
                shipped_at=kept.shipped_at if kept else None,
            )
            if kept is not None:
                return _same(kept, fix, labels)
            fix = _crediting(fix, _credited(tx, labels, categories))
            tx.fixes.add(fix)
            return fix

    def ship_fix(self, project_id: int, fix_id: str, at: datetime | None = None) -> Fix:
        """Say that a fix reached users, now or at `at`; the golden rows of its labels guard from then on.

        Raises:
            NotHere: there is no such fix.
            Conflict: it shipped at another time.
            Invalid: `at` has not come yet, or is before anything here.
        """
        now = self.now()
        if at is not None and at > now:
            raise Invalid(f"{at.isoformat()} has not come yet; say it when the fix has shipped.", field="at")
        if at is not None and at < EARLIEST:
            raise Invalid(f"{at.isoformat()} is before anything a fix can answer.", field="at")
        with self.ledger.begin(project_id) as tx:
            fix = tx.fixes.get(fix_id)
            if at is None and fix.shipped_at is not None:
                return fix
            return tx.fixes.ship(fix_id, at or now)

    def list_fixes(self, project_id: int, limit: int = 100, cursor: str | None = None) -> Page[Fix]:
        """Fixes, last added first.

        Raises:
            Invalid: the cursor is not one of ours.
        """
        with self.ledger.read(project_id) as tx:
            return _page(tx.fixes.list_page, limit, cursor)


def _signals(tx: Tx, traces: Mapping[int, Trace]) -> dict[str, list[Signal]]:
    found = tx.signals.list_for({trace.id: day_of(trace.started_at) for trace in traces.values()})
    return {trace_id: [stored.signal for stored in kept] for trace_id, kept in found.items()}


def _others(tx: Tx, found: Sequence[Unrouted]) -> dict[str, Trace]:
    """The trace each label's was compared with, by the label's id."""
    asked = {one.label.id: one.label.comparison.other_trace_id for one in found if one.label.comparison}
    rows = tx.traces.find_many(list(asked.values()))
    traces = tx.traces.list_whole([row.ref for row in rows.values()])
    return {label_id: traces[rows[trace_id].ref] for label_id, trace_id in asked.items() if trace_id in rows}


def _routed(n_labels: int, kept: Sequence[Routing]) -> Routed:
    made = [routing.outlet for routing in kept if routing.artifact is not None]
    return Routed(
        labels=n_labels,
        golden=made.count(Outlet.golden),
        preferences=made.count(Outlet.preference) + made.count(Outlet.comparison),
        withheld=sum(routing.lacks is not None for routing in kept),
    )


def _sum(one: Routed, other: Routed) -> Routed:
    return Routed(
        labels=one.labels + other.labels,
        golden=one.golden + other.golden,
        preferences=one.preferences + other.preferences,
        withheld=one.withheld + other.withheld,
        retired=one.retired + other.retired,
    )


def _credited(tx: Tx, named: Sequence[str], categories: Sequence[str]) -> list[Label]:
    """The labels a fix answers, each once, the named ones first."""
    known = tx.fixes.find_labels(named)
    for label_id in named:
        label = known.get(label_id)
        if label is None:
            raise Invalid(f"There is no live label {label_id!r} in this project.", field="labels")
        if label.verdict is not Verdict.failed:
            raise Invalid(f"Label {label_id!r} says pass; a fix answers failures.", field="labels")
    credited = {label_id: known[label_id] for label_id in named}
    unanswered = tx.fixes.list_unanswered() if categories else []
    for category in categories:
        found = [label for label in unanswered if category in label.categories]
        if not found:
            raise Invalid(f"No unanswered failure has the category {category!r}.", field="categories")
        credited |= {label.id: label for label in found}
    if not credited:
        raise Invalid("A fix answers at least one label: name labels or categories.", field="labels")
    return list(credited.values())


def _crediting(fix: Fix, credited: Sequence[Label]) -> Fix:
    about = fix.categories or tuple(sorted({name for label in credited for name in label.categories}))
    return replace(fix, label_ids=tuple(label.id for label in credited), categories=about)


def _same(kept: Fix, again: Fix, named: Sequence[str]) -> Fix:
    """The fix that is here already, if it is what somebody sends again."""
    about = again.categories or kept.categories
    if replace(again, categories=about) != kept or not set(named) <= set(kept.label_ids):
        raise IdReused(f"Another fix has the id {kept.id!r}.", field="id")
    return kept


def _page(read: Callable[[int, Place | None], list[_Item]], limit: int, cursor: str | None) -> Page[_Item]:
    found = read(limit + 1, None if cursor is None else _place(cursor))
    last = found[limit - 1] if len(found) > limit else None
    # With Z for +00:00, in which a query would read the + as a space.
    return Page(found[:limit], f"{last.created_at:%Y-%m-%dT%H:%M:%S.%fZ}~{last.id}" if last else None)


def _place(cursor: str) -> Place:
    at, _, last = cursor.partition("~")
    try:
        place = datetime.fromisoformat(at), last
    except ValueError as fault:
        raise Invalid("This cursor is not one this server gave.", field="cursor") from fault
    if place[0].tzinfo is None:
        raise Invalid("This cursor is not one this server gave.", field="cursor")
    return place

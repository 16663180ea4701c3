"""Queue: what the owner does with what waits, for many entries at once, and how far each reviewer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thumbwheel.annotate.reviewer import check_annotator, pace
from thumbwheel.annotate.settle import settle
from thumbwheel.domain.annotation import Dispute, Label
from thumbwheel.domain.person import Role
from thumbwheel.domain.queue import Draw, Policy, Purpose, QueueEntry, Waiting, Window
from thumbwheel.errors import Conflict, Invalid
from thumbwheel.keep.labels import keep_label
from thumbwheel.keep.stalled import Stalled, stalled
from thumbwheel.ports import Mint, Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.selection import SORTS, Change, WaitingFilter

__all__ = ["MOST", "SORTS", "Added", "Changed", "QueueDesk", "Stalled", "WaitingFilter"]

#: Most entries one bulk change takes.
MOST = 10_000
#: How far back somebody must have judged something to be a reviewer without having signed up.
_ACTIVE = timedelta(days=30)
#: Most judgements a day somebody may be asked for.
_MOST_A_DAY = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of what waits."""

    items: Sequence[Waiting]
    #: How many match, and how many wait in all.
    n: int
    n_waiting: int
    #: Field -> value -> how many wait, whatever the filter.
    facets: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A bulk change, and the id under which it can be undone; None when nothing changed."""

    entry_ids: Sequence[str]
    change_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Traces that were put into the queue by hand."""

    entry_ids: Sequence[str]
    #: Traces that have an entry already, and ids there is no trace of.
    known: Sequence[str]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerDay:
    """How far one reviewer is today."""

    name: str
    done: int
    #: Judgements asked of them a day; None when no number is.
    quota: int | None
    #: Waiting entries that are kept for them.
    n_kept: int
    #: Annotations an hour at their own recent pace; None before there is one.
    per_hour: float | None

    @property
    def minutes_left(self) -> float | None:
        """How long what is left of the quota takes them; None without a quota or a pace."""
        if self.quota is None or not self.per_hour:
            return None
        return 60 * max(self.quota - self.done, 0) / self.per_hour


@dataclass(frozen=True, slots=True)
class QueueDesk:
    """What the owner sees of the queue and does with it."""

    ledger: Ledger
    now: Now
    mint: Mint

    def find(
        self, project_id: int, only: WaitingFilter, sort: str = "oldest", limit: int = 100, offset: int = 0
    ) -> Found:
        """Waiting entries that match, in one of the orders of `SORTS`.

        Raises:
            Invalid: there is no such order.
        """
        if sort not in SORTS:
            raise Invalid(f"The queue is sorted by {', '.join(SORTS)}.", field="sort")
        with self.ledger.read(project_id) as tx:
            return Found(
                items=tx.selection.list_waiting(only, sort, limit, offset),
                n=tx.selection.count(only),
                n_waiting=tx.queue.count_waiting(),
                facets={name: tx.selection.count_by(name) for name in ("policy", "category", "purpose", "kept_for")},
            )

    def matching(self, project_id: int, only: WaitingFilter) -> list[str]:
        """Ids of the waiting entries that match, first added first, `MOST` at most."""
        with self.ledger.read(project_id) as tx:
            return tx.selection.list_ids(only, MOST)

    # --- many at once, to be undone

    def drop(self, project_id: int, entry_ids: Sequence[str], why: str, actor: str) -> Changed:
        """Take entries out of the queue without a judgement.

        Raises:
            Invalid: no reason is given, or there are too many at once.
        """
        if not why.strip():
            raise Invalid("Say why: a dropped entry is a known gap in the figures.", field="why")
        with self.ledger.begin(project_id) as tx:
            change = self._change(tx, "drop", entry_ids, actor)
            return self._kept(tx, change, tx.queue.drop(entry_ids, why.strip(), change.at))

    def assign(self, project_id: int, entry_ids: Sequence[str], annotator: str | None, actor: str) -> Changed:
        """Keep waiting entries for one annotator, or for anybody.

        Raises:
            Invalid: this is no name for an annotator, or there are too many at once.
        """
        if annotator is not None:
            check_annotator(annotator)
        with self.ledger.begin(project_id) as tx:
            change = self._change(tx, "assign", entry_ids, actor)
            return self._kept(tx, change, tx.queue.assign(entry_ids, annotator or ""))

    def undo(self, project_id: int, change_id: str | None, actor: str) -> Changed:
        """Undo a bulk change, or the last one: what was dropped waits again at its old place, what was kept is not.

        Entries that have moved on meanwhile stay as they are.

        Raises:
            Conflict: there is nothing to undo, or it was undone already.
        """
        with self.ledger.begin(project_id) as tx:
            change = tx.selection.find_change(change_id)
            if change is None or not tx.selection.mark_undone(change.id, self.now()):
                raise Conflict("There is nothing to undo, or it was undone already.")
            take_back = {"drop": tx.selection.take_back_drop, "assign": tx.selection.take_back_assignment}
            done = take_back[change.kind](change)
            self._audit(tx, actor, f"queue.undo-{change.kind}", change.id, f"{len(done)} entries")
            return Changed(entry_ids=done, change_id=None)

    def _change(self, tx: Tx, kind: str, entry_ids: Sequence[str], actor: str) -> Change:
        if len(entry_ids) > MOST:
            raise Invalid(f"At most {MOST} entries at once.", field="entry_ids")
        return Change(self.mint(), self.now(), actor, kind, tx.selection.states(entry_ids))

    def _kept(self, tx: Tx, change: Change, done: Sequence[str]) -> Changed:
        if not done:
            return Changed(entry_ids=[], change_id=None)
        tx.selection.add_change(change)
        self._audit(tx, change.actor, f"queue.{change.kind}", change.id, f"{len(done)} entries")
        return Changed(entry_ids=done, change_id=change.id)

    def add(self, project_id: int, trace_ids: Sequence[str], actor: str, why: str = "") -> Added:
        """Put traces into the queue by hand. They are part of no sample: no rate counts what their labels say.

        Raises:
            Invalid: no trace is named, or too many.
        """
        wanted = list(dict.fromkeys(trace_ids))
        if not 1 <= len(wanted) <= MOST:
            raise Invalid(f"Name between 1 and {MOST} traces.", field="trace_ids")
        now = self.now()
        with self.ledger.begin(project_id) as tx:
            rows = tx.traces.find_many(wanted)
            drawn = tx.queue.list_drawn([row.ref for row in rows.values()])
            fresh = [row for row in rows.values() if row.ref not in drawn]
            draw = _by_hand(self.mint(), now, len(fresh))
            entries = [
                (row.ref, _chosen(self.mint(), draw.id, row.trace_id, row.category, place, actor, why.strip(), now))
                for place, row in enumerate(fresh, 1)
            ]
            if entries:
                tx.queue.add_draw(draw, entries)
                self._audit(tx, actor, "queue.add", draw.id, f"{len(entries)} traces")
        return Added(
            entry_ids=[entry.id for _, entry in entries],
            known=[trace_id for trace_id, row in rows.items() if row.ref in drawn],
            missing=[trace_id for trace_id in wanted if trace_id not in rows],
        )

    # --- entries nobody is left for

    def stalled(self, project_id: int) -> Stalled:
        """Entries with a judgement that everybody who judged anything in thirty days has judged or skipped."""
        with self.ledger.read(project_id) as tx:
            return stalled(tx, self.now())

    def release(self, project_id: int, entry_ids: Sequence[str], actor: str) -> list[Label | Dispute]:
        """Settle waiting entries on the judgements they have, however many they were to get.

        Entries without any judgement, or that wait no more, are passed over.
        """
        settled: list[Label | Dispute] = []
        with self.ledger.begin(project_id) as tx:
            for entry_id in sorted(tx.selection.states(entry_ids)):
                entry = tx.queue.lock(entry_id)
                outcome = self._settled(tx, entry)
                if outcome is not None:
                    tx.leases.finish(entry_id)
                    self._audit(tx, actor, "queue.release", entry_id, "settled on the judgements it has")
                    settled.append(outcome)
        return settled

    def _settled(self, tx: Tx, entry: QueueEntry) -> Label | Dispute | None:
        standing = tx.annotations.list_for(entry.id)
        if not standing:
            return None
        last = tx.annotations.find_last_label(entry.id)
        supersedes = last[0].id if last else None
        found = settle(standing, needed=len(standing), new_id=self.mint(), now=self.now(), supersedes=supersedes)
        if isinstance(found, Label):
            keep_label(tx, found, self.now())
        elif isinstance(found, Dispute):
            tx.annotations.add_dispute(found)
        return found

    # --- reviewers

    def set_quota(self, project_id: int, annotator: str, per_day: int | None, actor: str) -> None:
        """Ask a reviewer for so many judgements a day, or for none in particular.

        Raises:
            Invalid: this is no name for an annotator, or no number of judgements.
        """
        check_annotator(annotator)
        if not 0 <= (per_day or 0) <= _MOST_A_DAY:
            raise Invalid(f"Between 1 and {_MOST_A_DAY} judgements a day can be asked for.", field="per_day")
        with self.ledger.begin(project_id) as tx:
            tx.quotas.add(annotator, per_day or 0, actor, self.now())
            self._audit(tx, actor, "quota.set", annotator, str(per_day or "none"))

    def reviewers(self, project_id: int) -> list[ReviewerDay]:
        """Everybody who may annotate or did in thirty days, by name, and how far they are today (UTC)."""
        now = self.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        with self.ledger.read(project_id) as tx:
            signed_up = {person.name for person in tx.people.list_people() if person.role is Role.annotator}
            quotas, kept = tx.quotas.list_current(), tx.selection.count_by("kept_for")
            names = sorted(signed_up | set(quotas) | set(tx.annotations.list_annotators(now - _ACTIVE)))
            return [
                ReviewerDay(
                    name=name,
                    done=tx.annotations.count_since(name, midnight),
                    quota=quotas.get(name),
                    n_kept=kept.get(name, 0),
                    per_hour=pace([one.at for one in tx.annotations.list_recent(name, 21)]),
                )
                for name in names
            ]

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _by_hand(id: str, now: datetime, n: int) -> Draw:
    """A draw that closed no frame and is of none but itself, and so is part of no estimate."""
    return Draw(
        id=id,
        at=now,
        seed=0,
        budget=n,
        window=Window(start=now, end=now),
        mix={policy.value: 0.0 for policy in Policy},
        maturity_seconds=0.0,
        framed_to=0,
        again_of=id,
    )


def _chosen(
    id: str, draw_id: str, trace_id: str, category: str | None, place: int, actor: str, why: str, now: datetime
) -> QueueEntry:
    return QueueEntry(
        id=id,
        draw_id=draw_id,
        trace_id=trace_id,
        policy=Policy.drift,
        picked_by=(),
        rank=place,
        serve_rank=place,
        reason=why or f"chosen by {actor}",
        inclusion_probability=1.0,
        core=False,
        purpose=Purpose.chosen,
        labels_needed=1,
        category=category,
        added_at=now,
    )

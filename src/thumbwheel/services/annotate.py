"""Annotate: hand entries to reviewers, keep their judgements, settle them into labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from thumbwheel.annotate.other import answers_again, other_answer
from thumbwheel.annotate.reviewer import Progress, check_annotator, check_documents, pace
from thumbwheel.annotate.settle import check_annotation, settle
from thumbwheel.domain.annotation import Annotation, Comparison, Dispute, Judgement, Label, Settled
from thumbwheel.domain.queue import Lease, Purpose, QueueEntry, Waiting
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Conflict, Invalid, LeaseExpired, NotAllowed
from thumbwheel.keep.labels import keep_label
from thumbwheel.ports import Mint, Now
from thumbwheel.store.annotations import Kept, Place, Told
from thumbwheel.store.leases import Skip
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import day_of

__all__ = ["Annotate", "Outcome", "Progress", "Served"]

#: How many entries one annotator may hold: the one on screen and the ones fetched ahead.
MOST_HELD = 3
#: How many of an annotator's last annotations stay editable.
EDITABLE = 10
#: How many traces of a session are looked through for another answer.
NEAREST = 20
#: Waiting entries are counted up to here for a reviewer; nobody does more in a day.
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An entry in somebody's hands. Its purpose and how many judgements it needs are not for the reviewer."""

    entry: QueueEntry
    #: Without the automatic verdict that came with it: people judge blind to judges.
    trace: Trace
    signals: Sequence[Signal]
    #: Where the application answered the same question again: that trace.
    other: Trace | None
    lease: Lease
    #: What this annotator took back, to start from.
    earlier: Annotation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an annotation: a `label`, a `dispute`, or the entry is `waiting` for another annotator."""

    annotation: Annotation
    outcome: str
    #: Of the label or the dispute.
    outcome_id: str | None


@dataclass(frozen=True, slots=True)
class Annotate:
    """From judgements to labels."""

    ledger: Ledger
    now: Now
    mint: Mint
    #: How long a lease lasts unless it is renewed.
    lease: timedelta = timedelta(minutes=15)

    def next(self, project_id: int, annotator: str, holding: Collection[str] = ()) -> Served | None:
        """The entry this annotator should see next, leased to them, or None when there is none.

        `holding` names the entries the annotator's page has already: what they hold beyond those is served again
        (the page was reloaded), then something new, up to `MOST_HELD` at once.

        Raises:
            Invalid: this is no name for an annotator.
        """
        check_annotator(annotator)
        with self.ledger.begin(project_id) as tx:
            while held := self._lease(tx, annotator, holding):
                if served := self._serve(tx, held):
                    return served
                tx.queue.drop([held.entry.id], "its trace is gone", self.now())
        return None

    def _lease(self, tx: Tx, annotator: str, holding: Collection[str]) -> Waiting | None:
        now = self.now()
        held = tx.leases.list_held(annotator)
        for each in held:
            if each.entry.id not in holding and (renewed := self._renewed(tx, each)):
                return renewed
        if len(held) >= MOST_HELD:
            return None
        return tx.leases.lease(annotator, self.mint(), now, now + self.lease)

    def _renewed(self, tx: Tx, held: Waiting) -> Waiting | None:
        assert held.lease is not None
        lease = replace(held.lease, expires_at=self.now() + self.lease)
        return replace(held, lease=lease) if tx.leases.renew(held.entry.id, lease.token, lease.expires_at) else None

    def _serve(self, tx: Tx, held: Waiting) -> Served | None:
        trace = tx.traces.list_whole([held.trace_ref]).get(held.trace_ref)
        if trace is None or held.lease is None:
            return None
        signals = tx.signals.list_for({trace.id: day_of(trace.started_at)})[trace.id]
        kept = tx.annotations.list_kept(held.entry.id)
        own = [each.annotation for each in kept if each.annotation.annotator == held.lease.annotator]
        if held.now_for is Purpose.relabel:
            own = []  # Judged anew, not begun where the last judgement ended.
        self._audit(tx, held.lease.annotator, "trace.read", trace.id, f"leased as queue entry {held.entry.id}")
        return Served(
            entry=held.entry,
            trace=replace(trace, judge=None),
            signals=[stored.signal for stored in signals],
            other=_other(tx, trace),
            lease=held.lease,
            earlier=own[-1] if own else None,
        )

    def submit(self, project_id: int, entry_id: str, lease_token: str, annotator: str, judgement: Judgement) -> Outcome:
        """Keep one judgement, and settle its entry if that was the last one needed.

        The same lease submitted again is the same annotation and the same answer, whatever it says. A lease that
        ran out is good as long as nobody else has taken the entry.

        Raises:
            NotHere: there is no such entry.
            LeaseExpired: it is not leased to this annotator any more.
            Invalid: the judgement cannot be one under its codebook version.
        """
        with self.ledger.begin(project_id) as tx:
            entry = tx.queue.lock(entry_id)
            kept = tx.annotations.list_kept(entry_id)
            own = [each for each in kept if each.annotation.annotator == annotator]
            for earlier in own:
                if earlier.lease_token == lease_token:
                    return _outcome(earlier)
            if not _holds(tx.leases.find(entry_id), lease_token, annotator):
                raise LeaseExpired
            supersedes = own[-1].annotation.id if own else None
            annotation = self._annotation(tx, entry, annotator, judgement, supersedes)
            outcome = self._settle(tx, entry, [*_standing(kept), annotation], lease_token)
            if outcome.outcome == "waiting":
                tx.leases.pass_on(entry_id, annotator)
            else:
                tx.leases.finish(entry_id)
            return outcome

    def correct(self, project_id: int, annotation_id: str, annotator: str, judgement: Judgement) -> Outcome:
        """Replace one of the annotator's last ten annotations, and settle its entry anew.

        The same correction again is the same answer.

        Raises:
            NotHere: there is no such annotation.
            NotAllowed: it is somebody else's.
            Conflict: it is no longer among the last ten, was changed since, or the owner has decided.
            Invalid: the judgement cannot be one under its codebook version.
        """
        with self.ledger.begin(project_id) as tx:
            entry, kept = self._own(tx, annotation_id, annotator)
            annotation = self._annotation(tx, entry, annotator, judgement, annotation_id)
            if kept.superseded_at is not None:
                return self._corrected_before(tx, annotation)
            self._take_back(tx, kept.annotation)
            others = [one for one in tx.annotations.list_for(entry.id) if one.id != annotation_id]
            return self._settle(tx, entry, [*others, annotation], annotation.id)

    def undo(self, project_id: int, annotation_id: str, annotator: str) -> Served:
        """Take one of the annotator's last ten annotations back; the entry returns to them, leased.

        Raises:
            NotHere: there is no such annotation.
            NotAllowed: it is somebody else's.
            Conflict: it is no longer among the last ten, the owner has decided, or the entry left the queue or is in
                other hands; it can still be corrected in the last case.
        """
        with self.ledger.begin(project_id) as tx:
            entry, kept = self._own(tx, annotation_id, annotator)
            held = tx.leases.find(entry.id)
            lease = held.lease if held else None
            if kept.superseded_at is not None and not (lease and lease.annotator == annotator):
                raise Conflict("This annotation was changed or taken back already.")
            if lease and lease.annotator != annotator and lease.expires_at > self.now():
                raise Conflict("This annotation can't be taken back now; correct it instead.")
            if tx.queue.find_drop(entry.id) is not None:
                raise Conflict("This entry has left the queue.")
            if kept.superseded_at is None:
                self._take_back(tx, kept.annotation)
                tx.leases.wait_again(entry, self._passed_by(tx, entry.id))
                tx.leases.hold(entry.id, annotator, self.mint(), self.now() + self.lease)
            back = tx.leases.find(entry.id)
            served = self._serve(tx, back) if back else None
            if served is None:
                raise Conflict("The trace of this entry is gone.")
            return served

    def skip(self, project_id: int, entry_id: str, lease_token: str, annotator: str, why: str | None = None) -> None:
        """Pass an entry on to somebody else; skipping twice is skipping once.

        Raises:
            NotHere: there is no such entry.
            LeaseExpired: it is not leased to this annotator any more.
        """
        with self.ledger.begin(project_id) as tx:
            tx.queue.lock(entry_id)
            if not _holds(tx.leases.find(entry_id), lease_token, annotator):
                if any(skip.annotator == annotator for skip in tx.leases.list_skips([entry_id])):
                    return
                raise LeaseExpired
            tx.leases.skip(Skip(entry_id, annotator, self.now(), why))

    def renew(self, project_id: int, entry_id: str, lease_token: str) -> datetime:
        """Hold an entry longer; until when.

        Raises:
            LeaseExpired: somebody else has taken it, or it waits no more.
        """
        until = self.now() + self.lease
        with self.ledger.begin(project_id) as tx:
            if not tx.leases.renew(entry_id, lease_token, until):
                raise LeaseExpired
        return until

    def release(self, project_id: int, entry_id: str, lease_token: str) -> None:
        """Let go of an entry, if it is still held under this lease."""
        with self.ledger.begin(project_id) as tx:
            waiting = tx.leases.find(entry_id)
            if waiting and waiting.lease and waiting.lease.token == lease_token:
                tx.leases.release(entry_id)

    def recent(self, project_id: int, annotator: str) -> list[Annotation]:
        """The annotator's annotations that may still be corrected or taken back, newest first."""
        with self.ledger.read(project_id) as tx:
            return tx.annotations.list_recent(annotator, EDITABLE)

    def progress(self, project_id: int, annotator: str, since: datetime | None = None) -> Progress:
        """What this annotator has done since a time (today, UTC, when None) and what is left for them."""
        since = since or self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        with self.ledger.read(project_id) as tx:
            recent = tx.annotations.list_recent(annotator, 21)
            return Progress(
                done=tx.annotations.count_since(annotator, since),
                waiting=tx.queue.count_waiting_for(annotator, MOST_COUNTED),
                quota=tx.quotas.find(annotator),
                per_hour=pace([one.at for one in recent if one.at >= since]),
            )

    def labels(self, project_id: int, limit: int, after: Place | None = None) -> list[Label]:
        """Labels that stand, first settled first."""
        with self.ledger.read(project_id) as tx:
            return tx.annotations.list_labels(limit, after)

    # --- one transaction's pieces

    def _own(self, tx: Tx, annotation_id: str, annotator: str) -> tuple[QueueEntry, Kept]:
        """An annotation its annotator may still change, and its entry, locked."""
        kept = tx.annotations.get(annotation_id)
        if kept.annotation.annotator != annotator:
            raise NotAllowed("An annotation can be changed by its annotator alone.")
        entry = tx.queue.lock(kept.annotation.entry_id)
        kept = tx.annotations.get(annotation_id)
        recent = tx.annotations.list_recent(annotator, EDITABLE)
        if kept.superseded_at is None and annotation_id not in {one.id for one in recent}:
            raise Conflict(f"Only your last {EDITABLE} annotations can be changed.")
        return entry, kept

    def _annotation(
        self, tx: Tx, entry: QueueEntry, annotator: str, judgement: Judgement, supersedes: str | None
    ) -> Annotation:
        version, codebook = tx.codebooks.stamp(judgement.codebook_version)
        annotation = Annotation(
            id=self.mint(),
            entry_id=entry.id,
            trace_id=entry.trace_id,
            annotator=annotator,
            verdict=judgement.verdict,
            categories=judgement.categories,
            codebook_version=version,
            at=self.now(),
            critique=judgement.critique,
            corrected_output=judgement.corrected_output,
            documents=judgement.documents,
            missing_knowledge=judgement.missing_knowledge,
            comparison=judgement.comparison,
            seconds=judgement.seconds,
            supersedes=supersedes,
        )
        check_annotation(annotation, codebook)
        if judgement.documents:
            check_documents(judgement.documents, tx.traces.get(entry.trace_id))
        if judgement.comparison:
            _check_comparison(tx, entry.trace_id, judgement.comparison)
        return annotation

    def _settle(self, tx: Tx, entry: QueueEntry, standing: Sequence[Annotation], token: str) -> Outcome:
        """Keep the last of these annotations and what its entry comes to, in place of a label that was taken back."""
        last = tx.annotations.find_last_label(entry.id)
        result = settle(
            standing,
            needed=entry.labels_needed,
            new_id=self.mint(),
            now=self.now(),
            supersedes=last[0].id if last else None,
        )
        told = Told("waiting")
        if isinstance(result, Label):
            keep_label(tx, result, self.now())
            told = Told("label", result.id)
        elif isinstance(result, Dispute):
            tx.annotations.add_dispute(result)
            told = Told("dispute", result.id)
        tx.annotations.add(standing[-1], token, told)
        return Outcome(annotation=standing[-1], outcome=told.outcome, outcome_id=told.outcome_id)

    def _take_back(self, tx: Tx, annotation: Annotation) -> None:
        """Mark an annotation, and the label or dispute that rests on it, as taken back.

        Raises:
            Conflict: the owner has decided.
        """
        last = tx.annotations.find_last_label(annotation.entry_id)
        label = last[0] if last and last[1] is None and annotation.id in last[0].annotation_ids else None
        if label is not None and label.settled is Settled.adjudicated:
            raise Conflict("The owner of the rubric has decided this one.")
        tx.annotations.supersede(annotation.id, self.now())
        tx.annotations.close_disputes(annotation.entry_id, self.now())
        if label is not None:
            tx.annotations.supersede_label(label.id, self.now())

    def _corrected_before(self, tx: Tx, annotation: Annotation) -> Outcome:
        """The answer to a correction that comes a second time."""
        for kept in tx.annotations.list_kept(annotation.entry_id):
            if replace(kept.annotation, id=annotation.id, at=annotation.at) == annotation:
                return _outcome(kept)
        raise Conflict("This annotation was changed or taken back already.")

    def _passed_by(self, tx: Tx, entry_id: str) -> str:
        """Who judged or skipped an entry last; empty when nobody did."""
        judged = [one.annotator for one in tx.annotations.list_for(entry_id)]
        return next(reversed(judged or [skip.annotator for skip in tx.leases.list_skips([entry_id])]), "")

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str | None) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _holds(waiting: Waiting | None, token: str, annotator: str) -> bool:
    """Whether the entry waits and this annotator was the last to lease it, by this token."""
    lease = waiting.lease if waiting else None
    return lease is not None and (lease.token, lease.annotator) == (token, annotator)


def _other(tx: Tx, trace: Trace) -> Trace | None:
    """The application's other answer to the same question, from the same session."""
    if trace.session_id is None:
        return None
    near = tx.listings.list_near(trace.session_id, trace.started_at, NEAREST)
    return other_answer(trace, tx.traces.list_whole(near).values())


def _check_comparison(tx: Tx, trace_id: str, comparison: Comparison) -> None:
    rows = tx.traces.find_many([trace_id, comparison.other_trace_id])
    both = list(tx.traces.list_whole([row.ref for row in rows.values()]).values())
    if len(both) < 2 or not answers_again(both[0], both[1]):
        raise Invalid(
            "Two answers are compared where both answer the same question with other words.",
            field="comparison.other_trace_id",
        )


def _standing(kept: Sequence[Kept]) -> list[Annotation]:
    return [each.annotation for each in kept if each.superseded_at is None]


def _outcome(kept: Kept) -> Outcome:
    return Outcome(annotation=kept.annotation, outcome=kept.told.outcome, outcome_id=kept.told.outcome_id)

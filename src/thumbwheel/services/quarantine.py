"""Quarantine: labels that a revision of the codebook set aside, until they are affirmed or judged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thumbwheel.annotate.reviewer import check_annotator
from thumbwheel.annotate.settle import Decision, check_decision
from thumbwheel.domain.annotation import Label
from thumbwheel.domain.codebook import CodebookVersion
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.keep.labels import judge_again
from thumbwheel.ports import Mint, Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.quarantines import Place, Quarantined

__all__ = ["Quarantine", "Quarantined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A quarantined label beside what its codebook said then and says now."""

    quarantined: Quarantined
    #: The version it was judged under; None in open coding.
    then: CodebookVersion | None
    current: CodebookVersion
    #: Why it cannot be affirmed under the current version; None when it can.
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What the owner does with labels whose meaning was changed under them.

    A label in quarantine does not stand: it is in no rate, no export, no golden row. It leaves by one of two rows: a
    label that says the same under the current version, or a new judgement of its entry.
    """

    ledger: Ledger
    now: Now
    mint: Mint

    def labels(self, project_id: int, limit: int, after: Place | None = None) -> list[Quarantined]:
        """Quarantined labels, first set aside first."""
        with self.ledger.read(project_id) as tx:
            return tx.quarantines.list_open(limit, after)

    def count(self, project_id: int) -> int:
        """How many labels are in quarantine."""
        with self.ledger.read(project_id) as tx:
            return tx.quarantines.count_open()

    def get(self, project_id: int, label_id: str) -> Held:
        """One quarantined label, with both readings of the codebook.

        Raises:
            NotHere: there is no such label in quarantine.
        """
        with self.ledger.read(project_id) as tx:
            found = _find(tx, label_id)
            current = _current(tx)
            version = found.label.codebook_version
            return Held(
                quarantined=found,
                then=tx.codebooks.get(version) if version else None,
                current=current,
                refusal=_refusal(found.label, current),
            )

    def affirm(self, project_id: int, label_ids: Sequence[str], owner: str) -> list[Label]:
        """Say that these labels hold under the current version as well; the labels that stand from now on.

        Each keeps its verdict, categories, annotations and the time it was settled. A label that has left quarantine
        since is passed over.

        Raises:
            Invalid: a label names a category that the current version does not have.
        """
        check_annotator(owner)
        with self.ledger.begin(project_id) as tx:
            entries = _locked(tx, label_ids)
            tx.codebooks.hold()
            current = _current(tx)
            for found in entries:
                if (refusal := _refusal(found.label, current)) is not None:
                    raise Invalid(f"Label {found.label.id!r} cannot be affirmed: {refusal}.", field="label_ids")
            tx.quarantines.close([found.label.id for found in entries], "affirmed", owner, self.now())
            affirmed = [self._affirmed(found.label, current.version, owner) for found in entries]
            for label in affirmed:
                tx.annotations.add_label(label)
                self._audit(tx, owner, "label.affirm", label.id, f"under codebook version {current.version}")
            return affirmed

    def _affirmed(self, label: Label, version: int, owner: str) -> Label:
        return replace(
            label,
            id=self.mint(),
            codebook_version=version,
            supersedes=label.id,
            affirmed_by=owner,
            affirmed_at=self.now(),
        )

    def requeue(self, project_id: int, label_ids: Sequence[str], owner: str) -> list[str]:
        """Let people judge these labels' entries again, under the current version; the ids of those entries.

        What was said before stays, and counts no more. Whoever said it may be asked again, and is not reminded.
        """
        check_annotator(owner)
        with self.ledger.begin(project_id) as tx:
            found = _locked(tx, label_ids)
            tx.quarantines.close([each.label.id for each in found], "requeued", owner, self.now())
            for each in found:
                judge_again(tx, each.entry, self.now())
                self._audit(tx, owner, "label.requeue", each.label.id, f"queue entry {each.entry.id}")
            return [each.entry.id for each in found]

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _find(tx: Tx, label_id: str) -> Quarantined:
    found = tx.quarantines.find(label_id)
    if found is None:
        raise NotHere(f"There is no label {label_id!r} in quarantine.")
    return found


def _locked(tx: Tx, label_ids: Sequence[str]) -> list[Quarantined]:
    """Those of these labels that are in quarantine, with their entries locked, in one order for everybody."""
    first = [found for label_id in dict.fromkeys(label_ids) if (found := tx.quarantines.find(label_id))]
    for entry_id in sorted({found.entry.id for found in first}):
        tx.queue.lock(entry_id)
    return [found for each in first if (found := tx.quarantines.find(each.label.id))]


def _current(tx: Tx) -> CodebookVersion:
    current = tx.codebooks.find_current()
    if current is None:
        raise Conflict("No codebook is published in this project yet.")
    return current


def _refusal(label: Label, current: CodebookVersion) -> str | None:
    decision = Decision(
        verdict=label.verdict, categories=label.categories, decided_by="", codebook_version=current.version
    )
    try:
        check_decision(decision, current.codebook)
    except Invalid as fault:
        return fault.detail
    return None

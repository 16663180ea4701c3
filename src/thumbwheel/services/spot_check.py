"""Spot check: the owner looks again at a few of each reviewer's labels, and sees whom they read the codebook like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thumbwheel.annotate.reviewer import check_annotator
from thumbwheel.annotate.spot import spot_check
from thumbwheel.domain.annotation import Label
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.keep.labels import judge_again
from thumbwheel.measure.figure import Figure, rate
from thumbwheel.ports import Mint, Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.spot_checks import Check

__all__ = ["Check", "SpotCheck"]

#: Labels of this long before today are looked at.
WINDOW = timedelta(days=7)
#: Labels of each reviewer, a day.
EACH = 5
_MOST = 50
#: Checks of this long are counted.
_COUNTED = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A reviewer's label to look at, and what the owner said of it already."""

    annotator: str
    label: Label
    check: Check | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """How often the owner agreed with one reviewer."""

    annotator: str
    #: Share of the looked-at labels the owner agrees with, with its Wilson interval.
    agreement: Figure
    n_disagreed: int


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """Judgements of judgements: for the purpose of audit, and never a label."""

    ledger: Ledger
    now: Now
    mint: Mint

    def today(self, project_id: int, owner: str, each: int = EACH) -> list[Look]:
        """Up to `each` labels of every reviewer but the owner, from the seven days before today (UTC).

        The day is the seed: asked again today, these are the same. What was looked at before today is not asked again.

        Raises:
            Invalid: `each` is not 1 to 50.
        """
        if not 1 <= each <= _MOST:
            raise Invalid(f"Between 1 and {_MOST} labels of each reviewer can be looked at.", field="each")
        day = _midnight(self.now())
        with self.ledger.read(project_id) as tx:
            picked = spot_check(
                tx.spot_checks.list_labels(day - WINDOW, day, day), each, seed=day.date().isoformat(), owner=owner
            )
            said = {(check.label_id, check.annotator): check for check in tx.spot_checks.list_since(day)}
        return [
            Look(annotator=annotator, label=label, check=said.get((label.id, annotator)))
            for annotator, labels in picked.items()
            for label in labels
        ]

    def judge(self, project_id: int, label_id: str, annotator: str, owner: str, *, agrees: bool) -> Check:
        """Say whether a reviewer's label is what the owner would have said. The label stays as it is.

        Raises:
            NotHere: no such label stands, or it is not this reviewer's.
            Conflict: it is the owner's own.
        """
        check_annotator(owner)
        if owner == annotator:
            raise Conflict("Nobody checks their own labels.")
        with self.ledger.begin(project_id) as tx:
            label = _label(tx, label_id)
            if annotator not in label.annotators:
                raise NotHere(f"Label {label_id!r} is not one of {annotator}'s.")
            check = Check(
                id=self.mint(),
                label_id=label_id,
                annotator=annotator,
                checked_by=owner,
                at=self.now(),
                agrees=agrees,
            )
            tx.spot_checks.add(check)
            self._audit(tx, owner, "label.check", label_id, f"{'agrees' if agrees else 'disagrees'} with {annotator}")
            return check

    def undo(self, project_id: int, owner: str) -> Check:
        """Take the owner's last check back.

        Raises:
            Conflict: there is none from today.
        """
        with self.ledger.begin(project_id) as tx:
            last = tx.spot_checks.find_last(owner)
            if last is None or last.at < _midnight(self.now()):
                raise Conflict("There is no check of today to take back.")
            tx.spot_checks.take_back(last.id, self.now())
            return last

    def send_back(self, project_id: int, label_id: str, owner: str) -> str:
        """Let people judge the entry of a label again; the label stands no more. The id of the entry.

        Raises:
            NotHere: no such label stands.
        """
        check_annotator(owner)
        with self.ledger.begin(project_id) as tx:
            entry = tx.queue.lock(_label(tx, label_id).entry_id)
            label = _label(tx, label_id)
            tx.annotations.supersede_label(label.id, self.now())
            judge_again(tx, entry, self.now(), passed_by=label.annotators[-1])
            self._audit(tx, owner, "label.requeue", label.id, f"queue entry {entry.id}")
            return entry.id

    def agreement(self, project_id: int) -> list[Reviewed]:
        """How often the owners agreed with each reviewer in the last ninety days, by name."""
        with self.ledger.read(project_id) as tx:
            checks = tx.spot_checks.list_since(self.now() - _COUNTED)
        by_annotator: dict[str, list[Check]] = defaultdict(list)
        for check in checks:
            by_annotator[check.annotator].append(check)
        return [_reviewed(annotator, by_annotator[annotator]) for annotator in sorted(by_annotator)]

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _label(tx: Tx, label_id: str) -> Label:
    found = tx.fixes.find_labels([label_id]).get(label_id)
    if found is None:
        raise NotHere(f"No label {label_id!r} stands in this project.")
    return found


def _reviewed(annotator: str, checks: Sequence[Check]) -> Reviewed:
    n_agreed = sum(check.agrees for check in checks)
    return Reviewed(
        annotator=annotator,
        agreement=rate(n_agreed, len(checks), of="labels looked at"),
        n_disagreed=len(checks) - n_agreed,
    )


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)

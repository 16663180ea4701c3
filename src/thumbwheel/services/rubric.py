"""Rubric: the owner's desk. The codebook and its versions, disputes to decide, and what the queue is stuck with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from thumbwheel.annotate import codebook as codebooks
from thumbwheel.annotate.example import EXAMPLE
from thumbwheel.annotate.reviewer import check_annotator
from thumbwheel.annotate.settle import Decision, adjudicate, check_decision
from thumbwheel.domain.annotation import Judgement, Label, Settled
from thumbwheel.domain.codebook import Codebook, CodebookVersion
from thumbwheel.domain.person import Role
from thumbwheel.domain.queue import Waiting
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Conflict, NotHere
from thumbwheel.keep.labels import keep_label
from thumbwheel.ports import Mint, Now
from thumbwheel.store import queue
from thumbwheel.store.annotations import OpenDispute, Place
from thumbwheel.store.leases import Skip
from thumbwheel.store.ledger import Ledger, Tx

#: How far back somebody must have annotated to count among those an entry could still go to.
_ACTIVE = timedelta(days=30)
#: How many entries an export reads at a time.
_STRIDE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A waiting entry that somebody skipped, for the owner."""

    waiting: Waiting
    skips: Sequence[Skip]
    #: Whether everybody who could take it has judged or skipped it: it waits for the owner to assign or drop it.
    nobody_left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What publishing a codebook would change."""

    #: The version it would replace; None when it is the first.
    current: CodebookVersion | None
    new: Codebook
    changes: codebooks.Changes | None
    #: Ids of the categories whose labels it quarantines, and how many labels that are.
    quarantined: frozenset[str]
    n_quarantined: int


@dataclass(frozen=True, slots=True)
class Rubric:
    """What the owner of the rubric sees and decides."""

    ledger: Ledger
    now: Now
    mint: Mint

    # --- the queue

    def waiting(self, project_id: int, limit: int, after: queue.Place | None = None) -> list[Waiting]:
        """What waits, first added first."""
        with self.ledger.read(project_id) as tx:
            return tx.queue.list_waiting(limit, after)

    def count_waiting(self, project_id: int) -> int:
        """How many entries wait."""
        with self.ledger.read(project_id) as tx:
            return tx.queue.count_waiting()

    def skipped(self, project_id: int, limit: int = 100) -> list[Skipped]:
        """Waiting entries that somebody skipped, longest waiting first."""
        with self.ledger.read(project_id) as tx:
            signed_up = {person.name for person in tx.people.list_people() if person.role.allows(Role.annotator)}
            reviewers = signed_up | set(tx.annotations.list_annotators(self.now() - _ACTIVE))
            skipped = tx.leases.list_skipped(limit)
            judged = tx.annotations.list_by_entry([waiting.entry.id for waiting, _ in skipped])
        found = []
        for waiting, skips in skipped:
            passed = {one.annotator for one in judged[waiting.entry.id]} | {skip.annotator for skip in skips}
            found.append(Skipped(waiting=waiting, skips=skips, nobody_left=reviewers <= passed))
        return found

    def export(self, project_id: int, actor: str) -> Iterator[tuple[Waiting, Trace | None]]:
        """Everything that waits, first added first, each entry with its trace if that is still here."""
        after: queue.Place | None = None
        with self.ledger.begin(project_id) as tx:
            self._audit(tx, actor, "queue.export", "every waiting entry", None)
        while page := self._page_with_traces(project_id, after):
            yield from page
            last = page[-1][0].entry
            after = (last.added_at, last.serve_rank, last.id)

    def _page_with_traces(self, project_id: int, after: queue.Place | None) -> list[tuple[Waiting, Trace | None]]:
        with self.ledger.read(project_id) as tx:
            page = tx.queue.list_waiting(_STRIDE, after)
            traces = tx.traces.list_whole([each.trace_ref for each in page])
        return [(each, traces.get(each.trace_ref)) for each in page]

    def drop(self, project_id: int, entry_ids: Sequence[str], why: str) -> list[str]:
        """Take entries out of the queue without a judgement; the ids of those that waited."""
        with self.ledger.begin(project_id) as tx:
            return tx.queue.drop(entry_ids, why, self.now())

    def assign(self, project_id: int, entry_ids: Sequence[str], annotator: str | None) -> list[str]:
        """Keep waiting entries for one annotator, also if they skipped them, or for anybody; the ids of those that wait.

        Raises:
            Invalid: this is no name for an annotator.
        """
        if annotator is not None:
            check_annotator(annotator)
        with self.ledger.begin(project_id) as tx:
            return tx.queue.assign(entry_ids, annotator or "")

    # --- disputes

    def count_disputes(self, project_id: int) -> int:
        """How many disputes nobody has decided."""
        with self.ledger.read(project_id) as tx:
            return tx.tallies.count_disputes()

    def find_dispute(self, project_id: int, dispute_id: str) -> OpenDispute | None:
        """A dispute nobody has decided, or None when there is none with this id."""
        with self.ledger.read(project_id) as tx:
            return tx.annotations.find_open(dispute_id)

    def disputes(self, project_id: int, limit: int, after: Place | None = None) -> list[OpenDispute]:
        """Disputes nobody has decided, first opened first."""
        with self.ledger.read(project_id) as tx:
            return tx.annotations.list_disputes(limit, after)

    def adjudicate(self, project_id: int, dispute_id: str, owner: str, judgement: Judgement) -> Label:
        """Decide a dispute: the owner's decision is the label, and every annotation stays.

        The same decision again is the same label.

        Raises:
            NotHere: there is no such dispute.
            Conflict: somebody has decided otherwise, or an annotation was taken back.
            Invalid: the decision cannot be one under its codebook version.
        """
        check_annotator(owner)
        with self.ledger.begin(project_id) as tx:
            dispute = tx.annotations.get_dispute(dispute_id)
            tx.queue.lock(dispute.entry_id)
            version, codebook = tx.codebooks.stamp(judgement.codebook_version)
            decision = Decision(
                verdict=judgement.verdict,
                categories=judgement.categories,
                decided_by=owner,
                codebook_version=version,
                critique=judgement.critique,
                corrected_output=judgement.corrected_output,
            )
            check_decision(decision, codebook)
            last = tx.annotations.find_last_label(dispute.entry_id)
            opened = tx.annotations.find_open(dispute_id)
            if opened is None:
                return _decided_before(last, decision)
            supersedes = last[0].id if last else None
            label = adjudicate(
                dispute, opened.annotations, decision, new_id=self.mint(), now=self.now(), supersedes=supersedes
            )
            tx.annotations.close_disputes(dispute.entry_id, self.now())
            keep_label(tx, label, self.now())
            self._audit(tx, owner, "dispute.decide", dispute.id, None)
            return label

    # --- the codebook

    @staticmethod
    def example() -> str:
        """A commented codebook to start from, as YAML."""
        return EXAMPLE

    @staticmethod
    def check(data: object) -> Codebook:
        """A codebook from parsed YAML or JSON.

        Raises:
            CodebookInvalid: with every fault at once.
        """
        return codebooks.check(data)

    def codebook(self, project_id: int, version: int | None = None) -> CodebookVersion | None:
        """One published version; the current one, or None before the first, when no number is given.

        Raises:
            NotHere: there is no such version.
        """
        with self.ledger.read(project_id) as tx:
            return tx.codebooks.find_current() if version is None else tx.codebooks.get(version)

    def codebooks(self, project_id: int) -> list[CodebookVersion]:
        """Every published version, newest first."""
        with self.ledger.read(project_id) as tx:
            return tx.codebooks.list_versions()

    def amended(self, project_id: int, category_id: str, meaning: Mapping[str, str]) -> dict[str, object]:
        """The current codebook as data, with other texts for what one category means: for `revise` and `publish`.

        Raises:
            NotHere: there is no such category in the current version.
        """
        current = self.codebook(project_id)
        categories = [asdict(category) for category in current.codebook.categories] if current else []
        if current is None or category_id not in {category["id"] for category in categories}:
            raise NotHere(f"The current codebook has no category {category_id!r}.")
        texts = {field: text for field, text in meaning.items() if field in codebooks.MEANING}
        return {
            "name": current.codebook.name,
            "question": current.codebook.question,
            "categories": [one | (texts if one["id"] == category_id else {}) for one in categories],
        }

    def revise(self, project_id: int, data: object) -> Revision:
        """What publishing this codebook would change and quarantine; nothing is stored.

        Raises:
            CodebookInvalid: with every fault at once.
        """
        new = codebooks.check(data)
        with self.ledger.read(project_id) as tx:
            current = tx.codebooks.find_current()
            if current is None:
                return Revision(current=None, new=new, changes=None, quarantined=frozenset(), n_quarantined=0)
            old = current.codebook
            hit = len(_touched(tx, old, new))
        return Revision(
            current=current,
            new=new,
            changes=codebooks.diff(old, new),
            quarantined=codebooks.quarantined(old, new),
            n_quarantined=hit,
        )

    def publish(
        self, project_id: int, data: object, published_by: str, note: str = "", *, base: int | None = None
    ) -> CodebookVersion:
        """Publish a codebook as the next version, and set aside every label that says what it no longer means.

        `base` is the version it was written from, 0 for none: with it, nobody's revision in between is lost.

        Raises:
            CodebookInvalid: with every fault at once.
            Conflict: it is the current version, or somebody else published since `base` or at the same moment.
        """
        codebook = codebooks.check(data)
        with self.ledger.begin(project_id) as tx:
            tx.codebooks.hold_alone()
            current = tx.codebooks.find_current()
            if base is not None and base != (current.version if current else 0):
                raise Conflict("Somebody else published a version since you began; look at it first.")
            if current is not None and current.codebook == codebook:
                raise Conflict(f"This codebook is version {current.version} already; nothing was published.")
            version = CodebookVersion(
                version=current.version + 1 if current else 1,
                codebook=codebook,
                published_at=self.now(),
                published_by=published_by,
                note=note,
            )
            if not tx.codebooks.add(version):
                raise Conflict("Somebody else published a version at the same moment; look at it first.")
            if current is not None:
                tx.quarantines.add(_touched(tx, current.codebook, codebook), version.version, self.now())
            self._audit(tx, published_by, "codebook.publish", str(version.version), note or None)
            return version

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str | None) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _touched(tx: Tx, old: Codebook, new: Codebook) -> list[str]:
    """Ids of the standing labels that this revision sets aside."""
    return tx.quarantines.list_touched(None if codebooks.diff(old, new).question else codebooks.quarantined(old, new))


def _decided_before(last: tuple[Label, datetime | None] | None, decision: Decision) -> Label:
    """The label of a decision that comes a second time."""
    if last is not None and last[0].settled is Settled.adjudicated:
        label, _ = last
        said = (label.verdict, frozenset(label.categories), label.decided_by)
        if said == (decision.verdict, frozenset(decision.categories), decision.decided_by):
            return label
    raise Conflict("This dispute is closed: it was decided, or an annotation was taken back.")

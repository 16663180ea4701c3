"""Coding: notes of open coding, sorted into groups until they are categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thumbwheel.annotate.axial import Draft, codebook_data, drafts
from thumbwheel.annotate.codebook import FREE_KEYS, MAX_NAME, MAX_TEXT
from thumbwheel.annotate.grouping import MOST_NOTES, modes, proposal, unsorted
from thumbwheel.annotate.saturation import Curve, saturation
from thumbwheel.domain.annotation import Annotation
from thumbwheel.domain.codebook import CodebookVersion
from thumbwheel.domain.note import Group, Grouping, Note
from thumbwheel.errors import Conflict, Invalid
from thumbwheel.keep.labels import judge_again
from thumbwheel.ports import Alike, Mint, Now
from thumbwheel.store.ledger import Ledger, Tx

__all__ = ["MOST_CATEGORIES", "Coding", "Curve", "Desk", "Draft", "sort_notes"]

#: As many categories as there are letters to choose them by.
MOST_CATEGORIES = len(FREE_KEYS)
#: Groups a person may have at once, before they merge.
_MOST_GROUPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Every note, how the notes are sorted, and what a codebook made of that would say."""

    #: First written first.
    notes: Sequence[Note]
    grouping: Grouping
    #: How often a person changed the grouping; 0: it is the suggestion.
    revision: int
    #: Notes in no group and not left out.
    unsorted: Sequence[Note]
    #: By group id, for groups that have notes.
    drafts: Mapping[str, Draft]
    curve: Curve
    #: Notes before the first of these, which are too many to group.
    n_older: int = 0
    #: The version that ended open coding; None while it goes on.
    ended_by: CodebookVersion | None = None

    def codebook(self, name: str) -> dict[str, Any]:
        """The grouping as a codebook file's data, unchecked; `name` for one that has none."""
        return codebook_data(self.grouping, self.drafts, name=name)


def sort_notes(notes: Sequence[Note], alike: Alike) -> Desk:
    """Notes from anywhere, sorted by how alike they read; nothing is stored."""
    kept = notes[-MOST_NOTES:]
    return _desk(kept, alike, None, n_older=len(notes) - len(kept))


@dataclass(frozen=True, slots=True)
class Coding:
    """From free notes to the first categories."""

    ledger: Ledger
    now: Now
    mint: Mint
    #: How alike notes read.
    alike: Alike

    def desk(self, project_id: int, *, anew: bool = False) -> Desk:
        """The notes as they are sorted: by the owner so far, else (or when `anew`) by how alike they read."""
        with self.ledger.read(project_id) as tx:
            ended = _ended_by(tx)
            notes = _notes(tx, ended)
            kept = None if anew else tx.notes.find_grouping()
            asked = tx.codebooks.find_current() if ended is None else None
        older = max(len(notes) - MOST_NOTES, 0)
        return _desk(notes[older:], self.alike, kept, n_older=older, ended_by=ended, asked=asked)

    def count(self, project_id: int) -> int:
        """How many notes there are."""
        with self.ledger.read(project_id) as tx:
            return len(_notes(tx, _ended_by(tx)))

    def sort(self, project_id: int, grouping: Grouping, revision: int, by: str) -> Desk:
        """Keep a grouping in place of the one with this revision. Notes it names that are not here are left away.

        Raises:
            Invalid: a note is in two places, or a group's id twice, or a text is too long.
            Conflict: somebody else has sorted since, or a codebook with categories is published.
        """
        _check(grouping)
        with self.ledger.begin(project_id) as tx:
            ended = _ended_by(tx)
            if ended is not None:
                raise Conflict(f"Version {ended.version} of the codebook has categories; notes are sorted before that.")
            notes = _notes(tx, None)
            known = {note.id for note in notes}
            kept = _known(grouping, known)
            if not tx.notes.put_grouping(kept, revision, by, self.now()):
                raise Conflict("Somebody else has sorted these notes since; reload to see how.")
            asked = tx.codebooks.find_current()
        older = max(len(notes) - MOST_NOTES, 0)
        return _desk(notes[older:], self.alike, (revision + 1, kept), n_older=older, asked=asked)

    def start_over(self, project_id: int, by: str) -> None:
        """Forget how the notes were sorted, so that they are sorted by how alike they read; no note is lost."""
        with self.ledger.begin(project_id) as tx:
            tx.notes.drop_grouping()
            self._audit(tx, by, "notes.start_over", "grouping", None)

    def to_judge(self, project_id: int) -> int:
        """How many entries were said to fail in open coding, and could get a category by a second look."""
        with self.ledger.read(project_id) as tx:
            return len(_to_judge(tx))

    def requeue(self, project_id: int, by: str) -> int:
        """Ask people again, under the codebook, what they noted without it; how many entries that puts in the queue.

        Each label stands until another replaces it, for its verdict holds; its note says nothing a label may say.

        Raises:
            Conflict: no codebook with categories is published.
        """
        with self.ledger.begin(project_id) as tx:
            ended = _ended_by(tx)
            if ended is None:
                raise Conflict("No codebook with categories is published yet, so there is nothing to ask anew.")
            entries = [tx.queue.lock(entry_id) for entry_id in _to_judge(tx)]
            for entry in entries:
                judge_again(tx, entry, self.now())
                self._audit(tx, by, "note.requeue", entry.id, f"under codebook version {ended.version}")
            return len(entries)

    def _audit(self, tx: Tx, actor: str, action: str, subject: str, why: str | None) -> None:
        tx.people.audit(
            tx.project_id, id=self.mint(), actor=actor, action=action, subject=subject, at=self.now(), why=why
        )


def _ended_by(tx: Tx) -> CodebookVersion | None:
    """The first version that has categories."""
    versions = reversed(tx.codebooks.list_versions())
    return next((version for version in versions if version.codebook.categories), None)


def _notes(tx: Tx, ended: CodebookVersion | None) -> list[Note]:
    made = tx.notes.list_open_failures(ended.published_at if ended else None)
    return [_note(one, one.critique) for one in made if one.critique and one.critique.strip()]


def _note(annotation: Annotation, text: str) -> Note:
    return Note(
        id=annotation.id,
        trace_id=annotation.trace_id,
        annotator=annotation.annotator,
        text=text.strip(),
        at=annotation.at,
    )


def _to_judge(tx: Tx) -> list[str]:
    """Entries that are settled, or half settled, on failures without a category.

    What is before the owner as a dispute, or left the queue, is not among them; nor what people are being asked about
    again, since what was said of it counts no more.
    """
    ended = _ended_by(tx)
    if ended is None:
        return []
    standing = {one.entry_id for one in tx.notes.list_open_failures(None)}
    settled = {label.entry_id for label in tx.notes.list_open_labels(ended.published_at)}
    return sorted(standing & settled | tx.notes.find_waiting(standing - settled))


def _desk(
    notes: Sequence[Note],
    alike: Alike,
    kept: tuple[int, Grouping] | None,
    *,
    n_older: int,
    ended_by: CodebookVersion | None = None,
    asked: CodebookVersion | None = None,
) -> Desk:
    """Under the name and the question of what is `asked` already, where the owner gave no other."""
    similar = alike([note.text for note in notes])
    revision, grouping = kept or (0, proposal(notes, similar))
    grouping = _known(grouping, {note.id for note in notes})
    if asked is not None:
        name, question = grouping.name or asked.codebook.name, grouping.question or asked.codebook.question
        grouping = replace(grouping, name=name, question=question)
    return Desk(
        notes=notes,
        grouping=grouping,
        revision=revision,
        unsorted=unsorted(grouping, notes),
        drafts=drafts(grouping, notes, similar),
        curve=saturation(modes(grouping, notes)),
        n_older=n_older,
        ended_by=ended_by,
    )


def _known(grouping: Grouping, ids: set[str]) -> Grouping:
    def here(note_ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(note_id for note_id in note_ids if note_id in ids)

    groups = tuple(replace(group, note_ids=here(group.note_ids)) for group in grouping.groups)
    return replace(grouping, groups=groups, left_out=here(grouping.left_out))


def _check(grouping: Grouping) -> None:
    places = Counter(note_id for group in grouping.groups for note_id in group.note_ids)
    places.update(grouping.left_out)
    if any(times > 1 for times in places.values()):
        raise Invalid("A note is in two places.", field="groups")
    if len(grouping.groups) > _MOST_GROUPS:
        raise Invalid(f"{len(grouping.groups)} groups are more than {_MOST_GROUPS}.", field="groups")
    if len({group.id for group in grouping.groups}) < len(grouping.groups):
        raise Invalid("A group is there twice.", field="groups")
    for place, group in enumerate(grouping.groups):
        _check_texts(group, f"groups.{place}")


def _check_texts(group: Group, place: str) -> None:
    if len(group.name) > MAX_NAME:
        raise Invalid(f"A name has at most {MAX_NAME} characters.", field=f"{place}.name")
    for field in ("definition", "positive", "negative", "edge_case"):
        if len(getattr(group, field)) > MAX_TEXT:
            raise Invalid(f"This text has at most {MAX_TEXT} characters.", field=f"{place}.{field}")
    if group.key and group.key not in FREE_KEYS:
        raise Invalid("This letter is not one a category may have.", field=f"{place}.key")

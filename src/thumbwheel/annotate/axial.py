"""From groups of notes to a codebook: every text a category needs, drafted from the notes, for its owner to rewrite."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thumbwheel.annotate.codebook import MAX_ID, MAX_NAME
from thumbwheel.annotate.grouping import Floats
from thumbwheel.annotate.naming import characteristic, name_of
from thumbwheel.domain.note import Group, Grouping, Note

#: What reviewers are asked while there is no codebook.
QUESTION = "Is this answer good enough?"
#: Characters of a note that an example quotes.
_QUOTED = 400

_UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a group would be as a category if nobody wrote more; every text is one the codebook's check accepts."""

    name: str
    definition: str
    positive: str
    negative: str
    edge_case: str
    #: Characteristic words, best first.
    words: tuple[str, ...]


def drafts(grouping: Grouping, notes: Sequence[Note], alike: Floats) -> dict[str, Draft]:
    """A draft for each group that has notes, by group id.

    The positive example is the note most like the others of its group. The negative and the edge case are the two
    notes outside that are most like the group: near misses, by how they read; whether and why they are not in
    it is for a person to say. `alike` are the cosine similarities of the notes, in their order.
    """
    place = {note.id: row for row, note in enumerate(notes)}
    named = {note_id: group for group in grouping.groups for note_id in group.note_ids}
    made = {}
    for group in grouping.groups:
        inside = [place[note_id] for note_id in group.note_ids if note_id in place]
        if inside:
            made[group.id] = _draft(inside, notes, alike, named)
    return made


def _draft(inside: list[int], notes: Sequence[Note], alike: Floats, named: Mapping[str, Group]) -> Draft:
    texts = [notes[row].text for row in inside]
    everything = [note.text for note in notes]
    words = [_keepable(word) for word in characteristic(texts, everything, 5)]
    to_group = alike[:, inside].mean(axis=1)
    nearest = [int(row) for row in np.argsort(-to_group, kind="stable")]
    typical = next(row for row in nearest if row in inside)
    misses = [_miss(notes[row], named) for row in nearest if row not in inside][:2]
    said = ", ".join(f"“{word}”" for word in words) or "words of their own"
    several = "1 note says" if len(texts) == 1 else f"{len(texts)} notes say"
    second = f"a near miss by its words: {misses[1]}" if len(misses) > 1 else "no second near miss was noted yet."
    return Draft(
        name=_keepable(name_of(texts, everything)) or "Without words",
        definition=f"Draft: {several} it with {said}. Write what two people would decide alike.",
        positive=_quoted(notes[typical].text),
        negative=misses[0] if misses else "Draft: no note is outside this group yet.",
        edge_case=f"Draft: {second}",
        words=tuple(words),
    )


def _miss(note: Note, named: Mapping[str, Group]) -> str:
    group = named.get(note.id)
    where = f"that is {_keepable(group.name)}" if group and group.name else "that stands on its own"
    return f"{_quoted(note.text)}: {where}."


def codebook_data(grouping: Grouping, drafted: Mapping[str, Draft], *, name: str) -> dict[str, object]:
    """The grouping as a codebook file's data, for the codebook's own check. Groups without notes are left away."""
    ids: list[str] = []
    categories: list[dict[str, str]] = []
    names = [group.name.strip() for group in grouping.groups]
    for group in grouping.groups:
        draft = drafted.get(group.id)
        if draft is None:
            continue
        category = {field: getattr(group, field).strip() or getattr(draft, field) for field in _TEXTS}
        if not group.name.strip():
            category["name"] = _unlike(draft.name, [*names, *(each["name"] for each in categories)])
        category["id"] = slug(category["name"], ids)
        ids.append(category["id"])
        categories.append({"id": category.pop("id"), **category} | ({"key": group.key} if group.key else {}))
    return {"name": grouping.name.strip() or name, "question": grouping.question.strip() or QUESTION} | {
        "categories": categories
    }


_TEXTS = ("name", "definition", "positive", "negative", "edge_case")


def slug(name: str, taken: Sequence[str] = ()) -> str:
    """An id for a category of this name that no other has.

    >>> slug("Wrong fact!"), slug("Wrong, fact", ["wrong-fact"]), slug("Ответ")
    ('wrong-fact', 'wrong-fact-2', 'mode')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: MAX_ID - 4].strip("-") or "mode"
    free = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in free if each not in taken)


def _unlike(name: str, others: Sequence[str]) -> str:
    """A drafted name, with a number where it is taken."""
    taken = {each.casefold() for each in others}
    numbered = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
    return next(each for each in numbered if each.casefold() not in taken)


def _quoted(text: str) -> str:
    flat = _keepable(text)
    return f"“{flat if len(flat) <= _QUOTED else flat[: _QUOTED - 1] + '…'}”"


def _keepable(text: str) -> str:
    """On one line, without what no store keeps and no page shows."""
    return " ".join(_UNKEEPABLE.sub(" ", text).split())[: max(_QUOTED + 1, MAX_NAME)]

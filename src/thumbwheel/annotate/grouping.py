"""Which notes say the same: groups found by how alike they read, for a person to move, merge and name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thumbwheel.annotate.codebook import FREE_KEYS
from thumbwheel.annotate.naming import name_of
from thumbwheel.domain.note import Group, Grouping, Note

Floats = npt.NDArray[np.float64]

#: More notes than this say nothing new about how an application fails; the latest are grouped.
MOST_NOTES = 2_000
#: Groups looked for at most: a codebook has 17 letters, and a person merges more easily than they split.
MOST_GROUPS = 24
#: A group has as many notes on average, or it is a list and no grouping.
NOTES_EACH = 3
#: Below this silhouette nothing is alike: every note stands on its own.
_NOTHING = 1e-6


def clusters(alike: Floats) -> list[list[int]]:
    """Groups of notes by their cosine similarities (n x n, in [-1, 1]), the largest first; every note is in one.

    Average linkage on 1 - similarity, cut where the mean silhouette is greatest
    (Rousseeuw 1987, *J. Comput. Appl. Math.* 20:53-65), with at most `MOST_GROUPS`
    groups of `NOTES_EACH` notes on average. The same similarities give the same
    groups: there is no chance in it.

    >>> import numpy as np
    >>> clusters(np.kron(np.eye(2), np.ones((3, 3))))
    [[0, 1, 2], [3, 4, 5]]
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    n = len(alike)
    away = np.clip(1.0 - (alike + alike.T) / 2, 0.0, 2.0)
    np.fill_diagonal(away, 0.0)
    if n < 2 or away.max() <= _NOTHING:
        return [list(range(n))] if n else []
    tree = linkage(squareform(away, checks=False), "average")
    best, found = _NOTHING, np.arange(n)
    for k in range(2, min(MOST_GROUPS, max(n // NOTES_EACH, min(n - 1, 4))) + 1):
        cut = fcluster(tree, k, "maxclust")
        if (score := _silhouette(away, cut)) > best + 1e-12:
            best, found = score, cut
    members = [[int(note) for note in np.flatnonzero(found == one)] for one in np.unique(found)]
    return sorted(members, key=lambda each: (-len(each), each[0]))


def _silhouette(away: Floats, cut: npt.NDArray[Any]) -> float:
    """Mean of (b - a) / max(a, b), a note alone in its group counting 0.

    a is a note's mean distance to the others of its group, b to those of the nearest other group.
    """
    kinds, where = np.unique(cut, return_inverse=True)
    if len(kinds) < 2:
        return 0.0
    member = np.eye(len(kinds))[where]
    sizes = member.sum(axis=0)
    total = away @ member
    own = np.take_along_axis(total, where[:, np.newaxis], axis=1)[:, 0] / np.maximum(sizes[where] - 1, 1)
    others = np.where(member > 0, np.inf, total / sizes)
    nearest = others.min(axis=1)
    alone = sizes[where] == 1
    return float(np.where(alone, 0.0, (nearest - own) / np.maximum(np.maximum(own, nearest), 1e-12)).mean())


def proposal(notes: Sequence[Note], alike: Floats) -> Grouping:
    """Groups of two notes and more, named by their characteristic words; a note that is like no other is not sorted."""
    found = [members for members in clusters(alike) if len(members) > 1]
    texts = [note.text for note in notes]
    names = [name_of([texts[member] for member in members], texts) for members in found]
    names = [name if names.index(name) == place else "" for place, name in enumerate(names)]
    groups = [
        Group(id=f"g{number}", note_ids=tuple(notes[member].id for member in members), name=name, key=key)
        for number, (members, name, key) in enumerate(zip(found, names, letters(names), strict=True), 1)
    ]
    return Grouping(groups=tuple(groups))


def letters(names: Sequence[str]) -> list[str]:
    """A letter for each name, as a codebook gives them: the first of its own that is free, then of the alphabet.

    >>> letters(["Wrong fact", "Wrong tone", "No"])
    ['w', 'r', 'n']
    """
    given: list[str] = []
    for name in names:
        wanted = (*name.lower(), *FREE_KEYS)
        given.append(next((letter for letter in wanted if letter in FREE_KEYS and letter not in given), ""))
    return given


def unsorted(grouping: Grouping, notes: Sequence[Note]) -> list[Note]:
    """The notes that are in no group and not left out."""
    placed = {note_id for group in grouping.groups for note_id in group.note_ids} | set(grouping.left_out)
    return [note for note in notes if note.id not in placed]


def modes(grouping: Grouping, notes: Sequence[Note]) -> list[str | None]:
    """What each note brings, in the order of the notes: its group, itself when it is not sorted, None when left out.

    A note nobody has put beside another counts as a failure mode of its own, so that a curve
    of new modes never flattens because the sorting is behind.
    """
    group_of = {note_id: group.id for group in grouping.groups for note_id in group.note_ids}
    out = set(grouping.left_out)
    return [None if note.id in out else group_of.get(note.id, f"note {note.id}") for note in notes]

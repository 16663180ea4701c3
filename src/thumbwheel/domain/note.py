"""Notes of open coding, sorted into groups. A group may become a category; a note never becomes anything by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote about a failure before there was a category to put it in."""

    #: The annotation's.
    id: str
    trace_id: str
    annotator: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Notes that say the same went wrong. Texts left empty are drafted from its notes each time they are asked for."""

    #: Unique within the grouping.
    id: str
    note_ids: tuple[str, ...]
    name: str = ""
    definition: str = ""
    positive: str = ""
    negative: str = ""
    edge_case: str = ""
    #: The letter that will choose it; empty leaves the choice to the codebook.
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How the notes of a project are sorted. A note in no group and not left out is not sorted yet."""

    groups: tuple[Group, ...] = ()
    #: Notes that say nothing a category could be made of.
    left_out: tuple[str, ...] = ()
    #: Of the codebook it may become; empty for the usual.
    name: str = ""
    question: str = ""

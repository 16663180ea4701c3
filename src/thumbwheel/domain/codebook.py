"""The codebook: the rubric people judge by, published as immutable versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One failure mode, defined well enough that two people read it alike."""

    id: str
    name: str
    definition: str
    #: An example that is in it.
    positive: str
    #: An example that is not.
    negative: str
    #: A near miss that is not in it, and why.
    edge_case: str
    #: The letter that chooses it on the annotation page.
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """The rubric as written: one question, answered pass or fail, and the ways to fail."""

    name: str
    question: str
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookVersion:
    """A published codebook: numbered from 1, never changed."""

    version: int
    codebook: Codebook
    published_at: datetime
    published_by: str
    #: What was changed, in the publisher's words.
    note: str = ""

"""People and programs that may use a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each role may do what the ones before it may."""

    viewer = "viewer"
    annotator = "annotator"
    owner = "owner"
    admin = "admin"

    def allows(self, other: Role) -> bool:
        """Whether a person with this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Scope(StrEnum):
    """What an API key may do."""

    ingest = "ingest"
    read = "read"
    annotate = "annotate"
    admin = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who signs in."""

    id: str
    name: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key pair of one project; the secret itself is kept only as a hash."""

    id: str
    project: str
    public_key: str
    scopes: frozenset[Scope]
    created_at: datetime

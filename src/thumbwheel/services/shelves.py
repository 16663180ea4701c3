"""Shelves: what other tools' clients keep here to read it back. Nothing of ours follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from thumbwheel.errors import Conflict, NotHere
from thumbwheel.ports import Mint, Now
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.shelves import Shelved

__all__ = ["Shelved", "Shelves"]

#: How long what has expired stays.
LINGERS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Shelves:
    """Keeps things for those who sent them, and gives them back."""

    ledger: Ledger
    now: Now
    mint: Mint

    def put(
        self,
        project_id: int,
        kind: str,
        body: Mapping[str, Any],
        *,
        id: str | None = None,
        within: str = "",
        expires_at: datetime | None = None,
    ) -> Shelved:
        """Keep a thing, under a new id when it has none; of one that is here already only what `body` gives changes.

        What expires is taken off `LINGERS` later: until then whoever asks for it can be told so.

        Raises:
            Conflict: the id is that of a part of something else.
        """
        with self.ledger.begin(project_id) as tx:
            before = None if id is None else tx.shelf.find(kind, id)
            if before is not None and before.within != within:
                raise Conflict(f"{id!r} is part of {before.within!r}.", field="id")
            now = self.now()
            thing = Shelved(
                kind=kind,
                id=id or self.mint(),
                within=within,
                created_at=before.created_at if before else now,
                updated_at=now,
                expires_at=expires_at,
                body={**(before.body if before else {}), **body},
            )
            tx.shelf.put(thing)
            return thing

    def find(self, project_id: int, kind: str, id: str) -> Shelved | None:
        """A thing by its id."""
        with self.ledger.read(project_id) as tx:
            return tx.shelf.find(kind, id)

    def get(self, project_id: int, kind: str, id: str) -> Shelved:
        """A thing by its id.

        Raises:
            NotHere: there is none.
        """
        found = self.find(project_id, kind, id)
        if found is None:
            raise NotHere(f"There is no {kind} {id!r} in this project.")
        return found

    def list_within(
        self, project_id: int, kind: str, within: str = "", limit: int = 1000, offset: int = 0
    ) -> list[Shelved]:
        """Things of a kind that are part of the same, first kept first."""
        with self.ledger.read(project_id) as tx:
            return tx.shelf.list_page(kind, within, limit, offset)

    def count(self, project_id: int, kind: str, within: str = "") -> int:
        """How many there are."""
        with self.ledger.read(project_id) as tx:
            return tx.shelf.count(kind, within)

    def remove(self, project_id: int, kind: str, id: str) -> None:
        """Take a thing off.

        Raises:
            NotHere: there is none.
        """
        with self.ledger.begin(project_id) as tx:
            if not tx.shelf.remove(kind, id):
                raise NotHere(f"There is no {kind} {id!r} in this project.")

    def tidy(self) -> int:
        """Take off what expired long ago, in every project; how many there were."""
        with self.ledger.begin(0) as tx:
            return tx.shelf.remove_expired(self.now() - LINGERS)

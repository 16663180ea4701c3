"""Published codebook versions: numbered from 1, written once, never changed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select

from thumbwheel.domain.codebook import Codebook, CodebookVersion
from thumbwheel.errors import NotHere
from thumbwheel.store.engine import insert_new, lock_codebook
from thumbwheel.store.tables import codebooks


class Codebooks:
    """The codebook versions of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, version: CodebookVersion) -> bool:
        """Keep a version; False when its number is taken."""
        row = {
            "project_id": self._project_id,
            "version": version.version,
            "published_at": version.published_at,
            "published_by": version.published_by,
            "note": version.note,
            "body": msgspec.to_builtins(version.codebook),
        }
        return insert_new(self._connection, codebooks, [row]) == 1

    def hold(self) -> None:
        """Let nobody publish a version until this transaction ends. The current version is read after this."""
        lock_codebook(self._connection, self._project_id, alone=False)

    def hold_alone(self) -> None:
        """Let nobody else publish a version, nor settle a label, until this transaction ends."""
        lock_codebook(self._connection, self._project_id, alone=True)

    def find_current(self) -> CodebookVersion | None:
        """The last published version, or None when there is none."""
        statement = self._versions().limit(1)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _version(row)

    def get(self, version: int) -> CodebookVersion:
        """One version.

        Raises:
            NotHere: there is no such version in this project.
        """
        row = self._connection.execute(self._versions().where(codebooks.c.version == version)).one_or_none()
        if row is None:
            raise NotHere(f"There is no codebook version {version} in this project.")
        return _version(row)

    def stamp(self, version: int | None) -> tuple[int, Codebook]:
        """What a judgement is stamped with and checked against: this version, or the current one when None.

        Before the first is published that is 0 and a codebook without categories: pass or fail, and notes.

        Raises:
            NotHere: there is no such version in this project.
        """
        found = self.find_current() if version is None else self.get(version)
        return (found.version, found.codebook) if found else (0, Codebook(name="", question="", categories=()))

    def list_versions(self) -> list[CodebookVersion]:
        """Every version, newest first."""
        return [_version(row) for row in self._connection.execute(self._versions())]

    def _versions(self) -> Select[Any]:
        mine = codebooks.c.project_id == self._project_id
        return select(codebooks).where(mine).order_by(codebooks.c.version.desc())


def _version(row: Row[Any]) -> CodebookVersion:
    return CodebookVersion(
        version=row.version,
        codebook=msgspec.convert(row.body, Codebook),
        published_at=row.published_at,
        published_by=row.published_by,
        note=row.note,
    )

"""Projects, people, API keys, secrets of the installation, and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from thumbwheel.domain.person import ApiKey, Person, Role, Scope
from thumbwheel.store.engine import insert_new
from thumbwheel.store.people_tables import api_keys, audit_log, people, projects, secrets


@dataclass(frozen=True, slots=True)
class Project:
    """A project as stored: everything else belongs to exactly one."""

    id: int
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when, to what, and why."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    why: str | None


class People:
    """Who may use what."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- secrets

    def secret(self, name: str, fresh: bytes) -> bytes:
        """The installation's secret of this name; `fresh` becomes it when there is none yet."""
        insert_new(self._connection, secrets, [{"name": name, "value": fresh}])
        return bytes(self._connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one())

    # --- projects

    def add_project(self, name: str, now: datetime) -> Project:
        """The project of this name, made now if it was not there."""
        insert_new(self._connection, projects, [{"name": name, "created_at": now, "settings": {}}])
        found = self.find_project(name)
        assert found is not None
        return found

    def find_project(self, name: str) -> Project | None:
        """The project of this name."""
        row = self._connection.execute(select(projects).where(projects.c.name == name)).one_or_none()
        return None if row is None else Project(row.id, row.name, row.settings)

    def list_projects(self) -> list[Project]:
        """Every project, by name."""
        rows = self._connection.execute(select(projects).order_by(projects.c.name))
        return [Project(row.id, row.name, row.settings) for row in rows]

    def project_settings(self, project_id: int, *, lock: bool = False) -> dict[str, Any]:
        """What a project chose; empty when there is no such project.

        With `lock`, nobody else who locks it changes it until the transaction ends.
        """
        statement = select(projects.c.settings).where(projects.c.id == project_id)
        statement = statement.with_for_update() if lock else statement
        return self._connection.execute(statement).scalar_one_or_none() or {}

    def set_project(self, project_id: int, settings: dict[str, Any]) -> None:
        """Replace what a project chose."""
        self._connection.execute(update(projects).where(projects.c.id == project_id).values(settings=settings))

    # --- people

    def add(self, person: Person, password_hash: str) -> bool:
        """Add a person; False when the name is taken."""
        row = {
            "id": person.id,
            "name": person.name,
            "role": person.role.value,
            "password_hash": password_hash,
            "created_at": person.created_at,
        }
        return insert_new(self._connection, people, [row]) == 1

    def find(self, name: str) -> tuple[Person, str] | None:
        """A person and the hash of the password, by name."""
        row = self._connection.execute(select(people).where(people.c.name == name)).one_or_none()
        return None if row is None else (_person(row), row.password_hash)

    def find_by_id(self, person_id: str) -> Person | None:
        """A person by id."""
        row = self._connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
        return None if row is None else _person(row)

    def list_people(self) -> list[Person]:
        """Everybody, by name."""
        return [_person(row) for row in self._connection.execute(select(people).order_by(people.c.name))]

    # --- keys

    def add_key(self, key: ApiKey, project_id: int, secret_hash: str) -> None:
        """Add a key pair; of the secret only the hash."""
        row = {
            "id": key.id,
            "project_id": project_id,
            "public_key": key.public_key,
            "secret_hash": secret_hash,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
        }
        insert_new(self._connection, api_keys, [row])

    def find_key(self, *, secret_hash: str | None = None, public_key: str | None = None) -> tuple[int, ApiKey] | None:
        """A key that is not revoked, by its secret's hash or its public half, with its project's number."""
        statement = select(api_keys, projects.c.name).join(projects, projects.c.id == api_keys.c.project_id)
        statement = statement.where(api_keys.c.revoked_at.is_(None))
        if secret_hash is not None:
            statement = statement.where(api_keys.c.secret_hash == secret_hash)
        if public_key is not None:
            statement = statement.where(api_keys.c.public_key == public_key)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else (row.project_id, _key(row))

    def list_signers(self, prefix: str) -> list[tuple[int, ApiKey, str]]:
        """The keys in use whose secret's hash starts so: project number, key and whole hash."""
        rows = self._connection.execute(
            select(api_keys, projects.c.name)
            .join(projects, projects.c.id == api_keys.c.project_id)
            .where(api_keys.c.revoked_at.is_(None))
            .where(api_keys.c.secret_hash.startswith(prefix, autoescape=True))
        )
        return [(row.project_id, _key(row), row.secret_hash) for row in rows]

    def list_keys(self) -> list[ApiKey]:
        """Every key that is not revoked, newest first."""
        rows = self._connection.execute(
            select(api_keys, projects.c.name)
            .join(projects, projects.c.id == api_keys.c.project_id)
            .where(api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.created_at.desc())
        )
        return [_key(row) for row in rows]

    def revoke_key(self, key_id: str, now: datetime) -> bool:
        """Make a key useless; False when there is no such key in use."""
        statement = update(api_keys).where(api_keys.c.id == key_id).where(api_keys.c.revoked_at.is_(None))
        return self._connection.execute(statement.values(revoked_at=now)).rowcount == 1

    # --- audit

    def audit(
        self, project_id: int, *, id: str, actor: str, action: str, subject: str, at: datetime, why: str | None = None
    ) -> None:
        """Write down that somebody did something. Rows are only ever added."""
        row = {"id": id, "project_id": project_id, "at": at, "actor": actor}
        insert_new(self._connection, audit_log, [row | {"action": action, "subject": subject, "why": why}])

    def list_audit(self, project_id: int, limit: int) -> list[AuditRow]:
        """The last `limit` audit rows, newest first."""
        rows = self._connection.execute(
            select(audit_log)
            .where(audit_log.c.project_id == project_id)
            .order_by(audit_log.c.at.desc(), audit_log.c.id.desc())
            .limit(limit)
        )
        return [AuditRow(row.id, row.at, row.actor, row.action, row.subject, row.why) for row in rows]


def _person(row: Row[Any]) -> Person:
    return Person(id=row.id, name=row.name, role=Role(row.role), created_at=row.created_at)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        project=row.name,
        public_key=row.public_key,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
    )

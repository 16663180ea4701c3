"""Who may use what: projects, people, API keys."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as chance
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from pwdlib import PasswordHash

from thumbwheel.domain.person import ApiKey, Person, Role, Scope
from thumbwheel.errors import Conflict, Invalid, NotHere, NotKnown
from thumbwheel.ports import Mint, Now
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.people import AuditRow, Project

#: How long a key found good is taken as good without asking the store again.
_TRUST = timedelta(seconds=5)
_NAME = re.compile(r"[\w][\w .@+-]{0,99}")
_ORIGIN = re.compile(r"\*|https?://(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?|https?://\[[0-9a-f:.]+\](:\d{1,5})?")
_passwords = PasswordHash.recommended()


@cache
def _nobody() -> str:
    """Verified against when there is no such person, so that a wrong name takes as long as a wrong password."""
    return _passwords.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, in which project, and what they may do."""

    project_id: int
    project: str
    #: A person's name, or the id of an API key.
    name: str
    scopes: frozenset[Scope]
    #: Set when a person is signed in.
    role: Role | None = None
    #: True for the publishable half of a key pair: it may only send signals.
    public: bool = False
    #: For a publishable key: the origins whose pages may use it.
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair just made; the secret is shown once."""

    key: ApiKey
    secret_key: str


@dataclass(frozen=True, slots=True)
class Access:
    """Projects, people and keys."""

    ledger: Ledger
    now: Now
    mint: Mint
    _trusted: dict[str, tuple[datetime, Caller]] = field(default_factory=dict)
    _origins: dict[str, tuple[datetime, tuple[str, ...]]] = field(default_factory=dict)

    def secret(self, name: str) -> bytes:
        """A secret of this installation, made on first use and kept in the store."""
        with self.ledger.begin(0) as tx:
            return tx.people.secret(name, chance.token_bytes(32))

    def add_project(self, name: str) -> Project:
        """The project of this name, made now if it was not there."""
        _check_name(name, "project")
        with self.ledger.begin(0) as tx:
            return tx.people.add_project(name, self.now())

    def project(self, name: str) -> Project:
        """The project of this name.

        Raises:
            NotHere: there is none.
        """
        with self.ledger.read(0) as tx:
            found = tx.people.find_project(name)
            there = [] if found else [each.name for each in tx.people.list_projects()]
        if found is None:
            raise NotHere(f"There is no project {name!r}. Known: {', '.join(there) or 'none'}.")
        return found

    def list_projects(self) -> list[Project]:
        """Every project, by name."""
        with self.ledger.read(0) as tx:
            return tx.people.list_projects()

    def origins(self, project: str) -> tuple[str, ...]:
        """The origins whose pages may use the project's publishable keys.

        Raises:
            NotHere: there is no such project.
        """
        return tuple(self.project(project).settings.get("origins", ()))

    def allow_origins(self, project: str, origins: Iterable[str]) -> tuple[str, ...]:
        """From now on (five seconds, on other replicas) let pages of exactly these origins use its publishable keys.

        Raises:
            Invalid: one is not an origin.
            NotHere: there is no such project.
        """
        wanted = tuple(dict.fromkeys(_origin(each) for each in origins))
        found = self.project(project)
        with self.ledger.begin(found.id) as tx:
            tx.people.set_project(found.id, tx.people.project_settings(found.id) | {"origins": wanted})
        self._trusted.clear()
        self._origins.clear()
        return wanted

    def knows_origin(self, origin: str) -> bool:
        """Whether any project lets pages of this origin use its publishable keys."""
        cached = self._origins.get("")
        if cached is None or self.now() - cached[0] >= _TRUST:
            allowed = {each for found in self.list_projects() for each in found.settings.get("origins", ())}
            cached = self._origins[""] = (self.now(), tuple(allowed))
        return origin_allowed(origin, cached[1])

    def add_person(self, name: str, role: Role, password: str) -> Person:
        """Add somebody who signs in.

        Raises:
            Invalid: the name or the password will not do.
            Conflict: the name is taken.
        """
        _check_name(name, "name")
        if len(password) < 8:
            raise Invalid("A password has at least 8 characters.", field="password")
        person = Person(id=self.mint(), name=name, role=role, created_at=self.now())
        password_hash = _passwords.hash(password)
        with self.ledger.begin(0) as tx:
            if not tx.people.add(person, password_hash):
                raise Conflict(f"There is a user {name!r} already.", field="name")
        return person

    def list_people(self) -> list[Person]:
        """Everybody, by name."""
        with self.ledger.read(0) as tx:
            return tx.people.list_people()

    def person(self, person_id: str) -> Person | None:
        """Who has this id, if anybody still has."""
        with self.ledger.read(0) as tx:
            return tx.people.find_by_id(person_id)

    def sign_in(self, name: str, password: str) -> Person:
        """The person, if the password is theirs.

        Raises:
            NotKnown: the name or the password is wrong; it does not say which.
        """
        with self.ledger.read(0) as tx:
            found = tx.people.find(name)
        good = _passwords.verify(password, found[1] if found else _nobody())
        if found is None or not good:
            raise NotKnown("That name and password do not belong together.")
        return found[0]

    def add_key(self, project: str, scopes: Iterable[Scope]) -> NewKey:
        """Make a key pair for a project, which is made if it was not there."""
        found = self.add_project(project)
        secret_key = f"tw_sk_{chance.token_urlsafe(32)}"
        key = ApiKey(
            id=self.mint(),
            project=project,
            public_key=f"tw_pk_{chance.token_urlsafe(24)}",
            scopes=frozenset(scopes),
            created_at=self.now(),
        )
        with self.ledger.begin(0) as tx:
            tx.people.add_key(key, found.id, _fingerprint(secret_key))
        return NewKey(key, secret_key)

    def list_keys(self) -> list[ApiKey]:
        """Every key in use, newest first."""
        with self.ledger.read(0) as tx:
            return tx.people.list_keys()

    def revoke_key(self, key_id: str) -> None:
        """Make a key useless, within five seconds on every replica.

        Raises:
            NotHere: there is no such key in use.
        """
        with self.ledger.begin(0) as tx:
            if not tx.people.revoke_key(key_id, self.now()):
                raise NotHere(f"There is no key {key_id!r} in use.")
        self._trusted.clear()

    def identify(self, credential: str, public_key: str | None = None) -> Caller:
        """Who holds this credential: a secret key (with its public half, if given), or a public key alone.

        Raises:
            NotKnown: nobody does.
        """
        cached = self._trusted.get(f"{public_key}:{credential}")
        if cached is not None and self.now() - cached[0] < _TRUST:
            return cached[1]
        caller = self._look_up(credential, public_key)
        if len(self._trusted) > 1000:
            self._trusted.clear()
        self._trusted[f"{public_key}:{credential}"] = (self.now(), caller)
        return caller

    def _look_up(self, credential: str, public_key: str | None) -> Caller:
        public = credential.startswith("tw_pk_")
        with self.ledger.read(0) as tx:
            if public:
                found = tx.people.find_key(public_key=credential)
            else:
                found = tx.people.find_key(secret_hash=_fingerprint(credential))
            origins = tx.people.project_settings(found[0]).get("origins", ()) if found and public else ()
        if found is None:
            raise NotKnown("This API key is not valid here.")
        project_id, key = found
        if public_key is not None and not hmac.compare_digest(key.public_key.encode(), public_key.encode()):
            raise NotKnown("This public key and this secret key do not belong together.")
        scopes = frozenset[Scope]() if public else key.scopes
        return Caller(project_id, key.project, key.id, scopes, public=public, origins=tuple(origins))

    def note_read(self, project_id: int, reader: str, trace_id: str, why: str) -> None:
        """Write down in the audit log that a person read a trace."""
        with self.ledger.begin(project_id) as tx:
            tx.people.audit(
                project_id, id=self.mint(), actor=reader, action="trace.read", subject=trace_id, at=self.now(), why=why
            )

    def list_audit(self, project_id: int, limit: int = 100) -> list[AuditRow]:
        """The last `limit` rows of the audit log, newest first."""
        with self.ledger.read(project_id) as tx:
            return tx.people.list_audit(project_id, limit)


def origin_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Whether an origin is in a list that may hold `*` and `https://*.example.com`.

    >>> origin_allowed("https://eu.example.com", ["https://*.example.com"])
    True
    >>> origin_allowed("https://example.com.evil.org", ["https://*.example.com"])
    False
    """
    scheme, separator, host = origin.partition("://")
    for each in allowed:
        if each in {origin, "*"}:
            return True
        start, wild, domain = each.partition("://*.")
        if wild and separator and scheme == start and host.endswith(f".{domain}"):
            return True
    return False


def _origin(text: str) -> str:
    found = text.strip().rstrip("/").lower()
    if not _ORIGIN.fullmatch(found):
        raise Invalid(f"{text!r} is no origin: https://app.example.com, https://*.example.com or *.", field="origins")
    return found


def _fingerprint(secret_key: str) -> str:
    return hashlib.blake2b(secret_key.encode(), digest_size=32).hexdigest()


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no {what}: letters, digits, spaces and . _ @ + - only, at most 100.", field=what)

"""Feedback links: a signed token lets whoever holds it speak about one trace, for a while, without a key."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, Signer

from thumbwheel.domain.person import ApiKey, Scope
from thumbwheel.errors import Invalid, LinkExpired, NotAllowed, NotHere, NotKnown
from thumbwheel.ports import Now
from thumbwheel.store.ledger import Ledger

_SALT = "thumbwheel.feedback"
#: Digits of the hash of the signing key's secret that a token shows, so that the key is found again.
_SHOWN = 12
_LONGEST = timedelta(days=366)
#: Which key, which trace, and until when, in seconds since 1970.
_CLAIMS = {"k": str, "t": str, "e": int}
_FAR = 1 << 36


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: signals about one trace of one project."""

    project_id: int
    trace_id: str
    #: Who the link was sent to, when its sender said so.
    user_id: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """Makes and reads feedback tokens.

    A token is signed with the hash of a secret key that may ingest, which the store keeps anyway: whoever holds the
    key signs without asking the server, and revoking the key voids every link it signed.
    """

    ledger: Ledger
    now: Now

    def sign(self, key_id: str, trace_id: str, expires_in: timedelta, user_id: str | None = None) -> tuple[str, Grant]:
        """A token for one trace, signed in the name of a key.

        Raises:
            Invalid: it would expire at once, or in more than a year.
            NotHere: there is no such key in use.
        """
        if not timedelta(0) < expires_in <= _LONGEST:
            raise Invalid("A feedback link lasts from one second to 366 days.", field="expires_in")
        project_id, _, secret_hash = self._signer("", key_id)
        expires_at = self.now() + expires_in
        claims = {"k": secret_hash[:_SHOWN], "t": trace_id, "e": int(expires_at.timestamp())}
        if user_id is not None:
            claims["u"] = user_id
        payload = urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=")
        return _seal(secret_hash).sign(payload).decode(), Grant(project_id, trace_id, user_id, expires_at)

    def read(self, token: str) -> Grant:
        """What a token allows.

        Raises:
            NotKnown: it was altered, or its key is no longer in use.
            NotAllowed: its key may not ingest.
            LinkExpired: its time is over.
        """
        claims = _peek(token)
        try:
            project_id, key, secret_hash = self._signer(claims["k"])
            _seal(secret_hash).unsign(token)
        except (BadSignature, NotHere) as fault:
            raise NotKnown("This feedback link is not valid.") from fault
        if Scope.ingest not in key.scopes:
            raise NotAllowed("The key that signed this feedback link lacks the scope 'ingest'.")
        expires_at = datetime.fromtimestamp(claims["e"], UTC)
        if self.now() >= expires_at:
            raise LinkExpired
        return Grant(project_id, claims["t"], claims.get("u"), expires_at)

    def _signer(self, prefix: str, key_id: str | None = None) -> tuple[int, ApiKey, str]:
        with self.ledger.read(0) as tx:
            found = tx.people.list_signers(prefix)
        for signer in found:
            if key_id is None or signer[1].id == key_id:
                return signer
        raise NotHere("There is no such key in use.")


def _seal(secret_hash: str) -> Signer:
    return Signer(secret_hash, salt=_SALT, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)


def _peek(token: str) -> dict[str, Any]:
    """What a token claims, before it is known to be true: which key to check it with."""
    payload = token.partition(".")[0]
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        good = all(type(claims[name]) is kind for name, kind in _CLAIMS.items())
        good = good and len(claims["k"]) == _SHOWN and 0 <= claims["e"] < _FAR and claims["t"] != ""
        good = good and isinstance(claims.get("u", ""), str)
    except (ValueError, KeyError, TypeError, RecursionError):
        good, claims = False, {}
    if not good:
        raise NotKnown("This feedback link is not valid.")
    return dict(claims)

"""Who is at the browser: the session cookie, what a role may open, and where a request came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from thumbwheel.domain.person import Person, Role
from thumbwheel.errors import NotAllowed, NotHere, SignInRequired, TooManyAttempts
from thumbwheel.wheel import Wheel

COOKIE = "thumbwheel_session"
#: Attempts in five minutes: wrong ones for one name from one address, and any from one address.
_PER_NAME = RateLimitItemPerMinute(8, 5)
_PER_ADDRESS = RateLimitItemPerMinute(60, 5)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in, and the project they look at."""

    person: Person
    project_id: int
    project: str

    @property
    def name(self) -> str:
        """The name they annotate under."""
        return self.person.name

    def may(self, role: str) -> bool:
        """Whether they may do what this role may."""
        return self.person.role.allows(Role(role))


@dataclass
class Sessions:
    """Signs people in and knows them again."""

    wheel: Wheel
    _attempts: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(MemoryStorage()))

    @cached_property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.wheel.secret("session"), salt="thumbwheel.session")

    @property
    def _lifetime(self) -> timedelta:
        return timedelta(hours=self.wheel.settings.session_hours)

    def sign_in(self, name: str, password: str, address: str) -> Person:
        """The person, if the password is theirs.

        Raises:
            NotKnown: the name or the password is wrong.
            TooManyAttempts: it was wrong too often.
        """
        who = ("name", address, name[:100].casefold())
        if not (self._attempts.hit(_PER_ADDRESS, "address", address) and self._attempts.hit(_PER_NAME, *who)):
            raise TooManyAttempts
        person = self.wheel.access.sign_in(name, password)
        self._attempts.clear(_PER_NAME, *who)
        return person

    def remember(self, response: Response, person: Person, project: str) -> None:
        """Set the cookie that knows this person again."""
        at = int(self.wheel.now().timestamp())
        response.set_cookie(
            COOKIE,
            self._signer.dumps([person.id, project, at]),
            max_age=int(self._lifetime.total_seconds()),
            httponly=True,
            secure=self.wheel.settings.secure_cookies,
            samesite="lax",
        )

    def forget(self, response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, httponly=True, secure=self.wheel.settings.secure_cookies, samesite="lax")

    def visitor(self, cookie: str | None) -> Visitor | None:
        """Who this cookie was given to, unless it ran out, was altered, or they are no longer here."""
        try:
            person_id, project, at = self._signer.loads(cookie or "")
        except (BadSignature, TypeError, ValueError):
            return None
        if self.wheel.now().timestamp() - at > self._lifetime.total_seconds():
            return None
        person = self.wheel.access.person(person_id)
        try:
            return None if person is None else Visitor(person, self.wheel.access.project(project).id, project)
        except NotHere:
            return None


def sessions(request: Request) -> Sessions:
    """The sessions of this server."""
    return cast(Sessions, request.app.state.sessions)


def wheel(request: Request) -> Wheel:
    """Everything the server is made of."""
    return cast(Wheel, request.app.state.wheel)


def visitor(request: Request) -> Visitor:
    """Who is signed in.

    Raises:
        SignInRequired: nobody is.
    """
    found = sessions(request).visitor(request.cookies.get(COOKIE))
    if found is None:
        raise SignInRequired
    return found


def same_origin(request: Request) -> None:
    """Refuse a request that changes something and was sent by a page that is not ours.

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`. A request with neither comes
    from a program, which cannot have been tricked into using somebody's cookie.

    Raises:
        NotAllowed: another site sent it.
    """
    if request.method in _SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise NotAllowed("Another site sent this request, so nothing was done.")


def _require(request: Request, role: Role) -> Visitor:
    found = visitor(request)
    if not found.person.role.allows(role):
        raise NotAllowed(f"This takes the role {role.value}; {found.name} is signed in as {found.person.role.value}.")
    return found


def _as(role: Role) -> Any:
    def visiting(request: Request) -> Visitor:
        return _require(request, role)

    return Depends(visiting)


Viewer = Annotated[Visitor, _as(Role.viewer)]
Annotator = Annotated[Visitor, _as(Role.annotator)]
Owner = Annotated[Visitor, _as(Role.owner)]
Services = Annotated[Wheel, Depends(wheel)]


def local_path(path: str | None) -> str:
    """A path on this server to go on to after signing in; anything else becomes the front page."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 32 for c in path):
        return "/"
    return path

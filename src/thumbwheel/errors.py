"""Every exception thumbwheel raises. The docstring of each is the message it carries when none is given."""

from __future__ import annotations


class ThumbwheelError(Exception):
    """Something thumbwheel refuses or cannot do."""

    #: The field of the caller's data that caused it, as a dotted path.
    field: str | None

    def __init__(self, detail: str | None = None, *, field: str | None = None) -> None:
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        self.field = field
        super().__init__(self.detail)


class Invalid(ThumbwheelError):
    """The data is not what this door accepts."""


class WrongContentType(Invalid):
    """The body is of a type, or packed in a way, that this door does not take."""


class TraceRequired(Invalid):
    """A signal without a trace id cannot be investigated, so it is not kept."""


class IdReused(Invalid):
    """This id is already stored with other content; an id names one thing for ever."""


class NotHere(ThumbwheelError):
    """There is nothing with this id in this project."""


class NotAllowed(ThumbwheelError):
    """These credentials do not allow this."""


class NotKnown(ThumbwheelError):
    """No credentials, or credentials that are not valid here."""


class SignInRequired(NotKnown):
    """Nobody is signed in here."""


class TooManyAttempts(NotAllowed):
    """Too many wrong passwords. Wait five minutes, then try again."""


class Conflict(ThumbwheelError):
    """The state has moved on, so this can no longer be done."""


class LeaseExpired(Conflict):
    """This entry is no longer leased to you; what you decided was not stored."""


class CodebookInvalid(Invalid):
    """The codebook does not hold together."""


class CodebookMissing(Conflict):
    """No codebook is published in this project yet; publish one with `thumbwheel codebook publish FILE`."""


class ExtraMissing(ThumbwheelError):
    """An optional part of thumbwheel is not installed."""


class TargetUnusable(ThumbwheelError):
    """The application's function cannot be used by the gate."""


class TooOften(ThumbwheelError):
    """More requests than this key or this address may send; wait, then try again."""

    #: Seconds until there is room again.
    retry_after: int = 1


class LinkExpired(NotAllowed):
    """This feedback link has expired."""


class TooLarge(ThumbwheelError):
    """The body is larger than this server takes."""


class ConsentMissing(Invalid):
    """The user has not agreed, or has said no, so this is not kept."""


class StoreUnavailable(ThumbwheelError):
    """The store does not answer; nothing was stored, try again."""


class ScrubberFailed(StoreUnavailable):
    """What is personal could not be told from what is not, so nothing was stored; try again."""


class SourceRefused(ThumbwheelError):
    """The other tool does not take this key, or does not allow what was asked."""


class SourceUnavailable(ThumbwheelError):
    """The other tool does not answer; run the command again to go on from where it ended."""


class SourceBroken(ThumbwheelError):
    """The other tool answers something that cannot be what was asked for."""


class ConfigInvalid(ThumbwheelError):
    """A setting has a value thumbwheel cannot work with."""

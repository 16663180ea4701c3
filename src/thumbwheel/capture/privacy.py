"""Privacy at the door: consent first, then personal data out, and only then is anything kept.

What was taken out is replaced by typed placeholders (`<EMAIL_1>`), the same one for the same value everywhere in a
trace, and counted by type. The original exists nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Generic, TypeVar, cast

from thumbwheel.capture.edit import hunks
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace
from thumbwheel.ports import Found, Scrubber

T = TypeVar("T")

#: Short names in placeholders; other types keep Presidio's.
_SHORT: Final[Mapping[str, str]] = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "IBAN_CODE": "IBAN",
    "US_SSN": "SSN",
    "DATE_TIME": "DATE",
}
_PLACEHOLDER: Final = re.compile(r"<([A-Z][A-Z_]*)_([1-9]\d{0,5})>")
#: Keys that name a place in a message and not what stands there. Others are read as a label: {"phone": "5550123"}.
_UNTELLING: Final = frozenset(
    "content text value output input message messages body title name query question answer response result results "
    "data description comment summary role type id arguments parts".split()
)
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-.]+")


class ConsentMode(StrEnum):
    """What a project asks of its users before it keeps what they say and do."""

    #: Kept unless the user said no.
    none_needed = "none_needed"
    #: Kept only when the user said yes.
    opt_in = "opt_in"
    #: Kept until the user says no; the page asked.
    opt_out = "opt_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRules:
    """What one channel of a project may keep."""

    consent: ConsentMode = ConsentMode.none_needed
    #: Types that are found and left in place: web addresses are what reviewers must check an answer by.
    keep: frozenset[str] = frozenset({"URL"})
    #: Whether user ids become pseudonyms.
    pseudonymise: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed(Generic[T]):
    """A value without its personal data, and what can be told about what it had."""

    value: T
    #: Type -> how many pieces were replaced.
    counts: Mapping[str, int]
    #: Keyed hash of a piece -> its placeholder. Kept with the trace, it gives later signals the same placeholders.
    placeholders: Mapping[str, str]


def may_keep(consent: Mapping[str, object] | None, mode: ConsentMode) -> bool:
    """Whether a signal may be kept, by what its page recorded under `given`: True, False, or nothing.

    A recorded no always holds; opt-in also needs a recorded yes.
    """
    given = None if consent is None else consent.get("given")
    return given is True if mode is ConsentMode.opt_in else given is not False


def pseudonym(value: str, key: bytes, *, prefix: str = "u_") -> str:
    """A stable name for a user that does not give him away: a hash of his id that needs the project's secret key.

    The same id and key give the same name; without the key neither the id
    nor whether two projects share a user can be told.
    """
    digest = hashlib.blake2b(value.encode(errors="surrogatepass"), key=_fitting(key), digest_size=10).digest()
    return prefix + base64.b32encode(digest).decode().lower()


def admit_signal(
    signal: Signal,
    *,
    rules: PrivacyRules,
    scrubber: Scrubber,
    key: bytes,
    placeholders: Mapping[str, str] | None = None,
) -> Scrubbed[Signal] | None:
    """The signal as it may be kept; None when consent is missing.

    `placeholders` are those its trace was scrubbed with, where they are known.
    """
    if not may_keep(signal.consent, rules.consent):
        return None
    edit = signal.edit
    texts = [signal.comment, *((edit.original, edit.edited) if edit else ())]
    scrubbing = _Scrubbing(scrubber, rules.keep, key, placeholders or {}, lambda: [text for text in texts if text])
    if edit is not None:
        original = None if edit.original is None else scrubbing.text(edit.original)
        edited = scrubbing.text(edit.edited)
        plain = replace(edit, original=original, edited=edited, hunks=())
        edit = hunks(original, edited) if edit.hunks and original is not None else plain
    return scrubbing.done(
        replace(
            signal,
            user_id=_user(signal.user_id, rules, key),
            comment=None if signal.comment is None else scrubbing.text(signal.comment),
            edit=edit,
            consent=None
            if signal.consent is None
            else {name: scrubbing.anything(v) for name, v in signal.consent.items()},
        )
    )


def admit_trace(trace: Trace, *, rules: PrivacyRules, scrubber: Scrubber, key: bytes) -> Scrubbed[Trace]:
    """The trace as it may be kept: every text in it scrubbed under one numbering, its user a pseudonym.

    A session id in which something personal is found becomes a pseudonym too,
    so that the session's traces still belong together.
    """
    scrubbing = _Scrubbing(scrubber, rules.keep, key, {}, lambda: _texts(trace))
    session = trace.session_id
    if session is not None and scrubbing.finds(session):
        session = pseudonym(session, key, prefix="s_")
    return scrubbing.done(
        replace(
            trace,
            user_id=_user(trace.user_id, rules, key),
            session_id=session,
            input=scrubbing.json(trace.input),
            output=scrubbing.json(trace.output),
            documents=tuple(_document(each, scrubbing) for each in trace.documents),
            tool_calls=tuple(
                ToolCall(name=each.name, arguments=scrubbing.json(each.arguments), result=scrubbing.json(each.result))
                for each in trace.tool_calls
            ),
            name=None if trace.name is None else scrubbing.text(trace.name),
            category=None if trace.category is None else scrubbing.text(trace.category),
            tags=tuple(scrubbing.text(tag) for tag in trace.tags),
            metadata=scrubbing.named(trace.metadata),
        )
    )


def scrub_text(text: str, scrubber: Scrubber, *, keep: frozenset[str] = frozenset()) -> Scrubbed[str]:
    """One text on its own, with everything that is found replaced, save the types in `keep`."""
    scrubbing = _Scrubbing(scrubber, keep, b"", {}, lambda: [text])
    return scrubbing.done(scrubbing.text(text))


class _Scrubbing:
    """One trace's or signal's scrubbing: one numbering, one count."""

    def __init__(
        self,
        scrubber: Scrubber,
        keep: frozenset[str],
        key: bytes,
        placeholders: Mapping[str, str],
        texts: Callable[[], Iterable[str]],
    ) -> None:
        self._scrubber = scrubber
        self._keep = keep
        self._key = _fitting(key)
        self._placeholders = dict(placeholders)
        self._texts = texts
        self._last: Counter[str] | None = None
        self._counts: Counter[str] = Counter()

    def done(self, value: T) -> Scrubbed[T]:
        return Scrubbed(value=value, counts=dict(self._counts), placeholders=self._placeholders)

    def finds(self, text: str) -> bool:
        return any(found.type not in self._keep for found in self._scrubber.find(text))

    def text(self, text: str, label: str = "") -> str:
        """The text with placeholders. `label` says what the text is of, as "phone" does; it is read with the text."""
        lead = f"{label}: " if label else ""
        pieces, at = [], 0
        for found in self._scrubber.find(lead + text):
            start, end = max(found.start - len(lead), at), found.end - len(lead)
            if end > start and found.type not in self._keep:
                pieces += [text[at:start], self._placeholder(found, text[start:end])]
                at = end
        return "".join([*pieces, text[at:]]) if pieces else text

    def json(self, value: Json, label: str = "") -> Json:
        """The JSON value with every text in it scrubbed, and long numbers that are personal turned into placeholders."""
        if isinstance(value, str):
            return self.text(value, label)
        if isinstance(value, list):
            return [self.json(each, label) for each in value]
        if isinstance(value, dict):
            return self.named(value)
        if isinstance(value, int) and abs(value) >= 1_000_000:
            written = str(value)
            scrubbed = self.text(written, label)
            return value if scrubbed == written else scrubbed
        return value

    def named(self, value: Mapping[str, Json]) -> dict[str, Json]:
        return {self.text(name): self.json(each, _label(name)) for name, each in value.items()}

    def anything(self, value: object) -> object:
        """As `json`, for a value whose type nobody promised; what is no JSON is left."""
        return self.json(cast("Json", value))

    def _placeholder(self, found: Found, piece: str) -> str:
        self._counts[found.type] += 1
        plain = piece if "@" in piece else re.sub(r"[\s().\-/]", "", piece)
        said = f"{found.type}\0{plain.casefold()}".encode(errors="surrogatepass")
        digest = hashlib.blake2b(said, key=self._key, digest_size=16).hexdigest()
        if digest not in self._placeholders:
            self._placeholders[digest] = self._next(_SHORT.get(found.type, found.type))
        return self._placeholders[digest]

    def _next(self, name: str) -> str:
        """The next number of its type that neither an earlier placeholder nor the text itself has taken."""
        if self._last is None:
            self._last = Counter()
            for text in (*self._placeholders.values(), *self._texts()):
                for taken, number in _PLACEHOLDER.findall(text):
                    self._last[taken] = max(self._last[taken], int(number))
        self._last[name] += 1
        return f"<{name}_{self._last[name]}>"


def _user(user_id: str | None, rules: PrivacyRules, key: bytes) -> str | None:
    return pseudonym(user_id, key) if user_id is not None and rules.pseudonymise else user_id


def _document(document: Document, scrubbing: _Scrubbing) -> Document:
    content = None if document.content is None else scrubbing.text(document.content)
    return replace(document, id=scrubbing.text(document.id), content=content)


def _label(name: str) -> str:
    """A key as words: "phoneNumber" is "phone Number"; nothing where the key says nothing."""
    return "" if name.lower() in _UNTELLING else _HUMP.sub(" ", name[:60]).strip()


def _texts(trace: Trace) -> Iterator[str]:
    """Every text of a trace."""
    documents: Sequence[Json] = [document.content for document in trace.documents]
    calls: Sequence[Json] = [value for call in trace.tool_calls for value in (call.arguments, call.result)]
    stack: list[Json] = [trace.input, trace.output, trace.metadata, trace.name, *trace.tags, *documents, *calls]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend([*value, *value.values()])


def _fitting(key: bytes) -> bytes:
    """BLAKE2 takes keys of up to 64 bytes."""
    return key if len(key) <= 64 else hashlib.blake2b(key).digest()

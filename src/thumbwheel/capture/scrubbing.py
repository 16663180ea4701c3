"""Scrubbing one trace or signal: one numbering of placeholders, one count, whatever shape the texts come in."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from thumbwheel.domain.trace import Json
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed(Generic[T]):
    """A value without its personal data, and what can be told about what it had."""

    value: T
    #: Type -> how many pieces were replaced.
    counts: Mapping[str, int]
    #: Keyed hash of a piece -> its placeholder. Kept with the trace, it gives later signals the same placeholders.
    placeholders: Mapping[str, str]


class FindsNothing:
    """The scrubber of projects that want none."""

    def find(self, text: str) -> Sequence[Found]:
        """Nothing."""
        return ()


class Scrubbing:
    """One trace's or signal's scrubbing: one numbering, one count."""

    def __init__(
        self,
        scrubber: Scrubber,
        keep: frozenset[str],
        key: bytes,
        placeholders: Mapping[str, str],
        texts: Callable[[], Iterable[str]],
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """`texts` are all there are, `aliases` what user ids become where a key says that they are one."""
        self._scrubber = scrubber
        self._keep = keep
        self._key = fitting(key)
        self._placeholders = dict(placeholders)
        self._texts = texts
        self._aliases = aliases or {}
        #: Nothing can change, so nothing need be walked through.
        self.idle = isinstance(scrubber, FindsNothing) and not aliases
        self._last: Counter[str] | None = None
        self._counts: Counter[str] = Counter()

    def done(self, value: T) -> Scrubbed[T]:
        """The value, with what was taken out of it."""
        return Scrubbed(value=value, counts=dict(self._counts), placeholders=self._placeholders)

    def finds(self, text: str) -> bool:
        """Whether the text has anything to take out."""
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
        if self.idle:
            return value
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
        """As `json`, for an object: its keys too, and each value read with its key."""
        if self.idle:
            return dict(value)
        return {self.text(name): self._labelled(name, each) for name, each in value.items()}

    def _labelled(self, name: str, value: Json) -> Json:
        if isinstance(value, str) and value in self._aliases and "user" in name.lower():
            return self._aliases[value]
        return self.json(value, _label(name))

    def maybe(self, text: str | None) -> str | None:
        """As `text`, where there is one."""
        return None if text is None else self.text(text)

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


def _label(name: str) -> str:
    """A key as words: "phoneNumber" is "phone Number"; nothing where the key says nothing."""
    return "" if name.lower() in _UNTELLING else _HUMP.sub(" ", name[:60]).strip()


def fitting(key: bytes) -> bytes:
    """BLAKE2 takes keys of up to 64 bytes."""
    return key if len(key) <= 64 else hashlib.blake2b(key).digest()


def texts_in(*values: object) -> Iterator[str]:
    """Every text in these JSON values, keys included."""
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend([*value, *value.values()])

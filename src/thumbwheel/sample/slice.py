r"""The slice of the traffic a drift alert is about, and the language it is written in.

    filter = term { "and" term }
    term   = field ("=" | "!=") value | "tags" "has" value
    field  = category | model | prompt_version | release | user_id
    value  = letters, digits and . _ : / @ + - , or any text in double quotes, where \" and \\ stand for " and \

As in `category = billing and model != "big 2" and tags has beta`. There is no "or": raise two alerts. A field a trace
does not have differs from every value. A filter is read into terms here and compared in memory: none of its text ever
reaches a store's own language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from thumbwheel.errors import Invalid

#: Trace fields a slice may name.
FIELDS: Final = ("category", "model", "prompt_version", "release", "user_id")
#: Longest filter, in characters, and most terms in one.
MOST_TEXT, MOST_TERMS = 2_000, 20
#: Under this name a slice holds a filter rather than a field's value.
WHERE: Final = "where"

_TOKEN = re.compile(
    r"""\s*(?: (?P<quoted>"(?:[^"\\]|\\["\\])*") | (?P<op>!=|=) | (?P<word>[\w.:/@+-]+) )""", re.VERBOSE
)


class Sliced(Protocol):
    """What a trace shows a slice."""

    @property
    def category(self) -> str | None:
        """Each of `FIELDS` has such a property."""
        ...


class Term(NamedTuple):
    """One condition."""

    field: str
    #: "=", "!=" or "has".
    op: str
    value: str

    def holds(self, trace: Sliced, tags: Collection[str]) -> bool:
        """Whether a trace with these tags meets it."""
        if self.field == "tags":
            return self.value in tags
        return (getattr(trace, self.field) == self.value) is (self.op == "=")


@dataclass(frozen=True, slots=True)
class Slice:
    """Conditions a trace meets all of."""

    terms: tuple[Term, ...]

    @property
    def category(self) -> str | None:
        """The one category it is in, if it names one."""
        return next((term.value for term in self.terms if term.field == "category" and term.op == "="), None)

    @property
    def needs_tags(self) -> bool:
        """Whether a trace's tags must be known to tell."""
        return any(term.field == "tags" for term in self.terms)

    def holds(self, trace: Sliced, tags: Collection[str] = ()) -> bool:
        """Whether a trace is in it."""
        return all(term.holds(trace, tags) for term in self.terms)


def read_slice(stored: Mapping[str, str]) -> Slice:
    """A slice as an alert keeps it: fields with the value each must have, and `where` with a filter.

    Raises Invalid, naming the field, for what is no trace field or no filter, or for nothing at all.
    """
    terms = [Term(name, "=", value) for name, value in stored.items() if name != WHERE]
    unknown = [term.field for term in terms if term.field not in FIELDS]
    if unknown:
        raise Invalid(f"A slice is one or more of {', '.join(FIELDS)}; not {', '.join(unknown)}.", field="slice")
    if WHERE in stored:
        terms += read_filter(stored[WHERE]).terms
    if not terms:
        raise Invalid(f"A slice is one or more of {', '.join(FIELDS)}; not nothing.", field="slice")
    return Slice(tuple(terms))


def read_filter(text: str) -> Slice:
    """A filter from its text.

    Raises Invalid, saying where it stops making sense.

    >>> read_filter('category = billing and tags has "x y"').terms[1]
    Term(field='tags', op='has', value='x y')
    """
    if len(text) > MOST_TEXT:
        raise Invalid(f"A filter has at most {MOST_TEXT} characters.", field="filter")
    tokens = _Tokens(text)
    terms = [_term(tokens)]
    while not tokens.ended:
        if tokens.word("and") != "and":
            raise tokens.fault('"and"')
        terms.append(_term(tokens))
    if len(terms) > MOST_TERMS:
        raise Invalid(f"A filter has at most {MOST_TERMS} conditions.", field="filter")
    return Slice(tuple(terms))


def _term(tokens: _Tokens) -> Term:
    name = tokens.word(f"a field: {', '.join(FIELDS)} or tags")
    if name == "tags":
        if tokens.word('"has"') != "has":
            raise tokens.fault('"has"')
        return Term("tags", "has", tokens.value())
    if name not in FIELDS:
        raise tokens.fault(f"a field: {', '.join(FIELDS)} or tags")
    return Term(name, tokens.op(), tokens.value())


class _Tokens:
    """The words of a filter, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._at = self._last = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._text)

    def fault(self, expected: str) -> Invalid:
        found = self._text[self._last : self._last + 20].strip()
        said = f"{found!r} stands where {expected} should" if found else f"it ends where {expected} should stand"
        return Invalid(f"The filter cannot be read at character {self._last + 1}: {said}.", field="filter")

    def word(self, expected: str) -> str:
        return self._next("word", expected)

    def op(self) -> str:
        return self._next("op", "= or !=")

    def value(self) -> str:
        token = self._next("quoted", "a value") if self._kind() == "quoted" else self._next("word", "a value")
        return re.sub(r'\\(["\\])', r"\1", token[1:-1]) if token.startswith('"') else token

    def _kind(self) -> str | None:
        found = _TOKEN.match(self._text, self._at)
        return found.lastgroup if found else None

    def _next(self, kind: str, expected: str) -> str:
        self._last = self._at
        found = _TOKEN.match(self._text, self._at)
        if found is None or found.lastgroup != kind:
            raise self.fault(expected)
        self._at = found.end()
        return str(found.group(kind))

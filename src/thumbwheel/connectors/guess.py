"""A guess at what a table's columns and values are, from their names and from a look at the first rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from thumbwheel.connectors.columns import Columns
from thumbwheel.connectors.fields import FIELDS, IDS, LOOKS, LOOKS_LIKE_ID, TRACE_NAMES, What, plain_name
from thumbwheel.connectors.votes import Votes, guess_votes, word
from thumbwheel.errors import Invalid

_SAID: Final = ("kind", "value", "reason", "edited", "seconds")
#: Words in a column's name after which a 1 may be the worst of a scale.
_SCALE_WORDS: Final = frozenset({"rating", "rate", "score", "star", "stars"})
#: More different texts than this are prose, not reasons.
_MOST_REASONS: Final = 40


@dataclass(frozen=True, slots=True)
class Guess:
    """What one column is taken for."""

    column: str
    #: Empty when nothing is made of it.
    field: str
    why: str
    sure: bool
    #: Up to three of its values, shortened.
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableGuess:
    """What a whole table is taken for."""

    what: What
    columns: tuple[Guess, ...]
    #: Field ("value", "reason") -> what its values stand for.
    values: Mapping[str, Votes]

    @property
    def fields(self) -> dict[str, str]:
        """Column -> field, empty for those nothing is made of."""
        return {each.column: each.field for each in self.columns}

    @property
    def doubts(self) -> list[str]:
        """What somebody should say: columns, and fields whose values are not plain."""
        columns = [f"the column {each.column!r} as {each.field}" for each in self.columns if not each.sure]
        return columns + [
            f"the values of {self.column_of(field)!r} ({votes.why})"
            for field, votes in self.values.items()
            if not votes.sure
        ]

    @property
    def missing(self) -> str | None:
        """The field without which no row can be kept, and what to say; None when nothing is missing."""
        found = set(self.fields.values())
        if self.what is What.traces:
            return next((field for field in ("id", "started_at") if field not in found), None)
        if "trace_id" not in found and not {"input", "output"} <= found:
            return "trace_id"
        return None if found & set(_SAID) else "value"

    def column_of(self, field: str) -> str:
        """The column a field is taken from."""
        return next(each.column for each in self.columns if each.field == field)

    def to_columns(self, source: str | None) -> Columns:
        """As it is read from here on."""
        fields = {each.column: each.field for each in self.columns if each.field}
        unused = tuple(each.column for each in self.columns if not each.field)
        values = {field: votes.meaning for field, votes in self.values.items()}
        return Columns(self.what, fields, unused, values, source)


def guess_table(
    header: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    what: What,
    *,
    given: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, str]] | None = None,
    reasons: Sequence[str] = (),
) -> TableGuess:
    """From a table's header and its first rows; what is `given` (column -> field, empty for none) is not guessed.

    `values` says for fields what values stand for, and `reasons` are the project's.

    Raises:
        Invalid: a column comes twice, or `given` names one or a field that is not there.
    """
    named = [column for column in header if column.strip()]
    given = {column: "" if field == "-" else field for column, field in (given or {}).items()}
    _check(named, what, given)
    cells = {
        column: [row[column] for row in rows if row.get(column) is not None and row[column] != ""] for column in named
    }
    found = _by_name(named, cells, what, given)
    _by_looks(found, cells, what)
    _by_values(found, cells, what)
    guesses = tuple(
        replace(found.get(column, _unknown(column, what)), samples=_samples(cells[column])) for column in named
    )
    guess = TableGuess(what, guesses, {})
    return replace(guess, values=_meanings(guess, cells, values or {}, reasons))


def _check(named: Sequence[str], what: What, given: Mapping[str, str]) -> None:
    for column in named:
        if named.count(column) > 1:
            raise Invalid(f"The column {column!r} comes twice.", field=column)
    for column, field in given.items():
        twice = next((each for each, other in given.items() if field and other == field and each != column), None)
        if twice is not None:
            raise Invalid(f"{field} is taken from both {column!r} and {twice!r}: --map {twice}=- for one.", field=field)
        if column not in named:
            raise Invalid(f"There is no column {column!r}; there are {', '.join(named)}.", field=column)
        if field and field.split(".")[0] not in FIELDS[what]:
            raise Invalid(f"{field!r} is no field of {what}: {', '.join(FIELDS[what])}.", field=column)


def _unknown(column: str, what: What) -> Guess:
    if what is What.traces:
        return Guess(column, f"metadata.{column}", "kept beside", sure=True)
    return Guess(column, "", "not known", sure=True)


def _by_name(
    named: Sequence[str], cells: Mapping[str, Sequence[Any]], what: What, given: Mapping[str, str]
) -> dict[str, Guess]:
    """Columns with a name that is known, unless what they hold contradicts it."""
    found = {column: Guess(column, field, "as you said", sure=True) for column, field in given.items()}
    fields = FIELDS[what]
    for column in named:
        own = column.strip().split(".", 1)[0].lower()
        taken = {each.field for each in found.values()}
        if column not in found and own in fields and own not in taken:
            found[column] = Guess(column, own + column.strip()[len(own) :], "its name", sure=True)
    for field, others in fields.items():
        for column in (each for name in others for each in named if plain_name(each) == name):
            free = column not in found and field not in {each.field for each in found.values()}
            if free and _FITS.get(field, _anything)(cells[column]):
                found[column] = Guess(column, field, "a usual name", sure=True)
    return found


def _by_looks(found: dict[str, Guess], cells: Mapping[str, Sequence[Any]], what: What) -> None:
    """Columns whose name looks like something."""
    known = FIELDS[what]
    for name, pattern in LOOKS.items():
        field = "id" if what is What.traces and name == "trace_id" else name
        skipped = field not in known or name == ("id" if what is What.traces else "started_at")
        if skipped or field in {each.field for each in found.values()}:
            continue
        alike = [column for column in cells if column not in found and _looks(column, field, pattern, cells[column])]
        if alike:
            best = min(alike, key=_trace_rank) if name == "trace_id" else alike[0]
            alone = field in {"at", "started_at"} and sum(bool(each) and _times(each) for each in cells.values()) == 1
            found[best] = Guess(best, field, "its name looks like it", sure=alone or field == name == "id")


def _looks(column: str, field: str, pattern: re.Pattern[str], cells: Sequence[Any]) -> bool:
    name = plain_name(column)
    if not pattern.search(name) or (field not in IDS and LOOKS_LIKE_ID.search(name)):
        return False
    return _FITS.get(field, _anything)(cells)


def _trace_rank(column: str) -> int:
    words = plain_name(column).split("_")
    return min((place for place, name in enumerate(TRACE_NAMES) if name in words), default=len(TRACE_NAMES))


def _by_values(found: dict[str, Guess], cells: Mapping[str, Sequence[Any]], what: What) -> None:
    """What is still missing, by what columns hold."""
    taken = {each.field for each in found.values()}
    wanted = ["started_at"] if what is What.traces else ["at"]
    if what is What.signals and not taken & set(_SAID):
        wanted.append("value")
    for field in wanted:
        fits = _repeated_votes if field == "value" else _FITS[field]
        free = (column for column in cells if column not in found and cells[column] and fits(cells[column]))
        column = None if field in taken else next(free, None)
        if column is not None:
            found[column] = Guess(column, field, "its values look like it", sure=False)


def _meanings(
    guess: TableGuess,
    cells: Mapping[str, Sequence[Any]],
    given: Mapping[str, Mapping[str, str]],
    reasons: Sequence[str],
) -> dict[str, Votes]:
    found: dict[str, Votes] = {}
    for each in guess.columns:
        if each.field == "value":
            scaled = bool(_SCALE_WORDS & set(plain_name(each.column).split("_")))
            votes = guess_votes(cells[each.column], may_be_stars=scaled)
        elif each.field == "reason":
            votes = _reasons(cells[each.column], reasons, known_column=each.sure)
        else:
            continue
        said = given.get(each.field)
        if said:
            more = votes.meaning if votes and not any(".." in key for key in (*said, *votes.meaning)) else {}
            found[each.field] = Votes({**more, **said}, "as you said", sure=True)
        elif votes is not None:
            found[each.field] = votes
    return found


def _reasons(cells: Sequence[Any], reasons: Sequence[str], *, known_column: bool) -> Votes | None:
    """Reasons in another spelling; one the project does not have is another's own, if any of them are known."""
    ours = {word(each): each for each in reasons}
    said = list(dict.fromkeys(word(cell) for cell in cells))
    meaning = {each: ours[each] for each in said if each in ours}
    strange = [each for each in said if each not in ours]
    if not strange or (meaning and known_column) or "other" not in ours:
        return Votes(meaning, "the project's reasons", sure=True) if meaning else None
    if len(strange) > _MOST_REASONS:
        return None
    shown = ", ".join(strange[:5]) + (", …" if len(strange) > 5 else "")
    return Votes(meaning | dict.fromkeys(strange, "other"), f"not reasons of the project: {shown}", sure=False)


# --- what a column holds


def _anything(_cells: Sequence[Any]) -> bool:
    return True


def _votes(cells: Sequence[Any]) -> bool:
    return not cells or guess_votes(cells, may_be_stars=False) is not None


def _repeated_votes(cells: Sequence[Any]) -> bool:
    """Votes, and not numbers that each come once, as keys do."""
    votes = guess_votes(cells, may_be_stars=False)
    return votes is not None and (votes.sure or len(set(map(word, cells))) <= len(cells) / 2)


def _unique(cells: Sequence[Any]) -> bool:
    return len(set(map(word, cells))) == len(cells)


def _times(cells: Sequence[Any]) -> bool:
    return all(map(_is_time, cells[:50]))


def _is_time(cell: Any) -> bool:
    if isinstance(cell, date | datetime):
        return True
    text = str(cell).strip().removesuffix(" UTC")
    if text.replace(".", "", 1).isdigit():
        return len(text.split(".")[0]) >= 9
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _texts(cells: Sequence[Any]) -> bool:
    return not any(isinstance(cell, bool | int | float) for cell in cells[:50])


def _numbers(cells: Sequence[Any]) -> bool:
    return all(word(cell).replace(".", "", 1).isdigit() for cell in cells[:50])


_FITS: Final[Mapping[str, Callable[[Sequence[Any]], bool]]] = {
    "id": _unique,
    "value": _votes,
    "at": _times,
    "started_at": _times,
    "comment": _texts,
    "edited": _texts,
    "seconds": _numbers,
}


def _samples(cells: Sequence[Any]) -> tuple[str, ...]:
    texts = dict.fromkeys(" ".join(str(cell).split())[:28] for cell in cells[:200])
    return tuple(list(texts)[:3])

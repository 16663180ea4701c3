"""A codebook as written by its owner: checked whole, compared with the version before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from thumbwheel.annotate import example
from thumbwheel.domain.annotation import Label
from thumbwheel.domain.codebook import Category, Codebook
from thumbwheel.errors import CodebookInvalid

#: What `thumbwheel codebook init` writes: YAML that `check` accepts.
EXAMPLE = example.EXAMPLE

#: Keys the annotation page uses itself; digits are verdicts.
RESERVED_KEYS = frozenset("pfecsukjx?0123456789")
#: Letters a category may be chosen by, and so the most categories a codebook can hold.
FREE_KEYS = tuple(letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in RESERVED_KEYS)

MAX_ID = 64
MAX_NAME = 120
MAX_TEXT = 4000

#: The fields that say what a category means. Its name and key are only how it is found.
MEANING = ("definition", "positive", "negative", "edge_case")
_CATEGORY_FIELDS = ("id", "name", *MEANING, "key")
_FIELDS = ("name", "version", "question", "categories")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
#: What no store keeps and no page shows: control characters but tab and newline, and lone surrogates.
_UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a revision of a codebook changes. Categories are named by id, in codebook order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    #: Category id -> the fields that differ, `key` left out.
    changed: Mapping[str, tuple[str, ...]]
    question: bool = False
    name: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.question or self.name)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A category that is being read."""

    place: str
    #: Every field but the key.
    texts: dict[str, str]
    #: Empty when the file leaves the choice to us.
    key: str


@dataclass(frozen=True, slots=True)
class _Faults:
    """Faults found so far; each names its place as a dotted path, counted from 0."""

    found: list[tuple[str, str]]

    def add(self, place: str, what: str) -> None:
        self.found.append((place, what))

    def text(self, place: str, data: Mapping[object, object], field: str, limit: int) -> str:
        """The trimmed text of a field, or an empty text and a fault."""
        value = data.get(field)
        if not isinstance(value, str):
            self.add(place, "is missing" if value is None else f"must be text, not {_kind(value)}; quote it")
            return ""
        value = value.strip()
        if not value:
            self.add(place, "is empty")
        elif len(value) > limit:
            self.add(place, f"has {len(value)} characters, {limit} at most")
        elif _UNKEEPABLE.search(value):
            self.add(place, "holds a control character")
        return value

    def unknown(self, prefix: str, data: Mapping[object, object], known: tuple[str, ...]) -> None:
        for field in data:
            if field not in known:
                self.add(f"{prefix}{str(field)[:MAX_ID]!a}", f"is not a field here; known: {', '.join(known)}")

    def refuse_any(self) -> None:
        if self.found:
            lines = "\n".join(f"{place}: {what}" if place else what for place, what in self.found)
            raise CodebookInvalid(lines, field=self.found[0][0] or None)


def check(data: object) -> Codebook:
    """A codebook from parsed YAML (or JSON): `name`, `version?`, `question`, and `categories`, a list of
    `id, name, definition, positive, negative, edge_case, key?`.

    Every category needs all four texts of its meaning: two people read a mode
    alike only when its edges are shown. A category without a `key` gets the
    first free letter of its name, then of the alphabet. An empty list of
    categories is allowed: open coding comes before the first category.

    Raises `CodebookInvalid` with every fault at once, one a line, each naming
    its place; `field` is the place of the first.
    """
    faults = _Faults([])
    if not isinstance(data, Mapping):
        raise CodebookInvalid(f"a codebook is a mapping with {', '.join(_FIELDS)}, not {_kind(data)}")
    faults.unknown("", data, _FIELDS)
    name = faults.text("name", data, "name", MAX_NAME)
    question = faults.text("question", data, "question", MAX_TEXT)
    _check_version(data.get("version"), faults)
    drafts = _drafts(data.get("categories"), faults)
    _check_unique(drafts, faults)
    faults.refuse_any()
    categories = tuple(Category(**draft.texts, key=key) for draft, key in zip(drafts, _keys(drafts), strict=True))
    return Codebook(name=name, question=question, categories=categories)


def diff(old: Codebook, new: Codebook) -> Changes:
    """What the revision `new` changes in `old`. Differences of white space and of keys are none."""
    before = {category.id: category for category in old.categories}
    after = {category.id: category for category in new.categories}
    differing = {slug: _differing(before[slug], after[slug]) for slug in after if slug in before}
    return Changes(
        added=tuple(slug for slug in after if slug not in before),
        removed=tuple(slug for slug in before if slug not in after),
        changed={slug: fields for slug, fields in differing.items() if fields},
        question=_folded(old.question) != _folded(new.question),
        name=_folded(old.name) != _folded(new.name),
    )


def quarantined(old: Codebook, new: Codebook) -> frozenset[str]:
    """Ids of the categories whose labels the revision `new` quarantines.

    A category's labels stay valid while its definition, examples and edge case
    stay the same; a new name or key only changes how it is found. Under another
    question nothing that was answered before stands.
    """
    changes = diff(old, new)
    if changes.question:
        return frozenset(category.id for category in old.categories)
    redefined = (slug for slug, fields in changes.changed.items() if set(fields) & set(MEANING))
    return frozenset((*changes.removed, *redefined))


def quarantines(old: Codebook, new: Codebook, label: Label) -> bool:
    """Whether the revision `new` quarantines this label, made under `old`.

    A failure is quarantined with any of its categories. A pass has none, so
    only another question touches it.
    """
    return diff(old, new).question or not quarantined(old, new).isdisjoint(label.categories)


def _check_version(version: object, faults: _Faults) -> None:
    """The version in a file is its author's note: the number that counts is given when it is published."""
    if isinstance(version, bool) or not isinstance(version, int | str | None):
        faults.add("version", f"must be a whole number or text, not {_kind(version)}; quote it")


def _drafts(value: object, faults: _Faults) -> list[_Draft]:
    """Each category as far as it can be read, with a fault for whatever cannot."""
    if not isinstance(value, list):
        faults.add("categories", "must be a list of categories; an empty list [] means open coding")
        return []
    if len(value) > len(FREE_KEYS):
        faults.add("categories", f"has {len(value)} categories; {len(FREE_KEYS)} letters are free to choose them by")
        return []
    drafts = [_draft(f"categories.{index}", item, faults) for index, item in enumerate(value)]
    return [draft for draft in drafts if draft]


def _draft(place: str, item: object, faults: _Faults) -> _Draft | None:
    if not isinstance(item, Mapping):
        faults.add(place, f"must be a mapping with {', '.join(_CATEGORY_FIELDS)}, not {_kind(item)}")
        return None
    faults.unknown(f"{place}.", item, _CATEGORY_FIELDS)
    limits = {"id": MAX_ID, "name": MAX_NAME} | dict.fromkeys(MEANING, MAX_TEXT)
    texts = {field: faults.text(f"{place}.{field}", item, field, limit) for field, limit in limits.items()}
    if texts["id"] and not _SLUG.fullmatch(texts["id"]):
        faults.add(
            f"{place}.id", "must be a slug: small letters, digits and single hyphens or underscores between them"
        )
    if texts["positive"] and _folded(texts["positive"]) == _folded(texts["negative"]):
        faults.add(f"{place}.negative", "is the same text as the positive example")
    return _Draft(place, texts, _own_key(f"{place}.key", item.get("key"), faults))


def _own_key(place: str, key: object, faults: _Faults) -> str:
    """The key a category asks for, or an empty text when it leaves the choice to us."""
    if key is None:
        return ""
    letter = str(key).strip().lower() if isinstance(key, str | int) and not isinstance(key, bool) else ""
    if letter in FREE_KEYS:
        return letter
    why = "is used by the page itself" if letter in RESERVED_KEYS else "is not one letter of a to z"
    faults.add(place, f"{str(key)[:MAX_ID]!a} {why}; free: {' '.join(FREE_KEYS)}")
    return ""


def _check_unique(drafts: Sequence[_Draft], faults: _Faults) -> None:
    for field in ("id", "name", "key"):
        seen: dict[str, str] = {}
        for draft in drafts:
            value = draft.key if field == "key" else draft.texts[field].casefold()
            if value and value in seen:
                faults.add(f"{draft.place}.{field}", f"{value[:MAX_NAME]!a} is already that of {seen[value]}")
            seen.setdefault(value, draft.place)


def _keys(drafts: Sequence[_Draft]) -> Iterator[str]:
    """A key for each draft: its own, else the first letter of its name, then of the alphabet, that nobody has."""
    taken = {draft.key for draft in drafts}
    for draft in drafts:
        letters = (*draft.texts["name"].lower(), *FREE_KEYS)
        key = draft.key or next(letter for letter in letters if letter in FREE_KEYS and letter not in taken)
        taken.add(key)
        yield key


def _differing(old: Category, new: Category) -> tuple[str, ...]:
    return tuple(f for f in ("name", *MEANING) if _folded(getattr(old, f)) != _folded(getattr(new, f)))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _kind(value: object) -> str:
    """What a value read from YAML is called there."""
    names = {bool: "yes or no", int: "a number", float: "a number", list: "a list", dict: "a mapping", str: "text"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")

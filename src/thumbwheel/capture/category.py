"""The category of a trace that came without one, from rules a project writes down.

    [{"category": "billing", "name": "invoice*"}, {"category": "travel", "input": ["flight", "hotel"], "tags": "web"}]

Rules are tried in order and the first whose every condition holds gives the category. `name`, `model`,
`prompt_version`, `release` and `tags` compare with patterns (`*` for anything); `input` looks for words or phrases in
what was asked, whatever their case; of a list one is enough. A rule decides once, when the trace comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.errors import Invalid

_PATTERNS: Final = ("name", "model", "prompt_version", "release", "tags")
_MOST: Final = 100
#: Characters of the input that are searched.
_SEARCHED: Final = 20_000


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """One rule: a category, and for each field the patterns or words of which one must fit."""

    category: str
    conditions: Mapping[str, tuple[str, ...]]

    def holds(self, trace: Trace, asked: str) -> bool:
        """Whether every condition holds; `asked` is the input as text, in lower case."""
        return all(self._fits(field, wanted, trace, asked) for field, wanted in self.conditions.items())

    def _fits(self, field: str, wanted: tuple[str, ...], trace: Trace, asked: str) -> bool:
        if field == "input":
            return any(word.casefold() in asked for word in wanted)
        values = trace.tags if field == "tags" else (getattr(trace, field),)
        return any(value is not None and fnmatchcase(value, pattern) for value in values for pattern in wanted)


def read_category_rules(stored: Any) -> tuple[CategoryRule, ...]:
    """Rules as a project keeps them.

    Raises Invalid, naming the rule, for what is none.
    """
    if not isinstance(stored, list) or len(stored) > _MOST:
        raise Invalid(f"Category rules are a list of at most {_MOST}.", field="categories")
    return tuple(_rule(each, number) for number, each in enumerate(stored))


def _rule(stored: Any, number: int) -> CategoryRule:
    here = f"categories.{number}"
    if not isinstance(stored, dict) or not isinstance(stored.get("category"), str) or not stored["category"]:
        raise Invalid("A rule names a category.", field=here)
    unknown = [name for name in stored if name not in {"category", "input", *_PATTERNS}]
    if unknown or len(stored) < 2:
        named = ", ".join((*_PATTERNS, "input"))
        raise Invalid(f"A rule has conditions on {named}; not on {', '.join(unknown) or 'nothing'}.", field=here)
    conditions = {}
    for name, wanted in stored.items():
        if name == "category":
            continue
        words = [wanted] if isinstance(wanted, str) else wanted
        if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
            raise Invalid(f"{name} is a text, or a list of texts of which one must fit.", field=f"{here}.{name}")
        conditions[name] = tuple(words)
    return CategoryRule(stored["category"], conditions)


def categorise(trace: Trace, rules: Sequence[CategoryRule]) -> str | None:
    """The trace's own category, else that of the first rule that holds, else None."""
    if trace.category or not rules:
        return trace.category
    asked = text_of(trace.input)[:_SEARCHED].casefold() if any("input" in rule.conditions for rule in rules) else ""
    return next((rule.category for rule in rules if rule.holds(trace, asked)), None)

"""What a project chooses for itself; where it chooses nothing, the installation's settings hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from thumbwheel.capture.category import read_category_rules
from thumbwheel.capture.privacy import ConsentMode
from thumbwheel.capture.score import check_rule
from thumbwheel.errors import Invalid
from thumbwheel.store.ledger import Ledger

_CHANNEL: Final = re.compile(r"\*|[\w][\w .:/@+-]{0,99}")
_REASON: Final = re.compile(r"[\w][\w -]{0,99}")
_TYPE: Final = re.compile(r"[A-Z][A-Z_]{1,49}")


@dataclass(frozen=True, slots=True)
class Projects:
    """What projects choose."""

    ledger: Ledger
    #: Raises ConfigInvalid for countries without telephone numbers.
    check_regions: Callable[[list[str]], object]

    def chosen(self, project_id: int) -> dict[str, Any]:
        """What the project has chosen, by name."""
        with self.ledger.read(project_id) as tx:
            return tx.people.project_settings(project_id)

    def choose(self, project_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change what a project chose; None takes a choice back. It holds within five seconds, for what comes then.

        `reasons` (a list), `consent` (channel -> mode, "*" for every other
        channel; None takes back one channel), `scrub` (bool), `phone_regions`
        and `keep` (lists), `pseudonymise` and `clarifications` (bool), `scores` (name of another
        tool's score -> its rule, see `thumbwheel.capture.score`; None takes
        back one), `categories` (a list of rules, see `thumbwheel.capture.category`),
        `tables` (name of somebody's table -> what its columns and values are,
        and how far it has been read).

        Raises:
            Invalid: there is no such choice, or not with this value.
            ConfigInvalid: there is no such region.
        """
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        with self.ledger.begin(project_id) as tx:
            chosen = tx.people.project_settings(project_id)
            for name, value in checked.items():
                if name in _EACH and value is not None:
                    value = {**chosen.get(name, {}), **value}  # noqa: PLW2901 - only those that were named
                    value = {each: choice for each, choice in value.items() if choice is not None} or None  # noqa: PLW2901
                if value is None:
                    chosen.pop(name, None)
                else:
                    chosen[name] = value
            tx.people.set_project(project_id, chosen)
        return chosen

    def _checked(self, name: str, value: Any) -> Any:
        if name not in _CHECKS and (name != "origins" or value is not None):
            raise Invalid(f"A project chooses {', '.join(_CHECKS)}; not {name!r}.", field=name)
        if value is None:
            return None
        _CHECKS[name](name, value)
        if name == "phone_regions":
            self.check_regions(value)
        return value


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Invalid(f"{name} is true or false.", field=name)


def _names(pattern: re.Pattern[str], what: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        wrong = [each for each in value if not pattern.fullmatch(str(each))]
        if wrong:
            raise Invalid(f"{wrong[0]!r} is no {what}.", field=name)

    return check


def _reasons(name: str, value: Any) -> None:
    if not value or len(value) > 50 or len(set(value)) != len(value):
        raise Invalid("A project has between 1 and 50 reasons, each once.", field=name)
    _names(_REASON, "reason: letters, digits, spaces, _ and -, at most 100")(name, value)


def _consent(name: str, value: Any) -> None:
    for channel, mode in value.items():
        if not _CHANNEL.fullmatch(channel):
            raise Invalid(
                f"{channel!r} is no channel: browser, server, import, link, * or a public channel's name.", field=name
            )
        if mode is not None and mode not in set(ConsentMode):
            raise Invalid(f"A consent mode is one of {', '.join(ConsentMode)}; not {mode!r}.", field=name)


def _categories(_name: str, value: Any) -> None:
    read_category_rules(value)


def _scores(_name: str, value: Any) -> None:
    for score, rule in value.items():
        if rule is not None:
            check_rule(score, rule)


def _tables(name: str, value: Any) -> None:
    for table, read in value.items():
        if not table or len(table) > 200:
            raise Invalid("The name of a table has 1 to 200 characters.", field=name)
        if read is not None and not (isinstance(read, dict) and isinstance(read.get("fields"), dict)):
            raise Invalid(f"What is known of the table {table!r} begins with its fields.", field=name)


_CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "reasons": _reasons,
    "consent": _consent,
    "scrub": _flag,
    "phone_regions": _names(re.compile("[A-Z]{2}"), "country: two capital letters, like GB"),
    "keep": _names(_TYPE, "type of personal data, like URL"),
    "pseudonymise": _flag,
    "clarifications": _flag,
    "scores": _scores,
    "categories": _categories,
    "tables": _tables,
}
#: Choices made name by name.
_EACH: Final = frozenset({"consent", "scores", "tables"})

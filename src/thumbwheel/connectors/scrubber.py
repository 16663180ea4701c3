"""The scrubber that comes with thumbwheel: forms, numbering plans, issuers' keys; Presidio and Kingfisher where installed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from thumbwheel.connectors import kingfisher, presidio
from thumbwheel.connectors.credentials import may_have_secrets, secrets
from thumbwheel.connectors.forms import FORMS, Form, may_have_urls, urls
from thumbwheel.connectors.labels import Look
from thumbwheel.connectors.phones import DEFAULT_REGIONS, checked, phone_numbers
from thumbwheel.ports import Found

#: Digits in a web address are paths and ids; these are personal there too.
_IN_URLS: Final = frozenset({"URL", "EMAIL_ADDRESS", "SECRET", "IP_ADDRESS", "IBAN_CODE", "CREDIT_CARD"})

#: Characters of a text worth remembering, and of all that are remembered.
_LONGEST: Final = 32_768
_REMEMBERED: Final = 4_000_000


class PatternScrubber:
    """Finds what has a form: addresses of mail and machines, cards, accounts, telephones, identity numbers, secrets.

    Names and postal addresses have none: they need `ner_model`. Each kind of
    data stands behind a gate, a cheap look that is true for every text the
    kind occurs in, so that ordinary text costs little.
    """

    def __init__(
        self,
        *,
        regions: Sequence[str] = DEFAULT_REGIONS,
        national: bool | None = None,
        secret_scanner: bool | None = None,
        ner_model: str | None = None,
    ) -> None:
        """Choose what is looked for; None means: if its part is installed.

        `regions` are countries (ISO 3166, two letters) whose telephone
        numbers are known without + and without a word like "call" beside
        them. `national` has Presidio look for identity numbers,
        `secret_scanner` Kingfisher for secrets beyond our own patterns,
        `ner_model` a spaCy model for people and places.

        Raises:
            ExtraMissing: a part that was asked for is not installed.
            ConfigInvalid: there is no such model, or no such region.
        """
        self._clean: set[str] = set()
        self._held = 0
        self._warm: list[Callable[[], object]] = []
        self._forms = [Form(may_have_secrets, secrets)]
        if kingfisher.is_installed() if secret_scanner is None else secret_scanner:
            scan = kingfisher.finder()
            self._warm.append(lambda: list(scan("")))
            self._forms.append(Form(kingfisher.may_have_secrets, scan))
        self._forms += FORMS
        if presidio.is_installed() if national is None else national:
            presidio.require()
            self._warm.append(presidio.warm)
            self._forms.append(Form(presidio.may_have_national_numbers, presidio.national_numbers))
        plans = checked(regions)
        self._forms.append(Form(lambda look: look.cluster, lambda text: phone_numbers(text, plans)))
        if ner_model:
            self._forms.append(Form(lambda _: True, presidio.names(ner_model)))

    def warm(self) -> None:
        """Load now what is otherwise loaded when a text first needs it: seconds, that no caller should wait for."""
        for load in self._warm:
            load()

    def find(self, text: str) -> list[Found]:
        """Everything personal in `text`, in order and without overlaps, the stronger kind first.

        Texts in which nothing was found are remembered: keys, roles and
        system prompts come again and again, and a trace says its question and
        its answer in more than one of its spans.
        """
        if text in self._clean:
            return []
        found = self._look(text)
        if not found and len(text) <= _LONGEST:
            self._remember(text)
        return found

    def _remember(self, text: str) -> None:
        if self._held > _REMEMBERED:
            self._clean, self._held = set(), 0
        self._clean.add(text)
        self._held += len(text)

    def _look(self, text: str) -> list[Found]:
        look = Look(text)
        addresses = list(urls(text)) if may_have_urls(look) else []
        pages, kept = _Spans(), _Spans()
        for page in addresses:
            pages.add(page)
        for form in self._forms:
            for found in form.find(text) if form.gate(look) else ():
                if found.type in _IN_URLS or not pages.hold(found.start):
                    kept.add(found)
        for page in addresses:
            kept.add(page)
        return kept.found


class _Spans:
    """Findings in order and without overlaps: what came first stands."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._starts: list[int] = []

    def add(self, new: Found) -> None:
        at = bisect_left(self._starts, new.start)
        clear = at == len(self.found) or new.end <= self.found[at].start
        if new.start < new.end and clear and (not at or self.found[at - 1].end <= new.start):
            self.found.insert(at, new)
            self._starts.insert(at, new.start)

    def hold(self, place: int) -> bool:
        """Does one of them cover this place?"""
        at = bisect_right(self._starts, place)
        return at > 0 and place < self.found[at - 1].end


@cache
def scrubber(mode: str, regions: tuple[str, ...] | None, model: str | None) -> PatternScrubber:
    """The scrubber of these choices, one for the whole process: its recognisers take seconds to make.

    `mode` is "auto" (whatever is installed), "patterns" or "full".

    Raises:
        ExtraMissing: it needs a part that is not installed.
        ConfigInvalid: there is no such model or region.
    """
    more = {"auto": None, "patterns": False, "full": True}[mode]
    wanted = DEFAULT_REGIONS if regions is None else regions
    return PatternScrubber(regions=wanted, national=more, secret_scanner=more, ner_model=model)

"""How well people agree: kappa of the doubled entries, overall and per category, and who differs where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thumbwheel.annotate.settle import standing
from thumbwheel.domain.annotation import Annotation, Verdict
from thumbwheel.stats.kappa import LEAST_UNITS, AgreementResult, cohen_kappa_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two blind judgements of one entry; `first` is the annotator whose name sorts first."""

    entry_id: str
    trace_id: str
    first: Annotation
    second: Annotation

    @property
    def annotators(self) -> tuple[str, str]:
        """The two people, the name that sorts first before."""
        return self.first.annotator, self.second.annotator

    @property
    def differs(self) -> bool:
        """Whether the two would be a dispute: another verdict, or other categories."""
        return self.first.verdict is not self.second.verdict or self.contested != ()

    @property
    def contested(self) -> tuple[str, ...]:
        """Categories that only one of them saw."""
        return tuple(sorted(set(self.first.categories) ^ set(self.second.categories)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryAgreement:
    """How alike one category is read, and by whom it is not."""

    category: str
    kappa: AgreementResult
    #: Doubled entries on which only one of the two saw it.
    disputed: tuple[Pair, ...]
    #: Two annotators -> on how many of them they differ; the most first.
    differing: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement on the doubled entries. `overall` is about pass or fail alone."""

    n_doubled: int
    #: Doubled entries under which no state but `too_few` is given.
    n_needed: int
    overall: AgreementResult
    categories: tuple[CategoryAgreement, ...]
    #: Doubled entries judged differently, in verdict or categories.
    disputed: tuple[Pair, ...]


def agreement(annotations: Iterable[Annotation], categories: Sequence[str]) -> Agreement:
    """Agreement of people on the entries that two or more judged.

    `annotations` may hold every annotation: an entry with one annotator is left
    out. Of an entry with more than two the first two to judge it count, so that
    each entry is one unit. Where more than two people share the doubling, the
    tables of all their pairs are pooled, each with the name that sorts first as
    the first rater; with two people this is Cohen's kappa.

    `categories` are the codebook's; each is read one-vs-rest. What is too little
    or undefined is said by the state of each result, never by a number.
    """
    pairs = doubled(annotations)
    return Agreement(
        n_doubled=len(pairs),
        n_needed=LEAST_UNITS,
        overall=cohen_kappa_of(
            [pair.first.verdict for pair in pairs], [pair.second.verdict for pair in pairs], categories=list(Verdict)
        ),
        categories=tuple(_of_category(category, pairs) for category in categories),
        disputed=tuple(pair for pair in pairs if pair.differs),
    )


def doubled(annotations: Iterable[Annotation]) -> tuple[Pair, ...]:
    """The standing judgements of every entry that two or more people judged, by entry id."""
    by_entry: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_entry[annotation.entry_id].append(annotation)
    found = (_pair(by_entry[entry_id]) for entry_id in sorted(by_entry))
    return tuple(pair for pair in found if pair)


def _pair(annotations: Sequence[Annotation]) -> Pair | None:
    """The pair of the two people who judged an entry first, by their standing judgement."""
    arrived = dict.fromkeys(one.annotator for one in sorted(annotations, key=lambda one: (one.at, one.id)))
    if len(arrived) < 2:
        return None
    early = sorted(list(arrived)[:2])
    voices = {voice.annotator: voice for voice in standing(annotations)}
    first, second = voices[early[0]], voices[early[1]]
    return Pair(entry_id=first.entry_id, trace_id=first.trace_id, first=first, second=second)


def _of_category(category: str, pairs: Sequence[Pair]) -> CategoryAgreement:
    disputed = tuple(pair for pair in pairs if category in pair.contested)
    return CategoryAgreement(
        category=category,
        kappa=cohen_kappa_of(
            [category in pair.first.categories for pair in pairs],
            [category in pair.second.categories for pair in pairs],
            categories=(True, False),
        ),
        disputed=disputed,
        differing=dict(Counter(pair.annotators for pair in disputed).most_common()),
    )

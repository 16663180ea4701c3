"""What people did with a trace, as one list of happenings in the order they happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.queue import Purpose
from thumbwheel.services.history import EntryHistory, TraceHistory
from thumbwheel.web import words

_SETTLED = {"single": "on one judgement", "agreed": "two agree", "adjudicated": "decided by the owner"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a trace."""

    at: datetime
    what: str
    detail: str = ""
    #: A page that says more.
    link: str | None = None


def happenings(history: TraceHistory) -> Sequence[Happening]:
    """Everything that happened, first first."""
    found = [each for entry in history.entries for each in _of_entry(entry)]
    for check in history.checks:
        said = "agrees" if check.agrees else "disagrees"
        found.append(Happening(check.at, f"{check.checked_by} looked again", f"{said} with {check.annotator}"))
    for fix in history.fixes:
        found.append(Happening(fix.created_at, f"A {fix.kind.value} fix was credited with it", fix.reference))
        if fix.shipped_at:
            found.append(Happening(fix.shipped_at, "That fix shipped", fix.reference))
    return sorted(found, key=lambda each: each.at)


def _of_entry(history: EntryHistory) -> Iterator[Happening]:
    entry = history.entry
    if entry.purpose is Purpose.chosen:
        yield Happening(entry.added_at, "Put into the queue by hand", entry.reason)
    else:
        chance = f"{entry.reason}; drawn with chance {words.percent(entry.inclusion_probability)}"
        yield Happening(entry.added_at, f"Picked by {entry.policy.value}", chance, f"/draws/{entry.draw_id}")
    for skip in history.skips:
        yield Happening(skip.at, f"{skip.annotator} skipped it", skip.why or "no reason given")
    for kept in history.annotations:
        one = kept.annotation
        yield Happening(one.at, f"{one.annotator} judged it: {_said(one.verdict.value, one.categories)}")
        if kept.superseded_at:
            yield Happening(kept.superseded_at, f"What {one.annotator} said counts no more")
    for label, gone_at in history.labels:
        yield from _of_label(label, gone_at, label.id in history.quarantined)


def _of_label(label: Label, gone_at: datetime | None, quarantined: bool) -> Iterator[Happening]:
    if label.affirmed_at:
        under = f"under codebook version {label.codebook_version}"
        yield Happening(label.affirmed_at, f"{label.affirmed_by} affirmed its label", under)
    else:
        yield Happening(
            label.settled_at, f"Settled: {_said(label.verdict.value, label.categories)}", _SETTLED[label.settled.value]
        )
    if gone_at and quarantined:
        yield Happening(gone_at, "Its label was set aside", "the codebook changed", f"/quarantine?at={label.id}")
    elif gone_at:
        yield Happening(gone_at, "That label stands no more")


def _said(verdict: str, categories: Sequence[str]) -> str:
    return f"{verdict}, {', '.join(categories)}" if categories else verdict

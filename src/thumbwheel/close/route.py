"""Which outlets a settled label feeds, and what a corrected answer may be used for."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from rapidfuzz import fuzz

from thumbwheel.close.preference import compares, makes_pair
from thumbwheel.close.text import plain
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.queue import Purpose, QueueEntry
from thumbwheel.domain.signal import Right, Signal
from thumbwheel.domain.trace import Trace

#: What people who work on the application may do with their own words.
ALL_RIGHTS = frozenset(Right)
#: From this likeness (0 to 100, share of matching characters) on, a corrected answer is a user's edit taken over.
TAKEN_OVER = 90.0


class Outlet(StrEnum):
    """What a label can become."""

    golden = "golden"
    preference = "preference"
    comparison = "comparison"


def outlets(
    label: Label, entry: QueueEntry, trace: Trace, rights: frozenset[Right], other: Trace | None = None
) -> tuple[Outlet, ...]:
    """The outlets a label feeds, in the order of `Outlet`.

    * golden: every failure, unless it was only re-labelled: that measures
      people, and the first label of the trace has made its row already.
    * preference: such a failure whose corrected answer makes a pair
      (`preference.makes_pair`), when `rights` include training.
    * comparison: every label that says which of two answers is better, the
      `other` trace's or this one's.

    `rights` are those of the corrected answer (see `rights_of`).
    """
    if entry.purpose is Purpose.relabel:
        return ()
    failed = label.verdict is Verdict.failed
    feeds = {
        Outlet.golden: failed,
        Outlet.preference: failed and makes_pair(label, trace) and Right.train in rights,
        Outlet.comparison: compares(label, trace, other),
    }
    return tuple(outlet for outlet in Outlet if feeds[outlet])


def lacking(outlet: Outlet, label: Label, trace: Trace, rights: frozenset[Right]) -> Right | None:
    """The right that keeps a failure's corrected answer out of an outlet; None when none is missing or nothing is lost.

    Without evaluation the golden row is made, but not told what right looks
    like; without training there is no pair. A comparison is of two answers of
    the application, and nobody's words.
    """
    if outlet is Outlet.comparison:
        return None
    needed = {Outlet.golden: Right.evaluate, Outlet.preference: Right.train}[outlet]
    usable = makes_pair(label, trace) if outlet is Outlet.preference else bool(plain(label.corrected_output or ""))
    failed = label.verdict is Verdict.failed
    return needed if failed and usable and needed not in rights else None


def rights_of(label: Label, signals: Iterable[Signal]) -> frozenset[Right]:
    """What the corrected answer of a label may be used for.

    A reviewer's own words may be used for everything. Where the corrected
    answer is a user's edit taken over, word for word or nearly, the user's
    rights go with it: a reviewer cannot give away what the user kept. Where it
    resembles the edits of several users, only what all of them gave is left.
    """
    corrected = plain(label.corrected_output or "")
    sources = [s.rights for s in signals if s.edit and s.trace_id == label.trace_id and _like(corrected, s.edit.edited)]
    return ALL_RIGHTS.intersection(*sources)


def _like(corrected: str, edited: str) -> bool:
    return bool(corrected) and fuzz.ratio(corrected, plain(edited), score_cutoff=TAKEN_OVER) > 0

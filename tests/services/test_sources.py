"""Pulling goes on where it ended and counts only what is new; pushing writes each label once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import NOW, Clock
from tests.sources import label
from thumbwheel.app import weigh
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.source import Outgoing, Page, Stream
from thumbwheel.domain.span import Span, stamp_of
from thumbwheel.errors import SourceUnavailable
from thumbwheel.services.capture import Capture, ScoreFilter, Work
from thumbwheel.services.sources import Pulled, Sources
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger

PROJECT = 1
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Elsewhere:
    """Another tool, as far as a pull sees it."""

    #: What it has, by its time.
    traces: dict[datetime, str] = field(default_factory=dict)
    judgements: dict[datetime, Score] = field(default_factory=dict)
    streams: Sequence[Stream] = (
        Stream(name="traces", late=2 * HOUR),
        Stream(name="scores", late=7 * DAY),
    )
    #: What was asked for.
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    #: How many more times it answers.
    answers: int = 1_000_000
    written: list[Outgoing] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def connect(self) -> str:
        return "elsewhere"

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        self.asked.append((stream, start, end))
        if self.answers <= 0:
            raise SourceUnavailable
        self.answers -= 1
        if stream == "traces":
            found = [(at, id) for at, id in self.traces.items() if start <= at < end]
            yield Page(spans=[span for at, id in found for span in spans_of(id, at)], remotes={"1" * 32: "tr-1"})
        else:
            yield Page(scores=[score for at, score in self.judgements.items() if start <= at < end])

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        self.written += labels
        return [each for each in labels if each.remote_id not in self.gone]

    def reads(self, stream: str) -> tuple[datetime, datetime]:
        """The whole time that was asked for."""
        times = [(start, end) for name, start, end in self.asked if name == stream]
        return min(start for start, _ in times), max(end for _, end in times)


def spans_of(id: str, at: datetime) -> list[Span]:
    root = Span(trace_id=id, id=f"{id}-root", stamp=stamp_of(at), name="ask", started_at=at, input="60?", output="60.")
    return [replace(root, id=f"{id}-step", parent_id=root.id, name="look"), root]


def a_score(id: str, about: str, at: datetime) -> Score:
    return Score(
        id=id,
        name="user_rating",
        trace_id=about,
        source=ScoreSource.api,
        type=ScoreType.boolean,
        value=0.0,
        at=at,
        stamp=stamp_of(at),
        family="elsewhere",
    )


@pytest.fixture
def ledger(tmp_path: Path, migrated: Path) -> Iterator[Ledger]:
    """A ledger on SQLite alone: tests/store/test_sources.py asks both engines."""
    shutil.copy(migrated, tmp_path / "store.db")
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


@pytest.fixture
def sources(ledger: Ledger, clock: Clock, capture: Capture) -> Sources:
    return Sources(ledger, clock, capture.keep_now)


def counts(pulled: Pulled) -> tuple[int, int, int]:
    return pulled.traces, pulled.observations, pulled.scores


def test_the_first_pull_brings_all_and_the_second_only_what_came_since(
    sources: Sources, capture: Capture, clock: Clock
) -> None:
    there = Elsewhere({NOW - 3 * DAY: "a", NOW - HOUR: "b", NOW - 30 * DAY: "old"})
    there.judgements = {NOW - 2 * DAY: a_score("s1", "a", NOW - 2 * DAY)}
    assert counts(sources.pull(PROJECT, there)) == (2, 4, 1)
    assert there.reads("traces") == (NOW - 7 * DAY, NOW)
    signals = capture.get(PROJECT, "a").signals
    assert [signal.id for signal in signals] == ["s1"]

    clock.advance(days=1)
    there.asked.clear()
    there.traces[NOW + HOUR] = "c"
    # It came late: its time is before the end of the first pull.
    there.traces[NOW - timedelta(minutes=90)] = "late"
    there.judgements[NOW - 4 * DAY] = a_score("s2", "a", NOW - 4 * DAY)
    assert counts(sources.pull(PROJECT, there)) == (2, 4, 1)
    assert there.reads("traces") == (NOW - 2 * HOUR, NOW + DAY)
    assert there.reads("scores") == (NOW - 7 * DAY, NOW + DAY)
    assert counts(sources.pull(PROJECT, there)) == (0, 0, 0)


def test_a_pull_that_breaks_off_goes_on_where_it_ended(sources: Sources, capture: Capture) -> None:
    there = Elsewhere({NOW - n * HOUR: f"t{n}" for n in range(1, 150)}, answers=4)
    with pytest.raises(SourceUnavailable):
        sources.pull(PROJECT, there)
    reached = max(end for _, _, end in there.asked[:-1])
    assert there.asked[0][1] == NOW - 7 * DAY < reached < NOW

    there.answers = 1_000_000
    there.asked.clear()
    again = sources.pull(PROJECT, there)
    assert there.asked[0][1] == reached - 2 * HOUR
    n_before = sum(at < reached for at in there.traces)
    assert again.traces == len(there.traces) - n_before
    assert capture.count_scores(PROJECT, ScoreFilter()) == 0


def test_nothing_further_back_is_read_unasked(sources: Sources) -> None:
    there = Elsewhere({NOW - HOUR: "a", NOW - 3 * DAY: "b"})
    assert counts(sources.pull(PROJECT, there, since=NOW - DAY))[0] == 1
    assert counts(sources.pull(PROJECT, there))[0] == 0
    assert there.reads("traces")[0] == NOW - DAY


def test_reading_further_back_reads_only_what_lies_before(sources: Sources) -> None:
    there = Elsewhere({NOW - 3 * DAY: "a", NOW - 20 * DAY: "b"})
    sources.pull(PROJECT, there)
    there.asked.clear()
    assert counts(sources.pull(PROJECT, there, since=NOW - 30 * DAY))[0] == 1
    spans = sorted((start, end) for name, start, end in there.asked if name == "traces")
    assert spans[0][0] == NOW - 30 * DAY
    assert not any(start < NOW - 3 * HOUR and end > NOW - 7 * DAY for start, end in spans)
    there.asked.clear()
    sources.pull(PROJECT, there, since=NOW - 30 * DAY)
    assert there.reads("traces")[0] == NOW - 2 * HOUR


def test_a_backward_reading_that_breaks_off_leaves_no_hole(sources: Sources) -> None:
    there = Elsewhere({NOW - n * DAY: f"t{n}" for n in range(1, 60)})
    sources.pull(PROJECT, there)
    there.answers = 6
    with pytest.raises(SourceUnavailable):
        sources.pull(PROJECT, there, since=NOW - 60 * DAY)
    there.answers = 1_000_000
    sources.pull(PROJECT, there, since=NOW - 60 * DAY)
    assert counts(sources.pull(PROJECT, there, since=NOW - 60 * DAY, afresh=True, dry_run=True)) == (0, 0, 0)


def test_a_dry_run_counts_and_keeps_nothing(sources: Sources, capture: Capture) -> None:
    there = Elsewhere({NOW - HOUR: "a"}, {NOW: a_score("s1", "a", NOW - HOUR)})
    there.judgements = {NOW - HOUR: a_score("s1", "a", NOW - HOUR)}
    assert counts(sources.pull(PROJECT, there, dry_run=True)) == (1, 2, 1)
    assert capture.count_scores(PROJECT, ScoreFilter()) == 0
    assert counts(sources.pull(PROJECT, there)) == (1, 2, 1)
    assert counts(sources.pull(PROJECT, there, dry_run=True)) == (0, 0, 0)


def test_reading_again_looks_at_everything_and_keeps_nothing_twice(sources: Sources) -> None:
    there = Elsewhere({NOW - 5 * DAY: "a"})
    sources.pull(PROJECT, there)
    there.asked.clear()
    there.traces[NOW - 6 * DAY] = "very late"
    assert counts(sources.pull(PROJECT, there, afresh=True)) == (1, 2, 0)
    assert there.reads("traces") == (NOW - 7 * DAY, NOW)


def test_late_judgements_of_old_traces_are_looked_for_where_traces_were_read(sources: Sources, clock: Clock) -> None:
    there = Elsewhere({NOW - 3 * DAY: "a"})
    there.streams = (Stream(name="traces", late=2 * HOUR), Stream(name="notes", late=7 * DAY, echo=True))
    sources.pull(PROJECT, there)
    assert [name for name, _, _ in there.asked if name == "notes"] == []
    clock.advance(days=1)
    there.judgements = {NOW - 3 * DAY: a_score("s1", "a", clock())}
    there.asked.clear()
    assert counts(sources.pull(PROJECT, there)) == (0, 0, 1)
    # What is read for its traces anyway is not read twice, nor what was never read.
    assert there.reads("notes") == (NOW - 7 * DAY, NOW - 2 * HOUR)


def test_two_projects_do_not_know_of_each_other(sources: Sources) -> None:
    there = Elsewhere({NOW - HOUR: "a"})
    assert counts(sources.pull(PROJECT, there)) == (1, 2, 0)
    assert counts(sources.pull(PROJECT + 1, there)) == (1, 2, 0)


def test_progress_goes_from_nothing_to_all(sources: Sources) -> None:
    there = Elsewhere({NOW - n * HOUR: f"t{n}" for n in range(1, 100)})
    told: list[float] = []
    sources.pull(PROJECT, there, watch=lambda share, _: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


# --- labels


def test_labels_go_back_once_and_only_to_where_their_traces_came_from(
    sources: Sources, capture: Capture, ledger: Ledger
) -> None:
    there = Elsewhere({NOW - HOUR: "a", NOW - 2 * HOUR: "1" * 32})
    sources.pull(PROJECT, there)
    capture.keep_now(Work(PROJECT, spans=spans_of("ours", NOW - HOUR)))
    for number, trace_id in enumerate(("a", "1" * 32, "ours")):
        label(ledger, PROJECT, trace_id, number, NOW)
    assert sources.push(PROJECT, there, dry_run=True).pushed == 2
    assert there.written == []
    assert sources.push(PROJECT, there).pushed == 2
    assert {each.remote_id: each.root_id for each in there.written} == {"a": "a-root", "tr-1": f"{'1' * 32}-root"}
    assert [each.replaces for each in there.written] == [False, False]
    assert sources.push(PROJECT, there).pushed == 0

    label(ledger, PROJECT, "a", 7, NOW, Verdict.passed)
    there.written.clear()
    assert sources.push(PROJECT, there).pushed == 1
    (again,) = there.written
    assert again.label is not None
    assert (again.label.id, again.mark, again.replaces) == ("label-7", "thumbwheel:a", True)

    # Every label of it is taken back, and none comes in its place.
    with ledger.begin(PROJECT) as tx:
        for id in ("label-0", "label-7"):
            tx.annotations.supersede_label(id, NOW + DAY)
    there.written.clear()
    assert sources.push(PROJECT, there).pushed == 1
    assert [(each.label, each.mark, each.remote_id) for each in there.written] == [(None, "thumbwheel:a", "a")]
    assert sources.push(PROJECT, there).pushed == 0


def test_a_label_whose_trace_is_gone_is_counted_apart(sources: Sources, ledger: Ledger) -> None:
    there = Elsewhere({NOW - HOUR: "a"}, gone={"a"})
    sources.pull(PROJECT, there)
    label(ledger, PROJECT, "a", 1, NOW)
    done = sources.push(PROJECT, there)
    assert (done.pushed, done.gone) == (0, 1)
    there.gone.clear()
    assert sources.push(PROJECT, there).pushed == 1

"""How much each weighted policy wants a trace, in the order a draw reads it; and what judges suggested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from thumbwheel.domain.annotation import Suggestion
from thumbwheel.domain.queue import Policy
from thumbwheel.store.engine import insert_rows, upsert
from thumbwheel.store.tables import sample_sizes, suggestions, traces
from thumbwheel.store.traces import ROW_COLUMNS, TraceRow, row_of

_COLUMNS = "project_id policy day size_class sample_key trace_ref size failure_probability".split()


@dataclass(frozen=True, slots=True)
class Size:
    """How much one policy wants one trace."""

    policy: Policy
    #: Size class of `size`: rows of a class are read together.
    size_class: int
    size: float
    failure_probability: float


@dataclass(frozen=True, slots=True)
class SizedTrace:
    """A trace a weighted policy may pick."""

    trace: TraceRow
    size: float
    failure_probability: float


class Sizes:
    """The sizes and suggestions of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def put_all(self, sized: Sequence[tuple[TraceRow, Sequence[Size]]], policies: Sequence[Policy]) -> None:
        """Set the sizes of these traces for these policies; a policy without a size no longer wants the trace."""
        if not sized:
            return
        for policy in policies:
            self._connection.execute(
                delete(sample_sizes)
                .where(sample_sizes.c.project_id == self._project_id)
                .where(sample_sizes.c.policy == policy.value)
                .where(sample_sizes.c.day.in_(sorted({trace.day for trace, _ in sized})))
                .where(sample_sizes.c.size_class.in_(range(16)))
                .where(sample_sizes.c.sample_key.in_([trace.sample_key for trace, _ in sized]))
            )
        self.add_all(sized)

    def add_all(self, sized: Sequence[tuple[TraceRow, Sequence[Size]]]) -> None:
        """Add sizes for traces that have none yet."""
        insert_rows(
            self._connection,
            sample_sizes,
            _COLUMNS,
            [
                (
                    self._project_id,
                    size.policy.value,
                    trace.day,
                    size.size_class,
                    trace.sample_key,
                    trace.ref,
                    size.size,
                    size.failure_probability,
                )
                for trace, sizes in sized
                for size in sizes
            ],
        )

    def read(self, policy: Policy, days: Sequence[int], size_class: int, low: int, high: int) -> list[SizedTrace]:
        """Traces of these days and this size class with `low <= sample_key < high`, in key order."""
        rows = self._connection.execute(
            select(*ROW_COLUMNS, sample_sizes.c.size, sample_sizes.c.failure_probability)
            .join(traces, traces.c.id == sample_sizes.c.trace_ref)
            .where(sample_sizes.c.project_id == self._project_id)
            .where(sample_sizes.c.policy == policy.value)
            .where(sample_sizes.c.day.in_(list(days)))
            .where(sample_sizes.c.size_class == size_class)
            .where(sample_sizes.c.sample_key.between(low, high - 1))
            .order_by(sample_sizes.c.sample_key)
        )
        return [SizedTrace(row_of(row), row.size, row.failure_probability) for row in rows]

    def list_for(self, rows: Sequence[TraceRow]) -> dict[str, dict[Policy, float]]:
        """Sizes of these traces by policy; a policy that does not want the trace is left out."""
        found: dict[str, dict[Policy, float]] = {row.trace_id: {} for row in rows}
        names = {row.ref: row.trace_id for row in rows}
        statement = (
            select(sample_sizes.c.trace_ref, sample_sizes.c.policy, sample_sizes.c.size)
            .where(sample_sizes.c.project_id == self._project_id)
            .where(sample_sizes.c.policy.in_([Policy.negative.value, Policy.uncertain.value]))
            .where(sample_sizes.c.day.in_(sorted({row.day for row in rows})))
            .where(sample_sizes.c.size_class.in_(range(16)))
            .where(sample_sizes.c.sample_key.in_([row.sample_key for row in rows]))
        )
        for ref, policy, size in self._connection.execute(statement):
            if ref in names:
                found[names[ref]][Policy(policy)] = size
        return found

    def add_suggestions(self, new: Sequence[tuple[int, Suggestion]]) -> None:
        """Keep what a judge would answer, by trace number; a judge's newer answer replaces its older one."""
        upsert(
            self._connection,
            suggestions,
            [
                {
                    "project_id": self._project_id,
                    "trace_ref": ref,
                    "judge": suggestion.judge,
                    "failure_probability": suggestion.failure_probability,
                    "at": suggestion.at,
                }
                for ref, suggestion in new
            ],
        )

    def remove(self, row: TraceRow) -> None:
        """Forget everything about one trace."""
        self.put_all([(row, ())], [Policy.negative, Policy.uncertain])
        self._connection.execute(
            delete(suggestions)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref == row.ref)
        )

    def remove_suggestion(self, ref: int, judge: str) -> None:
        """Forget what a judge would answer about one trace."""
        self._connection.execute(
            delete(suggestions)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref == ref)
            .where(suggestions.c.judge == judge)
        )

    def list_suggestions(self, refs: Sequence[int]) -> dict[int, list[Suggestion]]:
        """Suggestions by trace number, newest first."""
        rows = self._connection.execute(
            select(suggestions, func.coalesce(traces.c.given_id, traces.c.trace_id).label("trace_id"))
            .join(traces, traces.c.id == suggestions.c.trace_ref)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref.in_(list(refs)))
            .order_by(suggestions.c.at.desc())
        )
        found: dict[int, list[Suggestion]] = {}
        for row in rows:
            found.setdefault(row.trace_ref, []).append(
                Suggestion(
                    trace_id=row.trace_id, judge=row.judge, failure_probability=row.failure_probability, at=row.at
                )
            )
        return found

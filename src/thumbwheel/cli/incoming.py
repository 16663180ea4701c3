"""Rows of files and tables on their way in: decoded, kept a batch at a time, and refused one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thumbwheel.app import Wheel
    from thumbwheel.connectors.files import RejectedFile, Row
    from thumbwheel.domain.signal import Signal
    from thumbwheel.domain.trace import Trace
    from thumbwheel.errors import ThumbwheelError
    from thumbwheel.services.capture import Outcome

#: Rows kept together: one commit each.
BATCH = 500
#: Refusals that are said one by one; all of them are in the file.
_MOST_TOLD = 20


class Coming(ABC):
    """Rows on their way in, a batch at a time."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        self.accepted = self.duplicates = self.refused = self.skipped = 0
        self._wheel = wheel
        self._now = wheel.now()
        self._project_id = project_id
        self._rejected = rejected
        self._rows: list[Row] = []

    def take(self, row: Row) -> None:
        """Decode a row, and keep it with the next batch."""
        from thumbwheel.errors import ThumbwheelError

        if row.error is not None:
            self._refuse(row, row.error)
            return
        if row.skipped:
            self.skipped += 1
            return
        try:
            self._decode(row)
        except ThumbwheelError as fault:
            self._refuse(row, fault)
            return
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Keep what has been read so far."""
        from thumbwheel.errors import ThumbwheelError

        for row, outcome in zip(self._rows, self._keep(), strict=True):
            if isinstance(outcome, ThumbwheelError):
                self._refuse(row, outcome)
            elif outcome:
                self.accepted += 1
            else:
                self.duplicates += 1
        self._rows.clear()

    @property
    def counted(self) -> tuple[int, int]:
        """New traces and new signals."""
        return self.accepted, 0

    def _refuse(self, row: Row, fault: ThumbwheelError) -> None:
        self.refused += 1
        self._rejected.add(row, fault)
        if self.refused <= _MOST_TOLD:
            typer.echo(
                f"line {row.line}: {fault.detail}" + (f" (field {fault.field})" if fault.field else ""), err=True
            )
        elif self.refused == _MOST_TOLD + 1:
            typer.echo(f"… and more, all of them in {self._rejected.path}", err=True)

    @abstractmethod
    def _decode(self, row: Row) -> None:
        """Add a row to the batch, or raise why not."""

    @abstractmethod
    def _keep(self) -> Sequence[Outcome]:
        """Keep the batch; what became of each row."""


class ComingTraces(Coming):
    """Traces on their way in."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        super().__init__(wheel, project_id, rejected)
        self._values: list[tuple[Trace, int]] = []

    def _decode(self, row: Row) -> None:
        from thumbwheel.connectors import native

        arrived = native.trace(row.item, self._now)
        self._values.append((arrived.value, arrived.content_hash))

    def _keep(self) -> Sequence[Outcome]:
        from thumbwheel.services.capture import Work

        values, self._values = self._values, []
        return self._wheel.capture.keep_now(Work(self._project_id, traces=values, channel="import")).traces


class ComingSignals(Coming):
    """Signals on their way in, and the traces they are about where rows have them."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        super().__init__(wheel, project_id, rejected)
        #: Traces made from what rows said was asked and answered.
        self.n_traces = 0
        self._reasons = wheel.capture.reasons(project_id)
        self._values: list[tuple[Signal, int]] = []
        self._traces: dict[str, tuple[Trace, int]] = {}

    @property
    def counted(self) -> tuple[int, int]:
        """New traces and new signals."""
        return self.n_traces, self.accepted

    def _decode(self, row: Row) -> None:
        from thumbwheel.connectors import native
        from thumbwheel.services.capture import check_reason

        arrived = native.signal(row.item, self._now, native.id_of(row.item))
        check_reason(arrived.value, self._reasons)
        if row.trace is not None:
            trace = native.trace(row.trace, self._now)
            self._traces.setdefault(trace.value.id, (trace.value, trace.content_hash))
        self._values.append((arrived.value, arrived.content_hash))

    def _keep(self) -> Sequence[Outcome]:
        from thumbwheel.services.capture import Work

        values, self._values = self._values, []
        kept = self._wheel.capture.keep_now(
            Work(self._project_id, traces=self._unknown_traces(), signals=values, channel="import")
        )
        self.n_traces += sum(outcome is True for outcome in kept.traces)
        return kept.signals

    def _unknown_traces(self) -> list[tuple[Trace, int]]:
        """Those that are not here: what the application itself reported of a trace says more than a table of thumbs."""
        traces, self._traces = self._traces, {}
        here = self._wheel.capture.find_traces(self._project_id, list(traces)) if traces else set()
        return [each for trace_id, each in traces.items() if trace_id not in here]

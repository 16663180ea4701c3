"""The clock: runs what is due, once, however many replicas there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from cronsim import CronSim

from thumbwheel.errors import StoreUnavailable
from thumbwheel.ports import Now
from thumbwheel.store.ledger import Ledger

_log = structlog.get_logger()

#: A job that takes longer is taken for dead, and another replica may run it.
_LEASE = timedelta(minutes=15)
#: Seconds between looks at what is due.
_TICK = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again."""

    name: str
    #: When it is due next, after it ran at this time.
    after: Callable[[datetime], datetime]
    run: Callable[[], object]


def every(span: timedelta) -> Callable[[datetime], datetime]:
    """Due again this long after it ran."""
    return lambda at: at + span


def cron(expression: str) -> Callable[[datetime], datetime]:
    """Due by a cron expression, in UTC.

    Raises:
        CronSimError: the expression is none.
    """
    CronSim(expression, datetime(2000, 1, 1))  # noqa: DTZ001 - only to refuse a bad expression now
    return lambda at: next(CronSim(expression, at))


@dataclass(slots=True)
class Schedule:
    """Runs jobs in a thread of its own."""

    ledger: Ledger
    now: Now
    jobs: Sequence[Job]
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for what is due."""
        with self.ledger.begin(0) as tx:
            for job in self.jobs:
                tx.jobs.add(job.name, job.after(self.now()))
        self._thread = threading.Thread(target=self._loop, name="thumbwheel-schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what runs, and look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def run_due(self) -> list[str]:
        """Run every job that is due and that nobody else runs; their names."""
        return [job.name for job in self.jobs if self._run(job)]

    def _loop(self) -> None:
        while not self._stop.wait(_TICK):
            try:
                self.run_due()
            except StoreUnavailable:
                _log.warning("schedule.store_unavailable")

    def _run(self, job: Job) -> bool:
        now = self.now()
        with self.ledger.begin(0) as tx:
            if not tx.jobs.lease(job.name, now, now + _LEASE):
                return False
        fault = None
        try:
            job.run()
        except Exception as raised:  # noqa: BLE001 - one job's fault must not stop the others
            fault = type(raised).__name__
            _log.error("schedule.job_failed", job=job.name, exc_info=raised)
        with self.ledger.begin(0) as tx:
            tx.jobs.finish(job.name, now, job.after(self.now()), fault)
        return True

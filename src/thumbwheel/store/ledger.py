"""The ledger: one transaction over every store, bound to one project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from thumbwheel.errors import StoreUnavailable, ThumbwheelError
from thumbwheel.store.annotations import Annotations
from thumbwheel.store.artifacts import Artifacts
from thumbwheel.store.clusterings import Clusterings
from thumbwheel.store.codebooks import Codebooks
from thumbwheel.store.dwell import Dwell
from thumbwheel.store.engine import is_unreachable, lock_archive, one_writer
from thumbwheel.store.evidence import Evidence
from thumbwheel.store.fixes import Fixes
from thumbwheel.store.jobs import Jobs
from thumbwheel.store.leases import Leases
from thumbwheel.store.listings import Listings
from thumbwheel.store.notes import Notes
from thumbwheel.store.outcomes import Outcomes
from thumbwheel.store.people import People
from thumbwheel.store.quarantines import Quarantines
from thumbwheel.store.queue import Queue
from thumbwheel.store.quotas import Quotas
from thumbwheel.store.ranges import Ranges
from thumbwheel.store.scores import Scores
from thumbwheel.store.scrubbings import Scrubbings
from thumbwheel.store.selection import Selection
from thumbwheel.store.shelves import Shelf
from thumbwheel.store.signals import Signals
from thumbwheel.store.sources import Origins
from thumbwheel.store.spans import Spans
from thumbwheel.store.spot_checks import SpotChecks
from thumbwheel.store.tallies import Tallies
from thumbwheel.store.traces import Traces


class Tx:
    """What one transaction may read and write, all of it inside one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self.connection = connection
        self.project_id = project_id

    def within(self, project_id: int) -> Tx:
        """The same transaction, in another project."""
        return Tx(self.connection, project_id)

    @cached_property
    def traces(self) -> Traces:
        """Traces, their payloads and their hourly counts."""
        return Traces(self.connection, self.project_id)

    @cached_property
    def spans(self) -> Spans:
        """The spans of traces that came as spans."""
        return Spans(self.connection, self.project_id)

    @cached_property
    def listings(self) -> Listings:
        """Lists of traces."""
        return Listings(self.connection, self.project_id)

    @cached_property
    def scores(self) -> Scores:
        """Scores as other tools' clients sent them."""
        return Scores(self.connection, self.project_id)

    @cached_property
    def signals(self) -> Signals:
        """What users said, changed and did."""
        return Signals(self.connection, self.project_id)

    @cached_property
    def scrubbings(self) -> Scrubbings:
        """What was taken out of traces."""
        return Scrubbings(self.connection, self.project_id)

    @cached_property
    def dwell(self) -> Dwell:
        """Reading times, and what is usual among them."""
        return Dwell(self.connection, self.project_id)

    @cached_property
    def evidence(self) -> Evidence:
        """What is known of traces before a human looks, and judges' suggestions."""
        return Evidence(self.connection, self.project_id)

    @cached_property
    def clusterings(self) -> Clusterings:
        """Versions of the clusters of requests."""
        return Clusterings(self.connection, self.project_id)

    @cached_property
    def ranges(self) -> Ranges:
        """Ranges of the shuffled traces."""
        return Ranges(self.connection, self.project_id)

    @cached_property
    def queue(self) -> Queue:
        """Alerts, draws and their entries."""
        return Queue(self.connection, self.project_id)

    @cached_property
    def selection(self) -> Selection:
        """What waits, as an owner filters and changes it."""
        return Selection(self.connection, self.project_id)

    @cached_property
    def quotas(self) -> Quotas:
        """How many judgements a day are asked of whom."""
        return Quotas(self.connection, self.project_id)

    @cached_property
    def leases(self) -> Leases:
        """Who holds which waiting entry."""
        return Leases(self.connection, self.project_id)

    @cached_property
    def codebooks(self) -> Codebooks:
        """Published codebook versions."""
        return Codebooks(self.connection, self.project_id)

    @cached_property
    def notes(self) -> Notes:
        """Notes of open coding, and how they are sorted."""
        return Notes(self.connection, self.project_id)

    @cached_property
    def annotations(self) -> Annotations:
        """Annotations, disputes and labels."""
        return Annotations(self.connection, self.project_id)

    @cached_property
    def quarantines(self) -> Quarantines:
        """Labels that a revision of the codebook set aside."""
        return Quarantines(self.connection, self.project_id)

    @cached_property
    def spot_checks(self) -> SpotChecks:
        """What owners said of reviewers' labels."""
        return SpotChecks(self.connection, self.project_id)

    @cached_property
    def artifacts(self) -> Artifacts:
        """What labels became."""
        return Artifacts(self.connection, self.project_id)

    @cached_property
    def fixes(self) -> Fixes:
        """What was changed in the application because of labels."""
        return Fixes(self.connection, self.project_id)

    @cached_property
    def tallies(self) -> Tallies:
        """What a report counts."""
        return Tallies(self.connection, self.project_id)

    @cached_property
    def outcomes(self) -> Outcomes:
        """What became of the entries of draws."""
        return Outcomes(self.connection, self.project_id)

    @cached_property
    def shelf(self) -> Shelf:
        """What other tools' clients keep here to read it back."""
        return Shelf(self.connection, self.project_id)

    @cached_property
    def origins(self) -> Origins:
        """Where traces of other tools came from, and how far those were read."""
        return Origins(self.connection, self.project_id)

    @cached_property
    def jobs(self) -> Jobs:
        """Scheduled jobs. Not bound to the project."""
        return Jobs(self.connection)

    @cached_property
    def people(self) -> People:
        """Projects, people, API keys and the audit log. Not bound to the project."""
        return People(self.connection)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The door to the store."""

    engine: Engine

    @contextmanager
    def begin(self, project_id: int) -> Iterator[Tx]:
        """One read-write transaction; commits at the end, rolls back on any exception.

        Raises:
            StoreUnavailable: the store does not answer; nothing was stored.
        """
        with self._transaction(project_id, writes=True) as tx:
            yield tx

    @contextmanager
    def read(self, project_id: int) -> Iterator[Tx]:
        """One read-only view.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with self._transaction(project_id, writes=False) as tx:
            yield tx

    @contextmanager
    def archive(self, project_id: int) -> Iterator[Tx]:
        """A read-write transaction that is the only one writing traces and signals, or closing a frame over them.

        Raises:
            StoreUnavailable: the store does not answer; nothing was stored.
        """
        with self._transaction(project_id, writes=True) as tx:
            lock_archive(tx.connection)
            yield tx

    @contextmanager
    def _transaction(self, project_id: int, *, writes: bool) -> Iterator[Tx]:
        try:
            with one_writer(self.engine) if writes else nullcontext(), self.engine.connect() as opened:
                connection = opened.execution_options(writes=writes)
                try:
                    with connection.begin():
                        yield Tx(connection, project_id)
                except ThumbwheelError:
                    raise
                except BaseException:
                    # A cursor that was not read to its end, and that a traceback keeps, would go on reading an old
                    # snapshot from the pool: SQLite calls the database locked to whoever writes with it next.
                    connection.invalidate()
                    raise
        except DBAPIError as fault:
            if is_unreachable(fault):
                raise StoreUnavailable from fault
            raise

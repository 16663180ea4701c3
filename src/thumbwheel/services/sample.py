"""Sample: put the few traces worth a human's minute into the queue, and keep the queue as long as it can be worked off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from secrets import randbits

from thumbwheel.domain.instant import CLOCK_SKEW, EARLIEST
from thumbwheel.domain.queue import LATENCY_BUDGET, Draw, Policy, Window
from thumbwheel.drawing.lists import PER_USER_CAP, Lists
from thumbwheel.drawing.model import mix_in_force, mixes_so_far, risk_model
from thumbwheel.drawing.one import Drawing, OneDraw, Order
from thumbwheel.errors import Invalid
from thumbwheel.ports import Mint, Now
from thumbwheel.sample.backlog import Waiting, capacity, lowered, throughput, trim
from thumbwheel.sample.mix import floor_of, shares, split
from thumbwheel.sample.shortfall import Missing, about_mix, too_few
from thumbwheel.store.frames import OpenFrame, count_all, open_frame, reopen_frame
from thumbwheel.store.ledger import Ledger, Tx

__all__ = ["PER_USER_CAP", "Capacity", "DrawRequest", "Drawing", "Sample"]

#: How far back throughput is measured.
_MEASURED = timedelta(days=14)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    """What somebody asks of a draw."""

    budget: int
    window: Window | timedelta
    #: Policy -> share; the project's mix when None.
    mix: dict[str, float] | None = None
    seed: int | None = None
    #: How old a trace must be, so that feedback can have arrived.
    maturity: timedelta = timedelta(hours=24)
    #: Draw a second time from the last frame.
    again: bool = False
    dry_run: bool = False
    #: Let the embedded judge first look at what it has not seen yet. Without, a dry run writes nothing at all.
    look: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the queue can hold, and what it does."""

    #: Labels a day over the last 14 days; None while too few days were worked.
    labels_per_day: float | None
    #: Entries that can be worked off within the latency budget; None, no bound, if throughput is not measured.
    limit: int | None
    waiting: int

    @property
    def room(self) -> int | None:
        """Entries it still takes; None for no bound."""
        return None if self.limit is None else max(0, self.limit - self.waiting)


@dataclass(frozen=True, slots=True)
class Sample:
    """Draws."""

    ledger: Ledger
    now: Now
    mint: Mint
    #: Chooses which entries two people judge.
    double: bytes
    #: Lets the embedded judge look at what a draw is about to see.
    suggest: Callable[[int], int]

    def draw(self, project_id: int, request: DrawRequest) -> Drawing:
        """Pick up to `budget` traces and queue them, unless it is a dry run.

        A queue that is nearly full gets fewer: see `capacity`.

        Raises:
            Invalid: the budget, the window or the mix cannot be.
            Conflict: a trace changed while it was being drawn; draw again.
        """
        if request.mix is not None:
            split(request.mix, request.budget)
        if request.look:
            self.suggest(project_id)
        if request.dry_run:
            with self.ledger.read(project_id) as tx:
                return self._open(tx, request).run()
        with self.ledger.archive(project_id) as tx:
            drawing = self._open(tx, request)
            made = drawing.run()
            drawing.close(made)
            return made

    def _open(self, tx: Tx, request: DrawRequest) -> OneDraw:
        at = self.now()
        window = _mature(request, at)
        make = reopen_frame if request.again else open_frame
        frame = make(tx.traces, tx.evidence, tx.queue, window)
        before = tx.queue.list_drawn_from(frame.draw_id) if frame.draw_id else []
        alerts = tx.queue.list_alerts(at)
        closed_at = before[0].at if before else None
        return OneDraw(
            tx=tx,
            order=self._order(tx, request, at, frame),
            frame=frame,
            lists=Lists(tx, frame, risk_model(tx, at, before), alerts, closed_at),
            alerts=alerts,
            before=before,
            double=self.double,
            mint=self.mint,
        )

    def _order(self, tx: Tx, request: DrawRequest, at: datetime, frame: OpenFrame) -> Order:
        mix = mix_in_force(tx) if request.mix is None else request.mix
        asked = split(mix, request.budget)
        can = _capacity(tx, at)
        quotas = lowered(asked, can.room)
        notes = {"mix": about_mix(mix, shares(mix), request.budget), "frame": _too_few(tx, request, at, frame)}
        if quotas != asked:
            notes["queue"] = (
                f"{sum(quotas.values())} of {request.budget}: {can.waiting} entries wait and {can.limit} "
                f"can be worked off in {LATENCY_BUDGET.days} days"
            )
        return Order(
            id=self.mint(),
            at=at,
            seed=randbits(53) if request.seed is None else request.seed,
            budget=request.budget,
            mix=mix,
            mix_version=len(mixes_so_far(tx)) if request.mix is None else None,
            quotas=quotas,
            maturity=request.maturity,
            notes={about: why for about, why in notes.items() if why},
        )

    def capacity(self, project_id: int) -> Capacity:
        """What the queue can hold at the pace of the last 14 days, and what waits in it."""
        with self.ledger.read(project_id) as tx:
            return _capacity(tx, self.now())

    def trim(self, project_id: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop what waited too long and what the queue cannot hold, lowest-ranked first; how many by why.

        Entries somebody has begun stay, and so does random's floor.
        """
        now = self.now()
        with self.ledger.read(project_id) if dry_run else self.ledger.begin(project_id) as tx:
            waiting = [
                Waiting(
                    entry_id=each.entry_id,
                    policy=Policy(each.policy),
                    rank=each.rank,
                    n_policy=each.n_policy,
                    floor=floor_of(each.budget),
                    added_at=each.added_at,
                )
                for each in tx.queue.list_backlog(now)
            ]
            found: dict[str, list[str]] = {"expired": [], "overflow": []}
            for drop in trim(waiting, now=now, limit=_capacity(tx, now).limit):
                found[drop.why].append(drop.entry_id)
            if dry_run:
                return {why: len(entry_ids) for why, entry_ids in found.items()}
            return {why: len(tx.queue.drop(entry_ids, why, now)) for why, entry_ids in found.items()}

    def list_draws(self, project_id: int, limit: int = 20) -> list[Draw]:
        """The last draws, newest first."""
        with self.ledger.read(project_id) as tx:
            return tx.queue.list_draws(limit)


def _asked(request: DrawRequest, at: datetime) -> Window:
    window = request.window
    if isinstance(window, timedelta):
        # A window of days begins on the hour: hours that are whole are counted by their counters.
        window = Window(start=_on_the_hour(at - window) if window >= _DAY else at - window, end=at)
    if window.start >= window.end:
        raise Invalid("A window ends after it starts.", field="window")
    # Both ends may be open: "from the year 1", "to 9999". Counters of hours reach no further than dates.
    window = Window(start=max(window.start, EARLIEST), end=min(window.end, at + CLOCK_SKEW))
    if window.start >= window.end:
        raise Invalid("No trace can have started in this window.", field="window")
    return window


def _mature(request: DrawRequest, at: datetime) -> Window:
    """The part of the window asked for whose traces are old enough."""
    window, mature = _asked(request, at), at - request.maturity
    if isinstance(request.window, timedelta) and request.window >= _DAY and request.maturity >= _HOUR:
        mature = _on_the_hour(mature)
    return Window(start=min(window.start, mature), end=min(window.end, mature))


def _on_the_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _too_few(tx: Tx, request: DrawRequest, at: datetime, frame: OpenFrame) -> str | None:
    """Why the frame has fewer traces than were asked for, if it has."""
    if request.again or frame.n >= request.budget:
        return None
    window, days = _asked(request, at), tx.traces.list_days()
    mature = Window(start=window.start, end=max(window.start, frame.window.end))
    missing = Missing(
        n_young=count_all(tx.traces, Window(start=mature.end, end=window.end)),
        n_framed=count_all(tx.traces, mature) - frame.n,
        days=(_date(days[-1]), _date(days[0])) if days else None,
    )
    return too_few(frame.n, request.budget, missing, request.maturity)


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def _capacity(tx: Tx, at: datetime) -> Capacity:
    first, n = tx.annotations.count_settled(at - _MEASURED)
    labels_per_day = throughput(n, first, at, _MEASURED)
    return Capacity(labels_per_day=labels_per_day, limit=capacity(labels_per_day), waiting=tx.queue.count_waiting())

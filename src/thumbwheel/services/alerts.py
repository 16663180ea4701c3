"""Alerts: somebody's word that a slice of the traffic changed, and what looking at it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thumbwheel.domain.alert import AlertRequest
from thumbwheel.domain.queue import DriftAlert
from thumbwheel.errors import Invalid
from thumbwheel.ports import Mint, Now
from thumbwheel.sample.slice import WHERE, read_slice
from thumbwheel.store.ledger import Ledger

__all__ = ["AlertRequest", "AlertState", "Alerts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """An alert with what its pulls found."""

    alert: DriftAlert
    is_open: bool
    n_pulled: int
    n_labelled: int
    n_failed: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """Drift alerts, from raised to closed."""

    ledger: Ledger
    now: Now
    mint: Mint

    def raise_all(self, project_id: int, asked: Sequence[AlertRequest]) -> list[DriftAlert]:
        """Have draws look at slices of the traffic until the alerts expire; all of them, or none.

        One that was sent before, by its key, stays open longer or, when it is resolved, closes. One that somebody
        closed stays closed however often it is sent again.

        Raises:
            Invalid: a slice names no trace field, a filter cannot be read, or nothing is to be pulled.
        """
        now = self.now()
        made = [self._alert(each, now) for each in asked]
        with self.ledger.begin(project_id) as tx:
            for each, alert in zip(asked, made, strict=True):
                known = alert.id in tx.queue.find_alerts([alert.id])
                if each.resolved:
                    if known:
                        tx.queue.close_alert(alert.id, now)
                elif known:
                    tx.queue.extend_alert(alert.id, alert.expires_at)
                else:
                    tx.queue.add_alert(alert)
            found = tx.queue.find_alerts([alert.id for alert in made])
        return [found[alert.id] for alert in made if alert.id in found]

    def _alert(self, asked: AlertRequest, now: datetime) -> DriftAlert:
        slice_ = dict(asked.slice) | ({WHERE: asked.filter} if asked.filter is not None else {})
        if not asked.resolved or slice_:
            read_slice(slice_)
        if asked.pull < 1 or asked.lasts <= timedelta(0):
            raise Invalid("An alert pulls at least one trace a draw, for some time to come.", field="pull")
        try:
            expires_at = now + asked.lasts
        except OverflowError as fault:
            raise Invalid("An alert cannot stay open that long.", field="lasts") from fault
        return DriftAlert(
            id=asked.key or self.mint(),
            name=asked.name,
            slice=slice_,
            pull=asked.pull,
            raised_at=now,
            expires_at=expires_at,
        )

    def close(self, project_id: int, alert_id: str) -> AlertState:
        """Close an alert, and say what its pulls found.

        Raises:
            NotHere: there is no such alert in this project.
        """
        now = self.now()
        with self.ledger.begin(project_id) as tx:
            tx.queue.close_alert(alert_id, now)
            alert = tx.queue.find_alerts([alert_id])[alert_id]
            return _state(alert, now, tx.outcomes.count_pulled([alert_id]).get(alert_id, (0, 0, 0)))

    def list_alerts(self, project_id: int, *, closed: bool = False, limit: int = 100) -> list[AlertState]:
        """Alerts with what their pulls found so far: the open ones, or with `closed` also the last of the others."""
        now = self.now()
        with self.ledger.read(project_id) as tx:
            alerts = tx.queue.list_newest_alerts(limit) if closed else tx.queue.list_alerts(now)
            pulled = tx.outcomes.count_pulled([alert.id for alert in alerts])
        return [_state(alert, now, pulled.get(alert.id, (0, 0, 0))) for alert in alerts]


def _state(alert: DriftAlert, now: datetime, counted: tuple[int, int, int]) -> AlertState:
    n_pulled, n_labelled, n_failed = counted
    return AlertState(
        alert=alert,
        is_open=alert.closed_at is None and alert.expires_at > now,
        n_pulled=n_pulled,
        n_labelled=n_labelled,
        n_failed=n_failed,
    )

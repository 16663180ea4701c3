"""The clock: a job that is due runs once, whoever asks, and its fault is its own."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.conftest import Clock
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.errors import ConfigInvalid
from thumbwheel.services.schedule import Job, Schedule, cron, every
from thumbwheel.store.ledger import Ledger


def a_schedule(ledger: Ledger, clock: Clock, *jobs: Job) -> Schedule:
    with ledger.begin(0) as tx:
        for job in jobs:
            tx.jobs.add(job.name, clock())
    return Schedule(ledger, clock, jobs)


def test_a_job_runs_when_it_is_due_and_not_before_it_is_due_again(ledger: Ledger, clock: Clock) -> None:
    ran: list[str] = []
    schedule = a_schedule(ledger, clock, Job("a", every(timedelta(hours=1)), lambda: ran.append("a")))
    assert schedule.run_due() == ["a"]
    assert schedule.run_due() == []
    clock.advance(minutes=59)
    assert schedule.run_due() == []
    clock.advance(minutes=2)
    assert schedule.run_due() == ["a"]
    assert ran == ["a", "a"]


def test_many_replicas_run_a_due_job_once(ledger: Ledger, clock: Clock) -> None:
    ran: list[int] = []
    job = Job("a", every(timedelta(hours=1)), lambda: ran.append(1))
    replicas = [a_schedule(ledger, clock, job) for _ in range(6)]
    threads = [threading.Thread(target=replica.run_due) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]


def test_a_job_that_fails_is_due_again_and_the_others_run(ledger: Ledger, clock: Clock) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise RuntimeError

    jobs = [
        Job("bad", every(timedelta(hours=1)), fail),
        Job("good", every(timedelta(hours=1)), lambda: ran.append("g")),
    ]
    schedule = a_schedule(ledger, clock, *jobs)
    assert schedule.run_due() == ["bad", "good"]
    clock.advance(hours=2)
    assert schedule.run_due() == ["bad", "good"]
    assert ran == ["g", "g"]


def test_a_cron_expression_says_when_in_utc(clock: Clock) -> None:
    assert cron("30 6 * * *")(clock()).isoformat() == "2026-11-24T06:30:00+00:00"


@pytest.mark.parametrize("bad", [{"draw_at": "whenever"}, {"draw_at": "0 6 * * *", "draw_window": "a week"}])
def test_a_schedule_that_cannot_be_is_refused_at_the_start(wheel: Wheel, bad: dict[str, str]) -> None:
    settings = Settings(database_url=wheel.settings.database_url, **bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigInvalid):
        _ = Wheel(settings).schedule

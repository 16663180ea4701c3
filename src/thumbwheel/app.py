"""The composition root: settings -> ledger -> services."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from thumbwheel.capture.prior import SignalFact, signs
from thumbwheel.capture.privacy import PrivacyRules, pseudonym
from thumbwheel.capture.scrubbing import FindsNothing
from thumbwheel.config import Settings
from thumbwheel.domain.cell import Cell, step_of
from thumbwheel.domain.queue import Window
from thumbwheel.domain.signal import DEFAULT_REASONS, Signal
from thumbwheel.errors import ConfigInvalid, StoreUnavailable
from thumbwheel.keep.door import Door
from thumbwheel.ports import Mint, Now
from thumbwheel.store.engine import open_engine, ping
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.migrate import migrate

if TYPE_CHECKING:
    from thumbwheel.connectors.scrubber import PatternScrubber
    from thumbwheel.services.access import Access
    from thumbwheel.services.alerts import Alerts
    from thumbwheel.services.annotate import Annotate
    from thumbwheel.services.capture import Capture
    from thumbwheel.services.categories import Categories
    from thumbwheel.services.close import Close
    from thumbwheel.services.coding import Coding
    from thumbwheel.services.draws import Draws
    from thumbwheel.services.feedback import Feedback
    from thumbwheel.services.history import History
    from thumbwheel.services.measure import Measure
    from thumbwheel.services.norms import Norms
    from thumbwheel.services.project import Projects
    from thumbwheel.services.quarantine import Quarantine
    from thumbwheel.services.queue import QueueDesk
    from thumbwheel.services.relink import Relink
    from thumbwheel.services.rubric import Rubric
    from thumbwheel.services.sample import DrawRequest, Sample
    from thumbwheel.services.schedule import Schedule
    from thumbwheel.services.shelves import Shelves
    from thumbwheel.services.sources import Sources
    from thumbwheel.services.spot_check import SpotCheck
    from thumbwheel.services.suggest import Suggest
    from thumbwheel.services.tune import Tune


def utc_now() -> datetime:
    """The time now, aware and in UTC."""
    return datetime.now(UTC)


def mint_id() -> str:
    """A new id: 48 bits of milliseconds, then 80 of chance, as 32 hexadecimal digits."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def weigh(signals: Sequence[Signal], judge_score: float | None) -> Cell:
    """What these signals and this judge score (1 = good) tell of a trace."""
    said = signs([SignalFact.of(signal) for signal in signals])
    return Cell(said, None if judge_score is None else step_of(1.0 - judge_score))


@dataclass
class Wheel:
    """Everything thumbwheel is made of, over one store."""

    settings: Settings
    now: Now = utc_now
    mint: Mint = mint_id
    _warming: threading.Thread | None = field(default=None, init=False, repr=False)

    @cached_property
    def ledger(self) -> Ledger:
        """The store, at the newest schema."""
        engine = open_engine(self.settings.database_url)
        migrate(engine)
        return Ledger(engine)

    @cached_property
    def access(self) -> Access:
        """People, projects and keys."""
        from thumbwheel.services.access import Access

        return Access(self.ledger, self.now, self.mint)

    @cached_property
    def capture(self) -> Capture:
        """Keeps traces and signals."""
        from thumbwheel.services.capture import Capture

        return Capture(self.ledger, self.now, self.secret("shuffle"), weigh, self._open_door)

    def _open_door(self, project_id: int, chosen: Mapping[str, Any]) -> Door:
        off = not chosen.get("scrub", self.settings.scrub != "off")
        return Door.of(
            chosen,
            scrubber=FindsNothing() if off else self._scrubber(chosen.get("phone_regions")),
            key=self.pseudonym_key(project_id),
            pseudonymise=self.settings.pseudonymise,
        )

    def _scrubber(self, regions: Sequence[str] | None = None) -> PatternScrubber:
        from thumbwheel.connectors.scrubber import scrubber

        mode = "auto" if self.settings.scrub == "off" else self.settings.scrub
        return scrubber(mode, None if regions is None else tuple(regions), self.settings.scrub_model)

    def warm_up(self, then: Callable[[], object] = lambda: None) -> None:
        """Begin to load what scrubbing otherwise loads when a text first needs it; `ready` says when that is done.

        When it is, `then` is called, in a thread of its own.

        Raises:
            ExtraMissing: a setting asks for a part that is not installed.
            ConfigInvalid: a setting names a model that is not there.
        """
        loads = [self._scrubber().warm] if self.settings.scrub != "off" else []

        def load() -> None:
            for each in (*loads, then):
                each()

        self._warming = threading.Thread(target=load, name="thumbwheel-warm", daemon=True)
        self._warming.start()

    @cached_property
    def feedback(self) -> Feedback:
        """Links that take a user's word on one trace."""
        from thumbwheel.services.feedback import Feedback

        return Feedback(self.ledger, self.now)

    @cached_property
    def projects(self) -> Projects:
        """What projects choose for themselves."""
        from thumbwheel.connectors.phones import checked
        from thumbwheel.services.project import Projects

        return Projects(self.ledger, checked)

    def choices(self, project_id: int) -> dict[str, Any]:
        """What holds for a project: its own choice, else the installation's."""
        from thumbwheel.connectors.phones import DEFAULT_REGIONS

        by_default: dict[str, Any] = {
            "reasons": DEFAULT_REASONS,
            "origins": (),
            "consent": {},
            "scrub": self.settings.scrub != "off",
            "phone_regions": DEFAULT_REGIONS,
            "keep": sorted(PrivacyRules().keep),
            "pseudonymise": self.settings.pseudonymise,
            "clarifications": True,
        }
        chosen = self.projects.chosen(project_id)
        return {name: chosen.get(name, value) for name, value in by_default.items()}

    @cached_property
    def norms(self) -> Norms:
        """What reading times are compared with."""
        from thumbwheel.services.norms import Norms

        return Norms(self.ledger, self.now)

    @cached_property
    def relink(self) -> Relink:
        """Finds the trace a complaint is about."""
        from thumbwheel.services.relink import Relink

        return Relink(self.ledger, self.now, lambda project_id, user: pseudonym(user, self.pseudonym_key(project_id)))

    @cached_property
    def categories(self) -> Categories:
        """Gives a category to traces that come without one."""
        from thumbwheel.connectors.clusters import fit_clusters
        from thumbwheel.services.categories import Categories

        return Categories(self.ledger, self.now, self.mint, fit_clusters, weigh)

    @cached_property
    def sample(self) -> Sample:
        """Draws the few worth a human's minute."""
        from thumbwheel.services.sample import Sample

        return Sample(self.ledger, self.now, self.mint, self.secret("double"), self.suggest.run)

    @cached_property
    def draws(self) -> Draws:
        """What draws took, and what became of it."""
        from thumbwheel.services.draws import Draws

        return Draws(self.ledger)

    @cached_property
    def alerts(self) -> Alerts:
        """Drift alerts, from raised to closed."""
        from thumbwheel.services.alerts import Alerts

        return Alerts(self.ledger, self.now, self.mint)

    @cached_property
    def tune(self) -> Tune:
        """What the labels say about the mix and the priors."""
        from thumbwheel.services.tune import Tune

        return Tune(self.ledger, self.now, self.mint)

    @cached_property
    def suggest(self) -> Suggest:
        """Lets the embedded judge look at new traces."""
        from thumbwheel.connectors.embedded_judge import EmbeddedJudge
        from thumbwheel.services.suggest import Suggest

        return Suggest(self.ledger, self.now, EmbeddedJudge.fit)

    @cached_property
    def annotate(self) -> Annotate:
        """From judgements to labels."""
        from thumbwheel.services.annotate import Annotate

        return Annotate(self.ledger, self.now, self.mint, timedelta(seconds=self.settings.lease_seconds))

    @cached_property
    def rubric(self) -> Rubric:
        """The owner's desk: codebook, disputes, what the queue is stuck with."""
        from thumbwheel.services.rubric import Rubric

        return Rubric(self.ledger, self.now, self.mint)

    @cached_property
    def queue(self) -> QueueDesk:
        """What the owner does with what waits."""
        from thumbwheel.services.queue import QueueDesk

        return QueueDesk(self.ledger, self.now, self.mint)

    @cached_property
    def history(self) -> History:
        """Everything people did with one trace."""
        from thumbwheel.services.history import History

        return History(self.ledger)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Labels that a revision of the codebook set aside."""
        from thumbwheel.services.quarantine import Quarantine

        return Quarantine(self.ledger, self.now, self.mint)

    @cached_property
    def spot_check(self) -> SpotCheck:
        """The owner's second look at reviewers' labels."""
        from thumbwheel.services.spot_check import SpotCheck

        return SpotCheck(self.ledger, self.now, self.mint)

    @cached_property
    def coding(self) -> Coding:
        """Notes of open coding, sorted until they are categories."""
        from thumbwheel.connectors.note_features import alike
        from thumbwheel.services.coding import Coding

        return Coding(self.ledger, self.now, self.mint, alike)

    @cached_property
    def close(self) -> Close:
        """What a settled label becomes."""
        from thumbwheel.services.close import Close

        return Close(self.ledger, self.now, self.mint)

    @cached_property
    def shelves(self) -> Shelves:
        """What other tools' clients keep here to read it back."""
        from thumbwheel.services.shelves import Shelves

        return Shelves(self.ledger, self.now, self.mint)

    @cached_property
    def sources(self) -> Sources:
        """Reads other tools and writes back to them."""
        from thumbwheel.services.sources import Sources

        return Sources(self.ledger, self.now, self.capture.keep_now)

    @cached_property
    def measure(self) -> Measure:
        """Whether the wheel turns."""
        from thumbwheel.services.measure import Measure

        return Measure(self.ledger, self.now)

    @cached_property
    def schedule(self) -> Schedule:
        """Routes labels, lets the embedded judge look at new traces and, when it is set, draws."""
        from thumbwheel.services.schedule import Job, Schedule, every

        jobs = [
            Job("close", every(timedelta(seconds=2)), self._each_project(self.close.route)),
            Job("norms", every(timedelta(hours=1)), self._each_project(self.norms.refresh)),
            Job("trim", every(timedelta(hours=1)), self._each_project(self.sample.trim)),
            Job("tidy", every(timedelta(days=1)), self.shelves.tidy),
            Job("suggest", every(timedelta(minutes=1)), self._each_project(self.suggest.run)),
        ]
        if self.settings.draw_at is not None:
            request = self._daily_draw()
            draw = self._each_project(lambda project_id: self.sample.draw(project_id, request))
            jobs.append(Job("draw", _cron(self.settings.draw_at), draw))
        return Schedule(self.ledger, self.now, jobs)

    def _each_project(self, run: Callable[[int], object]) -> Callable[[], object]:
        return lambda: [run(project.id) for project in self.access.list_projects()]

    def _daily_draw(self) -> DrawRequest:
        from thumbwheel.services.sample import DrawRequest

        window, maturity = (_span(self.settings, name) for name in ("draw_window", "draw_maturity"))
        return DrawRequest(budget=self.settings.draw_budget, window=window, maturity=maturity)

    def tomorrow(self) -> DrawRequest:
        """A try of the draw the schedule would make a day from now, of what has arrived by now."""
        asked, day, now = self._daily_draw(), timedelta(days=1), self.now()
        assert isinstance(asked.window, timedelta)
        window = Window(start=now + day - asked.window, end=now + day)
        maturity = max(asked.maturity - day, timedelta(0))
        # The same all day, so that a page that is loaded again says the same.
        seed = now.date().toordinal()
        return replace(asked, window=window, maturity=maturity, seed=seed, dry_run=True, look=False)

    def secret(self, purpose: str) -> bytes:
        """The secret for one purpose: from the setting, or made once and kept in the store."""
        if self.settings.secret is None:
            return self.access.secret(purpose)
        return blake2b(purpose.encode(), key=self.settings.secret.get_secret_value().encode()[:64]).digest()[:32]

    def pseudonym_key(self, project_id: int) -> bytes:
        """What turns a user id of this project into its pseudonym, the same one for ever."""
        return blake2b(str(project_id).encode(), key=self.secret("pseudonym")).digest()

    def project(self, name: str) -> int:
        """The number of a project, made now if it was not there."""
        return self.access.add_project(name).id

    def known_project(self, name: str) -> int:
        """The number of a project that is there; `default` always is.

        Raises:
            NotHere: there is no project of this name.
        """
        return self.project(name) if name == "default" else self.access.project(name).id

    def ready(self) -> None:
        """Raise StoreUnavailable unless the store answers and nothing has to be loaded first."""
        ping(self.ledger.engine)
        if self._warming is not None and self._warming.is_alive():
            raise StoreUnavailable("The scrubber is still loading; try again.")

    def stop(self) -> None:
        """Commit what is under way, then let go of the store."""
        if "schedule" in self.__dict__:
            self.schedule.stop()
        if "capture" in self.__dict__:
            self.capture.close()
        if "ledger" in self.__dict__:
            self.ledger.engine.dispose()


def _span(settings: Settings, name: str) -> timedelta:
    from thumbwheel.connectors.span import parse_span

    try:
        span = parse_span(getattr(settings, name))
    except ValueError as fault:
        raise ConfigInvalid(f"Setting {name!r}: {fault}.", field=name) from fault
    assert isinstance(span, timedelta)
    return span


def _cron(expression: str) -> Callable[[datetime], datetime]:
    from cronsim import CronSimError

    from thumbwheel.services.schedule import cron

    try:
        return cron(expression)
    except CronSimError as fault:
        raise ConfigInvalid(f"Setting 'draw_at': {expression!r} is no cron expression.", field="draw_at") from fault

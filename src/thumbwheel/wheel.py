"""What the doors are handed: the services, and the few settings that bear on a door."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from thumbwheel.services.access import Access
from thumbwheel.services.alerts import Alerts
from thumbwheel.services.annotate import Annotate
from thumbwheel.services.capture import Capture
from thumbwheel.services.close import Close
from thumbwheel.services.coding import Coding
from thumbwheel.services.draws import Draws
from thumbwheel.services.feedback import Feedback
from thumbwheel.services.history import History
from thumbwheel.services.measure import Measure
from thumbwheel.services.quarantine import Quarantine
from thumbwheel.services.queue import QueueDesk
from thumbwheel.services.relink import Relink
from thumbwheel.services.rubric import Rubric
from thumbwheel.services.sample import DrawRequest, Sample
from thumbwheel.services.shelves import Shelves
from thumbwheel.services.spot_check import SpotCheck
from thumbwheel.services.tune import Tune


class DoorSettings(Protocol):
    """The settings a door may look at."""

    @property
    def max_body_bytes(self) -> int:
        """Largest request body, in bytes, once inflated."""
        ...

    @property
    def key_rate(self) -> str:
        """Requests one secret key may make, in each process: "5000/second"."""
        ...

    @property
    def browser_key_rate(self) -> str:
        """Requests one publishable key may make, in each process."""
        ...

    @property
    def browser_rate(self) -> str:
        """Requests one address may make with a publishable key or a feedback link, in each process."""
        ...

    @property
    def session_hours(self) -> int:
        """How long a person stays signed in."""
        ...

    @property
    def notice(self) -> str | None:
        """One line that every page shows."""
        ...

    @property
    def secure_cookies(self) -> bool:
        """Send session cookies over HTTPS only."""
        ...


class Wheel(Protocol):
    """Everything thumbwheel does, over one store."""

    @property
    def settings(self) -> DoorSettings:
        """The settings a door may look at."""
        ...

    @property
    def access(self) -> Access:
        """People, projects and keys."""
        ...

    @property
    def capture(self) -> Capture:
        """Keeps traces and signals."""
        ...

    @property
    def feedback(self) -> Feedback:
        """Links that take a user's word on one trace."""
        ...

    @property
    def relink(self) -> Relink:
        """Finds the trace a complaint is about."""
        ...

    @property
    def sample(self) -> Sample:
        """Draws the few worth a human's minute."""
        ...

    @property
    def draws(self) -> Draws:
        """What draws took, and what became of it."""
        ...

    def tomorrow(self) -> DrawRequest:
        """A try of the draw the schedule would make a day from now, of what has arrived by now."""
        ...

    @property
    def alerts(self) -> Alerts:
        """Drift alerts."""
        ...

    @property
    def tune(self) -> Tune:
        """What the labels say about the mix and the priors."""
        ...

    @property
    def annotate(self) -> Annotate:
        """From judgements to labels."""
        ...

    @property
    def rubric(self) -> Rubric:
        """The owner's desk: codebook, disputes, what the queue is stuck with."""
        ...

    @property
    def queue(self) -> QueueDesk:
        """What the owner does with what waits."""
        ...

    @property
    def history(self) -> History:
        """Everything people did with one trace."""
        ...

    @property
    def quarantine(self) -> Quarantine:
        """Labels that a revision of the codebook set aside."""
        ...

    @property
    def spot_check(self) -> SpotCheck:
        """The owner's second look at reviewers' labels."""
        ...

    @property
    def coding(self) -> Coding:
        """Notes of open coding, sorted until they are categories."""
        ...

    @property
    def close(self) -> Close:
        """What a settled label becomes."""
        ...

    @property
    def shelves(self) -> Shelves:
        """What other tools' clients keep here to read it back."""
        ...

    @property
    def measure(self) -> Measure:
        """Whether the wheel turns."""
        ...

    def now(self) -> datetime:
        """The time now, aware and in UTC."""
        ...

    def mint(self) -> str:
        """A new id."""
        ...

    def secret(self, purpose: str) -> bytes:
        """The secret for one purpose."""
        ...

    def project(self, name: str) -> int:
        """The number of a project, made now if it was not there."""
        ...

    def known_project(self, name: str) -> int:
        """The number of a project that is there; raises NotHere when there is none."""
        ...

    def ready(self) -> None:
        """Raise StoreUnavailable unless the store answers."""
        ...

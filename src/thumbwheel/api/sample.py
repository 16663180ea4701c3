"""Doors of sampling: draws and drift alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from thumbwheel.api.deps import CanAdmin, CanRead, wheel
from thumbwheel.api.drawing import drawing_out, without_thresholds
from thumbwheel.connectors.alerts import is_alertmanager, read_alertmanager
from thumbwheel.connectors.evidently import is_evidently, read_evidently
from thumbwheel.connectors.span import parse_span
from thumbwheel.domain.queue import Policy, Window
from thumbwheel.errors import Invalid
from thumbwheel.services.alerts import AlertRequest, AlertState
from thumbwheel.services.draws import Account, Part
from thumbwheel.services.sample import DrawRequest

router = APIRouter(tags=["sample"])

#: "7d", "24h", "90m", "30s" or 0.
Span = Annotated[timedelta, BeforeValidator(parse_span)]


class WindowIn(BaseModel):
    """A span of time: traces that started at or after `from` and before `to`."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")


class DrawIn(BaseModel):
    """What a draw is asked for. A field it does not know is refused: a misspelt `dry_run` would draw."""

    model_config = ConfigDict(extra="forbid")

    budget: int = Field(ge=1, le=100_000, strict=True)
    window: WindowIn | Span = timedelta(days=7)
    mix: dict[Policy, float] | None = None
    seed: int | None = Field(None, ge=0, lt=2**63, strict=True)
    maturity: Span = timedelta(hours=24)
    again: bool = False
    dry_run: bool = False

    def to_request(self) -> DrawRequest:
        """As the service takes it."""
        window = (
            Window(start=self.window.start, end=self.window.end) if isinstance(self.window, WindowIn) else self.window
        )
        return DrawRequest(
            budget=self.budget,
            window=window,
            mix=None if self.mix is None else {policy.value: share for policy, share in self.mix.items()},
            seed=self.seed,
            maturity=self.maturity,
            again=self.again,
            dry_run=self.dry_run,
        )


class AlertIn(BaseModel):
    """Somebody's word that a slice of the traffic changed."""

    name: str = Field(min_length=1, max_length=200)
    slice: dict[str, str] = Field(default_factory=dict)
    filter: str | None = None
    pull: int = Field(8, ge=1, le=10_000, strict=True)
    lasts: Span = timedelta(days=1)


@router.post("/v1/draws", status_code=201)
def draw(body: DrawIn, request: Request, who: CanAdmin) -> dict[str, Any]:
    """Pick the traces worth a human's minute, and queue them."""
    return drawing_out(wheel(request).sample.draw(who.project_id, body.to_request()))


@router.get("/v1/draws")
def list_draws(request: Request, who: CanRead, limit: Annotated[int, Field(ge=1, le=100)] = 20) -> dict[str, Any]:
    """The last draws, newest first."""
    draws = wheel(request).sample.list_draws(who.project_id, limit)
    return {"items": [without_thresholds(msgspec.to_builtins(each)) for each in draws], "next": None}


@router.get("/v1/draws/{draw_id}")
def get_draw(draw_id: str, request: Request, who: CanRead) -> dict[str, Any]:
    """A draw, accounted for: per policy, category and alert what was asked and taken, why fewer, and what became of it."""
    return account_out(wheel(request).draws.get(who.project_id, draw_id))


@router.post("/v1/alerts", status_code=201)
def raise_alert(
    body: Annotated[dict[str, Any], Body()],
    request: Request,
    who: CanAdmin,
    filter_: Annotated[
        str | None, Query(alias="filter", description="The slice, for a sender that names none.")
    ] = None,
) -> dict[str, Any]:
    """Have draws look at a slice of the traffic until the alert expires.

    Takes `{"name", "slice": {field: value} | "filter": "category = billing and tags has beta", "pull", "lasts"}`, and as
    they are the webhook of Prometheus Alertmanager and the JSON of an Evidently report or test suite; for those two the
    answer is `{"items": [...]}`, which is empty when nothing fires.
    """
    alerts = wheel(request).alerts
    if is_alertmanager(body):
        raised = alerts.raise_all(who.project_id, read_alertmanager(body, filter_))
    elif is_evidently(body):
        raised = alerts.raise_all(who.project_id, read_evidently(body, filter_))
    else:
        made: dict[str, Any] = msgspec.to_builtins(alerts.raise_all(who.project_id, [_native(body)])[0])
        return made
    return {"items": msgspec.to_builtins(raised)}


def _native(body: dict[str, Any]) -> AlertRequest:
    try:
        read = AlertIn.model_validate(body)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise Invalid(
            f"{first['msg'].removeprefix('Value error, ')}.", field=".".join(map(str, first["loc"])) or None
        ) from fault
    return AlertRequest(name=read.name, slice=read.slice, filter=read.filter, pull=read.pull, lasts=read.lasts)


@router.get("/v1/alerts")
def list_alerts(
    request: Request,
    who: CanRead,
    closed: Annotated[bool, Query(description="Also those that were closed or have expired.")] = False,
) -> dict[str, Any]:
    """Alerts that are open, each with the labelled failures among the entries it had pulled."""
    found = wheel(request).alerts.list_alerts(who.project_id, closed=closed)
    return {"items": [alert_out(each) for each in found], "next": None}


@router.post("/v1/alerts/{alert_id}/close")
def close_alert(alert_id: str, request: Request, who: CanAdmin) -> dict[str, Any]:
    """Close an alert; the answer says what its pulls found."""
    return alert_out(wheel(request).alerts.close(who.project_id, alert_id))


def alert_out(state: AlertState) -> dict[str, Any]:
    """An alert with what its pulls found, as everybody is told."""
    told: dict[str, Any] = msgspec.to_builtins(state.alert)
    found = {"pulled": state.n_pulled, "labelled": state.n_labelled, "failures": state.n_failed}
    return told | {"open": state.is_open, "found": found}


def account_out(found: Account) -> dict[str, Any]:
    """A draw accounted for, as everybody is told."""
    told = without_thresholds(msgspec.to_builtins(found.draw))
    parts = {"policies": found.policies, "categories": found.categories, "alerts": found.alerts}
    return (
        told
        | {"taken": _part_out(found.whole), "lowered": found.lowered}
        | {name: [_part_out(part) for part in each] for name, each in parts.items()}
    )


def _part_out(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(part)
    return told | {"open": part.n_open}

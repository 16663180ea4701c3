"""Doors of sampling: draws and drift alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from thumbwheel.api.deps import CanAdmin, CanRead, wheel
from thumbwheel.connectors.span import parse_span
from thumbwheel.domain.queue import Policy, Window
from thumbwheel.services.sample import Drawing, DrawRequest

router = APIRouter(tags=["sample"])

#: "7d", "24h", "90m", "30s" or 0.
Span = Annotated[timedelta, BeforeValidator(parse_span)]


class WindowIn(BaseModel):
    """A span of time: traces that started at or after `from` and before `to`."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")


class DrawIn(BaseModel):
    """What a draw is asked for."""

    budget: int = Field(ge=1, le=100_000)
    window: WindowIn | Span = timedelta(days=7)
    mix: dict[Policy, float] | None = None
    seed: int | None = Field(None, ge=0, lt=2**63)
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
    slice: dict[str, str]
    pull: int = Field(8, ge=1, le=10_000)
    lasts: Span = timedelta(days=1)


@router.post("/v1/draws", status_code=201)
def draw(body: DrawIn, request: Request, who: CanAdmin) -> dict[str, Any]:
    """Pick the traces worth a human's minute, and queue them."""
    return drawing_out(wheel(request).sample.draw(who.project_id, body.to_request()))


@router.get("/v1/draws")
def list_draws(request: Request, who: CanRead, limit: Annotated[int, Field(ge=1, le=100)] = 20) -> dict[str, Any]:
    """The last draws, newest first."""
    draws = wheel(request).sample.list_draws(who.project_id, limit)
    return {"items": [_without_thresholds(msgspec.to_builtins(each)) for each in draws], "next": None}


@router.post("/v1/alerts", status_code=201)
def raise_alert(body: AlertIn, request: Request, who: CanAdmin) -> dict[str, Any]:
    """Have draws look at a slice of the traffic until the alert expires."""
    alert = wheel(request).sample.raise_alert(who.project_id, body.name, body.slice, body.pull, body.lasts)
    made: dict[str, Any] = msgspec.to_builtins(alert)
    return made


@router.get("/v1/alerts")
def list_alerts(request: Request, who: CanRead) -> dict[str, Any]:
    """Alerts that are open."""
    return {"items": msgspec.to_builtins(wheel(request).sample.list_alerts(who.project_id)), "next": None}


def drawing_out(made: Drawing) -> dict[str, Any]:
    """A draw and its entries, as everybody is told."""
    told = _without_thresholds(msgspec.to_builtins(made.draw))
    told["entries"] = [
        {
            "id": entry.id,
            "trace_id": entry.trace_id,
            "policy": entry.policy,
            "picked_by": entry.picked_by,
            "rank": entry.rank,
            "serve_rank": entry.serve_rank,
            "reason": entry.reason,
            "inclusion_probability": entry.inclusion_probability,
            "core": entry.core,
            "purpose": entry.purpose,
            "category": entry.category,
        }
        for entry in made.entries
    ]
    return told


def _without_thresholds(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in {"thresholds", "cells"}}

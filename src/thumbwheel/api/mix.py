"""Doors of the mix: the one in force, the one the labels speak for, and past draws under another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from thumbwheel.api.deps import CanAdmin, CanRead, wheel
from thumbwheel.domain.queue import Policy
from thumbwheel.services.tune import MixVersion, Proposal, Replayed

router = APIRouter(tags=["sample"])

#: Share of the budget per policy.
Mix = dict[Policy, float]


class MixOut(BaseModel):
    """A mix that is or was in force; version 0 is the one a project starts with, and nobody put it in force."""

    version: int
    mix: Mix
    at: datetime | None
    by: str | None

    @classmethod
    def of(cls, found: MixVersion) -> MixOut:
        """From the service's."""
        mix = {Policy(policy): share for policy, share in found.mix.items()}
        return cls(version=found.version, mix=mix, at=found.at, by=found.by)


class MixesOut(MixOut):
    """The mix in force, and every one there was, oldest first."""

    versions: list[MixOut]


class EvidenceOut(BaseModel):
    """What one policy's entries turned into, and the share that speaks for."""

    policy: Policy
    n_labels: int
    n_failures: int
    #: Of the failures, those no user's signal spoke against.
    n_silent: int
    #: Failure categories among them.
    n_modes: int
    conversion: float = Field(description="Mean of the posterior: the share of its entries that fails.")
    interval: tuple[float, float] = Field(description="95 % limits of the conversion.")
    share: float
    proposed: float
    floor: float
    cap: float
    bound: str | None = Field(description="`floor` or `cap` where the proposed share is at one.")


class ProposalOut(BaseModel):
    """A mix the labels of the last 90 days speak for, with the evidence. Nothing is in force until it is applied."""

    mix: Mix
    policies: list[EvidenceOut]
    n_labels: int
    failures_per_80: float = Field(description="Failures expected in 80 entries with the mix in force.")
    failures_per_80_proposed: float
    gain: float
    gain_interval: tuple[float, float] = Field(description="95 % limits of the gain.")
    modes_found: int = Field(description="Failure categories with three labelled failures or more.")
    modes: dict[str, int] = Field(description="Failure category -> labelled failures.")
    silent_share: float | None = Field(description="Share of the failures that no user's signal spoke against.")
    silent_per_80: float | None
    silent_per_80_proposed: float | None

    @classmethod
    def of(cls, found: Proposal) -> ProposalOut:
        """From the service's."""
        return cls.model_validate(found.as_dict())


class ApplyIn(BaseModel):
    """The proposal that was looked at: if labels have changed it since, nothing is applied (409)."""

    seen: Mix | None = None


class AppliedOut(ProposalOut):
    """The mix that is in force now, and who put it there."""

    version: int
    by: str


class ReplayIn(BaseModel):
    """Shares in any unit; the proposed mix when left out."""

    mix: Mix | None = None
    last: int = Field(5, ge=1, le=50, description="How many past draws.")


class ReplayedOut(BaseModel):
    """A past draw as the other mix would have made it."""

    draw_id: str
    at: datetime
    picked: Mix = Field(description="Entries per policy, as it was.")
    replayed: Mix = Field(description="Entries per policy, under the other mix.")
    n_known: int = Field(description="Entries of the replayed draw that have a label.")
    n_caught: int = Field(description="Those of them that failed.")
    failures: float | None = Field(description="Failures the draw's labels stand for; null without labels.")
    expected: float | None = Field(description="Failures the other mix is expected to find.")
    error: float | None = Field(description="Standard error of the difference between the two.")

    @classmethod
    def of(cls, found: Replayed) -> ReplayedOut:
        """From the service's."""
        return cls.model_validate({name: getattr(found, name) for name in cls.model_fields})


class ReplayOut(BaseModel):
    """The draws that were made again, newest first."""

    items: list[ReplayedOut]
    next: str | None = None


@router.get("/v1/mix")
def mix(request: Request, who: CanRead) -> MixesOut:
    """The mix draws are made with, who put it in force, and every mix before it."""
    versions = [MixOut.of(each) for each in wheel(request).tune.mixes(who.project_id)]
    return MixesOut(**versions[-1].model_dump(), versions=versions)


@router.get("/v1/mix/proposal")
def proposal(request: Request, who: CanRead) -> ProposalOut:
    """The mix the labels speak for: conversion per policy with limits, expected gain, modes found, silent share."""
    return ProposalOut.of(wheel(request).tune.propose(who.project_id))


@router.post("/v1/mix/apply")
def apply(request: Request, who: CanAdmin, body: ApplyIn | None = None) -> AppliedOut:
    """Put the proposed mix in force for draws to come; the key that did is kept with it."""
    seen = None if body is None or body.seen is None else _plain(body.seen)
    tune, by = wheel(request).tune, f"API key {who.name}"
    told: dict[str, Any] = tune.apply(who.project_id, by, seen).as_dict()
    return AppliedOut.model_validate(told | {"version": tune.mixes(who.project_id)[-1].version, "by": by})


@router.post("/v1/mix/replay")
def replay(request: Request, who: CanRead, body: ReplayIn | None = None) -> ReplayOut:
    """Make past draws again under another mix, and say what it would be expected to have found. Nothing is queued."""
    asked = body or ReplayIn(mix=None, last=5)
    found = wheel(request).tune.replay(who.project_id, None if asked.mix is None else _plain(asked.mix), asked.last)
    return ReplayOut(items=[ReplayedOut.of(each) for each in found])


def _plain(given: Mix) -> dict[str, float]:
    return {policy.value: share for policy, share in given.items()}

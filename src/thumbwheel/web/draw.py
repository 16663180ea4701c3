"""Draws on one page: what the last one took and why, what the next would take, and the mix the labels speak for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from thumbwheel.domain.queue import Policy
from thumbwheel.services.draws import Account
from thumbwheel.services.tune import Proposal, Replayed
from thumbwheel.web import words
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Annotator, Owner, Services, Visitor, same_origin
from thumbwheel.wheel import Wheel

router = APIRouter(route_class=Page, include_in_schema=False, dependencies=[Depends(same_origin)])

#: Past draws that are listed, past draws that are made again, and alerts that are listed.
_LISTED, _REPLAYED, _ALERTS = 10, 5, 12

_Percent = Annotated[float | None, Query(ge=0, le=100)]
_Share = Annotated[float, Form(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Again:
    """Past draws under another mix, added up."""

    draws: Sequence[Replayed]

    @property
    def known(self) -> list[Replayed]:
        """Those that have labels."""
        return [each for each in self.draws if each.expected is not None]

    @property
    def failures(self) -> float:
        """Failures they caught."""
        return math.fsum(each.failures or 0.0 for each in self.known)

    @property
    def expected(self) -> float:
        """Failures they would be expected to have caught."""
        return math.fsum(each.expected or 0.0 for each in self.known)

    @property
    def give_or_take(self) -> float:
        """Half the length of the difference's 95 % interval."""
        return 1.96 * math.sqrt(math.fsum((each.error or 0.0) ** 2 for each in self.known))


def _asked_mix(
    drift: _Percent = None,
    negative: _Percent = None,
    uncertain: _Percent = None,
    stratified: _Percent = None,
    random: _Percent = None,
) -> dict[str, float] | None:
    given = {"drift": drift, "negative": negative, "uncertain": uncertain, "stratified": stratified, "random": random}
    return None if all(each is None for each in given.values()) else {name: n or 0.0 for name, n in given.items()}


def _seen_mix(
    drift: _Share, negative: _Share, uncertain: _Share, stratified: _Share, random: _Share
) -> dict[str, float]:
    return {
        "drift": drift,
        "negative": negative,
        "uncertain": uncertain,
        "stratified": stratified,
        "random": random,
    }


_AskedMix = Annotated[dict[str, float] | None, Depends(_asked_mix)]
_SeenMix = Annotated[dict[str, float], Depends(_seen_mix)]


@router.get("/draws")
def draws(
    request: Request,
    visitor: Annotator,
    wheel: Services,
    asked: _AskedMix,
    tomorrow: Annotated[str, Query(pattern="^(force|proposed|)$")] = "",
    said: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The last draw, the next one when it is asked for, and the mix."""
    project_id = visitor.project_id
    recent = wheel.draws.recent(project_id, _LISTED)
    proposal = wheel.tune.propose(project_id)
    fault = _fault(asked)
    again = Again(wheel.tune.replay(project_id, asked, _REPLAYED)) if asked and not fault else None
    return page(
        request,
        "draws.html",
        visitor,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        last=recent[0] if recent else None,
        past=recent,
        capacity=wheel.sample.capacity(project_id),
        would_drop=wheel.sample.trim(project_id, dry_run=True),
        tomorrow=tomorrow,
        tried=_tried(wheel, visitor, proposal, tomorrow) if tomorrow else None,
        proposal=proposal,
        names=_category_names(wheel, project_id),
        in_force=wheel.tune.mixes(project_id)[-1],
        changes=any(abs(row.proposed - row.share) >= 0.005 for row in proposal.policies),
        axis=max(0.1, math.ceil(10 * max(row.high for row in proposal.policies)) / 10),
        asked=asked or whole_percents(proposal.mix),
        fault=fault,
        again=again,
        alerts=wheel.alerts.list_alerts(project_id, closed=True, limit=_ALERTS),
        in_order=_in_order,
        in_words=_in_words,
        said=said,
        now=wheel.now(),
    )


@router.get("/draws/{draw_id}")
def draw(request: Request, visitor: Annotator, wheel: Services, draw_id: str) -> Response:
    """One past draw."""
    return page(request, "draw.html", visitor, account=wheel.draws.get(visitor.project_id, draw_id), now=wheel.now())


@router.post("/draws/mix")
def apply(owner: Owner, wheel: Services, seen: _SeenMix) -> Response:
    """Put the proposed mix in force, if it is still the one that was shown."""
    wheel.tune.apply(owner.project_id, owner.name, seen)
    return _back("This mix is in force from the next draw.")


@router.post("/draws/alerts/{alert_id}/close")
def close(owner: Owner, wheel: Services, alert_id: str) -> Response:
    """Close an alert, and say what its pulls found."""
    found = wheel.alerts.close(owner.project_id, alert_id)
    failures = words.counted(found.n_failed, "failure")
    return _back(f"Closed: {failures} in {words.counted(found.n_labelled, 'label')} of {found.n_pulled} pulled.")


def whole_percents(mix: Mapping[str, float]) -> dict[str, int]:
    """Shares that sum to 1 as whole percents that sum to 100, by largest remainders.

    >>> whole_percents({"negative": 0.488, "stratified": 0.196, "random": 0.316})
    {'negative': 49, 'stratified': 19, 'random': 32}
    """
    given = {policy: math.floor(100 * share) for policy, share in mix.items()}
    short = 100 - sum(given.values())
    for policy in sorted(mix, key=lambda policy: given[policy] - 100 * mix[policy])[:short]:
        given[policy] += 1
    return given


def _fault(asked: Mapping[str, float] | None) -> str | None:
    total = math.fsum(asked.values()) if asked else 100.0
    return None if abs(total - 100) < 0.05 else f"The shares add up to {total:g} %, not to 100 %."


def _tried(wheel: Wheel, visitor: Visitor, proposal: Proposal, mix: str) -> Account:
    request = wheel.tomorrow()
    if mix == "proposed":
        request = replace(request, mix=proposal.mix)
    return wheel.draws.describe(visitor.project_id, wheel.sample.draw(visitor.project_id, request))


def _category_names(wheel: Wheel, project_id: int) -> dict[str, str]:
    version = wheel.rubric.codebook(project_id)
    return {category.id: category.name for category in version.codebook.categories} if version else {}


def _in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(policy.value, counts[policy.value]) for policy in Policy if policy.value in counts]


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{policy} {n}" for policy, n in _in_order(counts))


def _back(said: str) -> Response:
    return RedirectResponse(f"/draws?{urlencode({'said': said})}", HTTPStatus.SEE_OTHER)

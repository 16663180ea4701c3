"""Presigned addresses, by which whoever holds one gives LangSmith's feedback about one run, without a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanIngest, wheel
from thumbwheel.api.langfuse_door import Asked, Query
from thumbwheel.api.langsmith_door import MOST, LangSmithRoute, Sent, SentAny, offset_of, refused
from thumbwheel.api.page import answer
from thumbwheel.api.rate import rates
from thumbwheel.connectors.langsmith import as_id, time_of
from thumbwheel.connectors.langsmith_feedback import score_of
from thumbwheel.connectors.langsmith_out import moment, uuid_of
from thumbwheel.domain.document import column
from thumbwheel.domain.span import stamp_of
from thumbwheel.errors import Invalid, NotHere, ThumbwheelError
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Work
from thumbwheel.services.shelves import Shelved

router = APIRouter(route_class=LangSmithRoute)

_ADDRESS: Final = "langsmith-address"
#: Addresses are found without knowing whose they are, so they stand on a shelf that is no project's.
_NOBODYS: Final = 0
_HOURS: Final = timedelta(hours=3)
_SAYS: Final = ("score", "value", "correction", "comment")


@router.post("/feedback/tokens")
def add_tokens(request: Request, who: CanIngest, body: SentAny) -> Response:
    """Make an address that takes feedback about one run, under one key, without an API key; or several of them."""
    if isinstance(body, list):
        return answer([_add_token(request, who, each) for each in body])
    return answer(_add_token(request, who, body))


def _add_token(request: Request, who: Caller, asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise Invalid("Expected an object.")
    run_id, key = as_id(asked.get("run_id"), "run_id"), column(asked.get("feedback_key"))
    if run_id is None or key is None:
        raise Invalid("A token needs a run_id and a feedback_key.", field="feedback_key" if run_id else "run_id")
    # What it may do, until when, and that its maker's key is still in use, is a feedback link's to say.
    signed, grant = wheel(request).feedback.sign(who.name, run_id, _lasts(request, asked))
    token = uuid_of(wheel(request).mint())
    said = {
        "signed": signed,
        "expires_at": moment(grant.expires_at),
        "run_id": run_id,
        "key": key,
        "feedback_id": as_id(asked.get("id"), "id") or token,
    }
    kept = wheel(request).shelves.put(
        _NOBODYS, _ADDRESS, said, id=token, within=_within(who, run_id), expires_at=grant.expires_at
    )
    return _token(request, kept)


def _within(who: Caller, run_id: str) -> str:
    return f"{who.project_id}/{run_id}"


def _lasts(request: Request, asked: Mapping[str, Any]) -> timedelta:
    """How long a token is asked to last; three hours when nothing is said."""
    span, until = asked.get("expires_in"), time_of(asked.get("expires_at"))
    if isinstance(span, dict):
        parts = {name: span.get(name) or 0 for name in ("days", "hours", "minutes")}
        if not all(isinstance(each, int) and 0 <= each < 1_000_000 for each in parts.values()):
            raise Invalid("Expected days, hours and minutes.", field="expires_in")
        return timedelta(**parts)
    if asked.get("expires_at") is not None and until is None:
        raise Invalid("Expected an ISO 8601 time.", field="expires_at")
    return _HOURS if until is None else until - wheel(request).now()


def _token(request: Request, kept: Shelved) -> dict[str, Any]:
    url = request.url_for("use_token", token=kept.id)
    return {"id": kept.id, "url": str(url), "expires_at": kept.body["expires_at"]}


@router.get("/feedback/tokens")
def list_tokens(request: Request, who: CanIngest, asked: Asked) -> Response:
    """The addresses made for one run."""
    run_id = as_id(asked.text("run_id"), "run_id")
    if run_id is None:
        raise Invalid("Name a run.", field="run_id")
    limit, offset = asked.count("limit", 100, MOST), offset_of(request)
    kept = wheel(request).shelves.list_within(_NOBODYS, _ADDRESS, _within(who, run_id), limit, offset)
    return answer([_token(request, each) for each in kept])


@router.get("/feedback/tokens/{token}")
def use_token_by_link(token: str, request: Request, asked: Asked) -> Response:
    """Keep what an address says of its run: `?score=&value=&comment=&correction=`."""
    said = {name: _read(asked, name) for name in ("score", "value")}
    return _use(request, token, said | {name: asked.text(name) for name in ("comment", "correction")})


def _read(asked: Query, name: str) -> Any:
    """A parameter that is a number, true or false as that; any other as the text it is."""
    text = asked.text(name)
    try:
        found = None if text is None else json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float) else text


@router.post("/feedback/tokens/{token}", name="use_token")
def use_token(token: str, request: Request, body: Sent) -> Response:
    """Keep what the holder of an address says of its run: `{"score", "value", "correction", "comment", "metadata"}`."""
    return _use(request, token, body)


def _use(request: Request, token: str, said: Mapping[str, Any]) -> Response:
    rates(request).spend_link(request)
    kept = wheel(request).shelves.find(_NOBODYS, _ADDRESS, token.lower())
    if kept is None:
        raise NotHere("There is no such address for feedback.")
    grant = wheel(request).feedback.read(kept.body["signed"])
    given = {name: said[name] for name in _SAYS if said.get(name) is not None}
    if not given:
        raise Invalid("Say something: score, value, correction or comment.", field="score")
    about = {"id": kept.body["feedback_id"], "run_id": grant.trace_id, "key": kept.body["key"]}
    beside = {"feedback_source": {"type": "api", "metadata": said.get("metadata")}}
    now = wheel(request).now()
    score = replace(score_of(given | about | beside, token, now, None), at=now, stamp=stamp_of(now))
    work = Work(grant.project_id, scores=[score], channel="link")
    faults = [each for each in wheel(request).capture.keep_now(work).scores if isinstance(each, ThumbwheelError)]
    return refused(faults) if faults else answer({})

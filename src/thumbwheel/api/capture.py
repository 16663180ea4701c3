"""Doors of capture: traces and signals in, one trace out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanRead, admitted, allowed, body_of, caller, credentials, json_of, wheel
from thumbwheel.api.errors import problem, refusal
from thumbwheel.api.straight import Door
from thumbwheel.connectors import native
from thumbwheel.domain.person import Scope
from thumbwheel.domain.score import Review
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.span import WHOLE
from thumbwheel.errors import Invalid, NotAllowed, NotKnown, ThumbwheelError
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Outcome, TraceFile, Work, check_reason
from thumbwheel.telemetry import INGESTED

router = APIRouter(tags=["capture"])

Value = TypeVar("Value")

#: As much as browsers let a page send while it goes away; nothing longer is read without a key in the headers.
_KEYLESS_BYTES = 65_536


@router.post("/v1/traces/batch", status_code=201)
async def add_traces(request: Request) -> Response:
    """Keep traces: `{"traces": [...]}`. Each that is refused says why; the rest is kept."""
    who = allowed(request, Scope.ingest)
    now = wheel(request).now()
    items = _items(json_of(request, await body_of(request)), "traces", single=False)
    good, refused = _decode(items, lambda item: native.trace(item, now))
    kept = await wheel(request).capture.keep(
        Work(who.project_id, traces=[(arrived.value, arrived.content_hash) for _, arrived in good])
    )
    return _receipt("traces", [place for place, _ in good], kept.traces, refused)


@router.post("/v1/signals", status_code=201)
async def add_signals(request: Request) -> Response:
    """Keep what users said, changed and did: one signal, or `{"signals": [...]}`."""
    named = credentials(request) is not None
    who = _may_signal(caller(request)) if named else None
    data = json_of(request, await body_of(request, None if named else _KEYLESS_BYTES))
    if who is None:
        who = _may_signal(_key_within(request, data))
    items = _items(data, "signals", single=True)
    return await keep_signals(request, who.project_id, items, "browser" if who.public else "server")


async def keep_signals(request: Request, project_id: int, items: Sequence[object], channel: str) -> Response:
    """Keep signals that came by this channel, and say what became of each."""
    good, refused = _decode(items, _signal_decoder(request, project_id, channel))
    kept = await wheel(request).capture.keep(
        Work(project_id, signals=[(arrived.value, arrived.content_hash) for _, arrived in good])
    )
    return _receipt("signals", [place for place, _ in good], kept.signals, refused)


#: What most requests come to.
DOORS: Final[Mapping[str, Door]] = {"/v1/traces/batch": add_traces, "/v1/signals": add_signals}


@router.get("/v1/traces/{trace_id:path}")
def get_trace(trace_id: str, request: Request, who: CanRead) -> Response:
    """One trace with its signals, annotations, label, suggestions, artifacts, spans and other tools' scores."""
    found = wheel(request).capture.get(who.project_id, trace_id)
    return Response(msgspec.json.encode(trace_out(found)), media_type="application/json")


def trace_out(found: TraceFile) -> dict[str, Any]:
    """A trace as it came in, with everything known about it."""
    trace: dict[str, Any] = msgspec.to_builtins(found.trace)
    return trace | {
        "signals": [signal_out(signal) for signal in found.signals],
        "scrubbed": found.scrubbed,
        "annotations": [*msgspec.to_builtins(found.annotations), *map(review_out, found.reviews)],
        "label": msgspec.to_builtins(found.label),
        "suggestions": msgspec.to_builtins(found.suggestions),
        "artifacts": msgspec.to_builtins(found.artifacts),
        "spans": [said(span) for span in found.spans if span.id != WHOLE],
        "scores": [said(score) for score in found.scores],
    }


def said(value: object) -> dict[str, Any]:
    """A span or a score, without what it does not say and what only its merging needs."""
    fields: dict[str, Any] = msgspec.to_builtins(value)
    if "facts" in fields:
        fields["facts"] = {name: each for name, each in fields["facts"].items() if each not in _UNSAID}
    return {name: each for name, each in fields.items() if each not in _UNSAID and name not in {"stamp", "stamps"}}


_UNSAID: tuple[Any, ...] = (None, (), [], {})


def review_out(review: Review) -> dict[str, Any]:
    """What a reviewer said in another tool, in the form of an annotation that no entry of the queue asked for."""
    fields: dict[str, Any] = msgspec.to_builtins(review)
    return fields | {"entry_id": None, "categories": []}


def signal_out(signal: Signal) -> dict[str, Any]:
    """A signal in the form it came in, with its edit as hunks beside."""
    said: dict[str, Any] = msgspec.to_builtins(signal)
    edit = said.pop("edit")
    said["value"] = said.pop("rating")
    said["rights"].sort()
    if edit is not None:
        said |= {"original": edit["original"], "edited": edit["edited"]}
        said |= {"hunks": edit["hunks"], "edit_kind": edit["kind"]}
    return {name: value for name, value in said.items() if value is not None}


def _key_within(request: Request, data: object) -> Caller:
    """Who a page is that sends a beacon: that cannot set headers, so its publishable key stands in the body."""
    key = data.get("key") if isinstance(data, dict) else None
    if not isinstance(key, str) or not key.startswith("tw_pk_"):
        raise NotKnown('Send an API key: a header, or "key": "tw_pk_…" beside "signals" for a publishable one.')
    return admitted(request, wheel(request).access.identify(key))


def _may_signal(who: Caller) -> Caller:
    if not who.public and Scope.ingest not in who.scopes:
        raise NotAllowed("This key lacks the scope 'ingest'.")
    return who


def _signal_decoder(request: Request, project_id: int, channel: str) -> Callable[[object], native.Arrived[Signal]]:
    now: datetime = wheel(request).now()
    mint = wheel(request).mint
    reasons = wheel(request).capture.reasons(project_id)

    def decode(item: object) -> native.Arrived[Signal]:
        arrived = native.signal(item, now, mint(), channel)
        check_reason(arrived.value, reasons)
        return arrived

    return decode


def _items(data: Any, name: str, *, single: bool) -> list[object]:
    if isinstance(data, dict) and name in data:
        data = data[name]
    elif single and isinstance(data, dict):
        data = [data]
    else:
        raise Invalid(f'Expected {{"{name}": [...]}}.', field=name)
    if not isinstance(data, list):
        raise Invalid(f"{name!r} must be a list.", field=name)
    return data


def _decode(
    items: Sequence[object], decode: Callable[[object], Value]
) -> tuple[list[tuple[int, Value]], dict[int, ThumbwheelError]]:
    good: list[tuple[int, Value]] = []
    refused: dict[int, ThumbwheelError] = {}
    for place, item in enumerate(items):
        try:
            good.append((place, decode(item)))
        except ThumbwheelError as fault:
            refused[place] = fault
    return good, refused


def _receipt(
    what: str, places: Sequence[int], outcomes: Sequence[Outcome], refused: dict[int, ThumbwheelError]
) -> Response:
    accepted = sum(outcome is True for outcome in outcomes)
    duplicates = sum(outcome is False for outcome in outcomes)
    paired = zip(places, outcomes, strict=True)
    refused = refused | {place: outcome for place, outcome in paired if isinstance(outcome, ThumbwheelError)}
    for outcome_name, n in (("accepted", accepted), ("duplicate", duplicates), ("rejected", len(refused))):
        INGESTED.labels(what, outcome_name).inc(n)
    rejected = [{"index": place} | dict(refusal(refused[place])) for place in sorted(refused)]
    if refused and not accepted and not duplicates:
        first = refused[min(refused)]
        return problem(422, type(first).__name__, first.detail, field=first.field, rejected=rejected)
    body = {"accepted": accepted, "duplicates": duplicates, "rejected": rejected}
    return Response(msgspec.json.encode(body), 201, media_type="application/json")

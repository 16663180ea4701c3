"""The doors for Langfuse's clients under /api/public: what they send. What they read is in the modules beside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from thumbwheel.api import langfuse_datasets, langfuse_queues, langfuse_scores, langfuse_traces
from thumbwheel.api.deps import CanIngest, body_of, wheel
from thumbwheel.api.langfuse_door import Known, LangfuseRoute, may_score, object_of, said, status_in_events
from thumbwheel.api.page import answer
from thumbwheel.connectors import langfuse, native
from thumbwheel.connectors.langfuse import Sender
from thumbwheel.domain.score import Score, ScoreSource
from thumbwheel.domain.span import Span
from thumbwheel.errors import Invalid, NotAllowed, NotHere, ThumbwheelError
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Kept, Outcome, Work
from thumbwheel.telemetry import INGESTED

_doors = APIRouter(prefix="/api/public", route_class=LangfuseRoute)

#: A body larger than this is read beside the event loop, so that others are answered meanwhile.
_LARGE = 200_000


@dataclass(slots=True)
class _Batch:
    """Events read: what is to be kept, whose event each is, and why the others are not."""

    spans: list[Span] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    span_events: list[int] = field(default_factory=list)
    score_events: list[int] = field(default_factory=list)
    refused: dict[int, ThumbwheelError] = field(default_factory=dict)

    def take(self, place: int, item: Span | Score | None) -> None:
        if isinstance(item, Span):
            self.spans.append(item)
            self.span_events.append(place)
        elif item is not None:
            self.scores.append(item)
            self.score_events.append(place)

    def refuse_kept(self, kept: Kept) -> None:
        """Take over what the store refused."""
        for places, outcomes in ((self.span_events, kept.spans), (self.score_events, kept.scores)):
            for place, outcome in zip(places, outcomes, strict=True):
                if isinstance(outcome, ThumbwheelError):
                    self.refused[place] = outcome


@_doors.post("/ingestion")
async def ingest(request: Request) -> Response:
    """Keep a batch of events; each that is refused says why, the rest is kept."""
    who = may_score(request)
    body = await body_of(request)
    sender = Sender.of(request.headers, wheel(request).now())

    def read() -> tuple[list[Any], _Batch]:
        events = object_of(native.parse(body)).get("batch")
        if not isinstance(events, list):
            raise Invalid('Expected {"batch": [...]}.', field="batch")
        return events, _read(events, sender, who)

    events, batch = await asyncio.to_thread(read) if len(body) > _LARGE else read()
    kept = await _keep(request, who, batch.spans, batch.scores)
    batch.refuse_kept(kept)
    ids = [str(event.get("id") or "") if isinstance(event, dict) else "" for event in events]
    errors = [
        {"id": ids[place], "status": status_in_events(fault), "message": said(fault), "error": type(fault).__name__}
        for place, fault in sorted(batch.refused.items())
    ]
    successes = [{"id": id, "status": 201} for place, id in enumerate(ids) if place not in batch.refused]
    return answer({"successes": successes, "errors": errors}, 207)


def _read(events: Sequence[object], sender: Sender, who: Caller) -> _Batch:
    batch = _Batch()
    for place, event in enumerate(events):
        try:
            item = langfuse.event(event, sender)
            if who.public:
                _check_public(item)
            batch.take(place, item)
        except ThumbwheelError as fault:
            batch.refused[place] = fault
    return batch


def _check_public(item: Span | Score | None) -> None:
    """Refuse what a page has no right to say: traces, and judgements that are not its user's."""
    if isinstance(item, Span):
        raise NotAllowed("A publishable key may send scores and nothing else.")
    if item is not None and item.source is not ScoreSource.api:
        raise NotAllowed("A score sent with a publishable key is the user's: its source is API.")


@_doors.post("/scores")
async def add_scores(request: Request) -> Response:
    """Keep one score, or a list of them."""
    who = may_score(request)
    data = native.parse(await body_of(request))
    sender = Sender.of(request.headers, wheel(request).now())
    items = data if isinstance(data, list) else [data]
    scores: list[Score] = []
    refused: list[ThumbwheelError] = []
    for item in items:
        try:
            score = langfuse.score(item, sender, wheel(request).mint())
            if who.public:
                _check_public(score)
            scores.append(score)
        except ThumbwheelError as fault:
            refused.append(fault)
    kept = await _keep(request, who, (), scores)
    refused += [outcome for outcome in kept.scores if isinstance(outcome, ThumbwheelError)]
    if not isinstance(data, list):
        if refused:
            raise refused[0]
        return answer({"id": scores[0].id})
    if not refused:
        return answer({"message": "Accepted"}, 202)
    errors = [{"message": said(fault)} for fault in refused]
    return answer({"accepted": len(items) - len(refused), "rejected": len(refused), "errors": errors}, 207)


async def _keep(request: Request, who: Caller, spans: Sequence[Span], scores: Sequence[Score]) -> Kept:
    """Keep what was read; returns when it is durable."""
    if not spans and not scores:
        return Kept((), (), (), ())
    channel = "browser" if who.public else "server"
    kept = await wheel(request).capture.keep(Work(who.project_id, spans=spans, scores=scores, channel=channel))
    for what, outcomes in (("spans", kept.spans), ("scores", kept.scores)):
        _count(what, outcomes)
    return kept


def _count(what: str, outcomes: Sequence[Outcome]) -> None:
    INGESTED.labels(what, "accepted").inc(sum(outcome is True for outcome in outcomes))
    INGESTED.labels(what, "duplicate").inc(sum(outcome is False for outcome in outcomes))
    INGESTED.labels(what, "rejected").inc(sum(isinstance(outcome, ThumbwheelError) for outcome in outcomes))


@_doors.post("/media")
async def add_media(request: Request, _who: CanIngest) -> Response:
    """Say that a medium need not be uploaded: nothing but its reference is kept. Its id is its hash's, as clients have it."""
    given = object_of(native.parse(await body_of(request))).get("sha256Hash")
    if not isinstance(given, str) or not given:
        raise Invalid("A medium has its SHA-256 in base64.", field="sha256Hash")
    return answer({"mediaId": given.replace("+", "-").replace("/", "_")[:22], "uploadUrl": None}, 201)


@_doors.delete("/scores/{score_id:path}")
def delete_score(score_id: str, request: Request, who: CanIngest) -> Response:
    """Forget a score, and what it became."""
    if not wheel(request).capture.delete_score(who.project_id, score_id):
        raise NotHere(f"There is no score {score_id!r} in this project.")
    return answer({"message": "Score deleted."}, 202)


@_doors.delete("/traces")
async def delete_traces(request: Request, who: CanIngest) -> Response:
    """Forget several traces; those that are not here are none the less gone."""
    ids = object_of(native.parse(await body_of(request))).get("traceIds")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise Invalid("Expected a list of trace ids.", field="traceIds")
    await asyncio.to_thread(_forget, request, who.project_id, ids)
    return answer({"message": "Traces deleted."})


def _forget(request: Request, project_id: int, trace_ids: Sequence[str]) -> None:
    for trace_id in trace_ids:
        try:
            wheel(request).capture.delete_trace(project_id, trace_id)
        except NotHere:
            continue


@_doors.delete("/traces/{trace_id:path}")
def delete_trace(trace_id: str, request: Request, who: CanIngest) -> Response:
    """Forget a trace, with its observations and scores."""
    wheel(request).capture.delete_trace(who.project_id, trace_id)
    return answer({"message": "Trace deleted."})


@_doors.get("/projects")
def list_projects(who: Known) -> Response:
    """The key's project."""
    organization = {"id": "thumbwheel", "name": "thumbwheel"}
    project = {"id": str(who.project_id), "name": who.project, "metadata": {}, "organization": organization}
    return answer({"data": [project]})


@_doors.get("/health")
def health(request: Request) -> Response:
    """Whether the server answers; needs no key."""
    return answer({"status": "OK", "version": request.app.version})


router = APIRouter(tags=["langfuse"], include_in_schema=False)
for _module in (
    _doors,
    *(each.router for each in (langfuse_traces, langfuse_scores, langfuse_datasets, langfuse_queues)),
):
    router.include_router(_module)


@router.get("/project/{project_id}/traces/{trace_id:path}")
@router.get("/trace/{trace_id:path}")
def show_trace(trace_id: str, request: Request) -> Response:
    """Where their clients say a trace is to be seen."""
    return RedirectResponse(request.url.replace(path=f"/traces/{trace_id}"))

"""The doors for LangSmith's clients under /langsmith: what they send. What they read is in the modules beside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Request, Response

from thumbwheel.api import langsmith_feedback, langsmith_projects, langsmith_runs, langsmith_tokens
from thumbwheel.api.deps import CanIngest, allowed, wheel
from thumbwheel.api.langsmith_door import LangSmithRoute, Sent, beside, raw, refused
from thumbwheel.api.langsmith_projects import name_of, remember
from thumbwheel.api.page import answer
from thumbwheel.connectors.inflate import inflated
from thumbwheel.connectors.langsmith import Batch, Report, as_id, objects, read_batch, span_of, trace_of, wanted
from thumbwheel.connectors.langsmith_feedback import score_of
from thumbwheel.connectors.multipart import read_parts
from thumbwheel.domain.person import Scope
from thumbwheel.domain.score import Score
from thumbwheel.domain.span import Span
from thumbwheel.errors import Invalid, NotHere, ThumbwheelError
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Capture, Work
from thumbwheel.telemetry import INGESTED

_doors = APIRouter(route_class=LangSmithRoute)

#: Bytes after which a client closes a batch.
_BATCH_BYTES = 20_971_520


def _limit(request: Request) -> int:
    """Bytes of a batch, inflated: clients close one only after the run that made it too large."""
    return 2 * wheel(request).settings.max_body_bytes


@_doors.get("/info")
def info(request: Request) -> dict[str, Any]:
    """What this server can do. Clients need every key, and ask without theirs."""
    return {
        "version": "0.13.0",
        "instance_flags": {"zstd_compression_enabled": True},
        "batch_ingest_config": {
            "use_multipart_endpoint": True,
            "size_limit": 100,
            "size_limit_bytes": min(_BATCH_BYTES, _limit(request) * 3 // 4),
            "scale_up_nthreads_limit": 16,
            "scale_up_qsize_trigger": 1000,
            "scale_down_nempty_trigger": 4,
        },
    }


@_doors.post("/runs/multipart")
async def ingest_multipart(request: Request) -> Response:
    """Keep runs and feedback sent as multipart/form-data, the whole body zstd, gzip or plain."""
    who = allowed(request, Scope.ingest)
    limit = _limit(request)
    body = await raw(request, limit)
    encoding, media = request.headers.get("content-encoding", ""), request.headers.get("content-type", "")

    def read() -> Batch:
        return read_batch(read_parts(inflated(body, encoding, limit), media, wanted))

    return await _keep(request, who, await beside(len(body), read))


@_doors.post("/runs/batch")
async def ingest_batch(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep runs: `{"post": [...], "patch": [...]}`."""
    reports = [Report(run) for run in objects(body.get("post"), "post")]
    reports += [Report(run, update=True) for run in objects(body.get("patch"), "patch")]
    return await _keep(request, who, Batch(reports))


@_doors.post("/runs")
async def add_run(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep one run."""
    return await _keep(request, who, Batch([Report(body)]))


@_doors.patch("/runs/{run_id}")
async def change_run(run_id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep what changes of one run."""
    return await _keep(request, who, Batch([Report(body | {"id": run_id}, update=True)]))


async def _keep(request: Request, who: Caller, batch: Batch) -> Response:
    """Answer once everything usable is durable; what is not usable makes the answer a refusal that says so."""
    faults: list[ThumbwheelError] = [*batch.faults]
    if any(_needs_lookup(report) for report in batch.reports):
        spans, refusals = await asyncio.to_thread(_spans, request, who.project_id, batch.reports)
    else:
        spans, refusals = _spans(request, who.project_id, batch.reports)
    scores, more = _scores(request, batch.feedback)
    faults += [*refusals, *more]
    await remember(request, who.project_id, (span.extra.get("session_name") for span in spans))
    if spans or scores:
        kept = await wheel(request).capture.keep(Work(who.project_id, spans=spans, scores=scores))
        for what, outcomes in (("spans", kept.spans), ("scores", kept.scores)):
            INGESTED.labels(what, "accepted").inc(sum(each is True for each in outcomes))
            INGESTED.labels(what, "duplicate").inc(sum(each is False for each in outcomes))
            faults += [each for each in outcomes if isinstance(each, ThumbwheelError)]
    INGESTED.labels("spans", "rejected").inc(len(faults))
    return refused(faults) if faults else answer({}, 202)


def _needs_lookup(report: Report) -> bool:
    """Whether the store must say which trace a run is a step of, or which project its id stands for."""
    run = report.run
    return not (run.get("trace_id") or run.get("dotted_order")) or bool(
        run.get("session_id") and not run.get("session_name")
    )


def _spans(request: Request, project_id: int, reports: Iterable[Report]) -> tuple[list[Span], list[ThumbwheelError]]:
    """The runs as spans, and why some are none."""
    spans: list[Span] = []
    faults: list[ThumbwheelError] = []
    here: dict[str, str] = {}
    find = _finder(wheel(request).capture, project_id)
    for report in reports:
        try:
            own = as_id(report.run.get("id"), "id") or ""
            trace_id = trace_of(report.run) or _trace_by_kin(report.run, own, here, find)
            here[own] = trace_id
            if report.run.get("session_id") and not report.run.get("session_name"):
                report.run["session_name"] = name_of(request, project_id, str(report.run["session_id"]))
            spans.append(span_of(report, trace_id))
        except Invalid as fault:
            faults.append(fault)
    return spans, faults


def _trace_by_kin(run: dict[str, Any], own: str, here: dict[str, str], find: Callable[[str], str | None]) -> str:
    """The trace of a run that does not name it: that of its parent or of what is known of it, else it is a root."""
    parent = as_id(run.get("parent_run_id"), "parent_run_id")
    for each in filter(None, (parent, own)):
        found = here.get(each) or find(each)
        if found is not None:
            return found
    return parent or own


def _finder(capture: Capture, project_id: int) -> Callable[[str], str | None]:
    def find(span_id: str) -> str | None:
        try:
            return capture.find_span(project_id, span_id)[0].trace.id
        except NotHere:
            return None

    return find


def _scores(request: Request, feedback: Iterable[dict[str, Any]]) -> tuple[list[Score], list[ThumbwheelError]]:
    scores: list[Score] = []
    faults: list[ThumbwheelError] = []
    for said in feedback:
        try:
            scores.append(
                score_of(said, wheel(request).mint(), wheel(request).now(), request.headers.get("user-agent"))
            )
        except Invalid as fault:
            faults.append(fault)
    return scores, faults


# Tokens first: their path is one a piece of feedback could have.
for _module in (langsmith_runs, langsmith_tokens, langsmith_feedback, langsmith_projects):
    _doors.include_router(_module.router)

router = APIRouter(tags=["langsmith"])
router.include_router(_doors, prefix="/langsmith")
router.include_router(_doors, prefix="/langsmith/api/v1", include_in_schema=False)

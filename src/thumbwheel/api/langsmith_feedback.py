"""Feedback of LangSmith's clients, given with a key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanIngest, CanRead, wheel
from thumbwheel.api.langfuse_door import Asked
from thumbwheel.api.langsmith_door import MOST, LangSmithRoute, Sent, offset_of, refused
from thumbwheel.api.page import answer
from thumbwheel.connectors.langsmith_feedback import SOURCES, score_of, update_of
from thumbwheel.connectors.langsmith_out import feedback, ids_meant
from thumbwheel.domain.identity import id_key
from thumbwheel.errors import NotHere, ThumbwheelError
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Capture, LinkedScore, ScoreFilter, Work

router = APIRouter(route_class=LangSmithRoute)


@router.post("/feedback")
async def add_feedback(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep one judgement of a run."""
    client = request.headers.get("user-agent")
    score = score_of(body, wheel(request).mint(), wheel(request).now(), client)
    kept = await wheel(request).capture.keep(Work(who.project_id, scores=[score]))
    faults = [outcome for outcome in kept.scores if isinstance(outcome, ThumbwheelError)]
    if faults:
        return refused(faults)
    return answer(_told(await asyncio.to_thread(_find, request, who, score.id)))


@router.get("/feedback")
def list_feedback(request: Request, who: CanRead, asked: Asked) -> Response:
    """Judgements, newest first: of some runs, with some keys, from some sources."""
    limit, offset = asked.count("limit", 100, MOST), offset_of(request)
    runs = asked.many("run")
    start, end = asked.time("min_created_at"), asked.time("max_created_at")
    only = ScoreFilter(names=asked.many("key") or None, start=start, end=end)
    wanted = {SOURCES[each] for each in asked.many("source") if each in SOURCES}
    if len(wanted) == 1:
        only = replace(only, source=next(iter(wanted)).value)
    capture = wheel(request).capture
    if runs:
        found = [each for run in dict.fromkeys(runs[:MOST]) for each in _of_run(capture, who.project_id, run, only)]
        return answer([_told(each) for each in found[offset:][:limit]])
    return answer([_told(each) for each in capture.list_scores(who.project_id, only, limit, offset)])


def _of_run(capture: Capture, project_id: int, run_id: str, only: ScoreFilter) -> list[LinkedScore]:
    """The judgements of one run; of one that stands for its trace also those of the trace."""
    keys = {id_key(each) for each in ids_meant(run_id)}
    trace_id = run_id
    for each in ids_meant(run_id):
        try:
            trace_id = capture.find_span(project_id, each)[0].trace.id
        except NotHere:
            continue
    found = capture.list_scores(project_id, only, MOST, trace_id=trace_id)
    if id_key(trace_id) != id_key(run_id):
        # Of a run that has come, but which said nothing of its trace.
        found = [*found, *capture.list_scores(project_id, only, MOST, trace_id=run_id)]
    return [each for each in found if id_key(each.score.span_id or each.trace_id or trace_id) in keys]


@router.get("/feedback/{id}")
def get_feedback(id: str, request: Request, who: CanRead) -> Response:
    """One judgement."""
    return answer(_told(_find(request, who, id)))


@router.patch("/feedback/{id}")
def change_feedback(id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Change what a judgement says; a field that is null is cleared."""
    before = _find(request, who, id)
    score = update_of(before.score, body, wheel(request).now())
    outcome = wheel(request).capture.replace_score(who.project_id, score)
    if isinstance(outcome, ThumbwheelError):
        return refused([outcome])
    return answer(feedback(score, before.trace_id))


@router.delete("/feedback/{id}")
def delete_feedback(id: str, request: Request, who: CanIngest) -> Response:
    """Take a judgement back, and what it became."""
    if not wheel(request).capture.delete_score(who.project_id, id):
        raise NotHere(f"There is no feedback {id!r} in this project.")
    return answer({})


def _find(request: Request, who: Caller, id: str) -> LinkedScore:
    found = wheel(request).capture.find_score(who.project_id, id)
    if found is None:
        raise NotHere(f"There is no feedback {id!r} in this project.")
    return found


def _told(found: LinkedScore) -> dict[str, Any]:
    return feedback(found.score, found.trace_id)

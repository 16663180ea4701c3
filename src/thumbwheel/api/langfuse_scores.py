"""What Langfuse's clients read: scores, by cursor (version 5) and by page (2 to 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanRead, wheel
from thumbwheel.api.langfuse_door import Asked, LangfuseRoute, Query, continued, numbered
from thumbwheel.api.page import answer, cursor_of, place
from thumbwheel.connectors import langfuse_out
from thumbwheel.connectors.langfuse_out import ToldScore
from thumbwheel.domain.identity import id_key
from thumbwheel.errors import NotHere
from thumbwheel.services.access import Caller
from thumbwheel.services.capture import Capture, LinkedScore, ScoreFilter, TraceFilter

router = APIRouter(prefix="/api/public", route_class=LangfuseRoute)

#: Scores read at a time, and the most one request looks through.
_STRIDE = 500
_SCAN = 20_000
_TICK = timedelta(microseconds=1)

_Show: TypeAlias = Callable[[ToldScore], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which scores are asked for."""

    only: ScoreFilter
    trace_id: str | None
    #: Fields of the answer and the values each may have.
    among: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, asked: Query) -> _Wanted:
        asked.refuse("filter", "value", "valueMin", "valueMax", "operator", "userId", "traceTags")
        names = _listed(asked, "name")
        only = ScoreFilter(
            session_id=asked.text("sessionId"),
            names=names or None,
            source=asked.text("source"),
            start=asked.time("fromTimestamp"),
            end=asked.time("toTimestamp"),
        )
        among = {name: found for query, name in _AMONG.items() if (found := _listed(asked, query))}
        return cls(only, asked.text("traceId"), among)

    def has(self, told: ToldScore) -> bool:
        if not self.among:
            return True
        shown = langfuse_out.score(told)
        return all(
            shown[name] is not None and id_key(str(shown[name])) in map(id_key, values)
            for name, values in self.among.items()
        )


#: Parameters that restrict, and the field of the answer each is about.
_AMONG = {
    "id": "id",
    "scoreIds": "id",
    "observationId": "observationId",
    "datasetRunId": "datasetRunId",
    "experimentId": "datasetRunId",
    "configId": "configId",
    "queueId": "queueId",
    "authorUserId": "authorUserId",
    "dataType": "dataType",
    "environment": "environment",
}


def _listed(asked: Query, name: str) -> list[str]:
    """Values given more than once or with commas between."""
    return [part for value in asked.many(name) for part in value.split(",") if part]


def _walk(
    capture: Capture, project_id: int, wanted: _Wanted, after: tuple[datetime, str] | None
) -> Iterator[ToldScore]:
    """Scores, newest first, from behind a place on."""
    only = wanted.only
    if after is not None:
        end = after[0] + _TICK
        only = replace(only, end=end if only.end is None else min(only.end, end))
    for offset in range(0, _SCAN, _STRIDE):
        page = capture.list_scores(project_id, only, _STRIDE, offset, trace_id=wanted.trace_id)
        for each in page:
            told = _told(project_id, each)
            if (after is None or _place(told) < (after[0], after[1])) and wanted.has(told):
                yield told
        if len(page) < _STRIDE:
            return


def _place(told: ToldScore) -> tuple[datetime, str]:
    return told.score.at, id_key(told.score.id)


def _told(project_id: int, found: LinkedScore) -> ToldScore:
    return ToldScore(project_id, found.score, found.trace_id, found.received_at)


@router.get("/v3/scores")
def list_scores_on(request: Request, asked: Asked, who: CanRead) -> Response:
    """Some scores, newest first, and the cursor of those that follow."""
    walk = _walk(wheel(request).capture, who.project_id, _Wanted.of(asked), place(asked.text("cursor")))
    found = list(islice(walk, asked.limit + 1))
    shown = found[: asked.limit]
    following = cursor_of(*_place(shown[-1])) if len(found) > asked.limit else None
    return continued([langfuse_out.score_v3(each) for each in shown], following, limit=asked.limit)


@router.get("/v2/scores")
def list_scores(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of scores, newest first, each with what its trace says of user and tags."""
    capture, wanted = wheel(request).capture, _Wanted.of(asked)
    if wanted.among:
        return _page(capture, who.project_id, asked, list(_walk(capture, who.project_id, wanted, None)))
    page = capture.list_scores(who.project_id, wanted.only, asked.limit, asked.offset, trace_id=wanted.trace_id)
    shown = [_told(who.project_id, each) for each in page]
    total = capture.count_scores(who.project_id, wanted.only, trace_id=wanted.trace_id)
    return numbered(_with_traces(capture, who.project_id, shown), asked, total)


@router.get("/scores")
def list_scores_of_traces(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of scores as version 2 knows them, each of a trace."""
    capture, wanted = wheel(request).capture, _Wanted.of(asked)
    found = [told for told in _walk(capture, who.project_id, wanted, None) if told.trace_id is not None]
    return _page(capture, who.project_id, asked, found, langfuse_out.score_v1)


def _page(
    capture: Capture, project_id: int, asked: Query, found: Sequence[ToldScore], show: _Show = langfuse_out.score
) -> Response:
    shown = found[asked.offset :][: asked.limit]
    return numbered(_with_traces(capture, project_id, shown, show), asked, len(found))


def _with_traces(
    capture: Capture, project_id: int, shown: Sequence[ToldScore], show: _Show = langfuse_out.score
) -> list[dict[str, Any]]:
    about = _about(capture, project_id, shown)
    return [show(each) | {"trace": about.get(each.trace_id or "")} for each in shown]


def _about(capture: Capture, project_id: int, shown: Sequence[ToldScore]) -> dict[str, dict[str, Any]]:
    """What the scores' traces say, by trace id; version 2 wants it also where the trace has not come."""
    ids = sorted({each.trace_id for each in shown if each.trace_id is not None})
    found = capture.list_traces(project_id, TraceFilter(trace_ids=ids), len(ids)) if ids else []
    nothing: dict[str, Any] = {"userId": None, "tags": [], "environment": "default", "sessionId": None}
    return dict.fromkeys(ids, nothing) | {
        each.trace.id: {
            "userId": each.trace.user_id,
            "tags": list(each.trace.tags),
            "environment": langfuse_out.Told(project_id, each.trace, each.spans, each.received_at).environment,
            "sessionId": each.trace.session_id,
        }
        for each in found
    }


@router.get("/v2/scores/{score_id:path}")
def get_score(score_id: str, request: Request, who: CanRead) -> Response:
    """One score."""
    return answer(langfuse_out.score(_get(request, who, score_id)))


@router.get("/scores/{score_id:path}")
def get_score_of_trace(score_id: str, request: Request, who: CanRead) -> Response:
    """One score as version 2 knows them."""
    return answer(langfuse_out.score_v1(_get(request, who, score_id)))


def _get(request: Request, who: Caller, score_id: str) -> ToldScore:
    found = wheel(request).capture.find_score(who.project_id, score_id)
    if found is None:
        raise NotHere(f"There is no score {score_id!r} in this project.")
    return _told(who.project_id, found)

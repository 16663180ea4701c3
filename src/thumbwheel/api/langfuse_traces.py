"""What Langfuse's clients read: traces, observations and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanRead, wheel
from thumbwheel.api.langfuse_door import MOST, Asked, LangfuseRoute, Query, continued, numbered
from thumbwheel.api.page import answer, cursor_of, parts, time_of
from thumbwheel.connectors import langfuse_out
from thumbwheel.connectors.langfuse_out import Told, moment
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.errors import NotHere
from thumbwheel.services.capture import Capture, ScoreFilter, SpanTrace, TraceFilter

router = APIRouter(prefix="/api/public", route_class=LangfuseRoute)

#: Traces read at a time, and the most one request looks through.
_STRIDE = 100
_SCAN = 5000
#: An observation starts at most this long after its trace.
_LONGEST = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def _told(project_id: int, found: SpanTrace) -> Told:
    return Told(project_id, found.trace, found.spans, found.received_at)


# --- traces


@router.get("/traces")
def list_traces(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of traces, last started first, with the ids of their observations and scores."""
    asked.refuse("filter", "version", "release", "environment")
    only = TraceFilter(
        name=asked.text("name"),
        user_id=asked.text("userId"),
        session_id=asked.text("sessionId"),
        tags=asked.many("tags"),
        start=asked.time("fromTimestamp"),
        end=asked.time("toTimestamp"),
    )
    capture = wheel(request).capture
    found = capture.list_traces(who.project_id, only, asked.limit, asked.offset)
    return numbered(
        [_listed(who.project_id, each) for each in found], asked, capture.count_traces(who.project_id, only)
    )


def _listed(project_id: int, found: SpanTrace) -> dict[str, Any]:
    return langfuse_out.trace(_told(project_id, found)) | {
        "observations": [span.id for span in found.spans if span.id != WHOLE],
        "scores": [score.id for score in found.scores],
    }


@router.get("/traces/{trace_id:path}")
def get_trace(trace_id: str, request: Request, who: CanRead) -> Response:
    """One trace with its observations and scores."""
    capture = wheel(request).capture
    told = _told(who.project_id, capture.trace_with_spans(who.project_id, trace_id))
    scores = capture.list_scores(who.project_id, ScoreFilter(), MOST, trace_id=trace_id)
    linked = [
        langfuse_out.ToldScore(who.project_id, each.score, each.trace_id, each.received_at) for each in reversed(scores)
    ]
    return answer(
        langfuse_out.trace(told)
        | {
            "observations": [langfuse_out.observation(told, span) for span in told.spans if span.id != WHOLE],
            "scores": [langfuse_out.score_v1(each) for each in linked],
        }
    )


# --- observations


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which observations are asked for."""

    only: TraceFilter
    start: datetime | None
    end: datetime | None
    #: Fields of the answer and the value each must have.
    equal: dict[str, Any]
    environments: Sequence[str]

    @classmethod
    def of(cls, asked: Query) -> _Wanted:
        asked.refuse("filter")
        start, end = asked.time("fromStartTime"), asked.time("toStartTime")
        trace_id = asked.text("traceId")
        only = TraceFilter(
            trace_ids=None if trace_id is None else [trace_id],
            user_id=asked.text("userId"),
            session_id=asked.text("sessionId"),
            start=None if start is None else start - _LONGEST,
            end=end,
        )
        names = ("type", "name", "level", "version", "parentObservationId")
        equal: dict[str, Any] = {name: value for name in names if (value := asked.text(name)) is not None}
        if (root := asked.flag("isRootObservation")) is not None:
            equal["isRootObservation"] = root
        return cls(only, start, end, equal, asked.many("environment"))

    def has(self, told: Told, span: Span) -> bool:
        at = span.started_at or told.trace.started_at
        if (self.start is not None and at < self.start) or (self.end is not None and at >= self.end):
            return False
        if not self.equal and not self.environments:
            return True
        shown = langfuse_out.observation(told, span)
        if self.environments and shown["environment"] not in self.environments:
            return False
        return all(_same(name, shown[name], value) for name, value in self.equal.items())


def _same(name: str, shown: Any, wanted: Any) -> bool:
    if name == "parentObservationId" and shown is not None:
        return id_key(shown) == id_key(wanted)
    return bool(shown == wanted)


@dataclass(slots=True)
class _Walk:
    """Observations, those of the last started trace first; `ended` says whether there are no more."""

    capture: Capture
    project_id: int
    wanted: _Wanted
    ended: bool = False

    def from_(self, cursor: str | None) -> Iterator[tuple[Told, Span, str]]:
        """Each with its trace and the cursor of what follows it."""
        after = parts(cursor, 3)
        for told in self._traces(after):
            spans = [span for span in reversed(told.spans) if span.id != WHOLE]
            if after is not None and id_key(told.trace.id) == id_key(after[1]):
                spans = spans[_place(spans, after[2]) :]
            for span in spans:
                if self.wanted.has(told, span):
                    yield told, span, cursor_of(told.trace.started_at, told.trace.id, span.id)

    def _traces(self, after: list[str] | None) -> Iterator[Told]:
        only = self.wanted.only
        begin = None if after is None else time_of(after[0])
        if begin is not None:
            only = replace(only, end=begin + _TICK if only.end is None else min(only.end, begin + _TICK))
        passed = after is None
        for offset in range(0, _SCAN, _STRIDE):
            page = self.capture.list_traces(self.project_id, only, _STRIDE, offset)
            for found in page:
                here = after is not None and id_key(found.trace.id) == id_key(after[1])
                passed = passed or here or found.trace.started_at != begin
                if passed:
                    yield _told(self.project_id, found)
            if len(page) < _STRIDE:
                break
        self.ended = True


def _place(spans: Sequence[Span], last: str) -> int:
    """Where to go on after the span that was the last."""
    return next((place for place, span in enumerate(spans, 1) if span.id == last), 0)


@router.get("/v2/observations")
def list_observations_on(request: Request, asked: Asked, who: CanRead) -> Response:
    """Some observations, and the cursor of those that follow."""
    raw = asked.flag("parseIoAsJson") is False
    walk = _Walk(wheel(request).capture, who.project_id, _Wanted.of(asked))
    found = list(islice(walk.from_(asked.text("cursor")), asked.limit + 1))
    shown = [
        langfuse_out.chosen(langfuse_out.observation_v2(told, span), asked.text("fields"), raw=raw)
        for told, span, _ in found[: asked.limit]
    ]
    return continued(shown, found[asked.limit - 1][2] if len(found) > asked.limit else None)


@router.get("/observations")
def list_observations(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of observations. While more follow than were looked through, the total is only known to be larger."""
    walk = _Walk(wheel(request).capture, who.project_id, _Wanted.of(asked))
    found = list(islice(walk.from_(None), asked.offset + asked.limit + 1))
    shown = [langfuse_out.observation(told, span) for told, span, _ in found[asked.offset :][: asked.limit]]
    return numbered(shown, asked, len(found))


@router.get("/observations/{observation_id:path}")
def get_observation(observation_id: str, request: Request, who: CanRead) -> Response:
    """One observation."""
    found, span = wheel(request).capture.find_span(who.project_id, observation_id)
    return answer(langfuse_out.observation(_told(who.project_id, found), span))


# --- sessions


@router.get("/sessions")
def list_sessions(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of sessions, last begun first."""
    asked.refuse("environment", "fromTimestamp", "toTimestamp")
    capture = wheel(request).capture
    found = capture.list_sessions(who.project_id, asked.limit, asked.offset)
    shown = [_session(who.project_id, id, began) for id, began in found]
    return numbered(shown, asked, capture.count_sessions(who.project_id))


@router.get("/sessions/{session_id:path}")
def get_session(session_id: str, request: Request, who: CanRead) -> Response:
    """One session with its traces, first started first."""
    only = TraceFilter(session_id=session_id)
    found = wheel(request).capture.list_traces(who.project_id, only, MOST)[::-1]
    if not found:
        raise NotHere(f"There is no session {session_id!r} in this project.")
    traces = [langfuse_out.trace(_told(who.project_id, each)) for each in found]
    return answer(_session(who.project_id, session_id, found[0].trace.started_at) | {"traces": traces})


def _session(project_id: int, session_id: str, began: datetime) -> dict[str, Any]:
    return {"id": session_id, "createdAt": moment(began), "projectId": str(project_id), "environment": "default"}

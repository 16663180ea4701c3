"""What LangSmith's clients read: runs, by id and by query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanRead, wheel
from thumbwheel.api.langsmith_door import MOST, LangSmithRoute, Sent
from thumbwheel.api.page import answer, cursor_of, parts, time_of
from thumbwheel.connectors import langsmith
from thumbwheel.connectors.langsmith_filter import Test, read_filter
from thumbwheel.connectors.langsmith_out import Told, ids_meant, selected
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.span import Span
from thumbwheel.errors import Invalid, NotHere
from thumbwheel.services.capture import Capture, SpanTrace, TraceFilter

router = APIRouter(route_class=LangSmithRoute)

#: Traces read at a time.
_STRIDE: Final = 100
#: A run starts at most this long after its trace.
_LONGEST: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
_PAGE: Final = 100
#: What would have to restrict the answer and cannot here.
_CANNOT: Final = ("query", "trace_filter", "tree_filter", "search_filter")


def _told(project_id: int, found: SpanTrace) -> Told:
    return Told(project_id, found.trace, found.spans)


@router.get("/runs/{run_id}")
def get_run(run_id: str, request: Request, who: CanRead) -> Response:
    """One run."""
    return answer(run_of(request, who.project_id, run_id))


def run_of(request: Request, project_id: int, run_id: str) -> dict[str, Any]:
    """A run by its id, or by that of a trace the step that stands for it.

    Raises:
        NotHere: there is neither in this project.
    """
    told, span = _find(wheel(request).capture, project_id, run_id)
    return told.run(span)


def _find(capture: Capture, project_id: int, run_id: str) -> tuple[Told, Span]:
    for each in ids_meant(run_id):
        try:
            found, span = capture.find_span(project_id, each)
            return _told(project_id, found), span
        except NotHere:
            continue
    told = _told(project_id, capture.trace_with_spans(project_id, run_id))
    return told, next((span for span in told.steps if not span.parent_id), told.steps[0])


@router.post("/runs/query")
def query_runs(request: Request, who: CanRead, body: Sent) -> Response:
    """Runs, those of the last started trace first, and the cursor of those that follow."""
    wanted = _Wanted.of(body)
    walk = _Walk(wheel(request).capture, who.project_id, wanted)
    if body.get("order") == "asc":
        return _ascending(walk, wanted, body.get("cursor"))
    found = list(islice(walk.from_(_text(body, "cursor")), wanted.limit + 1))
    following = found[wanted.limit - 1][1] if len(found) > wanted.limit else None
    return _page([run for run, _ in found[: wanted.limit]], wanted, following)


def _ascending(walk: _Walk, wanted: _Wanted, cursor: Any) -> Response:
    """First started first; the cursor is a number, since traces are only listed the other way."""
    if cursor is not None and not (isinstance(cursor, str) and cursor.isascii() and cursor.isdigit()):
        raise Invalid("This cursor is not one this server gave.", field="cursor")
    begin = int((cursor or "0")[:9])
    runs = sorted((run for run, _ in walk.from_(None)), key=lambda run: (run["start_time"], run["dotted_order"]))
    end = begin + wanted.limit
    return _page(runs[begin:end], wanted, str(end) if len(runs) > end else None)


def _page(runs: Sequence[Mapping[str, Any]], wanted: _Wanted, following: str | None) -> Response:
    return answer({"runs": [selected(run, wanted.select) for run in runs], "cursors": {"next": following}})


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid("Expected a text.", field=name)
    return value or None


def _texts(body: Mapping[str, Any], name: str) -> list[str] | None:
    """The texts of a field that may be one or several; None where it does not restrict."""
    value = body.get(name)
    value = [value] if isinstance(value, str) else value
    if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise Invalid("Expected a list of texts.", field=name)
    return value or None


def _time(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    at = langsmith.time_of(value)
    if value is not None and at is None:
        raise Invalid("Expected an ISO 8601 time.", field=name)
    return at


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which runs are asked for, and how much of them."""

    #: Of these alone, where they are named.
    ids: list[str] | None
    trace_id: str | None
    projects: frozenset[str]
    start: datetime | None
    end: datetime | None
    is_root: bool | None
    failed: bool | None
    #: Fields of a run and the values they may have.
    among: dict[str, list[str]]
    test: Test | None
    limit: int
    select: Sequence[str]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> _Wanted:
        for name in _CANNOT:
            if body.get(name):
                raise Invalid(f"{name!r} cannot be used here.", field=name)
        limit = body.get("limit")
        among = {"run_type": "run_type", "parent_run": "parent_run_id", "reference_example": "reference_example_id"}
        test = _text(body, "filter")
        return cls(
            ids=_texts(body, "id"),
            trace_id=_text(body, "trace"),
            projects=frozenset(each.lower() for each in _texts(body, "session") or ()),
            start=_time(body, "start_time"),
            end=_time(body, "end_time"),
            is_root=True if body.get("execution_order") == 1 else _flag(body, "is_root"),
            failed=_flag(body, "error"),
            among={field: found for name, field in among.items() if (found := _texts(body, name)) is not None},
            test=None if test is None else read_filter(test),
            limit=min(limit, MOST) if isinstance(limit, int) and limit > 0 else _PAGE,
            select=_texts(body, "select") or (),
        )

    def run(self, told: Told, span: Span) -> dict[str, Any] | None:
        """The step as a run, if it is asked for."""
        at = told.started_at(span)
        if (self.start is not None and at < self.start) or (self.end is not None and at >= self.end):
            return None
        if self.is_root is not None and self.is_root is bool(span.parent_id):
            return None
        run = told.run(span)
        if self.failed is not None and self.failed is not (run["status"] == "error"):
            return None
        if any(run[field] not in found for field, found in self.among.items()):
            return None
        return run if self.test is None or self.test(run) else None


def _flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    return value if isinstance(value, bool) else None


@dataclass(slots=True)
class _Walk:
    """Runs, those of the last started trace first."""

    capture: Capture
    project_id: int
    wanted: _Wanted

    def from_(self, cursor: str | None) -> Iterator[tuple[dict[str, Any], str]]:
        """Each with the cursor of what follows it."""
        if self.wanted.ids is not None:
            yield from self._named(self.wanted.ids, cursor)
            return
        after = parts(cursor, 3)
        for told in self._traces(after):
            if self.wanted.projects and told.project_uuid not in self.wanted.projects:
                continue
            spans = told.steps[::-1]
            if after is not None and id_key(told.trace.id) == id_key(after[1]):
                spans = spans[next((place for place, span in enumerate(spans, 1) if span.id == after[2]), 0) :]
            for span in spans:
                run = self.wanted.run(told, span)
                if run is not None:
                    yield run, cursor_of(told.trace.started_at, told.trace.id, span.id)

    def _named(self, ids: Sequence[str], cursor: str | None) -> Iterator[tuple[dict[str, Any], str]]:
        """The runs with these ids, in their order; the cursor is a place among them."""
        begin = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 0
        for place, id in enumerate(ids[begin:MOST], begin + 1):
            try:
                told, span = _find(self.capture, self.project_id, id)
            except NotHere:
                continue
            run = self.wanted.run(told, span)
            if run is not None:
                yield run, str(place)

    def _traces(self, after: list[str] | None) -> Iterator[Told]:
        if self.wanted.trace_id is not None:
            yield from self._one(self.wanted.trace_id)
            return
        start, end = self.wanted.start, self.wanted.end
        only = TraceFilter(start=None if start is None else start - _LONGEST, end=end)
        begin = None if after is None else time_of(after[0])
        if begin is not None:
            only = replace(only, end=begin + _TICK if end is None else min(end, begin + _TICK))
        passed = after is None
        offset = 0
        while True:
            page = self.capture.list_traces(self.project_id, only, _STRIDE, offset)
            for found in page:
                here = after is not None and id_key(found.trace.id) == id_key(after[1])
                passed = passed or here or found.trace.started_at != begin
                if passed:
                    yield _told(self.project_id, found)
            offset += _STRIDE
            if len(page) < _STRIDE:
                return

    def _one(self, trace_id: str) -> Iterator[Told]:
        try:
            yield _told(self.project_id, self.capture.trace_with_spans(self.project_id, trace_id))
        except NotHere:
            return

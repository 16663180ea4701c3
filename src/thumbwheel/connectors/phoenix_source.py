"""Spans and annotations that Phoenix already has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from thumbwheel.connectors.attributes import Client, text
from thumbwheel.connectors.judgements import judgement
from thumbwheel.connectors.otlp import EventRecord, Record
from thumbwheel.connectors.semantics import understand_spans
from thumbwheel.connectors.source_http import Http, iso, text_at
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.instant import utc
from thumbwheel.domain.score import Score
from thumbwheel.domain.source import MARK, Outgoing, Page, Stream
from thumbwheel.errors import NotHere, SourceBroken, SourceRefused

_SPANS: Final = 500
#: Ids that one address can hold.
_IDS: Final = 100
_ANNOTATIONS: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_METADATA: Final = "metadata."
#: What our annotations are called.
_NAME: Final = "thumbwheel"


@dataclass(frozen=True)
class PhoenixSource:
    """One project of Phoenix."""

    http: Http
    project: str = "default"
    streams: Sequence[Stream] = field(
        default=(
            Stream(name="traces", late=timedelta(hours=2)),
            # Annotations are asked for by span, and may come long after it.
            Stream(name="annotations", late=timedelta(days=7), echo=True),
        )
    )

    @property
    def _path(self) -> str:
        return f"/v1/projects/{quote(self.project, safe='')}"

    def connect(self) -> str:
        """As `thumbwheel.ports.Source`."""
        try:
            found = self.http.get(self._path)
        except NotHere as fault:
            others = [str(each.get("name")) for each in self.http.objects(self.http.get("/v1/projects"), "data")]
            there = f"; there are {', '.join(others[:10])}" if others else ""
            message = f"Phoenix at {self.http.url} has no project {self.project!r}{there}. Name it by --from."
            raise SourceRefused(message) from fault
        return f"phoenix {self.http.url} {text_at(found, 'data', 'id') or self.project}"

    # --- in

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        """As `thumbwheel.ports.Source`."""
        asked: dict[str, str | int] = {"limit": _SPANS, "start_time": iso(start), "end_time": iso(end)}

        def ask(cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            answer = self.http.get(f"{self._path}/spans", asked | ({} if cursor is None else {"cursor": cursor}))
            return self.http.objects(answer, "data"), text_at(answer, "next_cursor")

        for found in self.http.follow(ask):
            records = [self._record(span) for span in found]
            understood = understand_spans(records, Client())
            scores = self._annotations({each.span_id: each.trace_id for each in records})
            if stream == "traces":
                yield Page(spans=understood.spans, scores=[*understood.scores, *scores])
            else:
                yield Page(scores=scores)

    def _record(self, span: Mapping[str, Any]) -> Record:
        record = record_of(span)
        if record is None:
            raise SourceBroken(f"Phoenix at {self.http.url} gave a span without trace and span id.")
        return record

    def _annotations(self, traces: Mapping[str, str]) -> list[Score]:
        """What was said of these spans and of their traces."""
        found: list[Score] = []
        for about, ids in (("span", list(traces)), ("trace", list(dict.fromkeys(traces.values())))):
            for place in range(0, len(ids), _IDS):
                for said in self._annotations_of(about, ids[place : place + _IDS]):
                    score = score_of(said, traces)
                    if score is not None:
                        found.append(score)
        return found

    def _annotations_of(self, about: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        path = f"{self._path}/{about}_annotations"

        def ask(cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            params: dict[str, str | int | Sequence[str]] = {f"{about}_ids": ids, "limit": _ANNOTATIONS}
            params |= {} if cursor is None else {"cursor": cursor}
            answer = self.http.get(path, params)
            return self.http.objects(answer, "data"), text_at(answer, "next_cursor")

        try:
            for page in self.http.follow(ask):
                yield from page
        except NotHere:
            # All of them were deleted meanwhile, or the server has no such annotations yet.
            return

    # --- back

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """As `thumbwheel.ports.Source`: the annotation `thumbwheel` on the root span, known by its identifier."""
        gone = [each for each in labels if each.label is None]
        for each in gone:
            # Of all there are, those by this name with this identifier, which is one.
            params = {"name": _NAME, "identifier": each.mark, "delete_all": "true"}
            self.http.send("DELETE", f"{self._path}/span_annotations", params=params)
        known = [each for each in labels if each.label is not None and each.root_id is not None]
        try:
            self._write(known)
        except NotHere:
            # One span that is gone refuses all.
            known = [each for each in known if self._is_written(each)]
        return [*gone, *known]

    def _is_written(self, outgoing: Outgoing) -> bool:
        try:
            self._write([outgoing])
        except NotHere:
            return False
        return True

    def _write(self, labels: Sequence[Outgoing]) -> None:
        said = [annotation_of(each, each.label) for each in labels if each.label is not None]
        if said:
            self.http.post("/v1/span_annotations?sync=true", {"data": said})


def annotation_of(outgoing: Outgoing, label: Label) -> dict[str, Any]:
    """A label as an annotation: 1 for a pass and 0 for a failure, its category, its critique."""
    passed = label.verdict is Verdict.passed
    about = {"label_id": label.id, "codebook_version": label.codebook_version}
    if label.corrected_output is not None:
        about |= {"corrected_output": label.corrected_output}
    return {
        "span_id": outgoing.root_id,
        "name": _NAME,
        "annotator_kind": "HUMAN",
        "identifier": outgoing.mark,
        "result": {
            "label": ", ".join(label.categories) or label.verdict.value,
            "score": 1.0 if passed else 0.0,
            "explanation": label.critique,
        },
        "metadata": about,
    }


# --- what it answers


def record_of(span: Mapping[str, Any]) -> Record | None:
    """A span as it was sent to Phoenix, but for its resource, which Phoenix does not keep; None without ids."""
    trace_id, span_id = text_at(span, "context", "trace_id"), text_at(span, "context", "span_id")
    given = span.get("attributes")
    if trace_id is None or span_id is None:
        return None
    attributes = _unflattened(given if isinstance(given, dict) else {})
    kind = text_at(span, "span_kind")
    if kind not in {None, "UNKNOWN"}:
        attributes["openinference.span.kind"] = kind
    events = span.get("events")
    return Record(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=text_at(span, "parent_id"),
        name=text_at(span, "name") or "",
        start_nanos=_nanos(span.get("start_time")),
        end_nanos=_nanos(span.get("end_time")),
        attributes=attributes,
        events=[_event(each) for each in events if isinstance(each, dict)] if isinstance(events, list) else (),
        failed=span.get("status_code") == "ERROR",
        message=text_at(span, "status_message") or "",
    )


def _event(event: Mapping[str, Any]) -> EventRecord:
    attributes = event.get("attributes")
    return EventRecord(
        text_at(event, "name") or "", _nanos(event.get("timestamp")), attributes if isinstance(attributes, dict) else {}
    )


def _nanos(value: Any) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time; 0 where there is none."""
    try:
        at = utc(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return 0
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _unflattened(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with their metadata as one object again, as instrumentation had sent it."""
    found = {name: value for name, value in attributes.items() if not name.startswith(_METADATA)}
    metadata: dict[str, Any] = {}
    for name, value in attributes.items():
        if name.startswith(_METADATA):
            _put(metadata, name.removeprefix(_METADATA).split("."), value)
    return found | ({"metadata": _as_lists(metadata)} if metadata else {})


def _put(into: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for place, part in enumerate(path[:-1]):
        below = into.setdefault(part, {})
        if not isinstance(below, dict):
            into[".".join(path[place:])] = value
            return
        into = below
    into[path[-1]] = value


def _as_lists(value: Any) -> Any:
    """Objects whose keys are all places, as lists."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_as_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _as_lists(each) for key, each in value.items()}


def score_of(said: Mapping[str, Any], traces: Mapping[str, str]) -> Score | None:
    """An annotation, given the trace of each span; None for one of ours or about nothing known."""
    identifier = text(said.get("identifier"))
    if identifier is not None and identifier.startswith(MARK):
        return None
    span_id = text(said.get("span_id"))
    target = {"trace_id": text(said.get("trace_id")) or traces.get(span_id or "")}
    if span_id is not None:
        target["span_id"] = span_id
    result = said.get("result")
    at = _EPOCH + timedelta(microseconds=_nanos(said.get("updated_at") or said.get("created_at")) // 1000)
    found = judgement(target, {**(result if isinstance(result, dict) else {}), **said}, at)
    if found is None or (found.value is None and found.comment is None):
        return None
    return replace(found, family="phoenix", author=found.author or text(said.get("user_id")))

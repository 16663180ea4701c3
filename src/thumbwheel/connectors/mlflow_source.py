"""Traces and assessments that MLflow already has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from thumbwheel.connectors.attributes import Client
from thumbwheel.connectors.mlflow import (
    assessment_of,
    ours_among,
    records_of,
    says_the_same,
    scores_of,
    trace_id_of,
    whole_of,
)
from thumbwheel.connectors.semantics import understand_spans
from thumbwheel.connectors.source_http import Http, text_at
from thumbwheel.domain.score import Score
from thumbwheel.domain.source import Outgoing, Page, Stream
from thumbwheel.domain.span import Span
from thumbwheel.errors import NotHere, SourceBroken, SourceRefused

_TRACES: Final = "/api/3.0/mlflow/traces"
_PAGE: Final = 100
#: Traces whose spans are asked for at once: their content comes with them.
_BATCH: Final = 20
_LOCATION: Final = "mlflow.trace.spansLocation"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MlflowSource:
    """One experiment of MLflow."""

    http: Http
    #: The experiment's name, or its id.
    project: str = "Default"
    streams: Sequence[Stream] = field(
        default=(
            Stream(name="traces", late=timedelta(hours=2)),
            # Assessments come with the traces that are searched for, and may come long after them.
            Stream(name="assessments", late=timedelta(days=7), echo=True),
        )
    )

    @cached_property
    def _experiment(self) -> str:
        """The experiment's id."""
        path = "/api/2.0/mlflow/experiments"
        # What everybody else calls `default` is written so here.
        for name in dict.fromkeys((self.project, self.project.capitalize())):
            try:
                found = self.http.get(f"{path}/get-by-name", {"experiment_name": name})
            except NotHere:
                continue
            if (id := text_at(found, "experiment", "experiment_id")) is not None:
                return id
        if self.project.isdecimal():
            return self.project
        answer = self.http.post(f"{path}/search", {"max_results": _PAGE})
        names = ", ".join(str(each.get("name")) for each in self.http.objects(answer, "experiments")[:10])
        there = f"; there are {names}" if names else ""
        raise SourceRefused(f"MLflow at {self.http.url} has no experiment {self.project!r}{there}. Name it by --from.")

    def connect(self) -> str:
        """As `thumbwheel.ports.Source`."""
        return f"mlflow {self.http.url} {self._experiment}"

    # --- in

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        """As `thumbwheel.ports.Source`."""
        for infos in self._search(_millis(start), _millis(end)):
            scores = [score for info in infos for score in scores_of(info)]
            if stream != "traces":
                yield Page(scores=scores)
                continue
            for place in range(0, len(infos), _BATCH):
                yield self._page(infos[place : place + _BATCH], scores if place == 0 else ())

    def _page(self, infos: Sequence[Mapping[str, Any]], scores: Sequence[Score]) -> Page:
        stored = [str(info["trace_id"]) for info in infos if text_at(info, "tags", _LOCATION) == "TRACKING_STORE"]
        given = self._stored(stored)
        spans: list[Span] = []
        for info in infos:
            id = str(info["trace_id"])
            steps = given[id] if id in given else self._artifact(id)
            records = records_of(info, steps)
            spans += [*understand_spans(records, Client()).spans, whole_of(info, records)]
        return Page(spans=spans, scores=scores, remotes={trace_id_of(info): str(info["trace_id"]) for info in infos})

    def _stored(self, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The spans of traces that are in MLflow's own store, by trace; one that is not there fails all it is asked with."""
        if not ids:
            return {}
        try:
            answer = self.http.get(f"{_TRACES}/batchGet", {"trace_ids": ids})
        except (SourceBroken, NotHere):
            half = len(ids) // 2
            return self._stored(ids[:half]) | self._stored(ids[half:]) if half else {}
        found = self.http.objects(answer, "traces")
        return {text_at(each, "trace_info", "trace_id") or "": self.http.objects(each, "spans") for each in found}

    def _artifact(self, id: str) -> list[dict[str, Any]]:
        """The spans of a trace that are kept as a file; none where there is no such file."""
        try:
            answer = self.http.get("/ajax-api/3.0/mlflow/get-trace-artifact", {"request_id": id})
        except (SourceBroken, NotHere):
            return []
        return self.http.objects(answer, "spans")

    def _search(self, start: int, end: int) -> Iterator[list[dict[str, Any]]]:
        """Traces of a time, first begun first. Its tokens count traces, and one that is deleted shifts all that follow:
        so each page is asked for from the time at which the one before it ended.
        """
        token: str | None = None
        while start < end:
            asked = {
                "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self._experiment}}],
                "filter": f"timestamp_ms >= {start} AND timestamp_ms < {end}",
                "order_by": ["timestamp_ms ASC"],
                "max_results": _PAGE,
            }
            answer = self.http.post(f"{_TRACES}/search", asked | ({} if token is None else {"page_token": token}))
            found = self.http.objects(answer, "traces")
            if not all(text_at(each, "trace_id") for each in found):
                raise SourceBroken(f"MLflow at {self.http.url} gave a trace without an id.")
            yield found
            following = text_at(answer, "next_page_token")
            if following is None or not found:
                return
            last = _millis_of(found[-1])
            # More than a page within one millisecond.
            token = following if last <= start else None
            if token is not None and token == asked.get("page_token"):
                raise SourceBroken(f"MLflow at {self.http.url} gives the same page again and again.")
            start = max(start, last)

    # --- back

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """As `thumbwheel.ports.Source`: the assessment `thumbwheel`, looked for before it is written, since MLflow
        writes again whatever it is told again.
        """
        return [each for each in labels if self._push(each)]

    def _push(self, outgoing: Outgoing) -> bool:
        path, label = f"{_TRACES}/{quote(outgoing.remote_id, safe='')}", outgoing.label
        body = None if label is None else assessment_of(outgoing, label)
        try:
            answer = self.http.get(path)
            info = answer.get("trace", {}).get("trace_info") if isinstance(answer, dict) else None
            before = ours_among(info if isinstance(info, dict) else {}, outgoing.mark)
            standing = None if before is None else f"{path}/assessments/{before['assessment_id']}"
            if body is None:
                if standing is not None:
                    self.http.send("DELETE", standing)
            elif before is None:
                self.http.post(f"{path}/assessments", {"assessment": body})
            elif not says_the_same(before, body):
                asked = {"assessment": body, "update_mask": "feedback,rationale,metadata"}
                self.http.send("PATCH", str(standing), body=asked)
        except NotHere:
            # What is not there need not be taken away.
            return label is None
        return True


def _millis(at: datetime) -> int:
    return -((_EPOCH - at) // timedelta(milliseconds=1))


def _millis_of(info: Mapping[str, Any]) -> int:
    try:
        return (datetime.fromisoformat(str(info.get("request_time"))) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError):
        return 0

"""Runs and feedback that LangSmith already has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from thumbwheel.connectors.langsmith import Report, span_of, time_of, trace_of
from thumbwheel.connectors.langsmith_feedback import score_of
from thumbwheel.connectors.source_http import Http, iso, text_at
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.score import Score
from thumbwheel.domain.source import MARK, Outgoing, Page, Stream
from thumbwheel.domain.span import Span
from thumbwheel.errors import Invalid, NotHere, SourceBroken, SourceRefused

_PAGE: Final = 100
_SELECT: Final = (
    "id name run_type start_time end_time status error extra events inputs outputs parent_run_id session_id tags"
    " trace_id dotted_order reference_example_id"
).split()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LangSmithSource:
    """One project of LangSmith, which its API calls a session."""

    http: Http
    project: str = "default"
    streams: Sequence[Stream] = field(
        default=(
            Stream(name="traces", late=timedelta(hours=2)),
            Stream(name="scores", late=timedelta(days=7)),
        )
    )

    @cached_property
    def _session(self) -> str:
        """The project's id."""
        found = self._listed("/sessions", {"name": self.project})
        id = next((text_at(each, "id") for each in found if each.get("name") == self.project), None)
        if id is None:
            others = sorted(str(each.get("name")) for each in self._listed("/sessions", {"limit": _PAGE}))
            there = f"; there are {', '.join(others[:10])}" if others else ""
            raise SourceRefused(
                f"LangSmith at {self.http.url} has no project {self.project!r}{there}. Name it by --from."
            )
        return id

    def _listed(self, path: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return self.http.objects({"items": self.http.get(path, params)}, "items")

    def connect(self) -> str:
        """As `thumbwheel.ports.Source`."""
        return f"langsmith {self.http.url} {self._session}"

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        """As `thumbwheel.ports.Source`."""
        yield from self._scores(start, end) if stream == "scores" else self._runs(start, end)

    # --- in

    def _runs(self, start: datetime, end: datetime) -> Iterator[Page]:
        asked = {
            "session": [self._session],
            # Without a start it is yesterday.
            "start_time": iso(start),
            "filter": f'lt(start_time, "{iso(end)}")',
            "limit": _PAGE,
            "select": _SELECT,
        }

        def ask(cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            answer = self.http.post("/runs/query", asked | ({} if cursor is None else {"cursor": cursor}))
            return self.http.objects(answer, "runs"), text_at(answer, "cursors", "next")

        for found in self.http.follow(ask):
            yield Page(spans=[self._span(run) for run in found])

    def _span(self, run: dict[str, Any]) -> Span:
        try:
            trace_id = trace_of(run) or text_at(run, "id")
            return span_of(Report({**run, "session_name": self.project}), str(trace_id))
        except Invalid as fault:
            raise self._cannot_be(run, fault) from fault

    def _scores(self, start: datetime, end: datetime) -> Iterator[Page]:
        asked = {"session": [self._session], "min_created_at": iso(start), "max_created_at": iso(end), "limit": _PAGE}

        def ask(page: int) -> tuple[list[dict[str, Any]], bool]:
            found = self._listed("/feedback", asked | {"offset": (page - 1) * _PAGE})
            return found, len(found) < _PAGE

        for found in self.http.count_up(ask):
            wanted = (self._score(each) for each in found if not is_ours(each))
            yield Page(scores=[each for each in wanted if start <= each.at < end])

    def _score(self, said: Mapping[str, Any]) -> Score:
        at = time_of(said.get("created_at")) or _EPOCH
        try:
            found = score_of(said, str(said.get("id")), at, None)
        except Invalid as fault:
            raise self._cannot_be(said, fault) from fault
        return replace(found, at=at)

    def _cannot_be(self, item: Mapping[str, Any], fault: Invalid) -> SourceBroken:
        id = str(item.get("id"))[:80]
        return SourceBroken(f"LangSmith at {self.http.url} gave {id!r}, which cannot be: {fault.detail}")

    # --- back

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """As `thumbwheel.ports.Source`: feedback `thumbwheel` on the root run, under an id of its own."""
        return [each for each in labels if self._push(each)]

    def _push(self, outgoing: Outgoing) -> bool:
        path = f"/feedback/{id_of(outgoing)}"
        try:
            if outgoing.label is None:
                self.http.send("DELETE", path)
                return True
            body = feedback_of(outgoing, outgoing.label)
            if outgoing.replaces:
                said = ("score", "value", "comment", "correction")
                self.http.send("PATCH", path, body={name: body.get(name) for name in said})
            else:
                self.http.post("/feedback", body)
        except NotHere:
            # What is not there need not be taken away.
            return outgoing.label is None
        return True


def id_of(outgoing: Outgoing) -> str:
    """The id of a label's feedback, the same one for ever."""
    return str(uuid5(NAMESPACE_URL, outgoing.mark))


def feedback_of(outgoing: Outgoing, label: Label) -> dict[str, Any]:
    """A label as feedback: 1 for a pass and 0 for a failure, its categories, its critique and the corrected answer."""
    found = {
        "id": id_of(outgoing),
        "run_id": outgoing.root_id or outgoing.remote_id,
        "trace_id": outgoing.remote_id,
        "key": "thumbwheel",
        "score": 1 if label.verdict is Verdict.passed else 0,
        "value": ", ".join(label.categories) or label.verdict.value,
        "comment": label.critique,
        "correction": None if label.corrected_output is None else {"output": label.corrected_output},
        "feedback_source": {"type": "api", "metadata": {"thumbwheel": outgoing.mark, "label_id": label.id}},
    }
    return {name: value for name, value in found.items() if value is not None}


def is_ours(said: Mapping[str, Any]) -> bool:
    """Whether a push of ours wrote this feedback."""
    return (text_at(said, "feedback_source", "metadata", "thumbwheel") or "").startswith(MARK)

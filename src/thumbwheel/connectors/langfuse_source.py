"""Traces and scores that Langfuse already has: its cloud and version 4, and self-hosted version 3.

Version 4 knows observations alone, each with what it says of its trace; version 3 has traces beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from thumbwheel.connectors.attributes import decoded, text
from thumbwheel.connectors.langfuse import Sender, event, score
from thumbwheel.connectors.source_http import Http, Params, iso, text_at
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.document import read_documents
from thumbwheel.domain.instant import utc
from thumbwheel.domain.score import Score
from thumbwheel.domain.source import MARK, Outgoing, Page, Stream
from thumbwheel.domain.span import Span, SpanKind, TraceFacts
from thumbwheel.errors import Invalid, NotHere, SourceBroken, SourceRefused

_FIELDS: Final = "core,basic,time,io,metadata,model,usage,prompt,trace_context"
_OBSERVATIONS: Final = 250
_PAGE: Final = 100
#: From this length on version 4 may have cut a value of metadata.
_CUT: Final = 200
_KINDS: Final = {kind.value for kind in SpanKind}
#: What Langfuse notes beside the sender's own metadata.
_TELEMETRY: Final = ("resourceAttributes", "scope", "attributes")
#: Ends the id of the score that names a label's category.
_CATEGORY: Final = ":category"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LangfuseSource:
    """One project of Langfuse: its keys say which."""

    http: Http
    #: What must be the project's name, when somebody asked for one.
    project: str | None = None
    streams: Sequence[Stream] = field(
        default=(
            Stream(name="traces", late=timedelta(hours=2)),
            Stream(name="scores", late=timedelta(days=7)),
        )
    )

    def connect(self) -> str:
        """As `thumbwheel.ports.Source`."""
        projects = self.http.objects(self.http.get("/api/public/projects"), "data")
        if not projects:
            raise SourceRefused(f"Langfuse at {self.http.url} has no project for this key.")
        name = text_at(projects[0], "name")
        if self.project is not None and name != self.project:
            raise SourceRefused(f"This key is of Langfuse's project {name!r}, not of {self.project!r}.")
        return f"langfuse {self.http.url} {text_at(projects[0], 'id')}"

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        """As `thumbwheel.ports.Source`."""
        if stream == "scores":
            yield from self._scores(start, end)
        elif self._is_new:
            yield from self._observations(start, end)
        else:
            yield from self._traces(start, end)

    @cached_property
    def _is_new(self) -> bool:
        """Whether it lists observations with what they say of their trace; version 3 has no such address."""
        return self._has("/api/public/v2/observations")

    @cached_property
    def _has_typed_scores(self) -> bool:
        return self._has("/api/public/v3/scores")

    def _has(self, path: str) -> bool:
        try:
            self.http.get(path, {"limit": 1, "fromStartTime": iso(_EPOCH), "toStartTime": iso(_EPOCH)})
        except NotHere:
            return False
        return True

    # --- version 4

    def _observations(self, start: datetime, end: datetime) -> Iterator[Page]:
        asked: dict[str, str | int] = {
            "fields": _FIELDS,
            "limit": _OBSERVATIONS,
            "fromStartTime": iso(start),
            "toStartTime": iso(end),
        }

        def ask(cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            params = asked | ({} if cursor is None else {"cursor": cursor})
            answer = self.http.get("/api/public/v2/observations", params)
            found = self.http.objects(answer, "data")
            cut = sorted({name for each in found for name in _cut(each)})
            if cut:
                whole = self.http.get("/api/public/v2/observations", params | {"expandMetadata": ",".join(cut)})
                found = self.http.objects(whole, "data")
            return found, text_at(answer, "meta", "cursor")

        for found in self.http.follow(ask):
            yield Page(spans=[self._read(observation, each) for each in found])

    # --- version 3

    def _traces(self, start: datetime, end: datetime) -> Iterator[Page]:
        within = {"fromTimestamp": iso(start), "toTimestamp": iso(end), "fields": "core,io", "orderBy": "timestamp.asc"}
        for found in self._numbered("/api/public/traces", within):
            yield Page(spans=[self._read(trace, each) for each in found])
        within = {"fromStartTime": iso(start), "toStartTime": iso(end)}
        for found in self._numbered("/api/public/observations", within):
            yield Page(spans=[self._read(observation, each) for each in found])

    def _numbered(self, path: str, within: Params) -> Iterator[list[dict[str, Any]]]:
        def ask(page: int) -> tuple[list[dict[str, Any]], bool]:
            answer = self.http.get(path, {**within, "page": page, "limit": _PAGE})
            meta = answer.get("meta") if isinstance(answer, dict) else None
            total = meta.get("totalPages") if isinstance(meta, dict) else None
            return self.http.objects(answer, "data"), isinstance(total, int) and page >= total

        yield from self.http.count_up(ask)

    # --- scores

    def _scores(self, start: datetime, end: datetime) -> Iterator[Page]:
        within: dict[str, str | int] = {"fromTimestamp": iso(start), "toTimestamp": iso(end)}
        if not self._has_typed_scores:
            for found in self._numbered("/api/public/v2/scores", within):
                yield self._judged(found)
            return

        def ask(cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            params = within | {"fields": "details,subject,annotation", "limit": _PAGE}
            answer = self.http.get("/api/public/v3/scores", params | ({} if cursor is None else {"cursor": cursor}))
            return self.http.objects(answer, "data"), text_at(answer, "meta", "cursor")

        for found in self.http.follow(ask):
            yield self._judged(found)

    def _judged(self, found: Sequence[Mapping[str, Any]]) -> Page:
        theirs = [each for each in found if not str(each.get("id", "")).startswith(MARK)]
        return Page(scores=[judgement for each in theirs if (judgement := self._read(given_score, each)) is not None])

    def _read(self, read: Any, item: Mapping[str, Any]) -> Any:
        try:
            return read(item)
        except Invalid as fault:
            raise SourceBroken(
                f"Langfuse at {self.http.url} gave {str(item.get('id'))[:80]!r}, which cannot be: {fault.detail}"
            ) from fault

    # --- back

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """As `thumbwheel.ports.Source`: the verdict as a BOOLEAN score and, of a failure, its category beside it."""
        for each in labels:
            if each.label is None:
                self._take_away(each)
                continue
            for body in scores_of(each, each.label):
                self.http.post("/api/public/scores", body)
        return labels

    def _take_away(self, outgoing: Outgoing) -> None:
        for id in (outgoing.mark, f"{outgoing.mark}{_CATEGORY}"):
            try:
                self.http.send("DELETE", f"/api/public/scores/{quote(id, safe='')}")
            except NotHere:
                continue


def scores_of(outgoing: Outgoing, label: Label) -> list[dict[str, Any]]:
    """A label as Langfuse's scores, by ids of their own so that they are written once."""
    about = {"label_id": label.id, "codebook_version": label.codebook_version, "settled": label.settled.value}
    common = {"traceId": outgoing.remote_id, "metadata": {"thumbwheel": about}}
    passed = label.verdict is Verdict.passed
    verdict = {"id": outgoing.mark, "name": "thumbwheel", "value": int(passed), "dataType": "BOOLEAN"}
    found: list[dict[str, Any]] = [{**common, **verdict, **({"comment": label.critique} if label.critique else {})}]
    # One that was a failure and is none any more keeps no category.
    if label.categories or outgoing.replaces:
        named = ", ".join(label.categories) or "none"
        beside = {"id": f"{outgoing.mark}{_CATEGORY}", "name": "thumbwheel_category", "dataType": "CATEGORICAL"}
        found.append({**common, **beside, "value": named})
    return found


# --- what it answers


def _cut(item: Mapping[str, Any]) -> Iterator[str]:
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        yield from (
            name
            for name, value in metadata.items()
            if isinstance(value, str) and len(value) >= _CUT and "," not in name
        )


def trace(item: Mapping[str, Any]) -> Span:
    """A trace of version 3: what is said of the whole.

    Raises:
        Invalid: it cannot be one.
    """
    body = dict(item) | {"input": decoded(item.get("input")), "output": decoded(item.get("output"))}
    body["metadata"] = _own(item.get("metadata"))
    if body.get("environment") == "default":
        del body["environment"]
    at = text_at(item, "updatedAt") or text_at(item, "timestamp")
    found = event({"type": "trace-create", "timestamp": at, "body": body}, Sender(_EPOCH))
    assert isinstance(found, Span)
    return found


def observation(item: Mapping[str, Any]) -> Span:
    """An observation, with what it says of its trace.

    Raises:
        Invalid: it cannot be one.
    """
    kind = str(item.get("type") or "SPAN").upper()
    body = {name: value for name, value in item.items() if value is not None}
    body |= {name: decoded(body[name]) for name in ("input", "output", "modelParameters") if name in body}
    body["metadata"] = _own(item.get("metadata"))
    body.setdefault("model", item.get("providedModelName"))
    if body.get("environment") == "default":
        del body["environment"]
    if not item.get("usageDetails"):
        body.pop("usage", None)
    at = text_at(item, "endTime") or text_at(item, "startTime")
    type = f"{kind.lower()}-create" if kind in _KINDS else "span-create"
    found = event({"type": type, "timestamp": at, "body": body}, Sender(_EPOCH))
    assert isinstance(found, Span)
    return _with_facts(found, item)


def _with_facts(span: Span, item: Mapping[str, Any]) -> Span:
    """An observation of version 4 says what version 3 says of traces; its root's metadata is the trace's."""
    is_root = item.get("isRootObservation") is True
    tags = item.get("tags")
    facts = replace(
        span.facts,
        name=text(item.get("traceName")),
        user_id=text(item.get("userId")),
        session_id=text(item.get("sessionId")),
        release=text(item.get("release")),
        tags=tuple(each for each in tags if isinstance(each, str)) if isinstance(tags, list) else (),
        metadata=span.metadata if is_root else {},
    )
    metadata = item.get("metadata")
    raw = metadata.get("attributes") if isinstance(metadata, dict) else None
    documents = item.get("documents") or (
        decoded(raw.get("gen_ai.retrieval.documents")) if isinstance(raw, dict) else ()
    )
    return replace(
        span,
        root=True if is_root and span.parent_id is not None else None,
        metadata={} if is_root else span.metadata,
        prompt_version=span.prompt_version or text(span.metadata.get("prompt_version")),
        documents=read_documents(documents) if isinstance(documents, list) else (),
        level=None if item.get("level") == "DEFAULT" else span.level,
        facts=facts if facts != TraceFacts() else TraceFacts(),
    )


def _own(metadata: Any) -> dict[str, Any]:
    """The sender's own metadata, without what Langfuse notes of the telemetry it came by."""
    found = decoded(metadata)
    if not isinstance(found, dict):
        return {} if found is None else {"metadata": found}
    return {
        name: decoded(value)
        for name, value in found.items()
        if not (name in _TELEMETRY and isinstance(decoded(value), dict))
    }


def given_score(item: Mapping[str, Any]) -> Score | None:
    """A score in the form of version 2 or 3; None for one about neither a trace nor a session.

    Raises:
        Invalid: it cannot be one.
    """
    subject = item.get("subject")
    about = dict(item) | (_about(subject) if isinstance(subject, dict) else {})
    if not (about.get("traceId") or about.get("sessionId") or about.get("datasetRunId")):
        return None
    if item.get("dataType") in {"CATEGORICAL", "TEXT", "CORRECTION"} and isinstance(item.get("stringValue"), str):
        about["value"] = item["stringValue"]
    if about.get("environment") == "default":
        del about["environment"]
    changed = text_at(item, "updatedAt") or text_at(item, "timestamp")
    try:
        at = utc(datetime.fromisoformat(changed or ""))
    except ValueError as fault:
        raise Invalid("A score has a time.", field="timestamp") from fault
    return replace(score(about, Sender(at), str(item.get("id"))), author=text(item.get("authorUserId")))


def _about(subject: Mapping[str, Any]) -> dict[str, Any]:
    """What a score of version 3 is about, as older versions have it."""
    id = subject.get("id")
    if subject.get("kind") == "observation":
        return {"observationId": id, "traceId": subject.get("traceId")}
    names = {"trace": "traceId", "session": "sessionId", "experiment": "datasetRunId"}
    name = names.get(str(subject.get("kind")))
    return {} if name is None else {name: id}

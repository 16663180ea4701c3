"""LangSmith's feedback, as scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from thumbwheel.connectors.langsmith import as_id, time_of
from thumbwheel.domain.document import column, number, plain
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.span import stamp_of
from thumbwheel.errors import Invalid

FAMILY: Final = "langsmith"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What its clients call who judged.
SOURCES: Final = {
    "api": ScoreSource.api,
    "app": ScoreSource.annotation,
    "model": ScoreSource.eval,
    "auto_eval": ScoreSource.eval,
}
#: Kept beside, to be given back as it came.
_BESIDE: Final = "comparative_experiment_id feedback_group_id feedback_config extra error".split()


def score_of(said: Mapping[str, Any], fresh_id: str, now: datetime, client: str | None) -> Score:
    """One feedback as a score. Clients that send no time put it into the id.

    Raises:
        Invalid: it has no key, is about nothing, or an id is no UUID.
    """
    key = column(said.get("key"))
    if key is None:
        raise Invalid("Feedback needs a key.", field="key")
    id = as_id(said.get("id"), "id") or as_id(fresh_id, "id") or fresh_id
    run_id, trace_id = as_id(said.get("run_id"), "run_id"), as_id(said.get("trace_id"), "trace_id")
    project = None if run_id or trace_id else as_id(said.get("session_id"), "session_id")
    if run_id is None and trace_id is None and project is None:
        raise Invalid("Feedback is about a run, a trace or a project.", field="run_id")
    at = time_of(said.get("created_at")) or _time_in(id, now)
    source = _object(said.get("feedback_source"))
    return Score(
        id=id,
        name=key,
        trace_id=trace_id,
        span_id=_as_sent(run_id),
        session_id=project,
        source=SOURCES.get(str(source.get("type", "api")), ScoreSource.api),
        at=at,
        stamp=stamp_of(time_of(said.get("modified_at")) or at),
        family=FAMILY,
        client=column(client),
        author=column(source.get("user_name")) or column(source.get("user_id")),
        metadata=_object(source.get("metadata")),
        extra={"source": plain(source.get("type")), **{name: said[name] for name in _BESIDE if said.get(name)}},
        **verdict_of(said),
    )


def update_of(before: Score, said: Mapping[str, Any], now: datetime) -> Score:
    """A score with what an update says changed; what it says is null is not said any more."""
    standing = {"score": _figure(before), "value": _text(before), "correction": before.correction}
    standing |= {"comment": before.comment}
    changes = {name: said[name] for name in standing if name in said}
    return replace(before, stamp=stamp_of(now, update=True), **verdict_of(standing | changes))


def _figure(score: Score) -> bool | float | None:
    if isinstance(score.value, str) or score.value is None:
        return None
    return score.value != 0 if score.type is ScoreType.boolean else score.value


def _text(score: Score) -> str | None:
    return score.value if isinstance(score.value, str) else score.label


def _as_sent(run_id: str | None) -> str | None:
    """A run's id as its client wrote it: OpenTelemetry's are half as long, and LangSmith fills them up in front."""
    return run_id[-17:].replace("-", "") if run_id is not None and run_id.startswith(_FILLED) else run_id


_FILLED: Final = "00000000-0000-0000-"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def verdict_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What feedback says, as fields of a score: a number with a category beside it, or either, and a correction."""
    score, value = said.get("score"), said.get("value")
    if score is None and isinstance(value, bool | int | float):
        score, value = value, None
    figure = float(score) if isinstance(score, bool) else None if isinstance(score, str) else number(score)
    text = value if isinstance(value, str) and value else json.dumps(value) if isinstance(value, dict) else None
    correction, comment = said.get("correction"), said.get("comment")
    return {
        "type": _type(score, figure, text, correction),
        "value": text if figure is None else figure,
        "label": None if figure is None else text,
        "correction": correction,
        "comment": comment if isinstance(comment, str) and comment else None,
    }


def _type(score: Any, figure: float | None, text: str | None, correction: Any) -> ScoreType | None:
    if figure is not None:
        return ScoreType.boolean if isinstance(score, bool) else ScoreType.numeric
    if text is not None:
        return ScoreType.categorical
    return None if correction is None else ScoreType.correction


def _time_in(id: str, now: datetime) -> datetime:
    """When an id of version 7 was made, if that can be; else now."""
    made = UUID(id)
    if made.version != 7:
        return now
    at = _EPOCH + timedelta(milliseconds=made.int >> 80)
    return at if abs(now - at) < timedelta(days=1) else now

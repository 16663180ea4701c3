"""Attributes of spans, in the dialects that are spoken over OTLP, read by name.

The dialects are OpenTelemetry's GenAI conventions, old and new, OpenInference, Langfuse, MLflow, Traceloop and
LangSmith. Where several say the same thing the first of a list that is present stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from thumbwheel.domain.span import SpanKind

#: Attributes whose values are spread over names with places in them: `llm.input_messages.0.message.role`.
_SPREAD: Final = (
    "llm.input_messages.",
    "llm.output_messages.",
    "retrieval.documents.",
    "reranker.output_documents.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "annotations.",
    "evaluations.",
    "trace.annotations.",
    "trace.evaluations.",
    "session.annotations.",
    "session.evaluations.",
)
#: A name of more parts is no name.
_MOST_PARTS: Final = 24
_MAX_DEPTH: Final = 64

MODEL: Final = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model_name",
    "llm.request.model_name",
    "llm.model_name",
    "embedding.model_name",
    "mlflow.llm.model",
    "langsmith.metadata.ls_model_name",
)

_BY_NAME: Final = {kind.value: kind for kind in SpanKind}
_OPENINFERENCE: Final = _BY_NAME | {"LLM": SpanKind.generation, "RERANKER": SpanKind.retriever}
_MLFLOW: Final = _OPENINFERENCE | {"CHAT_MODEL": SpanKind.generation}
_OPERATIONS: Final = {
    "CHAT": SpanKind.generation,
    "GENERATE_CONTENT": SpanKind.generation,
    "TEXT_COMPLETION": SpanKind.generation,
    "EMBEDDINGS": SpanKind.embedding,
    "RETRIEVAL": SpanKind.retriever,
    "EXECUTE_TOOL": SpanKind.tool,
    "INVOKE_AGENT": SpanKind.agent,
    "CREATE_AGENT": SpanKind.agent,
    "PLAN": SpanKind.agent,
    "INVOKE_WORKFLOW": SpanKind.chain,
}
_TRACELOOP: Final = {"WORKFLOW": SpanKind.chain, "AGENT": SpanKind.agent, "TOOL": SpanKind.tool}
_KINDS: Final = (
    ("langfuse.observation.type", _BY_NAME),
    ("openinference.span.kind", _OPENINFERENCE),
    ("gen_ai.operation.name", _OPERATIONS),
    ("mlflow.spanType", _MLFLOW),
    ("langsmith.span.kind", _OPENINFERENCE),
    ("traceloop.span.kind", _TRACELOOP),
)


def kind_of(attributes: Mapping[str, Any]) -> SpanKind:
    """What the step does, by the first dialect that says; one that names a model generates."""
    for name, kinds in _KINDS:
        said = attributes.get(name)
        if isinstance(said, str):
            found = kinds.get(said.strip('"').upper())
            if found is not None or name != "gen_ai.operation.name":
                return found or SpanKind.span
    return SpanKind.generation if first(attributes, MODEL) is not None else SpanKind.span


def first(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The value of the first of these names that has one."""
    for name in names:
        if name in attributes:
            value = attributes[name]
            if value is not None and value != "":
                return value
    return None


def text(value: Any) -> str | None:
    """A value as a name: text, or a number as it is written; MLflow's quoted text without its quotes."""
    if isinstance(value, str):
        if value[:1] == '"':
            value = decoded(value)
        return value if isinstance(value, str) and value else None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def decoded(value: Any, *, bare: bool = False) -> Any:
    """What a text holds, if it holds a JSON object, list or text (with `bare`, any JSON); else the value as it is."""
    if not isinstance(value, str) or not (bare or value.lstrip()[:1] in {"{", "[", '"'}):
        return value
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value
    return value if _is_deep(value) and depth_of(found) > _MAX_DEPTH else found


def _is_deep(text: str) -> bool:
    """Whether a text could hold JSON nested too deeply: cheap to ask, and seldom so."""
    return text.count("[") + text.count("{") > _MAX_DEPTH


def depth_of(value: Any) -> int:
    """How deeply a value is nested; 0 for what is no list or object."""
    deepest, stack = 0, [(value, 0)]
    while stack:
        each, depth = stack.pop()
        if isinstance(each, dict | list):
            deepest = max(deepest, depth + 1)
            stack.extend((child, depth + 1) for child in (each.values() if isinstance(each, dict) else each))
    return deepest


def gathered(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are spread over names, put together, by the part before the first place."""
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        if name.startswith(_SPREAD):
            _put(found, name, value)
    return {name: _listed(each) for name, each in found.items()}


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    parts = name.split(".")
    place = next((at for at, part in enumerate(parts) if part.isdecimal()), 0)
    if not place or len(parts) > _MOST_PARTS:
        return
    at = found.setdefault(".".join(parts[:place]), {})
    for part in parts[place:-1]:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            return
    at[parts[-1]] = value


def _listed(value: Any) -> Any:
    """Objects whose every key is a place, as lists in order of place."""
    if not isinstance(value, dict):
        return value
    if all(key.isdecimal() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=lambda key: (len(key.lstrip("0")), key))]
    return {key: _listed(each) for key, each in value.items()}


def under(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """What stands under a prefix, by the rest of the name."""
    return {name[len(prefix) :]: value for name, value in attributes.items() if name.startswith(prefix)}


def listed_texts(value: Any) -> tuple[str, ...]:
    """Tags: a list, a list written as JSON, or names between commas."""
    value = decoded(value)
    if isinstance(value, str):
        value = [each.strip() for each in value.split(",")]
    return tuple(filter(None, map(text, value))) if isinstance(value, Sequence) else ()


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent the request, as far as its headers say."""

    name: str | None = None
    version: str | None = None

    @property
    def encodes_all(self) -> bool:
        """Whether every value of metadata is written as JSON, so that `123` is a number and `"123"` a text."""
        major = (self.version or "").split(".", 1)[0]
        return self.name == "python" and major.isdecimal() and int(major) >= 5

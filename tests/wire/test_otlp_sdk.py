"""The published OpenTelemetry SDK and its exporters, in a process of their own, against the real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.server import environment, run, serving

pytest.importorskip("opentelemetry.sdk")

#: What an application writes. Nothing in it knows of this server; `END` says how its provider is shut down.
APPLICATION = """
import json
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource.create({"service.name": "support", "service.version": "2026.46"})
provider = TracerProvider(resource=resource)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("app")
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
logger = logs.get_logger("app")
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
metrics.get_meter("app").create_counter("requests").add(1)

with tracer.start_as_current_span("ask", attributes={"user.id": "user-1", "session.id": "session-1"}) as root:
    with tracer.start_as_current_span("retrieve") as span:
        span.set_attribute("gen_ai.operation.name", "retrieval")
        span.set_attribute("gen_ai.retrieval.documents", json.dumps([{"id": "returns", "score": 0.9}]))
    with tracer.start_as_current_span("chat small-1") as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.response.model": "small-1"})
        context = span.get_span_context()
        body = {
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How long?"}]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "60 days."}]}],
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        }
        logger.emit(LogRecord(event_name="gen_ai.client.inference.operation.details", attributes=body))
        logger.emit(LogRecord(event_name="gen_ai.evaluation.result", attributes={
            "gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 0.25,
        }))
    try:
        with tracer.start_as_current_span("order"):
            raise ValueError("no such order")
    except ValueError:
        pass
    print(format(root.get_span_context().trace_id, "032x"), flush=True)
for each in (provider, logs, metrics):
    each.shutdown()
"""


@dataclass(frozen=True)
class Target:
    """A server, and a key for it."""

    url: str
    key: str

    def run(self, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the application, told of the server by its SDK's own settings only."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "THUMBWHEEL_"))}
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{self.key}",
        }
        done = subprocess.run(
            [sys.executable, "-c", APPLICATION],
            check=False,
            capture_output=True,
            text=True,
            env=clean | told | settings,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done

    def trace(self, trace_id: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.key}"}
        found: dict[str, Any] = (
            httpx2.get(f"{self.url}/v1/traces/{trace_id}", headers=headers).raise_for_status().json()
        )
        return found


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("otlp")
    env = environment(f"sqlite:///{folder}/wheel.db")
    key = run("key", "create", "--scopes", "ingest,read", "--json", env=env)["secret_key"]
    with serving(env, folder) as server:
        yield Target(server.url, key)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
        # One span a request: the parts of a trace arrive one by one, children first.
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "1"},
    ],
    ids=["plain", "gzip", "span by span"],
)
def test_the_sdk_as_it_is_published(target: Target, settings: dict[str, str]) -> None:
    done = target.run(**settings)
    assert "Failed to export" not in done.stderr
    trace = target.trace(done.stdout.strip())
    assert (trace["name"], trace["model"], trace["release"]) == ("ask", "small-1", "2026.46")
    assert trace["user_id"]
    assert trace["session_id"] == "session-1"
    assert trace["input"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]
    assert trace["output"] == "60 days."
    assert [(each["id"], each["score"], each["rank"]) for each in trace["documents"]] == [("returns", 0.9, 1)]
    assert [each["failure_probability"] for each in trace["suggestions"]] == [0.75]
    spans = {span["name"]: span for span in trace["spans"]}
    assert spans.keys() == {"ask", "retrieve", "chat small-1", "order"}
    assert spans["order"]["level"] == "ERROR"
    assert "no such order" in spans["order"]["status_message"]


def test_the_sdk_is_told_when_its_key_is_wrong(target: Target) -> None:
    done = target.run(OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20tw_sk_wrong")
    assert "401" in done.stderr

"""Traces and assessments by MLflow's own client; prints the ids of the traces."""

import json
import sys

import mlflow
from mlflow.entities import AssessmentSource, SpanType


@mlflow.trace(span_type=SpanType.RETRIEVER)
def retrieve(query):
    return [{"page_content": "Sixty days.", "id": "doc-7", "metadata": {"score": 0.9}}]


@mlflow.trace(span_type=SpanType.TOOL)
def order(number):
    return {"state": "sent"}


@mlflow.trace(span_type=SpanType.CHAT_MODEL)
def llm(messages):
    span = mlflow.get_current_active_span()
    span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 12, "output_tokens": 4, "total_tokens": 16})
    span.set_attribute("mlflow.llm.model", "small-1")
    return {"choices": [{"message": {"role": "assistant", "content": "60 days."}}]}


@mlflow.trace(name="ask", span_type=SpanType.CHAIN)
def ask(question):
    about = {"mlflow.trace.user": "ann", "mlflow.trace.session": "chat-1"}
    mlflow.update_current_trace(tags={"tenant": "acme", "category": "returns"}, metadata=about)
    retrieve(question)
    order(7)
    llm([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    return "60 days."


@mlflow.trace(name="broken")
def broken():
    raise ValueError("no such order")


def judge(trace_id):
    ann, judge = AssessmentSource("HUMAN", "ann"), AssessmentSource("LLM_JUDGE", "gpt")
    mlflow.log_feedback(trace_id=trace_id, name="correct", value=False, rationale="no, 30 days", source=ann)
    mlflow.log_feedback(trace_id=trace_id, name="relevance", value=0.25, source=judge)
    mlflow.log_feedback(trace_id=trace_id, name="reason", value="hallucination", source=ann)
    mlflow.log_expectation(trace_id=trace_id, name="expected_response", value="30 days.", source=ann)


mlflow.set_experiment(sys.argv[1])
ids = []
for _ in range(int(sys.argv[2])):
    ask("How long?")
    ids.append(mlflow.get_last_active_trace_id())
judge(ids[0])
try:
    broken()
except ValueError:
    ids.append(mlflow.get_last_active_trace_id())
json.dump(ids, sys.stdout)

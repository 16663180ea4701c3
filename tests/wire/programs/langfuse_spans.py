"""An application instrumented with Langfuse's Python SDK 3, 4 or 5: it writes, reads back, and prints what it saw."""

import json
import os
import sys
from contextlib import nullcontext
from importlib.metadata import version as version_of

import langfuse
from langfuse import Langfuse

version = version_of("langfuse")
major = int(version.split(".")[0])
about = {
    "user_id": "ann",
    "session_id": "chat-1",
    "tags": ["beta", "eu"],
    "metadata": {"tenant": "acme"},
    "version": "7",
}
client = Langfuse(
    public_key=os.environ["PUBLIC"],
    secret_key=os.environ["SECRET"],
    host=os.environ["BASE"],
    environment="staging",
    release="2026.11",
)
seen: dict = {"version": version, "auth": client.auth_check()}


def answer() -> None:
    """One request: look up, ask the model, answer."""
    with client.start_as_current_observation(as_type="retriever", name="lookup", input="return policy") as found:
        found.update(output=[{"id": "doc-7", "content": "60 days.", "score": 0.9}])
    with client.start_as_current_observation(
        as_type="generation",
        name="llm",
        model="small-1",
        model_parameters={"temperature": 0.2},
        input=[{"role": "user", "content": "How long may I return it?"}],
    ) as generation:
        generation.update(output="60 days.", usage_details={"input": 12, "output": 4}, cost_details={"total": 0.01})
        generation.score(name="fluency", value=0.8, comment="reads well")
        seen["generation"] = generation.id
    with client.start_as_current_observation(as_type="tool", name="calendar", input={"days": 60}) as tool:
        tool.update(output={"until": "2027-01-22"}, level="WARNING", status_message="slow")
    client.score_current_trace(name="user_rating", value=0, data_type="BOOLEAN", comment="no, 30 days")


with client.start_as_current_observation(as_type="span", name="ask", input={"question": "How long?"}) as root:
    seen["trace"] = root.trace_id
    told = nullcontext() if major == 3 else langfuse.propagate_attributes(trace_name="support", **about)
    with told:
        answer()
    if major == 3:
        root.update_trace(name="support", input={"question": "How long?"}, output="60 days.", **about)
    root.update(output="60 days.")

trace = seen["trace"]
client.create_score(trace_id=trace, name="reason_category", value="hallucination", data_type="CATEGORICAL")
client.create_score(trace_id=trace, name="user_edit", value="30 days.", data_type="CORRECTION", score_id="edit-1")
client.create_score(session_id="chat-1", name="csat", value=4)
client.flush()

if major == 5:
    seen["observations"] = [each.dict() for each in client.api.observations.get_many(trace_id=trace).data]
    first = client.api.observations.get_many(trace_id=trace, limit=2, fields="core,basic")
    rest = client.api.observations.get_many(trace_id=trace, limit=2, fields="core,basic", cursor=first.meta.cursor)
    seen["pages"] = [len(first.data), len(rest.data), rest.meta.cursor]
    seen["scores"] = [each.dict() for each in client.api.scores.get_many(trace_id=trace).data]
    seen["of_session"] = [each.dict() for each in client.api.scores.get_many(session_id="chat-1").data]
    client.api.scores.delete("edit-1")
    seen["left"] = len(client.api.scores.get_many(trace_id=trace).data)
else:
    whole = client.api.trace.get(trace)
    seen["whole"] = whole.dict()
    seen["observations"] = seen["whole"]["observations"]
    seen["listed"] = [each.id for each in client.api.trace.list(name="support", tags=["beta"]).data]
    scores = client.api.scores if major == 4 else client.api.score_v_2
    listed = scores.get_many(trace_id=trace) if major == 4 else scores.get(trace_id=trace)
    seen["scores"] = [each.dict() for each in listed.data]
    reads = (
        client.api.legacy.observations_v1 if major == 4 and hasattr(client.api, "legacy") else client.api.observations
    )
    seen["one"] = (reads.get(seen["generation"])).dict()
    seen["sessions"] = [each.id for each in client.api.sessions.list().data]
try:
    (client.api.trace.get if major < 5 else client.api.trace.delete)("f" * 32)
except Exception as fault:  # noqa: BLE001 - whichever it is, is what the test looks at
    seen["fault"] = type(fault).__name__
seen["url"] = client.get_trace_url(trace_id=trace)
json.dump(seen, sys.stdout, default=str)

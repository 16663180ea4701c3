"""An application instrumented with Langfuse's Python SDK 2: it writes, reads back, and prints what it saw."""

import json
import os
import sys

from langfuse import Langfuse
from langfuse.version import __version__ as version

client = Langfuse(
    public_key=os.environ["PUBLIC"],
    secret_key=os.environ["SECRET"],
    host=os.environ["BASE"],
    release="2026.11",
    environment="staging",
)
seen: dict = {"version": version, "auth": client.auth_check()}

trace = client.trace(
    name="support",
    user_id="ann",
    session_id="chat-1",
    input={"question": "How long?"},
    tags=["beta", "eu"],
    metadata={"tenant": "acme"},
    version="7",
)
lookup = trace.span(name="lookup", input="return policy")
lookup.end(output=[{"id": "doc-7", "content": "60 days."}])
generation = trace.generation(
    name="llm",
    model="small-1",
    model_parameters={"temperature": 0.2},
    input=[{"role": "user", "content": "How long may I return it?"}],
)
generation.end(output="60 days.", usage={"input": 12, "output": 4, "unit": "TOKENS"})
generation.event(name="cache", level="WARNING", status_message="missed")
generation.score(name="fluency", value=0.8, comment="reads well")
trace.update(output="60 days.", metadata={"plan": "pro"})
trace.score(name="user_rating", value=0, data_type="BOOLEAN", comment="no, 30 days")
client.score(trace_id=trace.id, name="reason_category", value="hallucination", id="reason-1")
client.score(trace_id=trace.id, name="reason_category", value="outdated", id="reason-1")
client.flush()

seen["trace"] = trace.id
whole = client.fetch_trace(trace.id).data
seen["whole"] = json.loads(whole.json())
seen["observations"] = seen["whole"]["observations"]
seen["listed"] = [each.id for each in client.fetch_traces(user_id="ann", tags=["beta"]).data]
seen["generations"] = [each.id for each in client.fetch_observations(type="GENERATION", trace_id=trace.id).data]
seen["one"] = json.loads(client.fetch_observation(generation.id).data.json())
seen["sessions"] = [each.id for each in client.fetch_sessions().data]
scores = client.client.score.get(name="reason_category").data
seen["scores"] = [json.loads(each.json()) for each in scores]
client.client.score.delete("reason-1")
seen["left"] = len(client.client.score.get().data)
try:
    client.client.trace.get("nowhere")
except Exception as fault:  # noqa: BLE001 - whichever it is, is what the test looks at
    seen["fault"] = type(fault).__name__
seen["url"] = trace.get_trace_url()
json.dump(seen, sys.stdout, default=str)

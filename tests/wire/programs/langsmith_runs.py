"""An application with any of LangSmith's Python SDKs: it writes, reads back, and prints what it saw."""

import contextlib
import json
import sys
import time
import urllib.request
import warnings
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import langsmith
from langsmith import Client, traceable
from langsmith.schemas import Attachment
from langsmith.utils import LangSmithNotFoundError

# They say that reading runs in this way will end in 2027.
warnings.simplefilter("ignore")
client = Client()
seen: dict = {"version": langsmith.__version__}


def read_once(there, read):
    """What `read` gives, once that is all there: some SDKs' flush() overlooks what their thread is about to send."""
    for _ in range(400):
        with contextlib.suppress(LangSmithNotFoundError):
            if there(found := read()):
                return found
        time.sleep(0.05)
    return read()


@traceable(run_type="retriever", client=client)
def retrieve(question: str) -> list:
    return [{"page_content": "Sixty days.", "type": "Document", "metadata": {"id": "doc-7", "score": 0.9}}]


@traceable(run_type="tool", client=client)
def order(number: int) -> dict:
    return {"state": "sent"}


@traceable(run_type="llm", name="llm", client=client, metadata={"ls_model_name": "small-1", "prompt_version": "v7"})
def llm(messages: list) -> dict:
    usage = {"input_tokens": 12, "output_tokens": 4, "total_tokens": 16}
    return {"role": "assistant", "content": "60 days.", "usage_metadata": usage}


@traceable(
    name="ask", client=client, tags=["beta", "eu"], metadata={"user_id": "ann", "thread_id": "chat-1", "tenant": "acme"}
)
def ask(question: str, picture: Attachment) -> str:
    retrieve(question)
    order(7)
    return llm([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])["content"]


@traceable(name="break", client=client)
def fail() -> None:
    raise ValueError("no such order")


root, broken, plain = uuid4(), uuid4(), uuid4()
ask("How long?", Attachment("image/png", b"\x89PNG" * 1000), langsmith_extra={"run_id": root})
with contextlib.suppress(ValueError):
    fail(langsmith_extra={"run_id": broken})
client.flush()

# Without the background thread each run is a request of its own, created and then changed.
direct = Client(auto_batch_tracing=False)
now = datetime.now(UTC)
direct.create_run("direct", {"question": "?"}, "chain", id=plain, project_name="other", start_time=now)
child = uuid4()
direct.create_run("step", {"x": 1}, "tool", id=child, parent_run_id=plain, project_name="other", start_time=now)
direct.update_run(child, outputs={"y": 2}, end_time=now + timedelta(seconds=1))
direct.update_run(plain, outputs={"output": "!"}, end_time=now + timedelta(seconds=2))

# --- feedback

read_once(lambda run: run.end_time, lambda: client.read_run(broken))
run = read_once(
    lambda run: run.end_time and len(run.child_runs) == 3 and all(each.end_time for each in run.child_runs),
    lambda: client.read_run(root, load_child_runs=True),
)
steps = {each.name: each for each in run.child_runs}
common = {"run_id": root, "trace_id": root}
client.create_feedback(key="user_rating", score=False, comment="no, 30 days", **common)
client.create_feedback(key="reason_category", value="hallucination", **common)
client.create_feedback(run_id=steps["llm"].id, key="user_edit", correction={"content": "30 days."})
client.create_feedback(
    run_id=root, key="correctness", score=0.25, feedback_source_type="model", source_info={"by": "m"}
)
extra = client.create_feedback(run_id=root, key="stars", score=3)
client.create_feedback(run_id=root, key="gone", score=1, feedback_id=(gone := uuid4()))
client.update_feedback(extra.id, score=4, comment="better")
client.delete_feedback(gone)
client.flush()
listed = read_once(
    lambda found: {each.key for each in found} >= {"user_rating", "reason_category", "correctness", "stars"},
    lambda: list(client.list_feedback(run_ids=[root])),
)
seen["feedback"] = {
    each.key: [each.score, each.value, each.comment, each.feedback_source.type, str(each.trace_id), str(each.run_id)]
    for each in listed
}
seen["of_llm"] = [[each.key, each.correction] for each in client.list_feedback(run_ids=[steps["llm"].id])]
seen["by_key"] = [each.score for each in client.list_feedback(run_ids=[root], feedback_key=["stars"])]
seen["read"] = [client.read_feedback(extra.id).score, client.read_feedback(extra.id).comment]

# --- addresses that need no key

token = client.create_presigned_feedback_token(root, "from_mail", expiration=timedelta(hours=1))
many = client.create_presigned_feedback_tokens(root, ["clicked", "written"])
seen["token"] = [token.expires_at.isoformat(), [each.id == UUID(each.url.rsplit("/", 1)[1]) for each in many]]
body = json.dumps({"score": 0, "comment": "by mail"}).encode()
sent = urllib.request.Request(token.url, body, {"content-type": "application/json"})
seen["posted"] = urllib.request.urlopen(sent).status
seen["clicked"] = urllib.request.urlopen(f"{many[0].url}?score=1&comment=ok").status
client.create_feedback_from_token(many[1].url, score=0.5, value="so-so")
seen["tokens"] = len(list(client.list_presigned_feedback_tokens(root)))
seen["by_token"] = {
    each.key: [each.score, each.value, each.comment]
    for each in client.list_feedback(run_ids=[root], feedback_key=["from_mail", "clicked", "written"])
}

# --- reading


def shown(each) -> dict:
    return {
        "id": str(each.id),
        "name": each.name,
        "type": each.run_type,
        "status": each.status,
        "error": each.error,
        "inputs": each.inputs,
        "outputs": each.outputs,
        "tags": each.tags,
        "metadata": {
            name: each.metadata.get(name) for name in ("tenant", "thread_id", "ls_model_name", "prompt_version")
        },
        "tokens": [each.prompt_tokens, each.completion_tokens, each.total_tokens],
        "depth": each.dotted_order.count("."),
        "trace": str(each.trace_id),
        "parent": each.parent_run_id and str(each.parent_run_id),
    }


seen["trace"], seen["broken"], seen["plain"] = str(root), str(broken), str(plain)
seen["root"] = shown(run)
seen["children"] = [shown(each) for each in run.child_runs]
seen["whole"] = sorted(each.name for each in client.list_runs(trace_id=root))
seen["roots"] = sorted(each.name for each in client.list_runs(project_name="support", is_root=True))
seen["failed"] = [[each.name, each.status, each.error.splitlines()[0]] for each in client.list_runs(error=True)]
seen["llms"] = [each.name for each in client.list_runs(project_name="support", run_type="llm")]
seen["by_id"] = [each.name for each in client.list_runs(run_ids=[str(root), str(broken)])]
seen["filtered"] = [
    each.name for each in client.list_runs(project_name="support", filter='and(eq(name, "ask"), has(tags, "beta"))')
]
other = list(client.list_runs(project_name="other"))
seen["other"] = sorted([each.name, each.status, each.outputs] for each in other)
project = client.read_project(project_name="support")
seen["project"] = [project.name, project.id == run.session_id, client.has_project("nowhere")]
seen["projects"] = sorted(each.name for each in client.list_projects())
seen["made"] = client.create_project("made here", description="d").description
seen["url"] = run.app_path
try:
    client.read_run(uuid4())
except LangSmithNotFoundError as fault:
    seen["fault"] = type(fault).__name__

queue = client.create_annotation_queue(name="look at these")
client.add_runs_to_annotation_queue(queue.id, run_ids=[root])
seen["queue"] = [
    [each.name for each in client.list_annotation_queues()],
    client.get_run_from_annotation_queue(queue.id, index=0).name,
]
client.flush()
json.dump(seen, sys.stdout, default=str)

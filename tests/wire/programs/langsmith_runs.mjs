// An application with LangSmith's JavaScript SDK: it writes, reads back, and prints what it saw.
import { randomUUID } from "node:crypto";
import { Client, RunTree } from "langsmith";
import { traceable } from "langsmith/traceable";

// They say that reading runs in this way will end in 2027.
process.removeAllListeners("warning");
const warn = console.warn;
console.warn = (...said) => (String(said[0]).includes("deprecated") ? undefined : warn(...said));

const client = new Client();
const common = { client };

const retrieve = traceable(
  async (question) => [{ page_content: "Sixty days.", type: "Document", metadata: { id: "doc-7", score: 0.9 } }],
  { ...common, name: "retrieve", run_type: "retriever" },
);
const order = traceable(async ({ number }) => ({ state: "sent" }), { ...common, name: "order", run_type: "tool" });
const llm = traceable(
  async ({ messages }) => ({
    role: "assistant",
    content: "60 days.",
    usage_metadata: { input_tokens: 12, output_tokens: 4, total_tokens: 16 },
  }),
  { ...common, name: "llm", run_type: "llm", metadata: { ls_model_name: "small-1", prompt_version: "v7" } },
);
const root = randomUUID();
const ask = traceable(
  async ({ question }) => {
    await retrieve(question);
    await order({ number: 7 });
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: question },
    ];
    return (await llm({ messages })).content;
  },
  {
    ...common,
    id: root,
    name: "ask",
    tags: ["beta", "eu"],
    metadata: { user_id: "ann", thread_id: "chat-1", tenant: "acme" },
  },
);
await ask({ question: "How long?" });

const broken = new RunTree({ ...common, name: "break", run_type: "chain", inputs: { cut: "\ud83d" } });
await broken.postRun();
await broken.end(undefined, "no such order");
await broken.patchRun();
await client.flush();
await client.awaitPendingTraceBatches();

// Without batches each run is a request of its own, created and then changed.
const direct = new Client({ autoBatchTracing: false });
const plain = randomUUID();
await direct.createRun({ id: plain, name: "direct", run_type: "chain", inputs: { question: "?" }, project_name: "other" });
await direct.updateRun(plain, { outputs: { output: "!" }, end_time: Date.now() + 1 });

// --- feedback

const run = await client.readRun(root, { loadChildRuns: true });
const steps = Object.fromEntries(run.child_runs.map((each) => [each.name, each]));
const about = { runId: root, traceId: root };
await client.createFeedback({ ...about, key: "user_rating", score: false, comment: "no, 30 days" });
await client.createFeedback({ ...about, key: "reason_category", value: "hallucination" });
await client.createFeedback(steps.llm.id, "user_edit", { correction: { content: "30 days." } });
await client.createFeedback(root, "correctness", { score: 0.25, feedbackSourceType: "model" });
const stars = await client.createFeedback(root, "stars", { score: 3 });
const gone = await client.createFeedback(root, "gone", { score: 1 });
await client.updateFeedback(stars.id, { score: 4, comment: "better" });
await client.deleteFeedback(gone.id);
await client.flush();
await client.awaitPendingTraceBatches();

const all = async (items) => {
  const found = [];
  for await (const each of items) found.push(each);
  return found;
};
const told = (each) => [each.score, each.value, each.comment];
const by = (items) => Object.fromEntries(items.map((each) => [each.key, told(each)]));
const seen = { trace: root, broken: broken.id, plain };
seen.feedback = by(await all(client.listFeedback({ runIds: [root] })));
seen.of_llm = (await all(client.listFeedback({ runIds: [steps.llm.id] }))).map((each) => [each.key, each.correction]);
seen.read = told(await client.readFeedback(stars.id));

// --- addresses that need no key

const token = await client.createPresignedFeedbackToken(root, "from_mail", { expiration: { hours: 1 } });
const answered = await fetch(token.url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ score: 0, comment: "by mail" }),
});
const link = await client.createPresignedFeedbackToken(root, "clicked");
seen.status = [answered.status, (await fetch(`${link.url}?score=1&comment=ok`)).status];
seen.tokens = (await all(client.listPresignedFeedbackTokens(root))).length;
seen.by_token = by(await all(client.listFeedback({ runIds: [root], feedbackKeys: ["from_mail", "clicked"] })));

// --- reading

const shown = (each) => ({
  id: each.id,
  name: each.name,
  type: each.run_type,
  status: each.status,
  inputs: each.inputs,
  outputs: each.outputs,
  tags: each.tags,
  metadata: each.extra.metadata,
  tokens: [each.prompt_tokens, each.completion_tokens, each.total_tokens],
  trace: each.trace_id,
  parent: each.parent_run_id,
});
const names = (runs) => runs.map((each) => each.name).sort();
seen.root = shown(run);
seen.children = run.child_runs.map(shown);
seen.whole = names(await all(client.listRuns({ traceId: root })));
seen.roots = names(await all(client.listRuns({ projectName: "support", isRoot: true })));
seen.failed = (await all(client.listRuns({ error: true }))).map((each) => [each.name, each.error, each.inputs]);
seen.other = (await all(client.listRuns({ projectName: "other" }))).map((each) => [each.name, each.status, each.outputs]);
const project = await client.readProject({ projectName: "support" });
seen.project = [project.name, project.id === run.session_id, await client.hasProject({ projectName: "nowhere" })];
seen.projects = names(await all(client.listProjects()));
seen.made = (await client.createProject({ projectName: "made here", description: "d" })).description;
seen.url = await client.getRunUrl({ runId: root });
seen.fault = await client.readRun(randomUUID()).catch((fault) => fault.status);
const queue = await client.createAnnotationQueue({ name: "look at these" });
await client.addRunsToAnnotationQueue(queue.id, [root]);
seen.queue = [names(await all(client.listAnnotationQueues())), (await client.getRunFromAnnotationQueue(queue.id, 0)).name];
console.log(JSON.stringify(seen));

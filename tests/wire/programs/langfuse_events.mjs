// An application and a page with Langfuse's JavaScript SDK 3: they write, read back, and print what they saw.
import { Langfuse, LangfuseWeb } from "langfuse";

const { BASE, PUBLIC, SECRET } = process.env;
const client = new Langfuse({
  publicKey: PUBLIC,
  secretKey: SECRET,
  baseUrl: BASE,
  release: "2026.11",
  environment: "staging",
});

const trace = client.trace({
  name: "support",
  userId: "ann",
  sessionId: "chat-1",
  input: { question: "How long?" },
  tags: ["beta", "eu"],
  metadata: { tenant: "acme" },
  version: "7",
});
const generation = trace.generation({
  name: "llm",
  model: "small-1",
  modelParameters: { temperature: 0.2 },
  input: [{ role: "user", content: "How long may I return it?" }],
});
generation.end({ output: "60 days.", usage: { input: 12, output: 4 } });
generation.score({ name: "fluency", value: 0.8, comment: "reads well" });
trace.update({ output: "60 days." });
client.score({ traceId: trace.id, name: "reason_category", value: "hallucination" });
await client.flushAsync();

const page = new LangfuseWeb({ publicKey: PUBLIC, baseUrl: BASE });
await page.score({ traceId: trace.id, name: "user_rating", value: 0, dataType: "BOOLEAN", comment: "no, 30 days" });
await page.shutdownAsync();

const whole = (await client.fetchTrace(trace.id)).data;
const listed = (await client.fetchTraces({ userId: "ann", tags: ["beta"] })).data.map((each) => each.id);
const one = (await client.fetchObservation(generation.id)).data;
const sessions = (await client.fetchSessions()).data.map((each) => each.id);
console.log(
  JSON.stringify({
    trace: trace.id,
    whole,
    listed,
    one,
    sessions,
    observations: whole.observations,
    scores: whole.scores,
    url: trace.getTraceUrl(),
  }),
);

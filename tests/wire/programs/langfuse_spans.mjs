// An application with Langfuse's JavaScript SDK 4 or 5: it writes, reads back, and prints what it saw.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const { BASE, PUBLIC, SECRET } = process.env;
const keys = { publicKey: PUBLIC, secretKey: SECRET, baseUrl: BASE };
const processor = new LangfuseSpanProcessor({ ...keys, environment: "staging", release: "2026.11" });
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
provider.register();
const client = new LangfuseClient(keys);

const about = {
  traceName: "support",
  userId: "ann",
  sessionId: "chat-1",
  tags: ["beta", "eu"],
  metadata: { tenant: "acme" },
  version: "7",
};
const trace = await startActiveObservation("ask", (root) =>
  propagateAttributes(about, () => {
    root.update({ input: { question: "How long?" } });
    const found = startObservation("lookup", { input: "return policy" }, { asType: "retriever" });
    found.update({ output: [{ id: "doc-7", content: "60 days.", score: 0.9 }] }).end();
    const generation = startObservation(
      "llm",
      {
        model: "small-1",
        modelParameters: { temperature: 0.2 },
        input: [{ role: "user", content: "How long may I return it?" }],
      },
      { asType: "generation" },
    );
    generation.update({ output: "60 days.", usageDetails: { input: 12, output: 4 } }).end();
    client.score.observation(generation, { name: "fluency", value: 0.8, comment: "reads well" });
    client.score.trace(root, { name: "user_rating", value: 0, dataType: "BOOLEAN", comment: "no, 30 days" });
    root.update({ output: "60 days." });
    return root.traceId;
  }),
);
client.score.create({ traceId: trace, name: "reason_category", value: "hallucination" });
await client.flush();
await provider.forceFlush();

// Version 4 has the same lists under the names of their addresses.
const steps = client.api.observationsV2 ?? client.api.observations;
const judgements = client.api.scoreV2 ? (only) => client.api.scoreV2.get(only) : (only) => client.api.scores.getMany(only);

const observations = (await steps.getMany({ traceId: trace })).data;
const first = await steps.getMany({ traceId: trace, limit: 2, fields: "core,basic" });
const rest = await steps.getMany({
  traceId: trace,
  limit: 2,
  fields: "core,basic",
  cursor: first.meta.cursor,
});
const scores = (await judgements({ traceId: trace })).data;
console.log(
  JSON.stringify({
    trace,
    observations,
    scores,
    pages: [first.data.length, rest.data.length, rest.meta.cursor ?? null],
    url: await client.getTraceUrl(trace),
  }),
);

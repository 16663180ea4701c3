// The line to the server: one request at a time for what was judged, kept until it is acknowledged.

/** An answer that is no answer: `status` 0 when nobody answered at all. */
export class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

export async function post(path, body, patience = 20000) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
  } catch { throw new Refused(0, "No connection."); }
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, said?.detail ?? "That did not work.");
  if (said === null) throw new Refused(0, "No connection.");
  return said;
}

/** True when the same request may well succeed later. */
export const isPassing = (fault) => fault instanceof Refused && (fault.status === 0 || fault.status >= 500 || fault.status === 429);

/** Sends what is in the outbox, first in first out. */
export class Line {
  constructor(outbox, { holding, answered, refused, changed }) {
    Object.assign(this, { outbox, holding, answered, refused, changed });
    this.sending = null;
    this.running = null;
    this.wait = 1000;
    this.down = false;
    addEventListener("online", () => this.flush());
  }

  send(item) { this.outbox.add(item); this.changed(); return this.flush(); }

  /** Sends everything there is; resolves when it is sent, or when there is no use in going on. */
  flush() {
    clearTimeout(this.timer);
    this.running ??= this.run().finally(() => { this.running = null; this.changed(); });
    return this.running;
  }

  async run() {
    for (let item; (item = this.outbox.list()[0]); ) {
      this.sending = item.id;
      try {
        const said = await post(item.path, { ...item.body, holding: this.holding() });
        this.reached();
        this.outbox.drop(item.id);
        this.answered(item, said);
      } catch (fault) {
        if (!(fault instanceof Refused)) throw fault;
        if (isPassing(fault)) { this.lost(); return; }
        if (fault.status === 401) { this.refused(item, fault, true); return; }
        this.outbox.drop(item.id);
        this.refused(item, fault, false);
      } finally { this.sending = null; this.changed(); }
    }
  }

  reached() { this.down = false; this.wait = 1000; }

  lost() {
    this.down = true;
    this.timer = setTimeout(() => this.flush(), this.wait);
    this.wait = Math.min(this.wait * 2, 30000);
  }

  /** Takes something back that has not left yet; false when it has. */
  recall(id) {
    if (this.sending === id || !this.outbox.has(id)) return false;
    this.outbox.drop(id);
    this.changed();
    return true;
  }
}

// What stays in this browser: drafts, and judgements the server does not have yet.

const WEEK = 7 * 24 * 3600 * 1000;

function read(name) {
  try { return JSON.parse(localStorage.getItem(name) ?? "null"); } catch { return null; }
}

function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name); else localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch { return false; }
}

/** Drafts of one person in one project, by entry. */
export class Drafts {
  constructor(owner) {
    this.prefix = `thumbwheel.draft.${owner}.`;
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith("thumbwheel.draft.") && !(Date.now() - (read(name)?.at ?? 0) < WEEK)) write(name, null);
    }
  }

  get(entryId) { return read(this.prefix + entryId); }

  put(entryId, draft) { return write(this.prefix + entryId, { ...draft, at: Date.now() }); }

  drop(entryId) { write(this.prefix + entryId, null); }
}

/** Judgements and skips on their way, in order. Another page of the same person may add to it too. */
export class Outbox {
  constructor(owner) { this.name = `thumbwheel.outbox.${owner}`; this.memory = null; }

  list() { return this.memory ?? read(this.name) ?? []; }

  add(item) { this.save([...this.list().filter((each) => each.id !== item.id), item]); }

  drop(id) { this.save(this.list().filter((each) => each.id !== id)); }

  has(id) { return this.list().some((each) => each.id === id); }

  /** Where the browser keeps nothing (full, or private) it is kept as long as the page is open. */
  save(items) { this.memory = write(this.name, items.length ? items : null) ? null : items; }
}

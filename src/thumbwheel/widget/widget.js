/**
 * thumbwheel in the page: <thumbwheel-feedback trace="…"> asks, track(element, trace) watches.
 * One module, no cookie; nothing is sent or stored before the consent its page asks for.
 */

const STRINGS = {
  question: "Was this answer helpful?",
  up: "Yes, it was helpful",
  down: "No, it was not helpful",
  why: "What was wrong?",
  comment: "Anything else? (optional)",
  send: "Send",
  skip: "Skip",
  edit: "How should the answer have read?",
  thanks: "Thank you for your feedback.",
  // A reason without words of its own is shown by its name: "Missed the point".
  reasons: { hallucination: "Made up", refused: "Refused to answer", formatting: "Badly formatted", other: "Something else" },
};

const here = import.meta.url; // named, or bundlers take what follows for a file
const settings = { url: new URL("v1/signals", here).href, key: "", consent: "", user: "", rights: [], strings: STRINGS };
const shown = new Set();
let reasons = ["hallucination", "refused", "too_long", "missed_the_point", "formatting", "outdated", "unsafe", "other"];

/** Say which server, key and consent this page uses; may be called again. */
export function configure(options) {
  const { strings, reasons: chosen, url, ...rest } = options;
  Object.assign(settings, rest);
  settings.consent ||= "none";
  if (url) settings.url = new URL("v1/signals", url.replace(/\/?$/, "/")).href;
  if (strings) settings.strings = { ...STRINGS, ...strings, reasons: { ...STRINGS.reasons, ...strings.reasons } };
  if (chosen) reasons = chosen;
  for (const one of shown) one.draw();
  if (mayKeep()) recall();
}

// --- consent: "none" needed, "opt-in" (only after a yes), "opt-out" (until a no)

const CHOICE = "thumbwheel:consent";
let choice = null;

const stored = (act) => { try { return act(localStorage); } catch { return null; } };

const said = () => choice ?? stored((store) => store.getItem(CHOICE));
const consented = () => Boolean(settings.consent) && (settings.consent === "opt-in" ? said() === "yes" : said() !== "no");

const mayKeep = () => Boolean(settings.key) && consented();

/** The visitor's choice. A no forgets everything that waits here; a yes sends what they have said on this page. */
export function setConsent(given) {
  choice = given ? "yes" : "no";
  if (given || settings.consent !== "opt-in") stored((store) => store.setItem(CHOICE, choice));
  else stored((store) => store.removeItem(CHOICE));
  if (consented()) recall();
  else {
    for (const id of [...waiting.keys()]) forget(id);
    stored((store) => keysOf(store).forEach((key) => store.removeItem(key)));
    for (const one of tracked) one.restart();
  }
}

// --- the queue: in memory and, once allowed, in localStorage, one key a signal: tabs do not collide

const PREFIX = "thumbwheel:signal:";
const MOST = 200, MOST_BYTES = 256e3, OLDEST = 7 * 864e5, BATCH = 50, BATCH_BYTES = 6e4;
const waiting = new Map(); // id -> { signal, after: not to be sent before, in ms }
const flying = new Set();
let timer = 0, due = Infinity, failures = 0, quietUntil = 0, off = false;

const keysOf = (store) => Object.keys(store).filter((key) => key.startsWith(PREFIX));

const hex = (number, digits) => number.toString(16).padStart(digits, "0");
const newId = () => hex(Date.now(), 12) + [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => hex(byte, 2)).join("");

function keep(id, entry) {
  waiting.set(id, entry);
  if (mayKeep()) stored((store) => store.setItem(PREFIX + id, JSON.stringify(entry)));
  let size = 0;
  [...waiting.keys()].sort().reverse().forEach((one, place) => {
    size += JSON.stringify(waiting.get(one)).length;
    if (place && (place >= MOST || size > MOST_BYTES)) forget(one);
  });
}

function forget(id) {
  waiting.delete(id);
  flying.delete(id);
  stored((store) => store.removeItem(PREFIX + id));
}

/** Take up what earlier pages left, write down what this one has. */
function recall() {
  stored((store) => {
    for (const key of keysOf(store)) {
      const id = key.slice(PREFIX.length);
      let entry = null;
      try { entry = JSON.parse(store.getItem(key)); } catch { /* not ours */ }
      if (!entry?.signal || Date.now() - Date.parse(entry.signal.at) > OLDEST) store.removeItem(key);
      else if (!waiting.has(id)) waiting.set(id, { ...entry, theirs: true });
    }
  });
  for (const [id, entry] of waiting) if (!entry.theirs) keep(id, withConsent(entry));
  plan();
}

function withConsent(entry) {
  const mode = { none: "none_needed", "opt-in": "opt_in", "opt-out": "opt_out" }[settings.consent];
  entry.signal.consent ??= { mode, given: said() === "yes" || undefined };
  return entry;
}

/** Keep one signal; only `spoken` ones wait, in memory, for a consent still to come. */
function report(kind, trace, more = {}, { on = document, spoken = false, wait = 500, id = newId() } = {}) {
  if (!trace || (!consented() && (!spoken || said() === "no"))) return null;
  if (!/dwell|abandon/.test(kind)) for (const one of tracked) if (one.trace === trace) one.engage();
  const signal = { id, trace_id: trace, kind, at: new Date().toISOString(), ...more };
  if (settings.user) signal.user_id ??= settings.user;
  const event = new CustomEvent("thumbwheel:signal", { detail: signal, bubbles: true, composed: true, cancelable: true });
  if (!waiting.has(id) && !(on.isConnected ? on : document).dispatchEvent(event)) return null;
  const entry = { signal, after: Date.now() + wait };
  keep(id, consented() ? withConsent(entry) : entry);
  plan();
  return id;
}

/** Set the clock for the first signal that may go. */
function plan() {
  let next = Infinity;
  for (const [id, { after }] of waiting) if (!flying.has(id)) next = Math.min(next, Math.max(after, quietUntil));
  if (next >= due || off || !mayKeep()) return;
  clearTimeout(timer);
  due = next;
  timer = setTimeout(flush, Math.max(next - Date.now(), 0));
}

/** What another tab left, it may have sent or changed meanwhile. */
function newest(id, entry) {
  if (!entry.theirs) return entry;
  const now = stored((store) => JSON.parse(store.getItem(PREFIX + id)));
  if (now) waiting.set(id, { ...now, theirs: true });
  else waiting.delete(id);
  return now ?? { after: Infinity };
}

/** Send what waits; `leaving` does not wait for second thoughts. Resolves when this try is over. */
export async function flush(leaving = false) {
  due = Infinity;
  await send(leaving === true);
  plan();
}

async function send(leaving) {
  const now = Date.now();
  if (!mayKeep() || off || now < quietUntil) return;
  const batch = [];
  let size = 0;
  for (const [id, entry] of waiting) {
    if (flying.has(id) || batch.length >= BATCH) continue;
    const { signal, after } = newest(id, entry);
    if (after > now + (leaving ? 5e3 : 0)) continue;
    size += new Blob([JSON.stringify(signal)]).size + 1;
    if (batch.length && size > BATCH_BYTES) break;
    batch.push(signal);
  }
  if (!batch.length) return;
  batch.forEach(({ id }) => flying.add(id));
  const status = await post(JSON.stringify({ key: settings.key, signals: batch }), leaving);
  batch.forEach(({ id }) => flying.delete(id));
  if (status === 201 || status === 413 || status === 422) {
    batch.forEach(({ id }) => forget(id));
    failures = 0;
  } else if (status && status !== 429 && status < 500) {
    off = true; // for this page: asking again would be answered the same
    console.warn(`thumbwheel: ${settings.url} answers ${status}. ${HINT}`);
  }
}

const HINT = `May these pages use the key? "thumbwheel key origins --add ${location.origin}"`;

/** The status, or 0. A plain text body needs no preflight, and outlives the page. */
async function post(body, leaving) {
  if (leaving && !("keepalive" in Request.prototype)) {
    navigator.sendBeacon(settings.url, body); // its answer is not heard: all goes again with the next page
    return 0;
  }
  try {
    const answer = await fetch(settings.url, { method: "POST", body, keepalive: body.length < BATCH_BYTES + 1e3, credentials: "omit", headers: { "Content-Type": "text/plain" } });
    if (answer.status === 429 || answer.status >= 500) backOff(Number(answer.headers.get("Retry-After")) * 1e3);
    const { rejected = [] } = await answer.json().catch(() => ({}));
    rejected.forEach((one) => console.warn(`thumbwheel: a signal was refused: ${one.detail}`));
    return answer.status;
  } catch {
    if (!failures && navigator.onLine) console.warn(`thumbwheel: no answer from ${settings.url}. ${HINT}`);
    backOff(0);
    return 0;
  }
}

function backOff(asked) {
  failures += 1;
  quietUntil = Date.now() + (asked || Math.min(2 ** failures * 500, 3e5) * (0.5 + Math.random() / 2));
}

addEventListener("online", () => { quietUntil = 0; plan(); });

// --- what the application itself knows

/** The user asked for another answer instead of this one. */
export const regenerate = (trace) => report("implicit_regenerate", trace);
/** The user had to say again, or differently, what they meant. */
export const clarification = (trace) => report("implicit_clarification", trace);
/** The user copied the answer with a button of the page's own, which no copy event tells. */
export const copied = (trace) => report("implicit_copy", trace);

// --- what users do

const IDLE = 3e4, TICK = 1e3, LONE = 18e5;
const tracked = new Set();
let active = Date.now();
for (const type of ["pointermove", "pointerdown", "keydown", "scroll"])
  addEventListener(type, () => { active = Date.now(); }, { capture: true, passive: true });

/**
 * Watch one answer: how long it is read, whether it is copied, changed, or left.
 * Returns { done(), stop() }: `done` says that a streamed answer is complete.
 */
export function track(element, trace, { streaming = false, abandonSeconds = 3, copyShare = 0.1, pasted = false, regenerate: again, clarification: clarify } = {}) {
  const ending = new AbortController();
  const listen = (target, type, act) => target?.addEventListener(type, act, { signal: ending.signal });
  const textOf = () => element.value ?? element.innerText;
  let seconds = 0, since = 0, inView = false, seen = false, engaged = false, left = false, dwellId = newId(), drafted = false, lastCopy = "", before = textOf(), changed = false;

  const tell = (kind, more, how) => report(kind, trace, more, { on: element, ...how });
  const looking = () => inView && document.visibilityState === "visible" && Date.now() - active < IDLE && consented();
  function count() {
    const now = performance.now();
    if (since) seconds += Math.min(now - since, 2 * TICK) / 1e3;
    since = looking() ? now : 0;
  }
  const clock = setInterval(count, TICK);
  /** One a page view: a draft while the page is only hidden, because a phone may never say more. */
  function dwell(final) {
    count();
    since = 0;
    if (seconds >= 1) drafted = Boolean(tell("implicit_dwell", { seconds: Math.round(seconds * 10) / 10 }, { id: dwellId, wait: final ? 0 : LONE }));
    if (final) restart();
  }
  function restart() { seconds = since = 0; drafted = false; dwellId = newId(); }
  function leave() {
    count();
    if (!left && !engaged && (streaming || (seen && seconds < abandonSeconds))) left = Boolean(tell("implicit_abandonment", {}, { wait: 0 }));
    dwell(true);
  }

  const watcher = new IntersectionObserver((entries) => {
    const entry = entries.at(-1);
    count();
    inView = entry.isIntersecting && (entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= innerHeight / 2);
    seen ||= inView;
    count();
  }, { threshold: [0, 0.1, 0.25, 0.5, 0.75, 1] });
  watcher.observe(element);

  listen(element, "input", () => { changed = true; });
  for (const type of ["copy", "cut"]) listen(document, type, () => {
    const whole = textOf(), text = selected(element).trim();
    if (!text || text === lastCopy || text.length < copyShare * whole.trim().length) return;
    lastCopy = text;
    if (changed && whole !== before) tell("implicit_copy_edit", { original: before, edited: whole });
    else tell("implicit_copy");
  });
  /** The copied answer was pasted into a field of this page: what it has become when the field is left. */
  if (pasted) listen(document, "paste", (event) => {
    const text = lastCopy, field = event.composedPath()[0].closest?.("textarea, input:not([type=password]), [contenteditable]");
    if (!text || !field || field === element || field.closest("[data-thumbwheel-ignore]") || event.clipboardData?.getData("text/plain").trim() !== text) return;
    field.addEventListener("focusout", () => {
      const edited = (field.value ?? field.innerText).trim();
      if (edited && edited !== text) tell("implicit_copy_edit", { original: text, edited });
    }, { once: true, signal: ending.signal });
  });
  listen(again, "click", () => tell("implicit_regenerate"));
  listen(clarify, "click", () => tell("implicit_clarification"));

  const one = {
    trace, restart, leave,
    engage: () => { engaged = true; },
    hide: () => dwell(false),
    show: () => { if (drafted && !waiting.has(dwellId)) restart(); }, // it was sent meanwhile
  };
  tracked.add(one);
  return {
    done() { streaming = false; if (!changed) before = textOf(); },
    stop() {
      if (!tracked.delete(one)) return;
      dwell(true);
      clearInterval(clock);
      watcher.disconnect();
      ending.abort();
    },
  };
}

function selected(element) {
  if (element.value !== undefined) return document.activeElement === element ? element.value.slice(element.selectionStart, element.selectionEnd) : "";
  const selection = getSelection(), range = selection.rangeCount && selection.getRangeAt(0);
  if (!range || !range.intersectsNode(element)) return "";
  const part = document.createRange();
  part.selectNodeContents(element);
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  return String(part);
}

addEventListener("visibilitychange", () => {
  active = Date.now();
  const hidden = document.visibilityState === "hidden";
  for (const one of tracked) hidden ? one.hide() : one.show();
  if (hidden) flush(true);
}, { capture: true });
addEventListener("pagehide", () => { for (const one of tracked) one.leave(); flush(true); });

// --- the element

const CSS = `
:host { display: block; color: var(--thumbwheel-color, inherit); font: var(--thumbwheel-font, inherit); }
:host([hidden]) { display: none; }
button, textarea, label { font: inherit; color: inherit; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--thumbwheel-gap, .5rem); }
button, textarea { background: var(--thumbwheel-background, transparent); border: 1px solid var(--thumbwheel-border, currentColor);
  border-radius: var(--thumbwheel-radius, .5rem); }
button { min-width: 2.75rem; min-height: 2.75rem; padding: .25rem .75rem; cursor: pointer; }
button[aria-pressed=true] { background: var(--thumbwheel-accent, #1d4ed8); color: var(--thumbwheel-on-accent, #fff); }
:focus-visible { outline: 3px solid var(--thumbwheel-focus, currentColor); outline-offset: 2px; }
svg { width: 1.4em; fill: currentColor; vertical-align: middle; }
.down svg { transform: rotate(180deg); }
fieldset { border: 0; margin: .75rem 0; padding: 0; }
legend { padding: 0; font-weight: 600; }
p { margin: .5rem 0 0; }
p:empty, .heard { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap; }
label { display: block; padding: .25rem 0; }
input { width: 1.25rem; height: 1.25rem; margin: 0 .5rem 0 0; vertical-align: middle; }
textarea { box-sizing: border-box; width: 100%; padding: .5rem; }
@media (forced-colors: active) { button[aria-pressed=true] { outline: 3px solid Highlight; } }`;
const THUMB = "M2 10h4v11H2zm6 11V10l5-8c2 0 2 2 2 3l-1 4h6c2 0 2 1 2 3l-2 7c0 1-1 2-2 2z";
let sheet;

function make(tag, given = {}, ...children) {
  const node = document.createElementNS(`http://www.w3.org/${/svg|path/.test(tag) ? "2000/svg" : "1999/xhtml"}`, tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

class ThumbwheelFeedback extends HTMLElement {
  static observedAttributes = ["trace"];
  #root = this.attachShadow({ mode: "open" });
  #said = {};
  #status;
  #panel;

  constructor() {
    super();
    this.#root.addEventListener("keydown", ({ key }) => { if (key === "Escape" && this.#panel.firstChild) this.#end(false); });
  }

  connectedCallback() { shown.add(this); this.draw(); }
  disconnectedCallback() { shown.delete(this); }
  attributeChangedCallback(_name, old, now) { if (old !== now && this.isConnected) this.draw(); }

  /** Ask from the beginning. */
  draw() {
    if (!sheet) { sheet = new CSSStyleSheet(); sheet.replaceSync(CSS); }
    this.#root.adoptedStyleSheets = [sheet];
    this.#said = {};
    const words = settings.strings;
    this.#status = make("p", { role: "status", part: "status", tabindex: "-1" });
    this.#panel = make("div", { part: "panel" });
    const row = make("div", { class: "row", role: "group", "aria-labelledby": "q", part: "group" },
      make("span", { id: "q", part: "question" }, words.question), this.#thumb("up"), this.#thumb("down"));
    this.#root.replaceChildren(row, this.#panel, this.#status);
  }

  #thumb(value) {
    const icon = make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, make("path", { d: THUMB }));
    return make("button", { type: "button", class: value, part: `thumb ${value}`, "aria-pressed": "false", "aria-label": settings.strings[value], onclick: () => this.#rate(value) }, icon);
  }

  #say(kind, more, wait) {
    return report(kind, this.getAttribute("trace"), more, { on: this, spoken: true, wait });
  }

  /** A second thought within a moment replaces the first; later ones are signals of their own. */
  #rate(value) {
    if (this.#said.value === value) return;
    const id = this.#said.rating;
    if (!flying.has(id)) forget(id);
    this.#said = { value, rating: this.#say("user_rating", { value }, 1000) };
    this.#root.querySelectorAll("[aria-pressed]").forEach((button) => button.setAttribute("aria-pressed", String(button.classList.contains(value))));
    this.#announce(value === "up" ? settings.strings.thanks : settings.strings.why, value === "up");
    if (value === "down") this.#askWhy();
    else this.#panel.replaceChildren();
  }

  #announce(text, show = true) {
    this.#status.className = show ? "" : "heard";
    this.#status.textContent = text;
  }

  #askWhy() {
    const words = settings.strings;
    const comment = make("textarea", { rows: 2, maxlength: 5000, part: "comment" });
    const boxes = reasons.map((reason) => make("input", { type: "checkbox", value: reason, part: "checkbox" }));
    const labels = boxes.map((box) => make("label", { part: "reason" }, box, words.reasons[box.value] ?? (box.value[0].toUpperCase() + box.value.slice(1)).replaceAll("_", " ")));
    this.#ask(words.why, "reasons", [...labels, make("label", {}, words.comment, comment)], () => {
      const added = comment.value.trim();
      let chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      if (added && !chosen.length) chosen = [reasons.includes("other") ? "other" : reasons.at(-1)];
      chosen.forEach((reason, place) => this.#say("user_reason", { reason, comment: (!place && added) || undefined }));
      this.#askEdit();
    }, () => this.#askEdit());
  }

  #askEdit() {
    if (this.getAttribute("edit") === "off") return this.#end(true);
    const source = this.getAttribute("for") && this.getRootNode().getElementById?.(this.getAttribute("for"));
    const original = this.original ?? (source ? (source.value ?? source.innerText) : undefined);
    const box = make("textarea", { rows: 6, part: "edit", "aria-label": settings.strings.edit });
    box.value = original ?? "";
    this.#ask(settings.strings.edit, "correction", [box], () => {
      const edited = box.value;
      if (edited.trim() && edited !== original) {
        const rights = this.getAttribute("rights")?.split(/[\s,]+/).filter(Boolean) ?? settings.rights;
        this.#say("user_edit", { edited, original, rights });
      }
      this.#end(true);
    }, () => this.#end(true));
    box.focus();
  }

  #ask(title, part, fields, send, skip) {
    const words = settings.strings;
    const form = make("form", { part: "form", onsubmit: (event) => { event.preventDefault(); send(); } },
      make("fieldset", { part }, make("legend", { part: "legend" }, title), ...fields),
      make("div", { class: "row" }, make("button", { part: "send" }, words.send), make("button", { type: "button", part: "skip", onclick: skip }, words.skip)));
    this.#panel.replaceChildren(form);
  }

  /** Close the questions; the focus is never lost. */
  #end(done) {
    this.#panel.replaceChildren();
    this.#announce(settings.strings.thanks);
    if (done) this.#status.focus();
    else this.#root.querySelector("[aria-pressed=true]")?.focus();
  }
}

if (!customElements.get("thumbwheel-feedback")) customElements.define("thumbwheel-feedback", ThumbwheelFeedback);

const tag = [...document.querySelectorAll("script[data-key]")].find((script) => script.src === here);
if (tag) configure({ ...tag.dataset });

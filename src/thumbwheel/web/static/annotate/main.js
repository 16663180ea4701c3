// The annotation page: one entry on the stage, the next ones painted from memory, every judgement kept until it is sent.

import { Form } from "./form.js";
import { Drafts, Outbox } from "./kept.js";
import { isTyping, readKey } from "./keys.js";
import { isPassing, Line, post } from "./line.js";
import { onSwipe } from "./swipe.js";
import { askWhy, chooseRecent, notice, open, say, showProgress, showUnsent } from "./talk.js";

const AHEAD = 2;
const UNDOS = 10;
const desk = document.getElementById("desk");
const version = Number(desk.dataset.version);
/** No categories yet: a failure is a note on the first thing that went wrong. */
const openCoding = "open" in desk.dataset;
const owner = `${desk.dataset.person}.${desk.dataset.project}`;
/** The trace and the verdict side by side, each scrolling for itself. */
const wide = matchMedia("(min-width: 60rem)");
const reading = document.querySelector("[data-reading]");
const stage = document.querySelector("[data-stage]");
const drafts = new Drafts(owner);
const form = new Form(document.querySelector("[data-form]"), reading, keepSoon);

let current = null;
let ahead = [];
const done = [];
let filling = null;
let undoing = false;

const line = new Line(new Outbox(owner), {
  holding: () => held().map((each) => each.entry_id),
  answered(item, said) {
    const mine = done.find((each) => each.id === item.id);
    if (mine) mine.annotation = said.annotation_id;
    receive(said);
  },
  refused(item, fault, keep) {
    const at = done.findIndex((each) => each.id === item.id);
    if (keep) { askToSignIn(); return; }
    if (at >= 0) done.splice(at, 1);
    notice(fault.status === 409 || fault.status === 404
      ? "A judgement came too late: its trace was deleted, or somebody else had taken it. It was not stored."
      : `A judgement was not stored: ${fault.message}`, { tone: "bad", stay: true });
  },
  changed: () => showUnsent(line.outbox.list().length, line.down),
});

/** Every entry the server thinks is in our hands, on the page or in the outbox. */
function held() {
  const sent = line.outbox.list().map((item) => item.body);
  return [...(current ? [current] : []), ...ahead, ...sent];
}

// --- entries come and go

function receive({ entry, progress }) {
  if (progress) showProgress(progress);
  if (entry && !held().some((each) => each.entry_id === entry.entry_id)) ahead.push(prepared(entry));
  if (!current && ahead.length) advance();
}

/** Parses an entry off the page, so that painting it is only painting. */
function prepared(entry) {
  const box = document.createElement("template");
  box.innerHTML = entry.html;
  entry.node = document.importNode(box.content, true).querySelector(".entry");
  entry.why = entry.node.querySelector("[data-why]");
  entry.why.remove();
  if (entry.codebook_version !== version) {
    notice("There is a new version of the codebook.", { action: { name: "Reload", run: () => location.reload() }, stay: true });
  }
  return entry;
}

/** Fetches until there is enough ahead. */
function fill() {
  filling ??= (async () => {
    try {
      while (ahead.length + (current ? 1 : 0) < AHEAD + 1) {
        const said = await post("/annotate/next", { holding: held().map((each) => each.entry_id) });
        line.reached();
        receive(said);
        if (!said.entry) break;
      }
      return true;
    } catch (fault) {
      if (fault.status === 401) askToSignIn();
      else if (isPassing(fault)) line.lost();
      else notice(fault.message, { tone: "bad" });
      return false;
    }
  })().finally(() => { filling = null; line.changed(); });
  return filling;
}

async function advance() {
  current = ahead.shift() ?? null;
  if (current) { paint(); return; }
  form.root.hidden = true;
  stage.setAttribute("aria-busy", "true");
  await line.flush();
  const reached = await fill();
  if (!current) blank(reached ? "empty" : "offline");
}

function blank(which) {
  form.root.hidden = true;
  stage.setAttribute("aria-busy", "false");
  stage.replaceChildren(document.querySelector(`template[data-${which}]`).content.cloneNode(true));
  say(stage.querySelector("h2").textContent);
}

function paint() {
  stage.replaceChildren(current.node);
  document.querySelector("[data-why-slot]").replaceChildren(current.why);
  stage.setAttribute("aria-busy", "false");
  form.show(current, drafts.get(current.entry_id));
  reading.scrollTop = 0;
  form.root.scrollTop = 0;
  if (!wide.matches) scrollTo(0, 0);
  rest();
  say(`Next trace. ${current.why.querySelector(".policy")?.textContent ?? ""}`);
}

// --- what the reviewer does

/** Where the keys of reading (arrows, space, page down) scroll the trace and letters are commands. */
function rest() { reading.focus({ preventScroll: true }); }

function submit() {
  if (!current) return;
  const lacking = form.missingPart(openCoding);
  if (lacking) { form.fault(lacking[0]); lacking[1].focus(); return; }
  performance.mark("thumbwheel.key");
  leave("/annotate/submit", { judgement: form.judgement(version) });
  requestAnimationFrame(() => setTimeout(() => performance.measure("thumbwheel.next", "thumbwheel.key")));
}

/** Sends something about the entry on the stage, and goes on without waiting. */
function leave(path, more) {
  const left = current;
  const item = { id: crypto.randomUUID?.() ?? `${Date.now()}-${left.entry_id}`, path };
  item.body = { entry_id: left.entry_id, lease_token: left.lease_token, ...more };
  if (more.judgement) {
    done.push({ id: item.id, entry: left, draft: form.draft(), annotation: null });
    if (done.length > UNDOS) done.shift();
  }
  clearTimeout(keepTimer);
  drafts.drop(left.entry_id);
  current = null;
  const sent = line.send(item);
  advance();
  sent.then(() => { if (current && ahead.length < AHEAD && !line.down) fill(); });
}

function decide(verdict) {
  if (!current) return;
  const alone = verdict === "pass" && form.alone;
  form.decide(verdict);
  if (alone) submit(); else if (verdict === "fail" && !wide.matches) form.root.scrollIntoView({ behavior: "smooth" });
  if (openCoding && verdict === "fail") form.critique.focus({ preventScroll: !wide.matches });
}

async function skip() {
  if (!current) return;
  const why = await askWhy();
  if (why !== null && current) leave("/annotate/skip", { why: why || null });
}

/** Takes back the last judgement, or a certain one of the last ten. */
async function undo(annotation = null) {
  if (undoing) return;
  undoing = true;
  try {
    const last = annotation === null ? done.at(-1) : done.find((each) => each.annotation === annotation);
    if (last && line.recall(last.id)) { bringBack(last.entry, last.draft); done.splice(done.indexOf(last), 1); return; }
    await line.flush();
    if (last && last.annotation === null) { notice("It is not sent yet; it can be taken back when the connection is back."); return; }
    const { entry, progress } = await post("/annotate/undo", { annotation_id: last?.annotation ?? annotation });
    showProgress(progress);
    if (last) done.splice(done.indexOf(last), 1);
    bringBack(prepared(entry), last?.draft ?? null);
  } catch (fault) {
    if (fault.status === 401) askToSignIn();
    else notice(fault.message, { tone: fault.status === 409 ? "" : "bad" });
  } finally { undoing = false; }
}

function bringBack(entry, draft) {
  if (current) { keep(); ahead.unshift(current); }
  ahead = ahead.filter((each) => each.entry_id !== entry.entry_id);
  current = entry;
  if (draft) drafts.put(entry.entry_id, draft);
  paint();
  notice("Taken back. Judge it again, or change what you said.");
}

async function recent() {
  await line.flush();
  try {
    const answer = await fetch("/annotate/recent");
    if (answer.status === 401) { askToSignIn(); return; }
    const name = (id) => form.root.querySelector(`[data-category="${CSS.escape(id)}"] .name`)?.textContent ?? id;
    const chosen = await chooseRecent(await answer.json(), name);
    if (chosen) undo(chosen);
  } catch { notice("No connection."); }
}

function stepDocument(back) {
  const all = [...reading.querySelectorAll("[data-document]")].filter((each) => each.checkVisibility());
  if (!all.length) return;
  const at = all.indexOf(document.activeElement?.closest?.("[data-document]"));
  const next = all[at < 0 ? (back ? all.length - 1 : 0) : (at + (back ? all.length - 1 : 1)) % all.length];
  next.querySelector("summary").focus();
  next.scrollIntoView({ block: "nearest" });
}

function unfold() {
  const folds = [...stage.querySelectorAll("details")], open = folds.some((each) => !each.open);
  for (const each of folds) each.open = open;
}

// --- drafts

let keepTimer = 0;
function keepSoon() { clearTimeout(keepTimer); keepTimer = setTimeout(keep, 150); }
function keep() {
  clearTimeout(keepTimer);
  if (!current) return;
  if (form.touched) drafts.put(current.entry_id, form.draft()); else drafts.drop(current.entry_id);
}

// --- keys, clicks, swipes

const ACTS = {
  pass: () => decide("pass"),
  fail: () => decide("fail"),
  submit,
  skip,
  undo: () => undo(),
  recent,
  edit: () => form.correct(),
  codebook: () => form.explainAll(),
  help: () => open("help"),
  retry: () => advance(),
};
const BETTER = { a: "this", b: "other", e: "equal" };
const SHIFTED = { u: recent, k: () => form.missing?.focus() };
const KEYS = {
  1: ACTS.pass, p: ACTS.pass, 2: ACTS.fail, f: ACTS.fail, e: ACTS.edit, s: skip, u: ACTS.undo, k: ACTS.codebook,
  c: () => form.critique.focus(), x: unfold, "?": ACTS.help,
};

document.addEventListener("keydown", (event) => {
  const asked = readKey(event);
  if (!asked) return;
  if (asked.do === "submit") { event.preventDefault(); submit(); return; }
  if (asked.do === "leave") { rest(); return; }
  if (asked.do === "enter") { if (form.state.verdict && current) { event.preventDefault(); submit(); } return; }
  const run = commandOf(asked, event.target);
  if (run) { event.preventDefault(); run(); }
});

function commandOf({ key, shift }, target) {
  const away = key === "u" || key === "?";
  if (!current && !away) return null;
  if (key === "j") return () => stepDocument(shift);
  const category = form.byKey.get(key);
  if (shift && key in BETTER && current?.other_trace_id) return () => form.compare(BETTER[key]);
  if (shift && key in SHIFTED) return SHIFTED[key];
  if (shift) return category ? () => form.explain(category) : null;
  const doc = target instanceof Element ? target.closest("[data-document]") : null;
  if (doc && (key === "r" || key === "i")) return () => form.judgeDocument(doc.dataset.document, key === "r");
  return KEYS[key] ?? (category ? () => form.toggle(category) : null);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  if (button.dataset.relevant) {
    form.judgeDocument(button.closest("[data-document]").dataset.document, button.dataset.relevant === "yes");
  } else if (button.dataset.better) form.compare(button.dataset.better);
  else if (button.dataset.act === "category") form.toggle(button.closest("[data-category]"));
  else if (button.dataset.act === "about") form.explain(button.closest("[data-category]"));
  else if (button.dataset.act && button.type !== "submit") ACTS[button.dataset.act]?.();
});
form.root.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
onSwipe(stage, {
  pass: () => decide("pass"),
  fail: () => decide("fail"),
});

// --- staying alive

function askToSignIn() {
  notice("You are signed out. What you judged is kept here and sent when you are back. ", {
    action: { name: "Sign in", href: "/sign-in?next=/annotate" }, tone: "bad", stay: true,
  });
}

async function renew() {
  const mine = [...(current ? [current] : []), ...ahead];
  if (!mine.length || document.hidden) return;
  const body = mine.map(({ entry_id, lease_token, trace_id }) => ({ entry_id, lease_token, trace_id }));
  let gone;
  try { ({ gone } = await post("/annotate/renew", { held: body })); } catch { return; }
  ahead = ahead.filter((each) => !(each.entry_id in gone));
  if (!current || !(current.entry_id in gone)) return;
  const deleted = gone[current.entry_id] === "deleted";
  notice(deleted ? "That trace was just deleted. Here is the next one." : "Somebody else took that one, your hold on it had run out. Here is the next one.", { stay: true });
  drafts.drop(current.entry_id);
  current = null;
  advance();
}

setInterval(renew, Math.max(Number(desk.dataset.leaseSeconds) / 3, 5) * 1000);
setInterval(() => { if (!current && !document.hidden && stage.querySelector(".blank")) advance(); }, 30000);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { form.pause(); keep(); } else { form.shownAt = performance.now(); renew(); }
});
addEventListener("pagehide", keep);
addEventListener("online", () => { if (!current) advance(); });
addEventListener("dragover", (event) => { if (!isTyping(event.target)) event.preventDefault(); });
addEventListener("drop", (event) => { if (!isTyping(event.target)) event.preventDefault(); });
if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("kbd")) key.textContent = key.textContent.replace("Ctrl", "⌘");
}
advance();

// Axial coding: notes on cards, moved by drag or by key, kept on the server after every change.

import { notice, open as openDialog, say } from "../annotate/talk.js";
import { isTyping, readKey } from "../annotate/keys.js";
import { post } from "../annotate/line.js";
import { Board, NONE, OUT } from "./board.js";
import { cards, fillTexts } from "./cards.js";

const $ = (selector) => document.querySelector(selector);
const start = JSON.parse($("#board-data").textContent);
const board = new Board(start);
const place = $("[data-board]"), form = $("[data-publish]"), saved = $("[data-saved]");
const chosen = new Set(), open = new Set();
let cursor = null, revision = start.revision, changes = 0, kept = 0, saving = null, timer = 0;

// --- showing

function paint(focus = true) {
  if (!cursor || !board.notes.has(cursor)) cursor = [...board.groups.flatMap((each) => each.note_ids), ...board.order][0];
  place.replaceChildren(...cards(board, { chosen, cursor, open }));
  if (focus) step(0);
  tell();
}

const option = (id) => place.querySelector(`[data-note="${CSS.escape(id)}"]`);
const options = () => [...place.querySelectorAll("[data-note]")];

function tell() {
  $("[data-chosen]").textContent = chosen.size ? `${chosen.size} chosen` : "This note";
  for (const each of options()) each.setAttribute("aria-selected", String(chosen.has(each.dataset.note)));
  const n = board.groups.filter((each) => !each.definition).length;
  $("[data-drafted]").textContent = n ? `${n} of ${board.groups.length} definitions are still drafts made of the notes' words. Reviewers will read them as they are.` : "";
}

function step(by) {
  const all = options(), at = Math.max(all.findIndex((each) => each.dataset.note === cursor), 0);
  point(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function point(item) {
  if (!item) return;
  option(cursor)?.setAttribute("tabindex", "-1");
  cursor = item.dataset.note;
  item.tabIndex = 0;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function stepCard(by) {
  const all = [...place.querySelectorAll(".group")].filter((each) => each.querySelector("[data-note]"));
  const at = all.findIndex((each) => each.dataset.group === board.where(cursor));
  point(all[(at + by + all.length) % all.length]?.querySelector("[data-note]"));
}

// --- changing

/** The notes a command is about: those chosen, else the one the cursor is on. */
const meant = () => (chosen.size ? board.order.filter((id) => chosen.has(id)) : cursor ? [cursor] : []);

function after(notes, said) {
  // The cursor goes on to the next note that stays, so that a pile is worked through from the top.
  const all = options().map((each) => each.dataset.note), gone = new Set(notes);
  const from = all.indexOf(cursor);
  cursor = [...all.slice(from), ...all.slice(0, from).reverse()].find((id) => !gone.has(id)) ?? cursor;
  chosen.clear();
  changed();
  paint();
  say(said);
}

const counted = (n) => `${n} note${n === 1 ? "" : "s"}`;

function moveTo(notes, to) {
  if (!notes.length) return;
  if (to === "fresh") { split(notes); return; }
  board.move(notes, to);
  after(notes, `${counted(notes.length)} to ${board.nameOf(to)}`);
}

function split(notes = meant()) {
  if (!notes.length) return;
  const id = board.split(notes);
  chosen.clear();
  cursor = notes[0];
  changed();
  paint(false);
  const name = nameField(id);
  name.focus();
  name.scrollIntoView({ block: "center" });
  say(`A new card with ${counted(notes.length)}. Name it.`);
}

/** What a card is called where it is only heard. */
function nameCard(group) {
  const section = place.querySelector(`[data-group="${CSS.escape(group.id)}"]`), name = board.nameOf(group.id);
  section.setAttribute("aria-label", name);
  section.querySelector("ul").setAttribute("aria-label", `Notes: ${name}`);
}

const nameField = (id) => place.querySelector(`[data-group="${CSS.escape(id)}"] .name`);

function undo() {
  if (!board.undo()) { notice("Nothing to take back."); return; }
  chosen.clear();
  $("[data-book=name]").value = board.state.name;
  $("[data-book=question]").value = board.state.question;
  changed();
  paint();
  say("Taken back.");
}

async function choose(title, without, trays = true) {
  const targets = board.groups.filter((each) => each.id !== without).map((each) => [each.id, each.key, board.nameOf(each.id), each.note_ids.length]);
  if (trays) targets.push(["fresh", "1", "A new card", ""], [NONE, "2", "Not sorted", board.on(NONE).length], [OUT, "3", "Left out", board.on(OUT).length]);
  const dialog = $("[data-dialog=choose]");
  $("[data-choose-title]").textContent = title;
  $("[data-targets]").replaceChildren(...targets.map(([id, key, name, n]) => {
    const button = document.createElement("button"), letter = document.createElement("kbd"), label = document.createElement("span"), count = document.createElement("span");
    button.value = id;
    letter.textContent = key;
    letter.hidden = !key;
    label.className = "name";
    label.textContent = name;
    label.dir = "auto";
    count.className = "muted";
    count.textContent = String(n);
    button.append(letter, label, count);
    return button;
  }));
  const pressed = (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const hit = targets.find(([, key]) => key && key === event.key.toLowerCase());
    if (hit) { event.preventDefault(); dialog.close(hit[0]); }
  };
  dialog.addEventListener("keydown", pressed);
  const asked = openDialog("choose");
  $("[data-targets] button")?.focus();
  const answer = await asked;
  dialog.removeEventListener("keydown", pressed);
  return answer && answer !== "cancel" ? answer : null;
}

async function move() {
  const notes = meant(), here = new Set(notes.map((id) => board.where(id)));
  if (!notes.length) return;
  const to = await choose(notes.length === 1 ? "Move this note to" : `Move ${notes.length} notes to`, here.size === 1 ? [...here][0] : null);
  if (to) moveTo(notes, to); else step(0);
}

async function merge(from = board.where(cursor)) {
  if (!board.group(from)) { notice("Choose a note on a card first."); return; }
  const into = await choose(`Merge ${board.nameOf(from)} into`, from, false);
  if (!into) { step(0); return; }
  const name = board.nameOf(from), n = board.merge(from, into);
  after([], `${name} with ${counted(n)} is now part of ${board.nameOf(into)}`);
}

function toggle(id) {
  if (!chosen.delete(id)) chosen.add(id);
  tell();
}

function define() {
  const section = place.querySelector(`[data-group="${CSS.escape(board.where(cursor))}"]`), texts = section?.querySelector("details");
  if (!texts) return;
  texts.open = true;
  texts.querySelector("textarea").focus();
}

// --- keeping

function changed() {
  changes++;
  saved.textContent = "…";
  clearTimeout(timer);
  timer = setTimeout(keep, 350);
}

/** Sends what there is; what changes meanwhile is sent after it. Resolves to whether everything is kept. */
function keep() {
  clearTimeout(timer);
  saving ??= (async () => {
    while (kept < changes) {
      const upTo = changes;
      const said = await post("/codebook/notes", board.body(revision));
      kept = upTo;
      receive(said);
    }
    saved.textContent = "Kept";
    return true;
  })().catch(failed).finally(() => { saving = null; });
  return saving;
}

function receive({ revision: now, drafts, curve, check, ok }) {
  revision = now;
  form.elements.revision.value = String(now);
  board.drafts = drafts;
  $("[data-curve]").innerHTML = curve;
  $("[data-check]").innerHTML = check;
  form.querySelector("button.primary").disabled = !ok;
  for (const group of board.groups) {
    const section = place.querySelector(`[data-group="${CSS.escape(group.id)}"]`);
    if (section) { fillTexts(section, board, group); nameCard(group); }
  }
}

function failed(fault) {
  saved.textContent = "Not kept";
  if (fault.status === 401) notice("You are signed out.", { action: { name: "Sign in", href: "/sign-in?next=/codebook/notes" }, tone: "bad", stay: true });
  else if (fault.status === 409) notice(fault.message, { action: { name: "Reload", run: () => { kept = changes; location.reload(); } }, tone: "bad", stay: true });
  else if (fault.status === 0 || fault.status >= 500) { notice("No connection. It is kept when there is one again.", { tone: "bad" }); timer = setTimeout(keep, 4000); }
  else notice(fault.message, { tone: "bad" });
  return false;
}

// --- keys, clicks, drags

const ACTS = {
  move, split: () => split(), drop: () => moveTo(meant(), OUT), undo, help: () => openDialog("help"),
  open: () => { const note = board.notes.get(cursor); if (note) window.open(`/traces/${encodeURIComponent(note.trace_id)}`, "_blank", "noopener"); },
};
const KEYS = {
  j: () => step(1), k: () => step(-1), x: () => toggle(cursor), m: move, n: ACTS.split, d: ACTS.drop, u: undo, o: ACTS.open,
  g: () => merge(), e: define, r: () => { const name = nameField(board.where(cursor)); name?.focus(); name?.select(); }, "?": ACTS.help,
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isTyping(event.target) && !document.querySelector("dialog[open]")) { chosen.clear(); tell(); return; }
  if (isTyping(event.target) && event.key === "Enter" && event.target.matches(".name") && !event.isComposing) { event.preventDefault(); step(0); return; }
  const held = event.repeat && (event.key === "j" || event.key === "k") && !isTyping(event.target) && !document.querySelector("dialog[open]");
  if (held) { event.preventDefault(); KEYS[event.key](); return; }
  if ([" ", "ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest?.("[data-note]")) {
    event.preventDefault();
    if (event.key === " ") toggle(cursor); else step(event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  const asked = readKey(event);
  if (asked?.do === "leave") { step(0); return; }
  if (asked?.do !== "key") return;
  const run = asked.shift ? { j: () => stepCard(1), k: () => stepCard(-1) }[asked.key] : KEYS[asked.key];
  if (run) { event.preventDefault(); run(); }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-act]");
  if (button?.dataset.act === "merge") { merge(button.closest("[data-group]").dataset.group); return; }
  if (button) { ACTS[button.dataset.act]?.(); return; }
  const item = event.target.closest?.("[data-note]");
  if (item) { point(item); toggle(item.dataset.note); }
});
place.addEventListener("focusin", (event) => {
  const item = event.target.closest("[data-note]");
  if (item && item.dataset.note !== cursor) point(item);
  if (event.target.dataset.field) board.mark();
});
place.addEventListener("input", (event) => {
  const field = event.target.dataset.field, group = board.group(event.target.closest("[data-group]")?.dataset.group);
  if (!field || !group) return;
  const value = event.target.value;
  group[field] = field !== "name" && value === board.drafts[group.id]?.[field] ? "" : value;
  event.target.classList.toggle("drafted", field !== "name" && !group[field]);
  if (field === "name") nameCard(group);
  changed();
  tell();
});
place.addEventListener("toggle", (event) => {
  const id = event.target.closest("[data-group]")?.dataset.group;
  if (event.target.open) open.add(id); else open.delete(id);
}, true);
for (const field of document.querySelectorAll("[data-book]")) {
  field.value = board.state[field.dataset.book];
  field.addEventListener("focus", () => board.mark());
  field.addEventListener("input", () => { board.state[field.dataset.book] = field.value; changed(); });
}

let dragged = [];
/** Cards take notes, and so do two of the buttons, which are in reach however long the page is. */
const target = (event) => event.target.closest?.(".group, [data-drop]");
place.addEventListener("dragstart", (event) => {
  const id = event.target.closest?.("[data-note]")?.dataset.note;
  if (!id) return;
  dragged = chosen.has(id) ? meant() : [id];
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.map((each) => board.notes.get(each).text).join("\n"));
  for (const each of dragged) option(each)?.classList.add("dragged");
});
document.addEventListener("dragover", (event) => {
  if (!dragged.length || !target(event)) return;
  event.preventDefault();
  for (const each of document.querySelectorAll(".over")) if (each !== target(event)) each.classList.remove("over");
  target(event).classList.add("over");
});
document.addEventListener("drop", (event) => {
  if (!dragged.length || !target(event)) return;
  event.preventDefault();
  // The browser gives the focus away once more when a drag ends.
  const notes = dragged, { group, drop } = target(event).dataset;
  dragged = [];
  setTimeout(() => moveTo(notes, group ?? drop));
});
document.addEventListener("dragend", () => {
  dragged = [];
  for (const each of document.querySelectorAll(".over, .dragged")) each.classList.remove("over", "dragged");
});

form.addEventListener("submit", async (event) => {
  if (kept === changes && !saving) return;
  event.preventDefault();
  if (await keep() && kept === changes) form.submit();
});
$("[data-anew]").addEventListener("submit", (event) => {
  if (revision > 0 && !confirm("Sort the notes anew? How they are sorted now is lost; no note is.")) { event.preventDefault(); return; }
  kept = changes;
});
addEventListener("pagehide", () => {
  if (kept === changes) return;
  const headers = { "content-type": "application/json" };
  fetch("/codebook/notes", { method: "POST", headers, body: JSON.stringify(board.body(revision)), keepalive: true }).catch(() => {});
});
addEventListener("online", () => { if (kept < changes) keep(); });
paint(false);

// What the page says besides the trace: notices, the reviewer's day, dialogs.

const $ = (selector) => document.querySelector(selector);

/** A notice that goes by itself, or stays when it asks for something. */
export function notice(text, { tone = "", action = null, stay = false } = {}) {
  const line = document.createElement("div");
  line.className = `toast ${tone}`;
  line.setAttribute("role", "status");
  line.append(text);
  if (action) {
    const button = document.createElement(action.href ? "a" : "button");
    button.textContent = action.name;
    if (action.href) button.href = action.href; else button.addEventListener("click", () => { line.remove(); action.run(); });
    line.append(button);
  }
  const toasts = $("[data-toasts]");
  if ([...toasts.children].some((each) => each.textContent === line.textContent)) return;
  toasts.append(line);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  if (!stay) setTimeout(() => line.remove(), 6000);
}

/** For those who listen instead of look. */
export function say(text) { $("[data-say]").textContent = text; }

/** "31 of 80, 24 min left". With a quota, of that; it is a measure, and nobody is kept from going on. */
export function showProgress({ done, waiting, quota, minutes_left: left }) {
  const all = Math.max(done, quota ?? done + waiting), line = $("[data-progress]");
  line.hidden = false;
  const time = quota && done >= quota ? ", today's share is done" : left === null || !waiting ? "" : left < 1 ? ", a minute left" : `, ${left < 100 ? Math.ceil(left) + " min" : Math.round(left / 60) + " h"} left`;
  $("[data-progress-text]").textContent = `${done} of ${all}${time}`;
  $("[data-progress-bar]").setAttribute("width", String(all ? (100 * done) / all : 0));
}

export function showUnsent(n, down) {
  const line = $("[data-unsent]");
  line.hidden = !n || !down;
  line.textContent = n ? `${n} unsent` : "";
  line.title = "Kept in this browser, sent when the connection is back.";
}

export function open(name) {
  const dialog = $(`[data-dialog=${name}]`);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

/** Asks why an entry is skipped; null when it is not. */
export async function askWhy() {
  const dialog = $("[data-dialog=skip]"), other = dialog.querySelector("input");
  other.value = "";
  const reasons = [...dialog.querySelectorAll("[data-reason]")];
  let chosen = null;
  const choose = (button) => { chosen = button.dataset.reason; dialog.close("skip"); };
  const clicked = (event) => { const button = event.target.closest("[data-reason]"); if (button) choose(button); };
  const pressed = (event) => {
    if (event.target === other || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = /^(?:Digit|Numpad)([1-9])$/.exec(event.code ?? "")?.[1] ?? event.key;
    if (reasons[place - 1]) { event.preventDefault(); choose(reasons[place - 1]); }
  };
  dialog.addEventListener("click", clicked);
  dialog.addEventListener("keydown", pressed);
  const answer = await open("skip");
  dialog.removeEventListener("click", clicked);
  dialog.removeEventListener("keydown", pressed);
  return answer === "skip" ? chosen ?? other.value.trim() : null;
}

/** The last ten, to choose one to take back; its id, or null. */
export async function chooseRecent(items, nameOf) {
  let chosen = null;
  const dialog = $("[data-dialog=recent]"), list = $("[data-recent]");
  list.replaceChildren(...items.map((item) => {
    const row = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    const verdict = document.createElement("span");
    verdict.className = `chip ${item.verdict}`;
    verdict.textContent = item.verdict;
    const what = document.createElement("span");
    what.className = "what";
    what.textContent = [item.categories.map(nameOf).join(", "), item.critique].filter(Boolean).join(" · ") || item.trace_id;
    const time = document.createElement("time");
    time.textContent = new Date(item.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    button.append(verdict, what, time);
    button.addEventListener("click", () => { chosen = item.id; dialog.close("chosen"); });
    row.append(button);
    return row;
  }));
  if (!items.length) list.replaceChildren(Object.assign(document.createElement("li"), { textContent: "Nothing yet today." }));
  await open("recent");
  return chosen;
}

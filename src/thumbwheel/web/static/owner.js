// The owner's pages: diffs, one key to decide, choosing many, checking a codebook while it is written.

import { showDiff } from "./diff.js";
import { readKey } from "./annotate/keys.js";

for (const each of document.querySelectorAll(".diff[data-after]")) {
  if (each.dataset.before) showDiff(each, each.dataset.before, each.dataset.after);
}

document.addEventListener("keydown", (event) => {
  const asked = readKey(event);
  if (asked?.do !== "key" || asked.shift) return;
  const target = document.querySelector(`[data-key="${CSS.escape(asked.key)}"], [data-focus="${CSS.escape(asked.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input")) { target.focus(); return; }
  if (target.dataset.key) { target.click(); return; }
  target.open = true;
  target.querySelector("textarea, input:not([type=hidden])").focus();
});

// A decision is sent once, however often the key is pressed.
for (const form of document.querySelectorAll("form[method=post]:not([data-editor])")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });

const filters = document.querySelector("[data-filters]");
filters?.addEventListener("change", (event) => { if (event.target.matches("select")) filters.requestSubmit(); });
// The address holds what is filtered, and nothing else.
filters?.addEventListener("submit", () => { for (const each of filters.elements) if (!each.value) each.disabled = true; });
addEventListener("pageshow", () => { for (const each of filters?.elements ?? []) each.disabled = false; });

const bulk = document.querySelector("[data-bulk]");
if (bulk) {
  const every = bulk.querySelector("[data-every]");
  const all = bulk.querySelector("[data-all]"), boxes = [...bulk.querySelectorAll("[name=entry]")];
  const count = () => {
    const n = every?.checked ? Number(every.dataset.every) : boxes.filter((box) => box.checked).length;
    bulk.querySelector("[data-chosen]").textContent = n ? `${n.toLocaleString("en")} chosen` : "None chosen";
    for (const button of bulk.querySelectorAll("[data-needs-choice]")) button.disabled = !n;
    all.checked = n >= boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
  };
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  bulk.addEventListener("change", count);
  // Enter after the reason drops. On a box it sends nothing: a form would take its first button, and that keeps.
  bulk.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("input")) return;
    event.preventDefault();
    if (event.target.name === "why") bulk.querySelector("[data-drop]").click();
  });
  count();
}

// What an amendment would change and set aside, while it is written.
for (const form of document.querySelectorAll("[data-amend]")) {
  const publish = form.querySelector("[data-publish]"), shown = form.querySelector("[data-check]");
  let asked = 0, timer = 0;
  const check = async () => {
    const mine = ++asked;
    const { base, note, ...texts } = Object.fromEntries(new FormData(form));
    try {
      const answer = await fetch("/codebook/amend/check", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...texts, note, base: Number(base) }),
      });
      if (!answer.ok || mine !== asked) return;
      const { ok, html } = await answer.json();
      shown.innerHTML = html;
      publish.disabled = !ok;
    } catch { /* the server checks again when it is published */ }
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "note") return;
    publish.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, 250);
  });
}

const editor = document.querySelector("[data-editor]");
if (editor) {
  const text = editor.querySelector("[data-text]"), publish = editor.querySelector("[data-publish]");
  let asked = 0;
  const check = async () => {
    const mine = ++asked;
    const before = text.dataset.before;
    const changes = editor.querySelector("[data-changes]");
    if (before && before !== text.value) showDiff(changes, before, text.value); else changes.textContent = "Nothing yet.";
    const first = changes.querySelector("ins, del");
    changes.scrollTop = first ? first.getBoundingClientRect().top - changes.firstElementChild.getBoundingClientRect().top - 32 : 0;
    try {
      const answer = await fetch("/codebook/check", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text: text.value }),
      });
      if (!answer.ok || mine !== asked) return;
      const { ok, html } = await answer.json();
      editor.querySelector("[data-check]").innerHTML = html;
      publish.disabled = !ok;
    } catch { /* the server checks again when it is published */ }
  };
  let timer = 0;
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 300); });
  addEventListener("beforeunload", (event) => { if (text.value !== text.defaultValue && !editor.dataset.sent) event.preventDefault(); });
  editor.addEventListener("submit", () => { editor.dataset.sent = "yes"; });
  check();
}

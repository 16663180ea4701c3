// Cards on the page, made from the board. Notes are others' words: they only ever go in as text.

import { NONE, OUT } from "./board.js";

const TEXTS = [
  ["definition", "Is", "what two people would decide alike"],
  ["positive", "In", "a note that is in it"],
  ["negative", "Out", "one that is not"],
  ["edge_case", "Edge", "a near miss that is not in it, and why"],
];

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && name !== "role" && name !== "draggable") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Every card, the trays, and the place where a new card begins. */
export function cards(board, { chosen, cursor, open }) {
  const shown = board.groups.map((group) => card(board, group, { chosen, cursor, open }));
  const none = board.on(NONE), out = board.on(OUT);
  if (none.length) shown.push(tray(board, NONE, "Like no other yet: each counts as a mode of its own.", { chosen, cursor }));
  shown.push(made("section", { className: "group fresh", "data-group": "fresh", "aria-label": "Room for a new card" },
    made("p", { className: "muted small" }, "Drop notes here for a new card")));
  if (out.length) shown.push(tray(board, OUT, "They say nothing a category could be made of.", { chosen, cursor }));
  return shown;
}

function card(board, group, { chosen, cursor, open }) {
  const name = made("input", {
    className: "name", value: group.name, maxLength: 120, dir: "auto", autocomplete: "off", "data-field": "name",
    "aria-label": "Name of the card", placeholder: board.drafts[group.id]?.name ?? "Name this card",
  });
  const head = made("header", {}, made("kbd", { title: "Its letter on the annotation page" }, group.key || "–"), name,
    made("span", { className: "count", "aria-label": `${group.note_ids.length} notes` }, String(group.note_ids.length)));
  const merge = made("button", { type: "button", className: "quiet small", "data-act": "merge", title: "Merge into another card (g)",
    "aria-label": `Merge ${board.nameOf(group.id)} into another card` }, "Merge");
  const texts = made("details", { className: "texts", open: open.has(group.id) },
    made("summary", {}, "Definition and examples", made("span", { className: "chip", "data-drafted-chip": "" }, "draft")));
  for (const [field, label, what] of TEXTS) {
    const area = made("textarea", { rows: 2, maxLength: 4000, dir: "auto", "data-field": field });
    area.dataset.label = label;
    texts.append(made("label", {}, label, made("span", { className: "muted" }, ` ${what}`), area));
  }
  const section = made("section", { className: "group", "data-group": group.id, "aria-label": board.nameOf(group.id) },
    head, list(board, group.id, { chosen, cursor }), made("div", { className: "foot" }, texts, merge));
  fillTexts(section, board, group);
  return section;
}

/** Shows what was written, else what is drafted; a text somebody is in is left alone. */
export function fillTexts(section, board, group) {
  const draft = board.drafts[group.id] ?? {};
  let drafted = false;
  for (const area of section.querySelectorAll("textarea")) {
    const own = group[area.dataset.field];
    if (area !== document.activeElement) area.value = own || (draft[area.dataset.field] ?? "");
    area.classList.toggle("drafted", !own);
    drafted ||= !own;
  }
  section.querySelector("[data-drafted-chip]").hidden = !drafted;
  section.querySelector(".name").placeholder = draft.name ?? "Name this card";
}

function tray(board, id, why, marks) {
  return made("section", { className: "group tray", "data-group": id, "aria-label": board.nameOf(id) },
    made("header", {}, made("h2", {}, board.nameOf(id)), made("span", { className: "count" }, String(board.on(id).length))),
    made("p", { className: "muted small" }, why), list(board, id, marks));
}

function list(board, id, { chosen, cursor }) {
  const items = board.on(id).map((noteId) => {
    const note = board.notes.get(noteId);
    return made("li", {
      role: "option", "aria-selected": String(chosen.has(noteId)), draggable: "true", tabIndex: noteId === cursor ? 0 : -1,
      dir: "auto", "data-note": noteId, title: note.annotator ? `${note.annotator} on ${note.trace_id}` : note.trace_id,
    }, note.text);
  });
  return made("ul", { role: "listbox", "aria-multiselectable": "true", "aria-label": `Notes: ${board.nameOf(id)}` }, ...items);
}

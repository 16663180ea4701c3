// The cards as data: what is on which, and every way to change that. Nothing here touches the page.

const LETTERS = [..."abdghilmnoqrtvwyz"];

export const NONE = "none", OUT = "out";

export class Board {
  constructor({ notes, groups, left_out, name, question, drafts }) {
    this.notes = new Map(notes.map((note) => [note.id, note]));
    this.order = notes.map((note) => note.id);
    this.state = { groups, left_out, name, question };
    this.drafts = drafts;
    this.past = [];
  }

  get groups() { return this.state.groups; }

  group(id) { return this.groups.find((each) => each.id === id); }

  /** A card's notes; of the two trays too. */
  on(id) {
    if (id === OUT) return this.state.left_out;
    if (id !== NONE) return this.group(id)?.note_ids ?? [];
    const placed = new Set([...this.groups.flatMap((each) => each.note_ids), ...this.state.left_out]);
    return this.order.filter((note) => !placed.has(note));
  }

  where(note) {
    if (this.state.left_out.includes(note)) return OUT;
    return this.groups.find((each) => each.note_ids.includes(note))?.id ?? NONE;
  }

  nameOf(id) {
    if (id === NONE) return "Not sorted";
    if (id === OUT) return "Left out";
    return this.group(id)?.name || this.drafts[id]?.name || "New card";
  }

  /** Remembers how it was, so that the next change can be taken back. */
  mark() {
    const now = JSON.stringify(this.state);
    if (this.past.at(-1) !== now) this.past.push(now);
    if (this.past.length > 200) this.past.shift();
  }

  undo() {
    const now = JSON.stringify(this.state);
    let before = this.past.pop();
    while (before === now) before = this.past.pop();
    if (!before) return false;
    this.state = JSON.parse(before);
    return true;
  }

  /** Puts notes on a card or a tray; a card they leave empty goes. */
  move(notes, to) {
    const chosen = new Set(notes), rest = (ids) => ids.filter((id) => !chosen.has(id));
    this.mark();
    this.state.left_out = rest(this.state.left_out);
    for (const each of this.groups) each.note_ids = rest(each.note_ids);
    if (to === OUT) this.state.left_out.push(...notes);
    else if (to !== NONE) this.group(to).note_ids.push(...notes);
    this.state.groups = this.groups.filter((each) => each.note_ids.length);
  }

  /** A new card for these notes, behind the one they come from; its id. */
  split(notes) {
    this.mark();
    const id = `g${1 + Math.max(0, ...this.groups.map((each) => Number(each.id.slice(1)) || 0))}`;
    const taken = this.groups.map((each) => each.key);
    const key = LETTERS.find((letter) => !taken.includes(letter)) ?? "";
    const made = { id, name: "", definition: "", positive: "", negative: "", edge_case: "", key, note_ids: [] };
    const at = this.groups.findIndex((each) => each.id === this.where(notes[0]));
    this.groups.splice(at < 0 ? this.groups.length : at + 1, 0, made);
    this.move(notes, id);
    this.past.pop();
    return id;
  }

  merge(from, into) {
    const notes = [...this.group(from).note_ids];
    this.move(notes, into);
    return notes.length;
  }

  /** What the server is sent. */
  body(revision) { return { revision, ...this.state }; }
}

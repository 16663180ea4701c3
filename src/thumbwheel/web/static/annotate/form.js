// The right-hand side: what the reviewer says, as one value that can be read, shown and cleared.

import { showDiff } from "../diff.js";

const blank = () => ({ verdict: null, categories: [], critique: "", corrected: null, missing: "", documents: {}, better: null });

export class Form {
  constructor(root, reading, onChange) {
    this.root = root;
    this.reading = reading;
    this.onChange = onChange;
    this.categories = [...root.querySelectorAll("[data-category]")];
    this.byKey = new Map(this.categories.map((each) => [each.dataset.key, each]));
    this.comparing = root.querySelector("[data-compare]");
    this.critique = root.elements.critique;
    this.missing = root.elements.missing_knowledge ?? null;
    this.corrected = root.elements.corrected_output ?? null;
    this.state = blank();
    this.entry = null;
    this.shownAt = 0;
    this.spent = 0;
    root.addEventListener("input", () => this.typed());
  }

  /** Shows an entry's form: a draft, else what was said before, else nothing. */
  show(entry, draft) {
    this.entry = entry;
    this.spent = draft?.spent ?? 0;
    this.shownAt = performance.now();
    this.state = { ...blank(), ...(draft ?? fromEarlier(entry.earlier)) };
    delete this.state.at;
    this.root.hidden = false;
    this.paint();
  }

  paint() {
    const { verdict, categories, critique, corrected, missing, documents, better } = this.state;
    this.root.dataset.verdict = verdict ?? "";
    for (const button of this.root.querySelectorAll(".choice")) {
      button.setAttribute("aria-pressed", String(button.dataset.act === verdict));
    }
    for (const each of this.categories) {
      each.querySelector(".tick").setAttribute("aria-pressed", String(categories.includes(each.dataset.category)));
    }
    this.critique.value = critique;
    if (this.missing) this.missing.value = missing;
    if (this.corrected) this.paintCorrection(corrected);
    for (const each of this.reading.querySelectorAll("[data-document]")) this.paintDocument(each, documents);
    this.comparing.hidden = this.entry.other_trace_id === null;
    for (const button of this.comparing.querySelectorAll("[data-better]")) {
      button.setAttribute("aria-pressed", String(button.dataset.better === better));
    }
    this.fault(null);
  }

  paintDocument(each, documents) {
    const said = documents[each.dataset.document];
    each.dataset.said = said === undefined ? "" : said ? "yes" : "no";
    for (const button of each.querySelectorAll("[data-relevant]")) {
      button.setAttribute("aria-pressed", String(said !== undefined && (button.dataset.relevant === "yes") === said));
    }
  }

  paintCorrection(corrected) {
    const open = corrected !== null;
    document.getElementById("correction").hidden = !open;
    this.root.querySelector("[data-act=edit]").setAttribute("aria-expanded", String(open));
    this.corrected.value = corrected ?? "";
    if (open) this.paintDiff();
  }

  paintDiff() {
    const shown = this.root.querySelector("[data-diff]");
    if (this.corrected.value === this.entry.output) shown.replaceChildren();
    else showDiff(shown, this.entry.output, this.corrected.value);
  }

  typed() {
    this.state.critique = this.critique.value;
    if (this.missing) this.state.missing = this.missing.value;
    if (this.corrected && this.state.corrected !== null && this.state.corrected !== this.corrected.value) {
      this.state.corrected = this.corrected.value;
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.paintDiff());
    }
    this.changed();
  }

  changed() { this.fault(null); this.onChange(); }

  decide(verdict) { this.state.verdict = verdict; this.paint(); this.changed(); }

  /** Adds or takes away a category; the first one also says fail. */
  toggle(category) {
    const id = category.dataset.category, has = this.state.categories.includes(id);
    this.state.categories = has ? this.state.categories.filter((one) => one !== id) : [...this.state.categories, id];
    if (!has) this.state.verdict = "fail";
    this.paint();
    this.changed();
  }

  /** Opens or closes what a category means. */
  explain(category, open = category.querySelector(".meaning").hidden) {
    category.querySelector(".meaning").hidden = !open;
    category.querySelector(".about").setAttribute("aria-expanded", String(open));
    if (open) category.scrollIntoView({ block: "nearest" });
  }

  explainAll() {
    const open = this.categories.some((each) => each.querySelector(".meaning").hidden);
    for (const each of this.categories) this.explain(each, open);
    this.categories[0]?.closest("fieldset").scrollIntoView({ block: open ? "start" : "nearest" });
  }

  /** Opens the corrected answer, with the user's own edit or the answer to start from. */
  correct() {
    if (!this.corrected) return;
    if (this.state.corrected === null) {
      this.state.corrected = this.entry.edited ?? this.entry.output;
      this.root.querySelector("[data-prefilled]").textContent =
        this.entry.edited === null ? "Starts from the answer." : "Starts from what the user made of it.";
      this.paint();
    }
    this.corrected.closest(".correction").scrollIntoView({ block: "start" });
    this.corrected.focus({ preventScroll: true });
  }

  judgeDocument(id, relevant) {
    const documents = { ...this.state.documents };
    if (documents[id] === relevant) delete documents[id]; else documents[id] = relevant;
    this.state.documents = documents;
    this.paint();
    this.changed();
  }

  /** Says which of two answers is better; once more takes it back. */
  compare(better) {
    this.state.better = this.state.better === better ? null : better;
    this.paint();
    this.changed();
  }

  /** True when a pass has nothing to wait for. */
  get alone() {
    const { critique, missing, categories } = this.state;
    return !critique.trim() && !missing.trim() && !categories.length && this.correction() === null;
  }

  correction() {
    const { corrected } = this.state;
    return corrected !== null && corrected.trim() && corrected !== this.entry.output ? corrected : null;
  }

  /** Why this can't be submitted yet, with where to look; null when it can. */
  missingPart(openCoding) {
    const { verdict, categories, critique } = this.state;
    if (!verdict) return ["Say pass or fail first.", this.root.querySelector(".choice")];
    if (verdict === "fail" && this.categories.length && !categories.length) {
      return ["Say what went wrong: choose at least one category by its letter.", this.categories[0].querySelector(".tick")];
    }
    if (verdict === "fail" && openCoding && !critique.trim()) return ["Write down what is wrong first.", this.critique];
    return null;
  }

  fault(why) {
    const line = this.root.querySelector("[data-fault]");
    line.hidden = !why;
    line.textContent = why ?? "";
  }

  seconds() {
    const since = document.hidden ? 0 : performance.now() - this.shownAt;
    return Math.round((this.spent * 1000 + since) / 100) / 10;
  }

  /** Time with the page out of sight is not time spent. */
  pause() { this.spent = this.seconds(); this.shownAt = performance.now(); }

  draft() { return { ...this.state, spent: this.seconds() }; }

  get touched() {
    return this.state.verdict !== null || this.state.better !== null || !this.alone || Object.keys(this.state.documents).length > 0;
  }

  judgement(version) {
    const { verdict, categories, critique, missing, documents, better } = this.state;
    return {
      verdict,
      categories: verdict === "fail" ? categories : [],
      critique: critique.trim() || null,
      corrected_output: this.correction(),
      documents,
      missing_knowledge: missing.trim() || null,
      comparison: better ? { other_trace_id: this.entry.other_trace_id, better } : null,
      seconds: this.seconds(),
      codebook_version: version || null,
    };
  }
}

function fromEarlier(earlier) {
  if (!earlier) return {};
  return {
    verdict: earlier.verdict,
    categories: earlier.categories,
    critique: earlier.critique ?? "",
    corrected: earlier.corrected_output,
    missing: earlier.missing_knowledge ?? "",
    documents: earlier.documents,
    better: earlier.better,
  };
}

// Word-level differences, bounded: a hostile text costs a coarser answer, never a frozen page.

const WORD = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const MOST_STEPS = 400;
const MOST_WORDS = 20000;
const CONTEXT = 160;

/** What turns `before` into `after`, as [kind, text] with kind `same`, `out` or `in`. */
export function diffWords(before, after) {
  if (before === after) return before ? [["same", before]] : [];
  const a = before.match(WORD) ?? [], b = after.match(WORD) ?? [];
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end);
  const middle = x.length + y.length > MOST_WORDS ? null : shortest(x, y);
  return tidy([["same", a.slice(0, start).join("")],
    ...(middle ?? [["out", x.join("")], ["in", y.join("")]]),
    ["same", a.slice(a.length - end).join("")]]);
}

/** Myers' O(ND) search; null when the texts differ in too much to be worth it. */
function shortest(x, y) {
  const n = x.length, m = y.length, most = Math.min(n + m, MOST_STEPS), trace = [];
  let reach = new Int32Array(2 * most + 3);
  for (let d = 0; d <= most; d++) {
    trace.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const at = k + most + 1;
      let i = k === -d || (k !== d && reach[at - 1] < reach[at + 1]) ? reach[at + 1] : reach[at - 1] + 1;
      let j = i - k;
      while (i < n && j < m && x[i] === y[j]) { i++; j++; }
      reach[at] = i;
      if (i >= n && j >= m) return walkBack(x, y, trace, d, most);
    }
  }
  return null;
}

function walkBack(x, y, trace, steps, most) {
  const found = [];
  let i = x.length, j = y.length;
  for (let d = steps; d > 0; d--) {
    const reach = trace[d], k = i - j, at = k + most + 1;
    const down = k === -d || (k !== d && reach[at - 1] < reach[at + 1]);
    const from = down ? reach[at + 1] : reach[at - 1], fromJ = from - (down ? k + 1 : k - 1);
    while (i > from && j > fromJ && i > 0 && j > 0 && x[i - 1] === y[j - 1]) { found.push(["same", x[--i]]); j--; }
    if (down) found.push(["in", y[--j]]); else found.push(["out", x[--i]]);
  }
  while (i > 0) { found.push(["same", x[--i]]); j--; }
  return found.reverse();
}

/** Neighbours of a kind as one, and between two unchanged stretches first what went, then what came. */
function tidy(pieces) {
  const found = [];
  let out = "", into = "", same = "";
  const flush = () => {
    if (out) found.push(["out", out]);
    if (into) found.push(["in", into]);
    out = into = "";
  };
  for (const [kind, text] of pieces) {
    if (!text) continue;
    if (kind === "same") { flush(); same += text; continue; }
    if (same) { found.push(["same", same]); same = ""; }
    if (kind === "out") out += text; else into += text;
  }
  flush();
  if (same) found.push(["same", same]);
  return found;
}

/** Shows a difference in `target`; long unchanged stretches are folded. */
export function showDiff(target, before, after) {
  const pieces = diffWords(before, after);
  target.replaceChildren(...pieces.flatMap(([kind, text], at) => show(kind, text, at > 0, at < pieces.length - 1)));
}

function show(kind, text, opens, closes) {
  if (kind !== "same") return [element(kind === "in" ? "ins" : "del", text)];
  if (text.length <= 2 * CONTEXT + 80) return [element("span", text)];
  const head = opens ? CONTEXT : 0, tail = closes ? CONTEXT : 0;
  const gap = document.createElement("details");
  gap.className = "gap";
  const middle = text.slice(head, text.length - tail), handle = element("summary", "…");
  handle.setAttribute("aria-label", `${middle.length} unchanged characters`);
  gap.append(handle, element("span", middle));
  return [element("span", text.slice(0, head)), gap, element("span", tail ? text.slice(-tail) : "")];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

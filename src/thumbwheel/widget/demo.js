import { clarification, configure, regenerate, setConsent, track } from "/widget.js";

const part = (id) => document.getElementById(id);
const form = part("settings"), given = new URLSearchParams(location.hash.slice(1) || location.search);
let tracking;

function start() {
  const { key, trace, consent } = Object.fromEntries(new FormData(form));
  part("notice").textContent = key ? "" : "Signals wait here until there is a key: thumbwheel key create";
  part("consent").hidden = consent === "none";
  configure({ key: key.trim(), consent });
  part("feedback").setAttribute("trace", trace);
  tracking?.stop();
  tracking = track(part("answer"), trace, { pasted: true });
}

for (const name of ["key", "trace", "consent"]) if (given.has(name)) form.elements[name].value = given.get(name);
form.elements.trace.value ||= `demo-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
part("again").addEventListener("click", () => regenerate(form.elements.trace.value));
part("clarify").addEventListener("click", () => clarification(form.elements.trace.value));
part("yes").addEventListener("click", () => setConsent(true));
part("no").addEventListener("click", () => setConsent(false));
document.addEventListener("thumbwheel:signal", ({ detail: { kind, id, trace_id: _trace, at: _at, ...rest } }) => {
  const line = document.createElement("li");
  line.textContent = `${kind} ${JSON.stringify(rest)}`;
  part("log").prepend(line);
});
start();

// From a key press to what it means here; null when it is not for us.

const TYPING = "textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio]):not([type=button])";

/** True where a letter is text and no command. */
export function isTyping(target) {
  return target instanceof Element && target.closest(TYPING) !== null;
}

/**
 * What a key press asks for: {do: "submit" | "leave" | "enter" | "key", key?, shift?}.
 * Held keys, composed text (IME, dead keys) and chords of the system or the browser are nobody's command.
 */
export function readKey(event) {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || event.key === "Dead") return null;
  if (event.repeat) return null;
  if (document.querySelector("dialog[open]")) return null;
  const altGr = event.getModifierState("AltGraph");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey && !altGr) return { do: "submit" };
  if (event.ctrlKey || event.metaKey || event.altKey || altGr) return null;
  if (isTyping(event.target)) return event.key === "Escape" ? { do: "leave" } : null;
  if (event.key === "Enter") return atRest(event.target) ? { do: "enter" } : null;
  const key = letter(event);
  return key && { do: "key", key, shift: event.shiftKey && key !== "?" };
}

/** Enter on a button, a link or a fold is theirs. */
function atRest(target) {
  return !(target instanceof Element) || target.closest("button, a, summary, label") === null;
}

/** The Latin letter or digit of a key, by what it types, else (Cyrillic, Greek, …) by where it lies. */
function letter(event) {
  const typed = event.key.toLowerCase();
  if (/^[a-z0-9?]$/.test(typed)) return typed;
  if (event.key.length !== 1 || (event.shiftKey && !/\p{L}/u.test(event.key))) return null;
  const place = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(event.code ?? "");
  return place ? (place[1] ?? place[2]).toLowerCase() : null;
}

// What every page does: sets the chosen theme before the first paint (without a choice the system's holds), and on a
// narrow screen, where the pages' names scroll, shows the name of this one.
(() => {
  const root = document.documentElement;
  const read = () => { try { return localStorage.getItem("thumbwheel.theme"); } catch { return null; } };
  const chosen = read();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", () => {
    const names = document.querySelector(".topbar nav"), here = names?.querySelector("[aria-current]");
    if (here) names.scrollLeft = here.offsetLeft + here.offsetWidth - names.offsetLeft - names.clientWidth;
  });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-theme-toggle]")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("thumbwheel.theme", root.dataset.theme); } catch { /* a private window keeps nothing */ }
  });
})();

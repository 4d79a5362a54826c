"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = value => { try { localStorage.setItem("theme", value); } catch { /* not kept */ } };
  const now = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const other = () => (now() === "dark" ? "light" : "dark");
  function show() {
    button.textContent = other() === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", "Use the " + other() + " theme");
  }
  if (["dark", "light"].includes(stored())) root.dataset.theme = stored();
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = other();
    keep(root.dataset.theme);
    show();
  });
  dark.addEventListener("change", show);
  show();
})();

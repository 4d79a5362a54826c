"use strict";
const kind = document.getElementById("kind");
const area = document.getElementById("area");
const cases = [...document.querySelectorAll(".case")];
const count = document.getElementById("count");
function show() {
  let shown = 0;
  for (const entry of cases) {
    const fits = (!kind.value || entry.dataset.kind === kind.value)
      && (!area.value || entry.dataset.areas.split(" ").includes(area.value));
    entry.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  count.textContent = shown + " of " + cases.length + " shown";
}
if (kind && area) {
  document.getElementById("filters").hidden = false;
  kind.addEventListener("change", show);
  area.addEventListener("change", show);
  show();
}
const persona = document.getElementById("persona");
function showView() {
  for (const entry of document.querySelectorAll(".view")) {
    entry.hidden = entry.dataset.view !== persona.value;
  }
  for (const entry of document.querySelectorAll('#states g[id*="-view-"]')) {
    const shown = entry.id.includes("-view-" + persona.value + "-");
    entry.classList.toggle("shown", shown);
    entry.classList.toggle("hidden", !shown);
  }
}
if (persona) {
  document.getElementById("views").hidden = false;
  persona.addEventListener("change", showView);
  showView();
}

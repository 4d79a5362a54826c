"use strict";
const at = (id) => document.getElementById(id);
const cases = [...document.querySelectorAll(".case")].map((entry) => ({
  entry,
  stance: entry.dataset.stance,
  unsafe: entry.dataset.unsafe,
  labels: JSON.parse(entry.dataset.labels),
  text: entry.textContent.toLowerCase(),
}));
const chosen = (id) => (at(id) ? at(id).value : "");
function show() {
  const stance = chosen("stance"), unsafe = chosen("unsafe"), label = chosen("label");
  const words = chosen("search").toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of cases) {
    const fits = (!stance || one.stance === stance) && (!unsafe || one.unsafe === unsafe)
      && (!label || one.labels.includes(label)) && words.every((word) => one.text.includes(word));
    one.entry.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  at("count").textContent = shown + " of " + cases.length + " shown";
}
for (const id of ["stance", "unsafe", "label"]) {
  if (at(id)) at(id).addEventListener("change", show);
}
at("search").addEventListener("input", show);
at("filters").hidden = false;
show();

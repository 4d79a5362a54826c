"use strict";
const part = (id) => document.getElementById(id);
const data = JSON.parse(part("data").textContent);
const buttons = [...document.querySelectorAll("[data-field]")];
const keys = {
  "1": ["stance", "refusal"], "2": ["stance", "partial"], "3": ["stance", "compliance"],
  "4": ["stance", "invalid"], "u": ["unsafe", "yes"], "s": ["unsafe", "no"],
};
const state = { place: 0, rater: "", labels: Object.create(null) };

function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(data.key));
    if (!kept) return;
    state.place = Math.min(Math.max(Math.trunc(Number(kept.place)) || 0, 0), data.rows.length - 1);
    state.rater = String(kept.rater || "");
    Object.assign(state.labels, kept.labels);
  } catch { part("lost").hidden = false; }
}
function keep() {
  try {
    localStorage.setItem(data.key, JSON.stringify(state));
    part("lost").hidden = true;
  } catch { part("lost").hidden = false; }
}
function label(row) {
  return state.labels[row.id] || { stance: "", unsafe: "", note: "" };
}
function labelled(row) {
  return Boolean(label(row).stance || label(row).unsafe);
}
function piece(kind, text) {
  const found = document.createElement(kind);
  found.textContent = text;
  return found;
}
function turn({ role, content }) {
  const text = piece("pre", content);
  text.dir = "auto";
  return [piece("h2", "Before: " + role), text];
}
function show() {
  const row = data.rows[state.place];
  part("place").textContent = state.place + 1 + " of " + data.rows.length;
  part("before").replaceChildren(...row.before.flatMap(turn));
  part("before").hidden = row.before.length === 0;
  part("prompt").textContent = row.prompt;
  part("response").textContent = row.response;
  part("note").value = label(row).note;
  part("previous").disabled = state.place === 0;
  part("next").disabled = state.place === data.rows.length - 1;
  mark();
}
function mark() {
  const now = label(data.rows[state.place]);
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(now[button.dataset.field] === button.dataset.value));
  }
  const done = data.rows.filter(labelled).length;
  part("count").textContent = done + " labelled";
  part("done").value = done;
}
function set(field, value) {
  const row = data.rows[state.place];
  const now = label(row);
  const again = field !== "note" && now[field] === value;
  state.labels[row.id] = { ...now, [field]: again ? "" : value };
  keep();
  mark();
}
function go(place) {
  if (place < 0 || place >= data.rows.length) return;
  state.place = place;
  keep();
  show();
  part("place").scrollIntoView({ block: "nearest" });
}
function nextOpen() {
  for (let step = 1; step <= data.rows.length; step += 1) {
    const place = (state.place + step) % data.rows.length;
    if (!labelled(data.rows[place])) return go(place);
  }
}
function cell(text) {
  // What begins like a formula gets an apostrophe before it, as in labels.csv.
  const plain = text.replaceAll("\0", "\ufffd");
  const safe = /^(?:\s*[=+\-@＝＋－＠]|[\t\r\n])/.test(plain) ? "'" + plain : plain;
  return '"' + safe.replaceAll('"', '""') + '"';
}
function csv() {
  const lines = data.rows.map((row) => {
    const now = label(row);
    return [row.id, row.prompt, row.response, now.stance, now.unsafe, now.note].map(cell).join(",");
  });
  return "\ufeff" + ["id,prompt,response,stance,unsafe,note", ...lines].join("\r\n") + "\r\n";
}
function fileName() {
  const rater = state.rater.trim().replace(/[^\p{L}\p{N}_-]+/gu, "_");
  return data.prefix + (rater || "rater") + ".csv";
}
function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
  link.download = fileName();
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
for (const button of buttons) {
  button.addEventListener("click", () => set(button.dataset.field, button.dataset.value));
}
part("note").addEventListener("input", () => set("note", part("note").value));
part("rater").addEventListener("input", () => { state.rater = part("rater").value; keep(); });
part("previous").addEventListener("click", () => go(state.place - 1));
part("next").addEventListener("click", () => go(state.place + 1));
part("open").addEventListener("click", nextOpen);
part("download").addEventListener("click", download);
document.addEventListener("keydown", (event) => {
  if (/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (Object.hasOwn(keys, key)) set(...keys[key]);
  else if (key === "n") go(state.place + 1);
  else if (key === "p") go(state.place - 1);
  else return;
  event.preventDefault();
});
restore();
part("rater").value = state.rater;
show();

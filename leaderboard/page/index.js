"use strict";
(() => {
  const by = id => document.getElementById(id);
  const data = JSON.parse(by("data").textContent);
  const table = by("board"), head = table.tHead.rows[0], body = table.tBodies[0];
  const controls = ["find", "baselines", "guards", "flags", "view"].map(by);
  const heads = [...head.cells].slice(1);
  // What a row is looked up by, read from the page once.
  const rows = [...body.rows].map((row, place) => ({
    row, place, slug: row.dataset.slug, cells: [...row.cells].slice(1),
    text: row.cells[1].textContent.toLowerCase(), name: row.cells[1].textContent,
    base: row.classList.contains("base"), guarded: "guarded" in row.dataset, flagged: "flagged" in row.dataset,
    shapes: [], extra: [],
  }));
  const bySlug = new Map(rows.map(one => [one.slug, one]));
  for (const shape of document.querySelectorAll("#frontier [data-slug]"))
    bySlug.get(shape.dataset.slug)?.shapes.push(shape);
  const order = new Intl.Collator("en", { numeric: true });
  // More rows than this come on demand: sorting stays quick.
  const MOST = 100;
  let sort = { key: "rank", down: false }, extraHeads = [], chosen = [], whole = false;

  function keyed(key) {
    const track = extraHeads.findIndex(cell => cell.dataset.key === key);
    if (track >= 0) return one => one.values[track] ?? null;
    if (key === "name") return one => one.name;
    const place = heads.findIndex(cell => cell.dataset.key === key);
    const text = key === "judge";
    return one => {
      const value = one.cells[place].dataset.v;
      return value === "" ? null : text ? value : Number(value);
    };
  }

  function ordered() {
    const value = keyed(sort.key), sign = sort.down ? -1 : 1;
    const found = rows.map(one => [value(one), one]);
    found.sort(([a, one], [b, two]) => {
      // Without a figure: always last.
      if (a === null || b === null) return (a === null) - (b === null) || one.place - two.place;
      const way = typeof a === "string" ? order.compare(a, b) : a - b;
      return sign * way || one.place - two.place;
    });
    return found.map(([, one]) => one);
  }

  const fits = (wish, has) => !wish || (wish === "yes") === has;
  function matcher() {
    const [find, baselines, guards, flags] = controls.map(control => control.value);
    const words = find.toLowerCase().split(/\s+/).filter(Boolean);
    return one => words.every(word => one.text.includes(word)) && !(baselines === "no" && one.base)
      && fits(guards, one.guarded) && fits(flags, one.flagged);
  }

  function show() {
    const matches = matcher(), list = ordered();
    let shown = 0, found = 0;
    for (const one of list) {
      const match = matches(one), seen = match && (whole || shown < MOST);
      one.row.hidden = !seen;
      for (const shape of one.shapes) shape.classList.toggle("away", !match);
      found += match;
      shown += seen;
    }
    body.append(...list.map(one => one.row));
    for (const cell of [...heads, ...extraHeads]) {
      if (cell.dataset.key === sort.key) cell.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    by("count").textContent = shown + " of " + rows.length + " shown";
    by("all").hidden = shown === found;
    by("all").textContent = "Show all " + found;
  }

  function sortable(cell) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    button.addEventListener("click", () => {
      const key = cell.dataset.key;
      const down = sort.key === key ? !sort.down : "down" in cell.dataset;
      sort = { key, down };
      show();
      remember();
    });
    cell.append(button);
  }

  // Square roots: the differences that matter are small shares of harm, or small shortfalls.
  const tint = (share, better) =>
    Math.round(10 * (better === "higher" ? 1 - Math.sqrt(1 - share) : Math.sqrt(share)));

  function fill(value) {
    // The columns of a track, tinted: a heat map of areas by models.
    for (const cell of extraHeads) cell.remove();
    for (const one of rows) for (const cell of one.extra.splice(0)) cell.remove();
    extraHeads = [];
    const [track, metric] = value.split(".");
    const group = data.tracks[track], known = group && group.metrics[metric];
    table.className = known ? "heat " + metric : "";
    heads.forEach((cell, place) => {
      const away = Boolean(known) && place > 1;
      cell.hidden = away;
      for (const one of rows) one.cells[place].hidden = away;
    });
    if (!known) return;
    extraHeads = group.names.map((name, place) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.className = "num up";
      cell.dataset.key = track + "-" + place;
      if (data.better[metric] === "higher") cell.dataset.down = "";
      cell.title = name;
      cell.textContent = name;
      sortable(cell);
      return cell;
    });
    head.append(...extraHeads);
    for (const one of rows) {
      one.values = known[one.slug] || [];
      one.extra = group.names.map((_, place) => {
        const share = one.values[place] ?? null;
        const cell = document.createElement("td");
        cell.className = share === null ? "num" : "num h" + tint(share / 1000, data.better[metric]);
        cell.textContent = share === null ? "–" : (share / 10).toFixed(share < 100 ? 1 : 0);
        return cell;
      });
      one.row.append(...one.extra);
    }
  }

  function pick(one, box) {
    chosen = chosen.filter(other => other !== one);
    if (box.checked) chosen.push(one);
    while (chosen.length > 2) chosen.shift().box.checked = false;
    const button = by("compare");
    button.hidden = !chosen.length;
    button.href = "compare.html#" + chosen.map(other => other.slug).join(",");
    button.textContent = chosen.length === 2 ? "Compare the two" : "Compare with …";
  }

  function remember() {
    const parts = new URLSearchParams();
    for (const control of controls) if (control.value) parts.set(control.id, control.value);
    if (sort.key !== "rank" || sort.down) parts.set("sort", (sort.down ? "-" : "") + sort.key);
    history.replaceState(null, "", "#" + parts);
  }

  function recall() {
    const parts = new URLSearchParams(location.hash.slice(1));
    for (const control of controls) {
      const value = parts.get(control.id) || "";
      control.value = value;
      if (control.value !== value) control.value = "";
    }
    fill(by("view").value);
    const wish = parts.get("sort") || "rank", key = wish.replace(/^-/, "");
    const known = [...heads, ...extraHeads].some(cell => cell.dataset.key === key);
    sort = known ? { key, down: wish.startsWith("-") } : { key: "rank", down: false };
    show();
  }

  for (const cell of heads) sortable(cell);
  for (const one of rows) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.setAttribute("aria-label", "Compare " + one.name);
    box.addEventListener("change", () => pick(one, box));
    one.box = box;
    one.row.cells[0].append(box);
  }
  for (const cell of table.querySelectorAll(".pick-col")) cell.hidden = false;
  by("all").addEventListener("click", () => {
    whole = true;
    show();
  });
  by("filters").hidden = false;
  by("filters").addEventListener("submit", event => event.preventDefault());
  for (const control of controls) control.addEventListener("input", () => {
    if (control.id === "view") {
      fill(control.value);
      if (![...heads, ...extraHeads].some(cell => cell.dataset.key === sort.key && !cell.hidden))
        sort = { key: "rank", down: false };
    }
    show();
    remember();
  });
  addEventListener("hashchange", () => { if (location.hash.includes("=")) recall(); });
  recall();
})();

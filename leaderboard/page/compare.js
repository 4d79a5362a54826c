"use strict";
(() => {
  const by = id => document.getElementById(id);
  const data = JSON.parse(by("data").textContent);
  const models = new Map(data.models.map(model => [model.slug, model]));
  const boxes = [by("first"), by("second")];
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, text, className, ...children) {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (className) node.className = className;
    node.append(...children);
    return node;
  }
  const end = share => (share === 0.4 ? "<0.1" : share === 999.6 ? ">99.9" : (share / 10).toFixed(1));
  const ends = figure => end(figure[1]) + "–" + end(figure[2]);

  function bars(pair, kinds) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "bar pair");
    svg.setAttribute("viewBox", "0 0 1000 20");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    pair.forEach((figure, place) => {
      const y = 5 + 10 * place;
      const parts = [["rail", `M0 ${y}H1000`]];
      if (figure) {
        if (figure[1] !== null) parts.push([`reach ${kinds[place]}`, `M${figure[1]} ${y}H${figure[2]}`]);
        parts.push([`spot ${kinds[place]}`, `M${figure[0]} ${y - 4}V${y + 4}`]);
      }
      for (const [name, d] of parts) {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", name);
        path.setAttribute("d", d);
        svg.append(path);
      }
    });
    return svg;
  }

  function figureCell(figure) {
    const cell = make("td", "", "num");
    if (!figure) { cell.textContent = "–"; return cell; }
    cell.append((figure[0] / 10).toFixed(1) + " ");
    if (figure[1] !== null) cell.append(make("small", ends(figure)));
    return cell;
  }

  function gapCell(pair, better) {
    if (!pair[0] || !pair[1]) return make("td", "–", "num");
    const gap = Math.round(pair[0][0]) - Math.round(pair[1][0]);
    const good = better === "higher" ? gap > 0 : gap < 0;
    const text = (gap > 0 ? "+" : gap < 0 ? "−" : "") + (Math.abs(gap) / 10).toFixed(1);
    return make("td", text, "num gap" + (gap ? (good ? " up" : " down") : ""));
  }

  function rows(title, entries, names) {
    const head = make("tr", "");
    const titles = [title, names[0], names[1], "gap", "both"];
    titles.forEach((text, place) => {
      const cell = make("th", text, place === 0 ? "" : place === 4 ? "strip" : "num");
      cell.scope = "col";
      if (place > 0 && place < 3) cell.classList.add(place === 1 ? "one" : "two");
      head.append(cell);
    });
    const body = make("tbody", "");
    for (const { name, pair, better } of entries) {
      const first = make("th", name);
      first.scope = "row";
      const both = make("td", "", "strip", bars(pair, ["one", "two"]));
      body.append(make("tr", "", "", first, figureCell(pair[0]), figureCell(pair[1]), gapCell(pair, better), both));
    }
    const table = make("table", "", "compare", make("thead", "", "", head), body);
    const region = make("div", "", "scroll", table);
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", title);
    region.tabIndex = 0;
    return region;
  }

  function show() {
    const pair = boxes.map(box => models.get(box.value));
    const names = pair.map(model => model.name);
    const out = by("out");
    out.replaceChildren();
    by("said").textContent = pair[0] === pair[1]
      ? "Choose two different models."
      : pair.map(model => model.name + ": " + model.rank).join(" · ");
    const overall = data.metrics.map((metric, place) => ({
      name: metric.title, better: metric.better, pair: pair.map(model => model.figures[place] || null),
    })).filter(entry => entry.pair.some(Boolean));
    out.append(make("h2", "Overall, %"), rows("metric", overall, names));
    const links = make("p", "", "sub");
    pair.forEach((model, place) => {
      const link = make("a", model.name);
      link.href = "models/" + model.slug + ".html";
      links.append(place ? " · " : "", link);
    });
    out.append(links);
    for (const [track, group] of Object.entries(data.tracks)) {
      for (const metric of data.metrics) {
        const known = group.metrics[metric.id];
        if (!known) continue;
        const entries = group.names.map((name, place) => ({
          name, better: metric.better, pair: pair.map(model => (known[model.slug] || [])[place] || null),
        })).filter(entry => entry.pair.some(Boolean));
        if (!entries.length) continue;
        const part = make("details", "", "", make("summary", group.title + ": " + metric.title), rows(group.first, entries, names));
        part.open = track === "area" && metric.id === "unsafe_rate";
        out.append(part);
      }
    }
  }

  function remember() {
    history.replaceState(null, "", "#" + boxes.map(box => box.value).join(","));
    show();
  }
  function recall() {
    const wish = location.hash.slice(1).split(",");
    const usual = data.models.filter(model => !wish.includes(model.slug)).map(model => model.slug);
    boxes.forEach((box, place) => {
      box.value = models.has(wish[place]) ? wish[place] : usual.shift() || data.models[0].slug;
    });
    show();
  }

  if (!data.models.length) { by("said").textContent = "No model yet."; return; }
  for (const box of boxes) {
    for (const model of data.models) {
      const option = make("option", model.name + (model.baseline ? " (baseline)" : ""));
      option.value = model.slug;
      box.append(option);
    }
    box.addEventListener("input", remember);
  }
  by("choose").hidden = false;
  by("choose").addEventListener("submit", event => event.preventDefault());
  by("swap").addEventListener("click", () => {
    [boxes[0].value, boxes[1].value] = [boxes[1].value, boxes[0].value];
    remember();
  });
  addEventListener("hashchange", recall);
  recall();
})();

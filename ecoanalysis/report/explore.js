/* A map of ties to explore: pan, zoom, search, filters, neighbours, by pointer or by keys.
   Asks nothing of any network. Whatever a name holds is written as text. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg", FONT = 12, GAP = 3;
  const pen = document.createElement("canvas").getContext("2d");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const make = (tag, parent, attributes = {}, text = "") => {
    const element = tag.startsWith("svg:")
      ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };

  function start(root, number) {
    const find = (selector) => root.querySelector(selector);
    const data = JSON.parse(find("script[type='application/json']").textContent);
    const { names, helix, x, y, helices, kinds, words } = data, n = names.length;
    const all = Array.from(names.keys()), folded = names.map(fold);
    const short = names.map((name) => (name.length > 30 ? name.slice(0, 29).trimEnd() + "…" : name));
    const bridges = new Set(data.bridges), near = all.map(() => new Map());
    const svg = find("svg.map"), status = find("[role=status]"), about = find(".about");
    const rows = find("tbody"), search = find("input[type=search]");
    const read = (name) => new Set([...root.querySelectorAll(`input[name=${name}]:checked`)].map((box) => +box.value));
    const world = make("svg:g", svg, { role: "none" });
    const lines = make("svg:path", world, { class: "lines", role: "none" });
    const own = make("svg:path", world, { class: "own", role: "none" });
    const layer = make("svg:g", svg, { role: "none" }), ring = make("svg:circle", svg, { class: "ring", role: "none" });
    const labels = make("svg:g", svg, { "aria-hidden": "true" });
    const marks = all.map((i) => make("svg:path", null, {
      d: helices[helix[i]].d, fill: helices[helix[i]].fill, stroke: helices[helix[i]].edge,
      role: "option", id: `map${number}-${i}`, class: bridges.has(i) ? "bridge" : "",
    }));
    layer.append(...marks.slice().reverse()); // the most tied on top
    let view = { k: 1, x: 0, y: 0 }, fit = 1, wide = 0, high = 0, left = 0;
    let seen = [], found = null, degree = [], most = 1, chosen = -1, active = -1;

    function filter() {
      const sectors = read("helix"), shown = kinds.length > 1 ? read("kind") : new Set([0]);
      const query = fold(search.value.trim());
      seen = all.filter((i) => sectors.has(helix[i]));
      const here = new Set(seen);
      found = query ? new Set(seen.filter((i) => folded[i].includes(query))) : null;
      near.forEach((others) => others.clear());
      let path = "", count = 0;
      data.ties.forEach((ends, kind) => {
        if (!shown.has(kind)) return;
        for (let at = 0; at < ends.length; at += 2) {
          const [a, b] = [ends[at], ends[at + 1]];
          if (!here.has(a) || !here.has(b)) continue;
          for (const [one, other] of [[a, b], [b, a]]) {
            near[one].set(other, [...(near[one].get(other) || []), kind]);
          }
          path += `M${x[a]} ${y[a]}L${x[b]} ${y[b]}`;
          count += 1;
        }
      });
      lines.setAttribute("d", path);
      degree = near.map((others) => others.size);
      most = Math.max(1, ...degree);
      if (!here.has(chosen)) chosen = -1;
      if (!here.has(active)) active = -1;
      const listed = found ? seen.filter((i) => found.has(i)) : seen;
      status.textContent = fill(words.status, { n: listed.length.toLocaleString(words.lang), all: n.toLocaleString(words.lang), ties: count.toLocaleString(words.lang) });
      rows.replaceChildren(...[...listed].sort((a, b) => degree[b] - degree[a] || a - b).map((i) => {
        const row = make("tr"), head = make("th", row, { scope: "row" });
        make("button", head, { type: "button", "data-actor": i }, names[i]);
        make("td", row, {}, helices[helix[i]].label);
        make("td", row, { class: "n" }, degree[i]);
        return row;
      }));
      all.forEach((i) => {
        marks[i].style.display = here.has(i) ? "" : "none";
        marks[i].setAttribute("aria-label", fill(words.option, { name: names[i], sector: helices[helix[i]].label, ties: degree[i] }));
      });
      choose(chosen);
    }

    function choose(i) {
      chosen = i;
      about.replaceChildren();
      if (i >= 0) {
        const text = make("p", about), list = [...near[i]].sort(([a], [b]) => a - b);
        make("strong", text, {}, names[i]);
        text.append(` · ${helices[helix[i]].label}${bridges.has(i) ? ` · ${words.bridge}` : ""}`);
        make("p", about, {}, list.length ? words.tied : words.alone);
        const items = make("ul", about, { class: "chips" });
        for (const [other, ways] of list) {
          const item = make("li", items);
          make("button", item, { type: "button", "data-actor": other }, names[other]);
          if (kinds.length > 1) make("small", item, {}, ` ${ways.map((kind) => kinds[kind]).join(", ")}`);
        }
      }
      own.setAttribute("d", i < 0 ? "" : [...near[i].keys()].map((j) => `M${x[i]} ${y[i]}L${x[j]} ${y[j]}`).join(""));
      marks.forEach((mark, j) => mark.setAttribute("aria-selected", j === i));
      draw();
    }

    const place = (i) => [left + (x[i] * fit) * view.k + view.x, (y[i] * fit) * view.k + view.y];
    const size = (i) => (n > 400 ? 0.65 : 1) * (3.5 + 5 * Math.sqrt(degree[i] / most)) * Math.min(Math.sqrt(view.k), 1.8);
    const clear = (i) => chosen >= 0 ? i === chosen || near[chosen].has(i) : !found || found.has(i);

    function draw() {
      world.setAttribute("transform", `translate(${left + view.x} ${view.y}) scale(${fit * view.k})`);
      lines.style.opacity = (chosen >= 0 || found ? 0.35 : 1) * Math.min(1, Math.max(0.2, 25 * view.k / Math.sqrt(lines.getAttribute("d").length)));
      const taken = [], open = [];
      for (const i of seen) {
        const [px, py] = place(i), r = size(i);
        marks[i].setAttribute("transform", `translate(${px.toFixed(1)} ${py.toFixed(1)}) scale(${r.toFixed(2)})`);
        marks[i].style.opacity = clear(i) ? 1 : 0.15;
        if (px < 0 || py < 0 || px > wide || py > high || !clear(i)) continue;
        open.push(i);
      }
      const cover = (some) => some.forEach((i) => {
        const [px, py] = place(i), r = size(i);
        taken.push([px - r, py - r, px + r, py + r]);
      });
      const [ax, ay] = active >= 0 ? place(active) : [-99, -99];
      ring.setAttribute("cx", ax); ring.setAttribute("cy", ay);
      ring.setAttribute("r", active >= 0 ? size(active) + 5 : 0);
      svg.setAttribute("aria-activedescendant", active >= 0 ? marks[active].id : "");
      labels.replaceChildren();
      pen.font = `${FONT}px sans-serif`;
      const first = [active, chosen].filter((i) => i >= 0);
      const queue = [...new Set([...first, ...open.filter((i) => degree[i] || found || view.k > 3)])].slice(0, 250);
      cover(queue.slice(0, 8)); // the first names may cover the marks of others, the next of fewer
      for (const [rank, i] of queue.entries()) {
        if (rank === 8) cover(queue.slice(8, 80));
        const [px, py] = place(i), r = size(i) + GAP, w = pen.measureText(short[i]).width, h = FONT + 2;
        const corners = [[px + r, py - h / 2], [px - r - w, py - h / 2], [px - w / 2, py - r - h], [px - w / 2, py + r]];
        const box = corners.map(([bx, by]) => [bx, by, bx + w, by + h]).find((b) => b[0] >= 0 && b[2] <= wide && b[1] >= 0 && b[3] <= high
          && taken.every((t) => b[2] <= t[0] || t[2] <= b[0] || b[3] <= t[1] || t[3] <= b[1]));
        if (!box) continue;
        taken.push(box);
        make("svg:text", labels, { x: box[0], y: box[1] + FONT - 1 }, short[i]);
      }
    }

    function zoom(by, cx = wide / 2, cy = high / 2) {
      const k = by ? Math.min(12, Math.max(1, view.k * by)) : 1, by2 = k / view.k;
      view = k === 1 ? { k, x: 0, y: 0 }
        : { k, x: (cx - left) - (cx - left - view.x) * by2, y: cy - (cy - view.y) * by2 };
      svg.style.touchAction = k === 1 ? "pan-y" : "none";
      draw();
    }

    function move(dx, dy) {
      if (view.k === 1) return;
      view = { ...view, x: view.x + dx, y: view.y + dy };
      draw();
    }

    function go(i) { // to an organisation, into view
      active = i;
      const [px, py] = place(i), m = 30;
      if (px < m || px > wide - m || py < m || py > high - m) move(wide / 2 - px, high / 2 - py);
      draw();
    }

    function step(dx, dy) { // to the nearest in a direction
      if (active < 0) return seen.length && go(chosen >= 0 ? chosen : seen[0]);
      let best = -1, least = Infinity;
      for (const i of seen) {
        const [a, b] = [x[i] - x[active], y[i] - y[active]], along = a * dx + b * dy;
        const cost = along + 3 * Math.abs(a * dy + b * dx);
        if (i !== active && along > 0 && cost < least) [best, least] = [i, cost];
      }
      if (best >= 0) go(best);
    }

    const keys = {
      ArrowRight: () => step(1, 0), ArrowLeft: () => step(-1, 0), ArrowDown: () => step(0, 1), ArrowUp: () => step(0, -1),
      Home: () => seen.length && go(seen[0]), Enter: () => active >= 0 && choose(active), " ": () => active >= 0 && choose(active),
      Escape: () => { active = -1; choose(-1); }, "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: () => zoom(0),
    };
    svg.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    svg.addEventListener("wheel", (event) => { // the page scrolls on until the map is chosen
      if (!event.ctrlKey && document.activeElement !== svg) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });

    const fingers = new Map();
    let path = 0;
    const spot = (event) => { const box = svg.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    svg.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, spot(event));
      path = fingers.size > 1 ? 99 : 0;
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      const was = fingers.get(event.pointerId), now = spot(event);
      if (!was) return;
      const other = [...fingers].find(([id]) => id !== event.pointerId);
      fingers.set(event.pointerId, now);
      path += Math.hypot(now[0] - was[0], now[1] - was[1]);
      if (other) {
        const [ox, oy] = other[1], far = (p) => Math.max(10, Math.hypot(p[0] - ox, p[1] - oy));
        zoom(far(now) / far(was), (now[0] + ox) / 2, (now[1] + oy) / 2);
      } else if (path > 4) move(now[0] - was[0], now[1] - was[1]);
    });
    const lift = (event) => {
      if (fingers.delete(event.pointerId) && event.type === "pointerup" && path <= 4) {
        const [px, py] = spot(event), far = (i) => Math.hypot(place(i)[0] - px, place(i)[1] - py);
        const best = seen.reduce((a, b) => (a < 0 || far(b) < far(a) ? b : a), -1);
        active = best >= 0 && far(best) < size(best) + 8 ? best : -1;
        choose(active);
      }
    };
    svg.addEventListener("pointerup", lift);
    svg.addEventListener("pointercancel", lift);
    svg.addEventListener("blur", () => { active = -1; draw(); });

    root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.zoom) zoom(+button.dataset.zoom);
      if (button.dataset.actor) { active = -1; choose(+button.dataset.actor); svg.scrollIntoView({ block: "nearest" }); }
    });
    root.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && found && found.size) choose([...found][0]);
      if (event.key === "Escape") { search.value = ""; filter(); }
    });

    root.hidden = false;
    if (root.previousElementSibling?.matches("figure")) root.previousElementSibling.classList.add("live");
    new ResizeObserver(() => {
      if (!svg.clientWidth || svg.clientWidth === wide) return;
      wide = svg.clientWidth;
      fit = Math.min(wide / data.width, Math.max(320, 0.75 * innerHeight) / data.height);
      [left, high] = [(wide - data.width * fit) / 2, Math.ceil(data.height * fit)];
      svg.style.height = `${high}px`;
      view = { k: 1, x: 0, y: 0 };
      draw();
    }).observe(svg);
    filter();
  }
  document.querySelectorAll(".explore[hidden]").forEach(start);
})();

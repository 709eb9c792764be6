// ladder: the flights between the two sides, with a drawing that is true to time.

function ladderView(model) {
  const id = "c" + (model.index + 1) + "-ladder";
  const list = el("ol", { class: "flights" });
  const rows = []; // { element, flight, run }
  let turns = 0;
  model.c.flights.forEach((f, i) => {
    const before = model.c.flights[i - 1];
    const turn = before && before.from === "client" && f.from === "server" && turns < model.c.summary.round_trips ? ++turns : 0;
    list.append(flightView(model, f, before, turn, rows));
  });
  const strip = svg("svg", { class: "strip", "aria-hidden": "true", focusable: "false" });
  const figure = el("div", { class: "ladder-figure" }, strip, list);
  const draw = (mode) => drawStrip(model, strip, figure, rows, mode);
  let mode = "time";
  const choice = (value, text) => el("label", {}, el("input", { type: "radio", name: id + "-scale", value, checked: value === mode, change: () => { mode = value; draw(mode); } }), el("span", {}, text));
  new ResizeObserver(() => draw(mode)).observe(list);
  return el("section", { class: "ladder", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The flights")),
    el("div", { class: "ladder-head" },
      el("fieldset", { class: "switch" }, el("legend", { class: "hidden" }, t("Scale of the drawing")), choice("time", t("To the scale of time")), choice("even", t("Evenly"))),
      el("p", { class: "legend" },
        el("span", {}, svg("svg", { viewBox: "0 0 34 10", class: "key" }, svg("path", { class: "arrow", d: "M1 5H29" })), t("in the clear")),
        el("span", {}, svg("svg", { viewBox: "0 0 34 10", class: "key" }, svg("path", { class: "arrow sealed", d: "M1 3H29M1 7H29" })), t("encrypted")),
        el("span", {}, svg("svg", { viewBox: "0 0 12 10", class: "key" }, svg("path", { class: "change", d: "M6 0L11 5L6 10L1 5Z" })), t("new keys")))),
    model.c.flights.length ? figure : el("p", {}, t("Nothing went over the wire.")));
}

// flightView is a flight as a list of what it carries.
function flightView(model, f, before, turn, rows) {
  const wait = before ? f.start_us - before.end_us : 0;
  const head = el("p", { class: "flight-head" },
    el("span", { class: "dir " + f.from }, f.from === "client" ? t("client to server") : t("server to client")),
    el("span", {}, count(f.bytes, "{0} byte", "{0} bytes"), " · ", count(f.records, "{0} record", "{0} records")),
    before ? el("span", {}, f.after_gap ? t("after what was not kept") : t("{0} later", clock(wait))) : null,
    turn ? el("span", { class: "turn" }, t("round trip {0}", turn)) : null);
  const keys = model.keys.filter((k) => k.at.flight === f.number).map((k) => ({ at_us: k.at.at_us, keys: k }));
  const runs = runsOf(f);
  const lines = [...(f.rungs || []).map((r, i) => ({ ...r, i })), ...keys].map((l, i) => [l, i]).sort((a, b) => a[0].at_us - b[0].at_us || a[1] - b[1]).map(([l]) => l);
  const items = lines.map((l) => {
    if (l.keys) {
      const item = keyView(l.keys);
      rows.push({ element: item, keys: l.keys });
      return item;
    }
    const item = rungView(model, f, l);
    const run = runs.find((r) => r.first === l.i);
    if (run) rows.push({ element: item, flight: f, run });
    return item;
  });
  return el("li", { class: "flight from-" + f.from }, head, el("ul", {}, items));
}

function rungView(model, f, rung) {
  const to = targetOf(model, f, rung);
  const name = [el("span", { class: "name" }, t(rung.name)), rung.words ? el("span", { class: "words" }, t(rung.words)) : null];
  return el("li", { class: "rung" + (rung.sealed ? " sealed" : " clear") + (rung.mood ? " " + rung.mood : "") + (rung.note ? " note" : "") },
    to ? el("a", { href: "#" + to }, ...name, rung.note ? null : hidden(", " + (rung.sealed ? t("encrypted") : t("in the clear")))) : el("span", { class: "line" }, ...name));
}

function keyView(k) {
  const name = k.label && k.label !== "client write" && k.label !== "server write" ? t("{0} keys", t(k.label)) : t("new keys");
  return el("li", { class: "rung change" }, el("span", { class: "line" }, el("span", { class: "name" }, t("{0}: {1}", side(k.from), name)), el("span", { class: "words" }, t("what it sends from here on is protected with {0}", k.cipher_suite))));
}

// targetOf is the address of the bytes that a rung stands for.
function targetOf(model, f, rung) {
  if (rung.note) return null;
  const m = model.messages.find((x) => x.at.at_us === rung.at_us && x.name === rung.name && x.from === f.from && x.pieces.length);
  if (m) {
    const r = model.byNumber.get(m.pieces[0].record);
    return r && addressOfContent(model, r, m.pieces[0].offset);
  }
  const r = model.records.find((x) => x.at.at_us >= rung.at_us && x.from === f.from && x.at.flight === f.number);
  return r && "c" + (model.index + 1) + "-r" + r.number;
}

// addressOfContent is the address of a byte of a record's content.
function addressOfContent(model, r, offset) {
  const layers = layersOf(model, r);
  const layer = layers[layers.length - 1];
  const header = layer.key === "wire" ? r.header.reduce((n, x) => Math.max(n, x.offset + x.length), 0) : 0;
  return addressOf(model, r, layer, header + offset);
}

// drawStrip draws the two lifelines, an arrow for each run of rungs, and the time.
function drawStrip(model, strip, figure, rows, mode) {
  const height = figure.clientHeight;
  const width = strip.clientWidth || 150;
  if (!height) return;
  const end = Math.max(1, ...model.c.flights.map((f) => f.end_us));
  const compact = width < 110;
  const left = compact ? 12 : 58;
  const right = width - (compact ? 14 : 26);
  const top = 26;
  const bottom = height - 14;
  const center = (e) => e.getBoundingClientRect().top - figure.getBoundingClientRect().top + Math.min(14, e.offsetHeight / 2);
  const y = (us) => top + (us / end) * (bottom - top);
  const placed = rows.map((r) => ({ ...r, row: center(r.element), us: r.run ? r.run.at : r.keys.at.at_us }));
  const at = (p) => (mode === "time" ? y(p.us) : p.row);
  strip.setAttribute("viewBox", `0 0 ${width} ${height}`);
  strip.setAttribute("height", height);
  const text = (x, yy, s, more) => svg("text", { x, y: yy, ...more }, s);
  const parts = [
    svg("line", { class: "life client", x1: left, y1: top - 8, x2: left, y2: height - 4 }),
    svg("line", { class: "life server", x1: right, y1: top - 8, x2: right, y2: height - 4 }),
    text(left, 12, compact ? t("C") : t("client"), { class: "who client", "text-anchor": "middle" }),
    text(right, 12, compact ? t("S") : t("server"), { class: "who server", "text-anchor": "middle" }),
  ];
  if (mode === "time" && !compact) {
    for (const us of ticks(end)) {
      parts.push(svg("line", { class: "tick", x1: left - 6, y1: y(us), x2: left, y2: y(us) }), text(left - 9, y(us) + 3.5, clock(us).replace(/\.0+(?= )/, ""), { class: "time", "text-anchor": "end" }));
    }
  }
  for (const p of placed) {
    const yy = at(p);
    if (p.keys) {
      const x = p.keys.from === "client" ? left : right;
      parts.push(svg("path", { class: "change " + p.keys.from, d: `M${x} ${yy - 5}l5 5l-5 5l-5 -5z` }));
      continue;
    }
    parts.push(leader(right, yy, width, p.row), ...arrow(p, left, right, yy, mode === "time" ? y(p.run.end) : yy));
  }
  strip.replaceChildren(...parts);
}

const leader = (x, from, width, to) => svg("path", { class: "leader", d: `M${x + 4} ${from}C${x + 14} ${from} ${width - 10} ${to} ${width} ${to}` });

// arrow goes from the sender's lifeline to the other's; double where it is encrypted. The
// bar on the sender's says how long it was sending.
function arrow(p, left, right, y, until) {
  const from = p.flight.from;
  const [a, b] = from === "client" ? [left, right] : [right, left];
  const s = Math.sign(b - a);
  const tip = b - 3 * s;
  const shaft = p.run.sealed ? `M${a} ${y - 2}H${tip - 6 * s}M${a} ${y + 2}H${tip - 6 * s}` : `M${a} ${y}H${tip - 6 * s}`;
  return [
    until - y > 2 ? svg("line", { class: "bar " + from, x1: a, y1: y, x2: a, y2: until }) : null,
    svg("path", { class: "arrow " + from + (p.run.sealed ? " sealed" : ""), d: shaft }),
    svg("path", { class: "tip " + from, d: `M${tip} ${y}l${-8 * s} -4.5v9z` }),
  ];
}

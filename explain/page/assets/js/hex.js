// hex: bytes in rows, each run of them a field of its own.

const narrow = matchMedia("(max-width: 46rem)");
const perRow = () => (narrow.matches ? 8 : 16);

// hexView shows a layer. It hears from link which field is pointed at or selected, and
// tells it the same.
function hexView(layer, link, label) {
  const rows = el("div", { class: "hex", role: "group", "aria-label": label, keydown: (e) => hexKeys(e, layer, link) });
  const leaves = layer.fields.filter((f) => !f.group && f.length > 0).sort((a, b) => a.offset - b.offset);
  const draw = () => {
    rows.replaceChildren(...hexRows(layer, leaves, perRow()));
    if (link.now) mark(rows, link.now);
  };
  draw();
  narrow.addEventListener("change", draw);
  const fieldOf = (e) => e.target.dataset && e.target.dataset.f !== undefined && layer.fields[e.target.dataset.f];
  rows.addEventListener("pointerover", (e) => link.point(fieldOf(e) || null));
  rows.addEventListener("pointerleave", () => link.point(null));
  rows.addEventListener("focusin", (e) => link.point(fieldOf(e) || null));
  rows.addEventListener("focusout", () => link.point(null));
  rows.addEventListener("click", (e) => fieldOf(e) && link.choose(fieldOf(e)));
  link.views.push((state) => mark(rows, state));
  return rows;
}

// hexRows are the lines: the offset, the bytes, the characters.
function hexRows(layer, leaves, width) {
  const rows = [];
  let leaf = 0;
  const digits = Math.max(4, layer.bytes.length.toString(16).length);
  const started = new Set();
  for (let at = 0; at < layer.bytes.length; at += width) {
    const bytes = el("span", { class: "bytes" });
    const chars = el("span", { class: "chars", "aria-hidden": "true" });
    const end = Math.min(at + width, layer.bytes.length);
    for (let i = at; i < end; ) {
      while (leaf < leaves.length - 1 && leaves[leaf].offset + leaves[leaf].length <= i) leaf++;
      const f = leaves[leaf];
      const stop = Math.min(end, f.offset + f.length);
      const run = layer.bytes.subarray(i, stop);
      const first = !started.has(f.id);
      started.add(f.id);
      bytes.append(hexRun(f, run, leaf % 2, first, stop < end), stop < end ? " " : "");
      chars.append(el("span", { class: "run" + (leaf % 2 ? " odd" : ""), "data-f": f.id }, Array.from(run, printable).join("")));
      i = stop;
    }
    rows.push(el("div", { class: "row" }, el("span", { class: "at", "aria-hidden": "true" }, at.toString(16).padStart(digits, "0")), bytes, chars));
  }
  return rows;
}

function hexRun(f, run, odd, first) {
  const text = Array.from(run, (b) => b.toString(16).padStart(2, "0")).join(" ");
  const attrs = { class: "run" + (odd ? " odd" : ""), "data-f": f.id };
  if (!first) return el("span", { ...attrs, "aria-hidden": "true" }, text);
  return el("span", { ...attrs, role: "button", tabindex: f.id === undefined ? null : -1, "aria-label": spoken(f) + ": " + text }, text);
}

// spoken is a field for those who listen.
const spoken = (f) => [fieldName(f.name), f.value && t(f.value), count(f.length, "{0} byte", "{0} bytes"), t("at {0}", f.offset)].filter(Boolean).join(", ");

// mark shows which runs belong to the field that is pointed at, and to the selected one.
function mark(rows, { pointed, chosen }) {
  const inside = (f, id, layer) => f && f.cover.has(id);
  for (const run of rows.querySelectorAll("[data-f]")) {
    const id = +run.dataset.f;
    run.classList.toggle("pointed", Boolean(inside(pointed, id)));
    run.classList.toggle("chosen", Boolean(inside(chosen, id)));
    if (run.hasAttribute("tabindex")) run.tabIndex = -1;
  }
  const stop = (chosen && rows.querySelector('[role="button"].chosen')) || rows.querySelector('[role="button"]');
  if (stop) stop.tabIndex = 0;
}

// hexKeys go from field to field.
function hexKeys(e, layer, link) {
  const run = e.target.closest('[role="button"]');
  if (!run) return;
  const all = [...e.currentTarget.querySelectorAll('[role="button"]')];
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  let next = null;
  if (e.key in steps) next = all[all.indexOf(run) + steps[e.key]];
  else if (e.key === "Home") next = all[0];
  else if (e.key === "End") next = all[all.length - 1];
  else if (e.key !== "Enter" && e.key !== " ") return;
  e.preventDefault();
  next = next || run;
  link.choose(layer.fields[next.dataset.f]);
  next.focus();
}

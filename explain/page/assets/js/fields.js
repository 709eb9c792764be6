// fields: the tree of a layer's fields, and what ties it to the bytes.

// linkOf ties the views of one layer together: what one points at or chooses, all show.
function linkOf(model, record, layer) {
  covers(layer);
  const link = { views: [], now: { pointed: null, chosen: null } };
  const tell = () => link.views.forEach((view) => view(link.now));
  link.point = (field) => {
    if (link.now.pointed === field) return;
    link.now = { ...link.now, pointed: field };
    tell();
  };
  link.choose = (field, remember) => {
    link.now = { ...link.now, chosen: field };
    tell();
    select(model, record, layer, field, remember);
  };
  link.clear = () => {
    link.now = { pointed: null, chosen: null };
    tell();
  };
  return link;
}

// covers gives each field the set of the leaves that are its bytes.
function covers(layer) {
  const leaves = layer.fields.filter((f) => !f.group && f.length > 0);
  for (const f of layer.fields) {
    const end = f.offset + f.length;
    f.cover = new Set(f.group ? leaves.filter((l) => l.offset >= f.offset && l.offset + l.length <= end).map((l) => l.id) : [f.id]);
  }
}

// fieldTree shows the names. Groups fold; certificates are folded at first.
function fieldTree(layer, link, label) {
  const tree = el("div", { class: "tree", role: "tree", "aria-label": label });
  const items = layer.fields.map((f, i) => fieldItem(layer, f, i));
  tree.append(...items);
  const folded = new Set(layer.fields.filter((f, i) => f.name === "cert_data" && hasChildren(layer, i)).map((f) => f.id));
  const draw = () => fold(layer, items, folded);
  const toggle = (f, open) => {
    if (open ? folded.delete(f.id) : folded.add(f.id)) draw();
  };
  draw();
  const fieldOf = (e) => {
    const item = e.target.closest("[role=treeitem]");
    return item ? layer.fields[item.dataset.f] : null;
  };
  tree.addEventListener("pointerover", (e) => link.point(fieldOf(e)));
  tree.addEventListener("pointerleave", () => link.point(null));
  tree.addEventListener("focusin", (e) => link.point(fieldOf(e)));
  tree.addEventListener("focusout", () => link.point(null));
  tree.addEventListener("click", (e) => {
    const f = fieldOf(e);
    if (!f) return;
    if (e.target.closest(".twist")) return toggle(f, folded.has(f.id));
    link.choose(f);
  });
  tree.addEventListener("keydown", (e) => treeKeys(e, layer, items, link, folded, toggle));
  link.views.push((state) => {
    if (state.chosen) parents(layer, state.chosen).forEach((f) => folded.has(f.id) && toggle(f, true));
    markItems(items, layer, state);
  });
  markItems(items, layer, link.now);
  return tree;
}

const hasChildren = (layer, i) => i + 1 < layer.fields.length && layer.fields[i + 1].depth > layer.fields[i].depth;

// parents are the groups around a field.
function parents(layer, field) {
  const all = [];
  let depth = field.depth;
  for (let i = field.id - 1; i >= 0 && depth > 0; i--) {
    if (layer.fields[i].depth < depth) {
      depth = layer.fields[i].depth;
      all.push(layer.fields[i]);
    }
  }
  return all;
}

function fieldItem(layer, f, i) {
  const group = hasChildren(layer, i);
  const value = f.value && f.value.length > 66 ? f.value.slice(0, 64) + "…" : f.value;
  const item = el("div", { class: "item" + (f.group ? " group" : "") + (f.depth === 0 ? " root" : ""), role: "treeitem", tabindex: -1, "data-f": f.id, "aria-level": f.depth + 1, "aria-selected": "false", "aria-expanded": group ? "true" : null },
    el("span", { class: "twist", "aria-hidden": "true" }, group ? "▾" : ""),
    el("span", { class: "name" }, fieldName(f.name)),
    value ? el("span", { class: "value" }, t(value)) : null,
    f.length ? el("span", { class: "size", "aria-hidden": "true" }, String(f.length)) : el("span", { class: "size empty" }, t("empty")));
  item.style.setProperty("--depth", Math.min(f.depth, 9));
  return item;
}

// fold hides what is in folded groups.
function fold(layer, items, folded) {
  let under = Infinity;
  layer.fields.forEach((f, i) => {
    if (f.depth <= under) under = Infinity;
    items[i].hidden = f.depth > under;
    if (folded.has(f.id) && under === Infinity) under = f.depth;
    if (items[i].hasAttribute("aria-expanded")) {
      items[i].setAttribute("aria-expanded", folded.has(f.id) ? "false" : "true");
      items[i].firstChild.textContent = folded.has(f.id) ? "▸" : "▾";
    }
  });
}

function markItems(items, layer, { pointed, chosen }) {
  items.forEach((item, i) => {
    const f = layer.fields[i];
    item.classList.toggle("pointed", Boolean(pointed && (pointed === f || (!pointed.group && pointed.length > 0 && f.cover.has(pointed.id) && f.group))));
    item.setAttribute("aria-selected", chosen === f ? "true" : "false");
    item.tabIndex = -1;
  });
  const stop = (chosen && items[chosen.id]) || items[0];
  if (stop) stop.tabIndex = 0;
}

// treeKeys are those of a tree: WAI-ARIA Authoring Practices, "Tree View".
function treeKeys(e, layer, items, link, folded, toggle) {
  const item = e.target.closest("[role=treeitem]");
  if (!item) return;
  const f = layer.fields[item.dataset.f];
  const shown = items.filter((i) => !i.hidden);
  const at = shown.indexOf(item);
  const group = item.hasAttribute("aria-expanded");
  let next = null;
  switch (e.key) {
    case "ArrowDown": next = shown[at + 1]; break;
    case "ArrowUp": next = shown[at - 1]; break;
    case "Home": next = shown[0]; break;
    case "End": next = shown[shown.length - 1]; break;
    case "ArrowRight":
      if (group && folded.has(f.id)) toggle(f, true);
      else if (group) next = shown[at + 1];
      break;
    case "ArrowLeft":
      if (group && !folded.has(f.id)) toggle(f, false);
      else next = parents(layer, f).length ? items[parents(layer, f)[0].id] : null;
      break;
    case "Enter": case " ": link.choose(f); break;
    default: return;
  }
  e.preventDefault();
  if (next) {
    next.focus();
    link.choose(layer.fields[next.dataset.f]);
  }
}

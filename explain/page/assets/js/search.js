// search: names, values, meanings, secrets and bytes of an account.

const mostHits = 60;

function searchBox(current, go) {
  const out = el("div", { class: "hits", hidden: true });
  const status = el("p", { class: "hidden", role: "status" });
  const input = el("input", { type: "search", id: "search", placeholder: t("Search fields, values, bytes"), "aria-label": t("Search fields, values, bytes"), autocomplete: "off", spellcheck: "false", input: () => show(), keydown: (e) => {
    if (e.key === "Escape") { input.value = ""; show(); }
    if (e.key === "ArrowDown" && out.querySelector("a")) { e.preventDefault(); out.querySelector("a").focus(); }
  } });
  const show = () => {
    const hits = find(current(), input.value.trim());
    out.hidden = !input.value.trim();
    status.textContent = input.value.trim() ? count(hits.length, "{0} hit", "{0} hits") : "";
    out.replaceChildren(hits.length ? el("ul", {}, hits.slice(0, mostHits).map((h) => el("li", {}, el("a", { href: "#" + h.to, click: () => { out.hidden = true; } }, el("span", { class: "name" }, h.name), h.value ? el("span", { class: "value" }, h.value) : null, el("span", { class: "where" }, h.where))))) : el("p", {}, t("Nothing found.")));
  };
  out.addEventListener("keydown", (e) => {
    const links = [...out.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (e.key === "Escape") { out.hidden = true; input.focus(); }
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      (links[at + (e.key === "ArrowDown" ? 1 : -1)] || input).focus();
    }
  });
  document.addEventListener("pointerdown", (e) => { if (!box.contains(e.target)) out.hidden = true; });
  const box = el("div", { class: "search", role: "search" }, input, status, out);
  return box;
}

// find returns what a query hits. Hex of two bytes and more is sought among the bytes too.
function find(model, query) {
  if (query.length < 2) return [];
  const words = query.toLowerCase();
  const hex = query.replace(/[\s:]/g, "").toLowerCase();
  const isHex = /^([0-9a-f]{2}){2,}$/.test(hex);
  const hits = [];
  const has = (...texts) => texts.some((x) => x && String(x).toLowerCase().includes(words));
  for (const s of model.secrets) {
    if (has(s.name, s.meaning && t(s.meaning)) || (isHex && s.value && s.value.includes(hex))) hits.push({ to: "c" + (model.index + 1) + "-s" + s.place, name: s.name, where: t("secret") });
  }
  for (const r of model.records) {
    if (hits.length > mostHits) break;
    for (const layer of layersOf(model, r)) {
      const where = t("record {0}", r.number);
      for (const f of layer.fields) {
        if (has(f.name, f.value, f.meaning && t(f.meaning))) hits.push({ to: addressOf(model, r, layer, f.offset, f.length), name: f.name, value: f.value && f.value.slice(0, 40), where });
      }
      if (isHex) {
        const all = hexOf(layer.bytes);
        for (let i = all.indexOf(hex); i >= 0; i = all.indexOf(hex, i + 1)) {
          if (i % 2 === 0) hits.push({ to: addressOf(model, r, layer, i / 2), name: hex.slice(0, 24), where: where + ", " + layer.title + ", " + t("at {0}", i / 2) });
        }
      }
    }
  }
  return hits;
}

// record: one record, folded to a line, which opens to its bytes.

const openers = new Map(); // by "c-r": opens the record, and chooses a byte of it

function recordView(model, r) {
  const body = el("div", { class: "record-body" });
  const box = el("details", { class: "record from-" + r.from + (isSealed(r) ? " sealed" : " clear") + (r.refused ? " refused" : ""), id: "c" + (model.index + 1) + "-r" + r.number },
    el("summary", {}, recordLine(model, r)), body);
  let panels = null;
  const fill = () => {
    if (panels) return;
    panels = layersOf(model, r).map((layer) => layerPanel(model, r, layer));
    body.append(recordNotes(r) || "", panels[0].view, ...(isSealed(r) ? [protectionBand(model, r)] : []), ...panels.slice(1).map((p) => p.view));
  };
  box.addEventListener("toggle", () => {
    if (!box.open) return;
    fill();
    selectRecord(model, r);
  });
  openers.set(model.index + "-" + r.number, (layerKey, offset, length) => {
    fill();
    box.open = true;
    const panel = panels.find((p) => p.layer.key === layerKey) || panels[0];
    if (offset !== undefined) {
      const found = panel.layer.fields.find((f) => f.offset === offset && f.length === length) || leafAt(panel.layer, offset);
      if (found) panel.link.choose(found, false);
    }
    return offset === undefined ? box : panel.view;
  });
  onSelect((s) => panels && panels.forEach((p) => (s.record !== r || s.layer !== p.layer) && p.link.now.chosen && p.link.clear()));
  return box;
}

// recordLine is what one sees of a folded record.
function recordLine(model, r) {
  return [
    el("span", { class: "number" }, hidden(t("record") + " "), String(r.number)),
    el("span", { class: "direction" }, directionOf(r.from)),
    el("span", { class: "lock", "aria-hidden": "true" }, isSealed(r) ? "▓" : "░"),
    el("span", { class: "carries" }, nameOf(r)),
    el("span", { class: "how" }, r.refused ? t("refused") : r.unopened ? t("not opened") : isSealed(r) ? t("encrypted") : t("in the clear")),
    el("span", { class: "size" }, count(r.wire.length / 2, "{0} byte", "{0} bytes")),
    el("span", { class: "when" }, clock(r.at.at_us)),
    isSealed(r) && !r.refused && !r.unopened ? badge("record:" + r.number, model) : el("span", { class: "badge" }),
  ];
}

const directionOf = (from) => el("span", { class: "dir " + from }, side(from), el("span", { "aria-hidden": "true" }, from === "client" ? " →" : " ←"));

function recordNotes(r) {
  const notes = [r.note, r.refused && t("Refused: {0}", t(r.refused)), r.refused && r.check && t(r.check.what)].filter(Boolean);
  return notes.length ? el("div", { class: "notes" }, notes.map((n) => el("p", {}, t(n)))) : null;
}

// layerPanel is the bytes, the fields, and what the chosen one is.
function layerPanel(model, r, layer) {
  const link = linkOf(model, r, layer);
  const name = t("{0}, record {1}", layer.title, r.number);
  const detail = el("div", { class: "detail", "aria-live": "polite" }, detailOf(layer, null));
  link.views.push(({ chosen }) => {
    if (detail.shown === chosen) return;
    detail.shown = chosen;
    detail.classList.toggle("chosen", Boolean(chosen));
    detail.replaceChildren(...[detailOf(layer, chosen)].flat().filter(Boolean));
  });
  const hex = hexView(layer, link, t("Bytes: {0}", name));
  const tree = fieldTree(layer, link, t("Fields: {0}", name));
  mark(hex, link.now);
  const text = textOf(r, layer);
  const view = el("section", { class: "layer layer-" + layer.key, "aria-label": name },
    el("h3", {}, layer.title, el("span", { class: "size" }, count(layer.bytes.length, "{0} byte", "{0} bytes"))),
    el("div", { class: "panes" }, el("div", { class: "left" }, el("div", { class: "stick" }, hex, detail)), tree),
    text);
  return { view, layer, link };
}

// textOf shows application data that is text.
function textOf(r, layer) {
  if (r.type !== "application_data" || !r.plain || layer.key === "wire" && isSealed(r)) return null;
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(r.plain));
  } catch {
    return null;
  }
  if (!text || /[\x00-\x08\x0e-\x1f]/.test(text)) return null;
  return el("details", { class: "as-text" }, el("summary", {}, t("As text")), el("pre", { tabindex: 0 }, text.slice(0, 4000)));
}

// protectionBand stands between what was on the wire and what was inside.
function protectionBand(model, r) {
  const keys = model.keysOf(r);
  const row = (name, value, is) => value ? [el("dt", {}, name), el("dd", {}, el("code", {}, value), is ? el("span", { class: "is" }, t(is)) : null)] : null;
  return el("div", { class: "band" },
    el("p", { class: "band-title" }, r.refused ? t("It did not open.") : r.unopened ? t("Not opened") : r.protection ? t("Opened with {0}", t(r.protection)) : t("Protected"), " ", r.unopened || r.refused ? null : badge("record:" + r.number, model, true)),
    el("dl", {},
      row(t("key"), keys && keys.key, keys && t("of the {0}, from {1}", side(keys.from), keys.secret)),
      row(t("MAC key"), keys && keys.mac),
      row(r.protection && /CBC/.test(r.protection) ? "IV" : t("nonce"), r.nonce, r.nonce_is),
      row(t("additional data"), r.additional, r.additional_is),
      row(t("sequence number"), String(r.seq))),
    el("p", { class: "check" }, r.check ? t(r.check.what) : ""));
}

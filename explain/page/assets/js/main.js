// main: puts the page together.

const state = { connection: 0, mode: "story" };

function recordsView(model) {
  const id = "c" + (model.index + 1) + "-records";
  if (!model.records.length) return null;
  return el("section", { class: "records", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("Every byte")),
    el("p", { class: "lead" }, t("Each record, in the order in which it went over the wire. Open one, and point at a byte or at a name.")),
    droppedView(model),
    model.c.events.map((e) => (e.record ? recordView(model, e.record) : e.gap ? gapView(e.gap) : null)));
}

// gapView stands where bytes were not captured.
function gapView(gap) {
  const missing = gap.bytes < 0 ? t("some bytes of the {0} were not captured", side(gap.from)) : count(gap.bytes, "{0} byte of the {1} was not captured", "{0} bytes of the {1} were not captured", side(gap.from));
  return remarkView({ mood: "warning", text: missing });
}

function droppedView(model) {
  return (model.c.dropped || []).map((d) => remarkView({ mood: "warning", text: t("Not kept from {0} on: {1}, {2}", clock(d.at_us), t(d.what), count(d.records, "{0} record", "{0} records")) }));
}

const parts = [["outcome", () => t("Outcome")], ["story", () => t("Story")], ["ladder", () => t("Flights")], ["records", () => t("Bytes")], ["choices", () => t("Choices")], ["certificates", () => t("Certificates")], ["secrets", () => t("Secrets")], ["transcript", () => t("Transcript")], ["costs", () => t("Costs")]];

function connectionView(model) {
  const views = [outcomeView(model), storyView(model), ladderView(model), recordsView(model), choicesView(model), certificatesView(model), secretsView(model), transcriptView(model), costsView(model)];
  const nav = el("nav", { class: "parts", "aria-label": t("Parts of the page") }, el("ul", {}, parts.filter((p, i) => views[i]).map(([name, title]) => el("li", { class: "to-" + name }, el("a", { href: "#c" + (model.index + 1) + "-" + name }, title())))));
  return el("div", { class: "connection", id: "c" + (model.index + 1), hidden: model.index !== state.connection, role: models.length > 1 ? "tabpanel" : null, "aria-labelledby": models.length > 1 ? "tab-" + model.index : null }, nav, el("div", { class: "parts-body" }, views.filter(Boolean)));
}

function modeSwitch() {
  const choice = (value, text) => el("label", {}, el("input", { type: "radio", name: "mode", value, checked: state.mode === value, change: () => setMode(value) }), el("span", {}, text));
  return el("fieldset", { class: "switch modes" }, el("legend", { class: "hidden" }, t("How to read")), choice("story", t("The story")), choice("bytes", t("Every byte")));
}

function setMode(mode) {
  state.mode = mode;
  document.documentElement.dataset.mode = mode;
  const radio = document.querySelector(`input[name=mode][value=${mode}]`);
  if (radio) radio.checked = true;
}

function languageSwitch() {
  if (languages.length < 2) return null;
  const names = { en: "English", zh: "中文" };
  return el("select", { id: "language", "aria-label": t("Language"), change: (e) => { chooseLanguage(e.target.value); build(); } }, languages.map((l) => el("option", { value: l, selected: l === language, lang: l }, names[l] || l)));
}

function tabsView() {
  if (models.length < 2) return null;
  const tabs = models.map((m) => el("button", { type: "button", role: "tab", id: "tab-" + m.index, "aria-controls": "c" + (m.index + 1), "aria-selected": String(m.index === state.connection), tabindex: m.index === state.connection ? 0 : -1, click: () => showConnection(m.index) }, el("span", {}, m.index + 1 + ". " + m.title()), el("span", { class: "sub" }, [m.c.summary.version, m.c.failure ? t("failed") : m.c.handshakes.length ? t(m.c.handshakes[0].kind) : null].filter(Boolean).join(" · "))));
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": t("Connections") }, tabs);
  list.addEventListener("keydown", (e) => {
    const to = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!to) return;
    e.preventDefault();
    const next = (state.connection + to + models.length) % models.length;
    showConnection(next);
    tabs[next].focus();
  });
  return list;
}

function showConnection(i) {
  state.connection = i;
  for (const m of models) {
    document.getElementById("c" + (m.index + 1)).hidden = m.index !== i;
    const tab = document.getElementById("tab-" + m.index);
    if (tab) {
      tab.setAttribute("aria-selected", String(m.index === i));
      tab.tabIndex = m.index === i ? 0 : -1;
    }
  }
}

// follow goes to an address of the page.
function follow() {
  const a = parseAddress(location.hash);
  if (!a || !models[a.connection]) return;
  if (a.connection !== state.connection) showConnection(a.connection);
  const model = models[a.connection];
  if (a.record !== undefined) {
    setMode("bytes");
    const open = openers.get(a.connection + "-" + a.record);
    if (open) reveal(open(a.layer, a.offset, a.length));
    return;
  }
  if (a.section === "story") setMode("story");
  else if (!["outcome", "ladder"].includes(a.section)) setMode("bytes");
  const target = document.getElementById("c" + (model.index + 1) + "-" + a.section);
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  reveal(target);
}

function reveal(target) {
  target.scrollIntoView({ block: "start" });
  const focus = target.matches("details") ? target.querySelector("summary") : target.querySelector("[role=treeitem][aria-selected=true]") || target.querySelector("h1, h2, h3, h4");
  if (!focus) return;
  if (!focus.matches("summary, [role=treeitem]")) focus.tabIndex = -1;
  focus.focus({ preventScroll: true });
}

// step opens the next record, or the one before.
function step(by) {
  setMode("bytes");
  const all = [...document.querySelectorAll(`#c${state.connection + 1} details.record`)];
  const at = all.findIndex((r) => r.contains(document.activeElement));
  const next = all[at < 0 ? 0 : at + by];
  if (!next) return;
  next.scrollIntoView({ block: "start" });
  next.querySelector("summary").focus({ preventScroll: true });
}

function build() {
  openers.clear();
  badges.clear();
  resultListeners.length = 0;
  selectionListeners.length = 0;
  for (const old of document.querySelectorAll("body > header, body > main, body > footer, body > .skip")) old.remove();
  document.body.prepend(
    el("a", { class: "skip", href: "#main" }, t("To the content")),
    el("header", { class: "top" },
      el("div", { class: "brand" }, el("strong", {}, "vitrine"), el("span", {}, t("explains a connection"))),
      modeSwitch(), searchBox(() => models[state.connection], follow), el("div", { class: "settings" }, languageSwitch(), themeSwitch())),
    el("main", { id: "main", tabindex: -1 }, secretsWarning(), tabsView(), models.map(connectionView)),
    el("footer", {}, shortcutsView(), el("p", {}, t("Written by vitrine. This page loads nothing and sends nothing."))));
  setMode(state.mode);
}

function secretsWarning() {
  if (!models.some((m) => !m.c.redacted && m.secrets.some((s) => s.value))) return null;
  return el("p", { class: "secret-warning", role: "note" }, el("span", { class: "mark", "aria-hidden": "true" }, "!"), t("This page holds the secrets of the connection: with it, anyone can read all that was said. Guard it like a key."));
}

chooseLanguage();
build();
listenToKeys({ "/": () => document.getElementById("search").focus(), n: () => step(1), p: () => step(-1), s: () => setMode("story"), b: () => setMode("bytes") });
addEventListener("hashchange", follow);
follow();
(async () => {
  for (const m of models) await recomputeAll(m);
  document.documentElement.dataset.recomputed = "true";
})();


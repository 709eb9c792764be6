// costs: what each handshake and message took: time, bytes, public-key operations.

function costsView(model) {
  const id = "c" + (model.index + 1) + "-costs";
  const runs = (model.c.handshakes || []).map((hs, i) => ({ hs, i, messages: model.messages.filter((m) => m.at.handshake === i + 1 && m.cost) })).filter((r) => r.messages.length);
  if (!runs.length) return null;
  return el("section", { class: "costs", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("What it cost")),
    el("p", { class: "lead" }, t("Time is since the message before, as this side saw it. Bytes are those on the wire. Operations are those with a public or a private key, which take the most time.")),
    runs.map(({ hs, i, messages }) => [
      runs.length > 1 ? el("h3", {}, t("Handshake {0}: {1}", i + 1, t(hs.kind))) : null,
      costTable(hs, messages, inHandshake(t("Costs by message"), i, runs)),
    ]));
}

function costTable(hs, messages, label) {
  const most = Math.max(1, ...messages.map((m) => m.cost.client_bytes + m.cost.server_bytes));
  const row = (name, from, cost, strong) => {
    const bytes = cost.client_bytes + cost.server_bytes;
    const bar = el("span", { class: "cost-bar " + from, "aria-hidden": "true" });
    bar.style.setProperty("--share", strong ? 0 : bytes / most);
    return el("tr", { class: strong ? "sum" : null },
      el("th", { scope: "row" }, name, from ? el("span", { class: "dir " + from }, " ", side(from)) : null),
      el("td", { class: "figure" }, clock(cost.us)),
      el("td", { class: "figure" }, thousands(bytes), bar),
      el("td", {}, operations(cost, "client")),
      el("td", {}, operations(cost, "server")));
  };
  const heads = [t("message"), t("time"), t("bytes"), t("the client computes"), t("the server computes")];
  return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, el("table", { class: "cost-table" },
    el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, messages.map((m) => row(m.name, m.from, m.cost)), hs.cost ? row(t("all together"), "", hs.cost, true) : null)));
}

function operations(cost, by) {
  const all = (cost.operations || []).filter((o) => o.by === by);
  return all.length ? el("ul", {}, all.map((o) => el("li", {}, o.count > 1 ? o.count + " × " : "", t(o.name), o.with ? el("code", {}, " " + o.with) : null))) : "–";
}

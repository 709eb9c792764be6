// secrets: the tree in which each value follows from others.

function secretsView(model) {
  const id = "c" + (model.index + 1) + "-secrets";
  if (!model.secrets.length && !model.keys.length) return null;
  const runs = model.c.handshakes.map((hs, i) => ({ hs, i, secrets: model.secrets.filter((s) => s.at.handshake === i + 1), keys: model.keys.filter((k) => k.at.handshake === i + 1) })).filter((r) => r.secrets.length || r.keys.length);
  return el("section", { class: "secrets", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The secrets")),
    el("p", { class: "lead" }, t("Each value is made from the one above it. A mark says whether your browser, which computes it again from the same inputs, gets the same bytes.")),
    runs.map((run) => [
      runs.length > 1 ? el("h3", {}, t("Handshake {0}: {1}", run.i + 1, t(run.hs.kind))) : null,
      el("ul", { class: "derivation" }, rootsOf(run).map((node) => nodeView(model, run, node))),
    ]));
}

// parentOf names the value under which a secret stands: the salt, which comes from the
// stage before, or else what it is made from.
function parentOf(run, s) {
  const names = [s.salt, s.from].filter((n) => n && n !== "0");
  for (const n of names) {
    const p = run.secrets.findLast((x) => x.name === n && x.place < s.place && x !== s) || run.secrets.find((x) => x.name === n && x !== s);
    if (p) return p;
  }
  return null;
}

// rootsOf are what nothing here is above of; those that only go into others come first.
function rootsOf(run) {
  const roots = run.secrets.filter((s) => !parentOf(run, s)).concat(run.keys.filter((k) => !ownerOf(run, k)));
  const alone = (n) => n.name && !run.secrets.some((s) => parentOf(run, s) === n);
  return [...roots.filter(alone), ...roots.filter((n) => !alone(n))];
}

const ownerOf = (run, k) => run.secrets.findLast((s) => s.name === k.secret);

function nodeView(model, run, node) {
  if (!node.name) return el("li", {}, keysView(model, node));
  const children = [...run.secrets.filter((s) => parentOf(run, s) === node), ...run.keys.filter((k) => ownerOf(run, k) === node)];
  return el("li", {}, secretView(model, node), children.length ? el("ul", {}, children.map((c) => nodeView(model, run, c))) : null);
}

function secretView(model, s) {
  const input = (name, value, is) => el("div", {}, el("dt", {}, name), el("dd", {}, is ? el("span", { class: "is" }, t(is)) : null, value ? el("code", {}, value) : null));
  const parent = (name) => {
    const p = name && name !== "0" && model.secret(name, s.place);
    return p ? input(t("from"), p.value, name) : null;
  };
  return el("details", { class: "node", id: "c" + (model.index + 1) + "-s" + s.place },
    el("summary", {}, el("span", { class: "name" }, s.name), s.from && s.salt && s.salt !== "0" ? el("span", { class: "of" }, t("with {0}", s.from)) : null, badge("secret:" + s.place, model), el("code", { class: "peek" }, s.value ? s.value.slice(0, 16) + "…" : t("withheld"))),
    el("div", { class: "node-body" },
      s.meaning ? el("p", {}, t(s.meaning), " ", rfc(s.ref)) : rfc(s.ref),
      el("p", { class: "formula" }, t(s.formula)),
      el("dl", {},
        s.salt ? input(t("salt"), s.salt === "0" ? "" : (model.secret(s.salt, s.place) || {}).value, s.salt === "0" ? t("zeros, as there is nothing before it") : s.salt) : null,
        parent(s.from),
        s.label ? input(t("label"), null, '"' + s.label + '"') : null,
        s.input || s.input_is ? input(t("input"), s.input, s.input_is || t("the other input")) : null,
        s.hash ? input(t("hash"), null, s.hash) : null,
        input(t("output"), s.value || null, s.value ? null : t("withheld: the account was saved without secrets"))),
      el("p", { class: "check " + s.check.result }, t("vitrine: {0}", t(s.check.what))),
      el("p", { class: "check" }, badge("secret:" + s.place, model, true))));
}

function keysView(model, k) {
  const row = (name, value) => (value ? el("div", {}, el("dt", {}, name), el("dd", {}, el("code", {}, value))) : null);
  return el("details", { class: "node keys", id: "c" + (model.index + 1) + "-s" + k.place },
    el("summary", {}, el("span", { class: "name" }, t("keys of the {0}", side(k.from))), el("span", { class: "of" }, k.label ? t(k.label) : ""), badge("keys:" + k.place, model), el("code", { class: "peek" }, k.key ? k.key.slice(0, 16) + "…" : "")),
    el("div", { class: "node-body" },
      el("p", {}, k.cipher_suite, " · ", t("epoch {0}", k.epoch), " ", rfc(k.ref)),
      k.formula ? el("p", { class: "formula" }, t(k.formula)) : null,
      el("dl", {}, row(t("key"), k.key), row(t("iv"), k.iv), row(t("MAC key"), k.mac)),
      el("p", { class: "check " + k.check.result }, t("vitrine: {0}", t(k.check.what))),
      el("p", { class: "check" }, badge("keys:" + k.place, model, true))));
}

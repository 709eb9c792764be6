// certificates: what was shown, in plain words, and whether it was believed.

function certificatesView(model) {
  const id = "c" + (model.index + 1) + "-certificates";
  const shown = model.said().filter((m) => m.name === "Certificate");
  const verdict = model.c.verdict;
  if (!shown.length && !verdict) return null;
  return el("section", { class: "certificates", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The certificates")),
    verdict ? verdictView(verdict) : trustView(model),
    shown.map((m) => chainView(model, m)));
}

function trustView(model) {
  const c = model.c;
  if (c.trust) return el("p", { class: "remark good" }, el("span", { class: "mark", "aria-hidden": "true" }, "✓"), el("span", {}, t(c.trust)));
  return el("p", { class: "remark warning" }, el("span", { class: "mark", "aria-hidden": "true" }, "!"), el("span", {}, t("The account does not say whether anybody verified them.")));
}

function chainView(model, m) {
  const certificates = m.fields.filter((f) => (f.details || []).length);
  return el("div", { class: "chain" },
    el("h3", {}, t("Shown by the {0}", side(m.from)), " ", el("span", { class: "size" }, count(certificates.length, "{0} certificate", "{0} certificates"))),
    certificates.length ? el("ol", { class: "cards" }, certificates.map((f) => certificateCard(model, m, f))) : el("p", {}, t("An empty list: it has none to show.")));
}

function certificateCard(model, m, f) {
  const at = placeIn(model, m, f.offset);
  return el("li", { class: "card" },
    el("dl", { class: "words" }, f.details.map((d) => [el("dt", {}, t(d.name)), el("dd", {}, t(d.text))])),
    at ? el("p", {}, el("a", { href: "#" + at }, t("See its {0} bytes", thousands(f.length)))) : null);
}

// placeIn is the address of a byte of a message.
function placeIn(model, m, offset) {
  let from = 0;
  for (const p of m.pieces) {
    if (offset >= from && offset < from + p.length) {
      const r = model.byNumber.get(p.record);
      return r ? addressOfContent(model, r, p.offset + offset - from) : null;
    }
    from += p.length;
  }
  return null;
}

function verdictView(v) {
  const mood = v.accepted ? "good" : "bad";
  const broken = (v.rules || []).filter((r) => !r.passed);
  return el("div", { class: "verdict " + mood },
    el("p", { class: "remark " + mood }, el("span", { class: "mark", "aria-hidden": "true" }, v.accepted ? "✓" : "✗"), el("span", {}, t(v.sentence))),
    v.advice ? el("p", { class: "remark advice" }, el("span", { class: "mark", "aria-hidden": "true" }, "→"), el("span", {}, t(v.advice))) : null,
    (v.warnings || []).map((w) => remarkView({ mood: "warning", text: w })),
    v.certificates.length ? el("ol", { class: "path-of-trust" }, v.certificates.map((c) => el("li", {}, el("strong", {}, c.subject), el("span", {}, [t(c.role), c.key, t("until {0}", c.not_after.slice(0, 10))].join(" · "))))) : null,
    (v.answers || []).map((a) => el("p", {}, t(a.text))),
    (v.rules || []).length ? el("details", {}, el("summary", {}, t("{0} rules were asked, {1} broken", v.rules.length, broken.length)),
      el("ul", { class: "rules" }, [...broken, ...v.rules.filter((r) => r.passed)].map((r) => el("li", { class: r.passed ? "passed" : "broken" }, el("span", { "aria-hidden": "true" }, r.passed ? "✓ " : "✗ "), hidden(r.passed ? t("passed") : t("broken")), " ", t(r.breach || r.demands), " ", rfc(t(r.source)))))) : null);
}

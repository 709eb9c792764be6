// outcome: how it ended, and what was agreed.

const marks = { good: "✓", bad: "✗", warning: "!", advice: "→", quiet: "·", "": "·" };
const moodWords = { good: "good", bad: "bad", warning: "warning", advice: "advice" };

function outcomeView(model) {
  const c = model.c;
  const s = c.summary;
  const facts = [
    [t("Version"), s.version],
    [t("Cipher suite"), s.cipher_suite],
    [t("Key exchange"), [s.key_exchange, s.group, s.dh_bits && t("{0} bits", s.dh_bits)].filter(Boolean).join(" · ")],
    [t("Signature"), s.signature_scheme],
    [t("Server name"), s.server_name],
    [t("Protocol inside"), s.alpn],
    [t("Resumed"), s.resumed && { id: t("by session ID"), ticket: t("by ticket"), psk: t("by pre-shared key") }[s.resumed]],
    [t("Handshake"), s.complete ? [count(s.round_trips, "{0} round trip", "{0} round trips"), clock(s.handshake_us)].join(" · ") : null],
    [t("Records"), model.records.length ? count(model.records.length, "{0} record", "{0} records") + " · " + count(model.records.reduce((n, r) => n + r.wire.length / 2, 0), "{0} byte", "{0} bytes") : null],
    [t("Seen from"), c.captured ? t("the wire, by somebody who only listened") : t("the {0}'s side", side(c.side))],
  ].filter(([, v]) => v);
  const browser = el("div", { class: "remark browser", role: "status" }, el("span", { class: "mark", "aria-hidden": "true" }, "…"), el("span", {}, t("Your browser computes everything again …")));
  resultListeners.push((m, n) => m === model && browser.replaceChildren(...tallyWords(n)));
  if (recomputed.has(model.index)) browser.replaceChildren(...tallyWords(tally(model)));
  return el("section", { class: "outcome", id: "c" + (model.index + 1) + "-outcome", "aria-labelledby": "h-outcome-" + model.index },
    el("p", { class: "over" }, c.target_is ? t(c.target_is) : t("A connection")),
    el("h1", { id: "h-outcome-" + model.index }, headline(model)),
    el("div", { class: "remarks" }, model.outcome.map(remarkView), browser),
    el("dl", { class: "facts-grid" }, facts.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v)))),
    (c.checks.failures || []).length ? el("ul", { class: "failures" }, c.checks.failures.map((f) => el("li", {}, t(f)))) : null);
}

function headline(model) {
  const s = model.c.summary;
  const where = model.c.target || "";
  const what = s.version || "TLS";
  return where ? [el("span", { class: "version" }, what), " ", t("with"), " ", el("span", { class: "target" }, where)] : what;
}

function remarkView(r) {
  const mood = r.mood || "";
  return el("p", { class: "remark " + (mood || "plain") }, el("span", { class: "mark", "aria-hidden": "true" }, marks[mood] || "·"), el("span", {}, moodWords[mood] ? hidden(t(moodWords[mood]) + ": ") : null, t(r.text)));
}

function tallyWords(n) {
  const mark = (m) => el("span", { class: "mark", "aria-hidden": "true" }, m);
  const why = [...n.reasons].sort((a, b) => b[1] - a[1]).map(([w, k]) => k + " × " + w).join("; ");
  const rest = n.cannot ? el("details", { class: "cannot" }, el("summary", {}, t("{0} computed by vitrine, not by your browser", n.cannot)), el("p", {}, why)) : null;
  const line = (m, text) => [mark(m), el("div", {}, text, rest)];
  if (n.differs) return line("✗", t("Computed again by your browser: {0} differ, {1} agree", n.differs, n.agrees));
  if (!n.agrees) return line("–", t("Your browser could compute nothing of it again"));
  return line("✓", t("Computed again by your browser: {0} values, all agree", n.agrees));
}

// transcript: the hash at each message, and what each proof is over.

function transcriptView(model) {
  const id = "c" + (model.index + 1) + "-transcript";
  const runs = (model.c.handshakes || []).map((hs, i) => ({ hs, i })).filter((r) => (r.hs.transcript || []).length);
  if (!runs.length) return null;
  return el("section", { class: "transcript", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The transcript")),
    el("p", { class: "lead" }, t("Both sides hash all messages as they go. A proof is made over the hash at one point; so a changed message breaks every proof after it.")),
    runs.map(({ hs, i }) => [
      runs.length > 1 ? el("h3", {}, t("Handshake {0}: {1}", i + 1, t(hs.kind))) : null,
      hashTable(model, hs, i, inHandshake(t("Transcript hashes"), i, runs)),
      coverTable(model, hs, i, inHandshake(t("What each proof covers"), i, runs)),
    ]));
}

// inHandshake tells apart what there is one of for each handshake.
const inHandshake = (name, i, runs) => (runs.length > 1 ? t("{0}, handshake {1}", name, i + 1) : name);

function hashTable(model, hs, i, label) {
  const uses = (p) => model.secrets.filter((s) => s.input && s.input === p.hash && p.hash).map((s) => s.name);
  return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, el("table", { class: "hashes" },
    el("caption", {}, hs.hash ? t("{0} of all messages up to and with this one", hs.hash) : t("The messages; no hash was agreed on")),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("message")), el("th", { scope: "col" }, t("hash")), el("th", { scope: "col" }, t("goes into")))),
    el("tbody", {}, hs.transcript.map((p, n) => {
      const m = model.c.events[p.event].message;
      const at = m && placeIn(model, m, 0);
      return el("tr", {},
        el("th", { scope: "row" }, at ? el("a", { href: "#" + at }, p.name) : p.name, el("span", { class: "dir " + (m ? m.from : "") }, m ? side(m.from) : "")),
        el("td", {}, p.hash ? [el("code", {}, p.hash), " ", badge("hash:" + i + ":" + n, model)] : "–"),
        el("td", { class: "uses" }, uses(p).join(", ")));
    }))));
}

// coverTable has a row for each proof and a column for each message.
function coverTable(model, hs, i, label) {
  const messages = hs.transcript.map((p) => model.c.events[p.event].message);
  const proofs = messages.map((m, n) => ({ m, n })).filter(({ m }) => m && m.covers && m.at.handshake === i + 1);
  if (!proofs.length) return null;
  const covered = ({ m, n }, k) => {
    if (m.name === "ServerKeyExchange") return k <= n && ["ClientHello", "ServerHello", "ServerKeyExchange"].includes(messages[k].name) ? "part" : "";
    if (namesOf(m).includes("ClientHello")) return k < n ? "whole" : k === n ? "part" : "";
    return k < n ? "whole" : "";
  };
  const cell = { whole: ["●", t("covered")], part: ["◐", t("covered in part")], "": ["", t("not covered")] };
  return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, el("table", { class: "covers" },
    el("caption", {}, t("What each proof covers")),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("proof")), messages.map((m) => el("th", { scope: "col", class: m.from }, el("span", {}, m.name))))),
    el("tbody", {}, proofs.map((p) => el("tr", {},
      el("th", { scope: "row" }, namesOf(p.m).includes("ClientHello") ? t("binder") : p.m.name === "ServerKeyExchange" ? t("{0}'s signature", p.m.name) : p.m.name, " ", el("span", { class: "dir " + p.m.from }, side(p.m.from)), el("span", { class: "over" }, t(p.m.covers))),
      messages.map((m, k) => {
        const [mark, words] = cell[covered(p, k)];
        return el("td", {}, el("span", { "aria-hidden": "true" }, mark), hidden(words));
      }))))));
}

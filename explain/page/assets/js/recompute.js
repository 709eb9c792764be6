// recompute: everything is computed again in the browser, and badges show what came of it.

// results are by "connection/what": { state, why }. The states are "agrees", "differs",
// "cannot", "given" for an input and, at first, "pending".
const results = new Map();
const badges = new Map();
const resultListeners = [];
const recomputed = new Set(); // the accounts that are done

// badge shows a result, now and when it changes.
function badge(key, model, long) {
  const full = model.index + "/" + key;
  const e = el("span", { class: "badge" + (long ? " long" : "") });
  e.long = Boolean(long);
  if (!badges.has(full)) badges.set(full, []);
  badges.get(full).push(e);
  showBadge(e, results.get(full) || { state: "pending" });
  return e;
}

function showBadge(e, { state, why }) {
  const words = {
    pending: ["…", t("being computed by your browser")],
    agrees: ["✓", t("computed again by your browser: agrees")],
    differs: ["✗", t("computed again by your browser: differs")],
    given: ["·", t("an input: nothing here can confirm it")],
    cannot: ["–", t("computed by vitrine, not by your browser")],
  }[state];
  e.className = "badge " + state + (e.long ? " long" : "");
  e.title = words[1] + (why ? " (" + why + ")" : "");
  e.replaceChildren(el("span", { "aria-hidden": "true" }, words[0]), e.long ? el("span", {}, " " + e.title) : hidden(e.title));
}

function settle(model, key, result) {
  const full = model.index + "/" + key;
  results.set(full, result);
  (badges.get(full) || []).forEach((e) => showBadge(e, result));
}

// judge runs one computation and says what came of it.
async function judge(model, key, compute) {
  try {
    if (model.c.redacted && !key.startsWith("hash:")) throw new Cannot(t("redacted: a stand-in"));
    const { value, wanted, notes } = await compute();
    const why = (notes || []).filter(Boolean).join("; ");
    settle(model, key, { state: same(value, wanted) ? "agrees" : "differs", why });
  } catch (err) {
    if (err instanceof Cannot) settle(model, key, { state: "cannot", why: err.message });
    else settle(model, key, { state: "differs", why: String(err.name || err) });
  }
}

// recomputeAll computes what an account has again.
async function recomputeAll(model) {
  for (const s of model.secrets) {
    if (s.check.result === "given" && s.value) {
      settle(model, "secret:" + s.place, { state: "given", why: "" });
      continue;
    }
    await judge(model, "secret:" + s.place, async () => {
      const out = await deriveSecret(model, s);
      return { ...out, wanted: bytesOf(s.value) };
    });
  }
  for (const k of model.keys) await judge(model, "keys:" + k.place, () => deriveKeys(model, k));
  for (const r of model.records) if (isSealed(r) && !r.refused && !r.unopened) await judge(model, "record:" + r.number, () => openRecord(model, r));
  await recomputeTranscripts(model);
  recomputed.add(model.index);
  resultListeners.forEach((f) => f(model, tally(model)));
}

async function recomputeTranscripts(model) {
  for (const [i, hs] of (model.c.handshakes || []).entries()) {
    const points = (hs.transcript || []).filter((p) => p.hash);
    for (const [n, p] of points.entries()) {
      await judge(model, "hash:" + i + ":" + n, async () => {
        const all = await transcriptHashes(model, hs, hs.hash);
        return { value: all[n].hash, wanted: bytesOf(p.hash) };
      });
    }
  }
}

// tally counts the results of an account.
function tally(model) {
  const n = { agrees: 0, differs: 0, cannot: 0, given: 0, reasons: new Map() };
  for (const [key, r] of results) {
    if (!key.startsWith(model.index + "/")) continue;
    n[r.state]++;
    if (r.state === "cannot") n.reasons.set(r.why, (n.reasons.get(r.why) || 0) + 1);
  }
  return n;
}

// result: what came of a run.
import { byID, el, rfc, say, t } from "./dom.js";

// moods are how a finding shall strike its reader, and titles say it in few words.
const moods = { honest: "good", refused: "good", cut: "good", harmless: "warning", waiting: "warning", absent: "warning", changed: "bad", failed: "warning" };
const titles = {
  honest: "The connection is complete",
  refused: "It was noticed",
  cut: "The cut was noticed",
  harmless: "Nobody noticed, and nothing was lost",
  waiting: "Both sides wait",
  absent: "Nothing was touched",
  changed: "Nobody noticed",
  failed: "The two do not come together",
};

const row = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : null);

// details are the parts of a finding.
function details(f) {
  const where = [f.record ? t("record {0} in its account", f.record) : null, f.byte >= 0 ? t("byte {0}", f.byte) : null, f.message || null].filter(Boolean).join(", ");
  return el("dl", { class: "facts" },
    row(t("who noticed"), t(f.by)),
    row(t("where"), where),
    row(t("by which rule"), t(f.rule)),
    row(t("where it stands"), f.ref ? refs(f.ref) : null),
    row(t("alert"), f.alert ? el("code", {}, f.alert) : null),
    row(t("its peer learnt"), f.heard ? t(f.heard) : null),
    row(t("the defence"), f.defence ? t(f.defence) : null));
}

const refs = (text) => text.split(", ").flatMap((r, i) => (i ? [", ", rfc(r)] : [rfc(r)]));

// finding is the card above the accounts.
export function finding(run) {
  const f = run.finding;
  return el("div", { class: "card " + (moods[f.outcome] || "") },
    el("h2", { id: "finding-title", tabindex: "-1" }, t(titles[f.outcome] || f.outcome)),
    run.deviation ? el("p", { class: "did" }, t("What was done: {0}.", t(run.words))) : null,
    f.by ? details(f) : el("p", {}, t(f.text)),
    f.outcome === "honest" ? el("p", { class: "did" }, t("Now touch it: choose Every byte in an account, open a record, and select it, a byte or a field of it.")) : null,
    f.without ? el("p", {}, el("strong", {}, t("Without that defence: ")), t(f.without)) : null);
}

// frame shows the account of one side; selected is called with what the reader selects.
function frame(run, side, selected) {
  const title = side === "client" ? t("The client's account") : t("The server's account");
  const at = run.finding.by === side && run.finding.record ? "#c1-r" + run.finding.record : ""; // the page opens where it was noticed
  const f = el("iframe", { src: "run/" + run.id + "/" + side + at, title });
  f.addEventListener("load", () => {
    const theme = document.documentElement.dataset.theme;
    if (theme) f.contentDocument.documentElement.dataset.theme = theme;
    if (at) { // which took the focus and the window along
      if (document.activeElement === f) byID("finding-title").focus({ preventScroll: true });
      byID("finding").scrollIntoView({ block: "start" });
    }
    f.contentDocument.addEventListener("vitrine:select", (e) => selected(run, side, e.detail));
  });
  return el("figure", {}, el("figcaption", { class: side + "-side" }, title), f);
}

// show puts a run on the page.
export function show(run, selected, keepStory) {
  if (!keepStory) byID("story").replaceChildren();
  byID("finding").replaceChildren(finding(run));
  byID("touch").replaceChildren();
  byID("frames").replaceChildren(frame(run, "client", selected), frame(run, "server", selected));
  say(t(titles[run.finding.outcome] || "") + ". " + t(run.finding.text));
}

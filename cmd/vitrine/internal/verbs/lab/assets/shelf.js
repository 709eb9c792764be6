// shelf: the experiments.
import { ask, byID, el, rfc, say, t } from "./dom.js";
import { show } from "./result.js";

let current = "";

// list shows the titles; selected is called with what a reader selects in an account.
export function list(experiments, selected) {
  byID("list").replaceChildren(...experiments.map((x) =>
    el("li", {}, el("button", { type: "button", "data-name": x.name, click: () => open(x, selected) }, t(x.title)))));
}

function clear() {
  for (const id of ["finding", "touch", "frames"]) byID(id).replaceChildren();
}

// story is the text of an experiment.
function story(x, more) {
  return el("article", { class: "card" },
    el("h2", { id: "story-title", tabindex: "-1" }, t(x.title)),
    x.story.map((p) => el("p", {}, t(p))),
    el("p", {}, el("strong", {}, t("What to look at: ")), t(x.look)),
    el("p", {}, el("strong", {}, t("The answer: ")), t(x.answer)),
    el("p", { class: "refs" }, x.refs.map(rfc)),
    more);
}

function open(x, selected) {
  current = x.name;
  for (const b of byID("list").querySelectorAll("button")) b.setAttribute("aria-current", String(b.dataset.name === x.name));
  clear();
  const button = el("button", { class: "button main", type: "button", click: () => play(x, button, selected) }, t("Run it"));
  byID("story").replaceChildren(story(x, el("p", {}, button)));
  byID("story-title").focus();
}

async function play(x, button, selected) {
  button.disabled = true;
  say(t("Running"));
  let p;
  try {
    p = await ask("api/experiment", { name: x.name });
  } catch (e) {
    button.disabled = false;
    button.after(el("p", { class: "alert", role: "alert" }, e.message));
    return;
  }
  if (current !== x.name) return;
  clear();
  byID("story").replaceChildren(story(x, outcome(p, selected)));
  byID("claims-title").focus();
  say(t("{0} of {1} claims are what the runs did", p.claims.filter((c) => c.holds).length, p.claims.length));
}

// outcome are the claims, what was measured, and the runs.
function outcome(p, selected) {
  return [
    el("h3", { id: "claims-title", tabindex: "-1" }, t("What the runs did")),
    el("ul", { class: "claims" }, p.claims.map((c) =>
      el("li", {}, el("span", { class: c.holds ? "yes" : "no" }, c.holds ? "✓" : "✗"), el("span", {}, c.holds ? null : el("strong", {}, t("Not so: ")), t(c.text))))),
    p.facts && p.facts.length ? el("dl", { class: "facts" }, p.facts.map((f) => [el("dt", {}, t(f.what)), el("dd", {}, String(f.value))])) : null,
    el("h3", {}, t("The runs")),
    el("ol", { class: "runs" }, p.runs.map((r) => el("li", {},
      el("h4", {}, t(r.title)),
      r.deviation ? el("p", { class: "did" }, t("What was done: {0}.", t(r.words))) : null,
      el("p", {}, t(r.finding.text)),
      r.finding.without ? el("p", {}, el("strong", {}, t("Without that defence: ")), t(r.finding.without)) : null,
      el("button", { class: "button", type: "button", click: () => reveal(r, selected) }, t("Show both accounts"))))),
  ];
}

function reveal(r, selected) {
  show(r, selected, true);
  byID("finding").scrollIntoView();
  byID("finding-title").focus({ preventScroll: true });
}

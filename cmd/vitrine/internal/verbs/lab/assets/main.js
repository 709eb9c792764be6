// main: the page of the lab.
import { ask, byID, el, say, t } from "./dom.js";
import * as form from "./form.js";
import * as shelf from "./shelf.js";
import { show } from "./result.js";
import { open } from "./touch.js";

// The token has done its work: the browser has a cookie now.
history.replaceState(null, "", location.pathname);

const views = [["setup", "Put a connection together"], ["shelf", "Experiments"]];

function view(name) {
  for (const [id] of views) byID(id).hidden = id !== name;
  for (const b of byID("views").children) b.setAttribute("aria-pressed", String(b.dataset.view === name));
}

// touched is what follows when a reader selects something in an account.
const touched = (run, side, detail) => open(run, side, detail, again);

let honest = null; // the last run with nobody in the middle

// again runs a setup with a deviation; null for none.
async function again(setup, deviation) {
  byID("refused").replaceChildren();
  const buttons = [...document.querySelectorAll("#run, #touch .button")];
  for (const b of buttons) b.disabled = true;
  say(t("Running"));
  try {
    const run = await ask("api/run", { setup, deviation });
    if (!deviation) honest = run;
    show(run, touched);
    if (deviation && honest) back(honest);
    byID("result").scrollIntoView({ block: "start" });
    byID("finding-title").focus({ preventScroll: true });
  } catch (e) {
    byID("refused").replaceChildren(el("p", { class: "alert" }, e.message));
    byID("refused").scrollIntoView({ block: "nearest" });
  }
  for (const b of buttons) b.disabled = false;
}

// back offers the run with nobody in the middle.
function back(run) {
  byID("finding").firstChild.append(el("p", { class: "history" },
    el("button", { class: "button", type: "button", click: () => again(run.setup, null) }, t("Once more, with nobody in the middle"))));
}

// theme switches between light and dark; the browser's own is the first.
function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  for (const f of document.querySelectorAll("iframe")) f.contentDocument.documentElement.dataset.theme = root.dataset.theme;
}

async function begin() {
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.textContent);
  byID("views").append(...views.map(([id, title]) => el("button", { type: "button", "data-view": id, click: () => view(id) }, t(title))));
  byID("prefs").append(el("button", { class: "button", type: "button", click: theme }, t("Light or dark")));
  view("setup");
  let catalog;
  try {
    catalog = await ask("api/catalog");
  } catch (e) {
    byID("finding").replaceChildren(el("p", { class: "alert", role: "alert" }, e.message));
    return;
  }
  form.build(catalog, (setup) => again(setup, null));
  shelf.list(catalog.experiments, touched);
  byID("finding").replaceChildren(el("div", { class: "card" },
    el("h2", { id: "finding-title", tabindex: "-1" }, t("A connection behind glass")),
    el("p", {}, t("Choose what to agree on, and run it: a client and a server of this library talk to each other, here in this process, and you read what both have to say. Then select a byte, a record or a message in an account, and choose what somebody in the middle does with it.")),
    el("p", {}, t("The experiments play the attacks that TLS is known for."))));
  document.documentElement.dataset.ready = "true";
}

begin();

// touch: what can be done at the place that is selected.
import { ask, byID, el, say, t } from "./dom.js";

// place is where a selection is, in words.
function place(side, at) {
  const parts = [at.field && at.field !== "record" ? t("the field {0}", at.field) : null, at.message || null,
    t("record {0}", at.record), side === "client" ? t("in the client's account") : t("in the server's account")];
  return parts.filter(Boolean).join(", ");
}

// controls are what a thing that can be done needs to know, and a function that reads them.
function controls(touch) {
  const d = touch.deviation;
  const parts = [];
  const reads = [];
  if (touch.asks) {
    const options = touch.options || [];
    const text = options.length > 1
      ? el("select", {}, options.map((o) => el("option", { value: o }, o)))
      : el("input", { type: "text", spellcheck: "false", autocomplete: "off", value: options[0] || "" });
    parts.push(el("label", {}, t(touch.asks), text));
    reads.push((x) => (x.text = text.value));
  }
  if (d.kind === "flip") {
    const bit = el("select", {}, [7, 6, 5, 4, 3, 2, 1, 0].map((b) => el("option", { value: b }, "0x" + (1 << (7 - b)).toString(16).padStart(2, "0"))));
    parts.push(el("label", {}, t("the bit"), bit));
    reads.push((x) => (x.bit = Number(bit.value)));
  }
  if (d.inside) {
    const mend = el("input", { type: "checkbox" });
    parts.push(el("label", { class: "tick" }, mend, t("and mend Finished and signatures after it")));
    reads.push((x) => (x.mend = mend.checked));
  }
  return [parts, () => reads.reduce((x, read) => (read(x), x), { ...d })];
}

// panel is the form with all that can be done; again is called with what to run.
function panel(run, where, touches, again) {
  const group = (inside, title) => {
    const rows = touches.map((x, i) => [x, i]).filter(([x]) => !!x.deviation.inside === inside);
    return rows.length ? el("optgroup", { label: title }, rows.map(([x, i]) => el("option", { value: i }, t(x.title)))) : null;
  };
  const what = el("select", { id: "touch-what" }, group(false, t("On the wire, as anybody on the path can")), group(true, t("Inside, with the keys known")));
  const more = el("div", { class: "more" });
  const about = el("p", { class: "about" });
  let read;
  const choose = () => {
    const touch = touches[what.value];
    const [parts, reader] = controls(touch);
    read = reader;
    more.replaceChildren(...parts);
    about.textContent = t(touch.what);
  };
  what.addEventListener("change", choose);
  choose();
  const act = (e) => {
    e.preventDefault();
    again(run.setup, read());
  };
  return el("form", { class: "card", "aria-labelledby": "touch-title", submit: act },
    el("div", { class: "head" }, el("h2", { id: "touch-title" }, t("Touch it")), el("p", { class: "lookat" }, where),
      el("button", { class: "button", type: "button", click: () => byID("touch").replaceChildren() }, t("Close"))),
    el("div", { class: "what" }, el("label", {}, t("what somebody in the middle does"), what), more, el("button", { class: "button main", type: "submit" }, t("Run it so"))),
    about);
}

// open shows the panel for a selection.
export async function open(run, side, detail, again) {
  const at = { record: detail.record, layer: detail.layer || "wire", offset: detail.offset || 0, message: detail.message || "", message_offset: detail.message_offset || 0, whole: detail.field === "record" };
  let touches;
  try {
    touches = (await ask("api/touches", { run: run.id, side, at })) || [];
  } catch (e) {
    byID("touch").replaceChildren(el("p", { class: "alert", role: "alert" }, e.message));
    return;
  }
  const where = place(side, { ...detail, ...at });
  byID("touch").replaceChildren(touches.length ? panel(run, where, touches, again)
    : el("p", { class: "card" }, t("Nothing can be done with {0}: it was refused, or never sent.", where)));
  say(t("{0}: {1} things can be done here, listed after the accounts", where, touches.length));
}

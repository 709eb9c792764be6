// story: the connection in a few steps, for people who meet TLS for the first time.

function storyView(model) {
  const id = "c" + (model.index + 1) + "-story";
  const told = tenOf(steps.filter((s) => s.when(model)));
  return el("section", { class: "story", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The story")),
    el("p", { class: "lead" }, told.length === 1 ? t("What happened, in one step, with the few bytes that it is about.") :
      t("What happened, in {0} steps. Each shows the few bytes that it is about.", told.length)),
    el("ol", { class: "steps" }, told.map((s) => stepView(model, s))));
}

// tenOf leaves at most ten steps: those that can be spared go, the highest number first.
function tenOf(all) {
  const spared = all.filter((s) => s.spare).sort((a, b) => b.spare - a.spare).slice(0, Math.max(0, all.length - 10));
  return all.filter((s) => !spared.includes(s));
}

function stepView(model, step) {
  const b = step.bytes(model);
  return el("li", { class: "step" + (step.bad ? " bad" : "") }, el("div", { class: "step-text" }, el("h3", {}, step.title()), el("p", {}, step.text(model))), b ? stepBytes(model, b) : null);
}

function stepBytes(model, b) {
  const to = b.at || (b.record ? "c" + (model.index + 1) + "-r" + b.record.number : b.secret ? "c" + (model.index + 1) + "-s" + b.secret.place : null);
  const few = (bytes, n) => [el("code", { class: "few" }, hexOf(bytes.subarray(0, n)).replace(/(..)(?=.)/g, "$1 ")), bytes.length > n ? el("span", { class: "more" }, t("… {0} bytes in all", thousands(bytes.length))) : null];
  const text = b.inside && new TextDecoder().decode(b.inside.subarray(0, 60)).split("\r\n")[0];
  const readable = text && /^[\x20-\x7e]+$/.test(text) ? text : null;
  return el("figure", { class: "step-bytes " + (b.from || "") },
    el("figcaption", {}, b.label, b.from ? el("span", { class: "dir " + b.from }, side(b.from)) : null),
    b.inside ? el("p", {}, el("span", { class: "tag" }, t("on the wire")), few(b.bytes, 24)) : el("p", {}, few(b.bytes, 32)),
    b.inside ? el("p", {}, el("span", { class: "tag" }, t("inside")), readable ? el("code", { class: "few" }, readable) : few(b.inside, 24)) : null,
    to ? el("a", { href: "#" + to }, t("See every byte of it")) : null);
}

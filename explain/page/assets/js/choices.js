// choices: each decision, with what both sides had to offer.

function choicesView(model) {
  const id = "c" + (model.index + 1) + "-choices";
  if (!model.choices.length) return null;
  return el("section", { class: "choices", id, "aria-labelledby": "h-" + id },
    el("h2", { id: "h-" + id }, t("The choices")),
    el("p", { class: "lead" }, t("Each side comes with a list. What both have is agreed on; the rest of the lists is what could have been.")),
    model.choices.map((c) => choiceView(model, c)));
}

function choiceView(model, c) {
  const [client, server] = model.c.side === "client" ? [c.ours, c.theirs] : [c.theirs, c.ours];
  const both = (client || []).filter((x) => (server || []).includes(x));
  const list = (offer, who) => el("div", { class: "offer " + who },
    el("h4", {}, who === "client" ? t("The client offers") : t("The server has")),
    (offer || []).length
      ? el("ol", {}, offer.map((x) => el("li", { class: x === c.picked ? "picked" : both.length && !both.includes(x) ? "alone" : null }, el("code", {}, x), x === c.picked ? el("span", { class: "tag" }, t("chosen")) : both.includes(x) ? el("span", { class: "tag quiet" }, t("both have it")) : null)))
      : el("p", { class: "unknown" }, who === model.c.side ? t("nothing to choose from") : t("not known: a {0} does not say what else it has", side(who))));
  return el("article", { class: "choice" },
    el("h3", {}, t(c.what), el("span", { class: "picked-value" }, c.picked ? t(c.picked) : t("nothing suited both"))),
    el("p", {}, c.why ? t("Chosen by the {0}: {1}.", side(c.by), t(c.why)) : t("Chosen by the {0}.", side(c.by)), " ", rfc(c.ref)),
    client || server ? [
      el("div", { class: "offers" }, list(client, "client"), list(server, "server")),
      el("p", { class: "otherwise" }, otherwise(c, client || [], server || [], both)),
    ] : null);
}

// otherwise says what would have been chosen without the choice.
function otherwise(c, client, server, both) {
  if (!c.picked) return t("One value that both lists have would have been enough.");
  if (client.length && server.length) {
    const byClient = client.filter((x) => both.includes(x));
    const byServer = server.filter((x) => both.includes(x));
    if (!both.includes(c.picked)) return "";
    const order = byServer[0] === c.picked ? byServer : byClient;
    const next = order.find((x) => x !== c.picked);
    return next ? t("Without it, {0} would have been chosen: the next that both have.", next) : t("Without it there would have been nothing that both have, and no connection.");
  }
  const others = (client.length ? client : server).filter((x) => x !== c.picked && !/SCSV|GREASE/.test(x));
  if (!others.length) return t("There was no other offer: a peer without it would have ended the connection.");
  if (others.length === 1) return t("Without it, the peer could only have taken {0}, or ended the connection.", others[0]);
  return t("Without it, the peer could only have taken one of the {0} others, or ended the connection.", others.length);
}

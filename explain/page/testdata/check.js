// What must be true of every page. It opens everything, and returns what is wrong.
(async () => {
  const problems = [];
  const wrong = (what) => problems.length < 20 && problems.push(what);
  const soon = () => new Promise((done) => setTimeout(done, 0));
  const account = JSON.parse(document.getElementById("data").textContent).accounts[0].connection;
  const records = account.events.filter((e) => e.record).map((e) => e.record);
  const told = [];
  document.addEventListener("vitrine:select", (e) => told.push(e.detail));
  document.querySelector("input[name=mode][value=bytes]").click();

  for (const r of records) {
    const box = document.getElementById("c1-r" + r.number);
    if (!box) { wrong(`record ${r.number} is not shown`); continue; }
    box.open = true;
    for (let i = 0; i < 50 && !box.querySelector(".layer"); i++) await soon();
    const layers = [...box.querySelectorAll(".layer")];
    if (!layers.length) { wrong(`record ${r.number} has no bytes`); continue; }
    const shown = layers.map((layer) => {
      const names = new Map([...layer.querySelectorAll("[role=treeitem]")].map((i) => [i.dataset.f, i.querySelector(".name").textContent]));
      for (const run of layer.querySelectorAll(".bytes .run")) {
        const name = names.get(run.dataset.f);
        if (!name || name === "rest") wrong(`record ${r.number}: ${run.textContent.slice(0, 20)} has the name ${name}`);
      }
      return [...layer.querySelectorAll(".bytes .run")].map((run) => run.textContent.replaceAll(" ", "")).join("");
    });
    if (shown[0] !== r.wire) wrong(`record ${r.number}: other bytes than those on the wire`);
    if (r.plain && r.epoch && !shown.some((s) => s.startsWith(r.plain))) wrong(`record ${r.number}: what was inside is not shown`);
    for (const layer of layers) {
      const run = layer.querySelector('.bytes [role="button"]');
      if (!run) continue;
      const before = told.length;
      run.click();
      const item = layer.querySelector("[role=treeitem][aria-selected=true]");
      if (!item || item.dataset.f !== run.dataset.f) wrong(`record ${r.number}: a byte does not choose its field`);
      if (!layer.querySelector(".detail h4")) wrong(`record ${r.number}: nothing says what the chosen field is`);
      if (!new RegExp(`^#c1-r${r.number}-[wipc]\\d+\\+\\d+$`).test(location.hash)) wrong(`record ${r.number}: the address is ${location.hash}`);
      const event = told[before];
      if (!event || event.record !== r.number || event.connection !== 0 || !(event.length > 0) || !event.field) wrong(`record ${r.number}: the event is ${JSON.stringify(event)}`);
      layer.querySelector('[role="treeitem"]').dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
      if (!layer.querySelector(".run.pointed")) wrong(`record ${r.number}: pointing at a name shows no byte`);
    }
    if (r.number > 3) { // fewer things for what comes after
      box.open = false;
      box.querySelector(".record-body").replaceChildren();
    }
  }

  const known = /^(SHA-256|SHA-384|SHA-512)$/;
  account.events.forEach((e, place) => {
    const state = (id) => (document.querySelector(`#${id} > summary .badge`) || { className: "no badge" }).className;
    const expect = (id, agrees, what, otherwise = "cannot") => {
      const is = state(id);
      if (!is.includes(agrees ? " agrees" : " " + otherwise)) wrong(`${what}: ${is}, and ${agrees ? "agrees" : otherwise} was expected`);
    };
    if (e.secret && e.secret.check.result === "given" && e.secret.value) expect("c1-s" + place, false, e.secret.name, "given");
    else if (e.secret) expect("c1-s" + place, Boolean(e.secret.value && e.secret.check.result === "agrees" && (known.test(e.secret.hash) || /^(length of|zeros)/.test(e.secret.formula))), e.secret.name);
    if (e.keys) expect("c1-s" + place, Boolean((e.keys.key || e.keys.mac) && e.keys.check.result === "agrees" && (e.keys.version !== "TLS 1.3" || e.keys.key)), "keys of the " + e.keys.from);
    const r = e.record;
    if (r && r.epoch && !r.refused && !r.unopened) {
      const can = r.check.result === "agrees" && (/AES-\d+-(GCM|CBC)/.test(r.protection) || /HMAC-SHA-\d+ alone/.test(r.protection));
      expect("c1-r" + r.number, can, "record " + r.number);
    }
  });
  for (const b of document.querySelectorAll(".badge.differs, .badge.pending")) wrong(`a badge says ${b.className}: ${b.title}`);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) wrong("an id is there twice");
  for (const a of document.querySelectorAll('main a[href^="#"]')) {
    const id = a.hash.slice(1).replace(/-[wipc]\d+(\+\d+)?$/, "");
    if (!document.getElementById(id)) wrong(`a link leads nowhere: ${a.hash}`);
  }
  return problems;
})()

// form: the setup of a connection.
import { byID, el, t } from "./dom.js";

// presets are connections to begin with.
const presets = [
  ["TLS 1.3", {}],
  ["TLS 1.3, with a client certificate", { client_certificate: "shown" }],
  ["TLS 1.3, resumed", { resume: "psk" }],
  ["TLS 1.3, with a retry", { retry: true }],
  ["TLS 1.2, ECDHE", { suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] }],
  ["TLS 1.2, DHE", { suites: ["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"] }],
  ["TLS 1.2, RSA", { suites: ["TLS_RSA_WITH_AES_128_GCM_SHA256"] }],
  ["TLS 1.2, pre-shared key", { psk: true }],
  ["TLS 1.2, CBC", { suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"], max: "TLS 1.2" }],
  ["TLS 1.2, renegotiation", { renegotiate: "client" }],
  ["TLS 1.2, resumed by ID", { resume: "id" }],
  ["TLS 1.0", { min: "TLS 1.0", max: "TLS 1.0" }],
  ["SSL 3.0", { min: "SSL 3.0", max: "SSL 3.0" }],
  ["A certificate that nobody trusts", { authority: "stranger" }],
];

let fields = []; // { key, get, set }

const choice = (value, text) => ({ value, text });

// picker is a select of one value; empty is what the library does.
function picker(key, label, choices) {
  const input = el("select", { id: "f-" + key }, choices.map((c) => el("option", { value: c.value }, c.text)));
  fields.push({ key, get: () => input.value || undefined, set: (v) => (input.value = v || "") });
  return el("label", {}, label, input);
}

function ticked(key, label) {
  const input = el("input", { type: "checkbox", id: "f-" + key });
  fields.push({ key, get: () => input.checked || undefined, set: (v) => (input.checked = !!v) });
  return el("label", { class: "tick" }, input, label);
}

function words(key, label, list) {
  const input = el(list ? "input" : "textarea", { id: "f-" + key, type: list ? "text" : null, spellcheck: "false", autocomplete: "off", rows: list ? null : 3 });
  fields.push({
    key,
    get: () => (!input.value.trim() ? undefined : list ? input.value.split(/[\s,:]+/).filter(Boolean) : input.value.replace(/\r?\n/g, "\r\n")),
    set: (v) => (input.value = list ? (v || []).join(", ") : (v || "").replace(/\r\n/g, "\n")),
  });
  return el("label", {}, label, input);
}

function number(key, label, choices) {
  const node = picker(key, label, choices);
  const f = fields[fields.length - 1];
  const text = f.get;
  f.get = () => (text() ? Number(text()) : undefined);
  return node;
}

function switches(key, label, names) {
  const boxes = names.map((n) => [n, el("input", { type: "checkbox", "aria-label": label + ": " + n })]);
  fields.push({
    key,
    get: () => { const on = boxes.filter(([, b]) => b.checked).map(([n]) => n); return on.length ? on : undefined; },
    set: (v) => boxes.forEach(([n, b]) => (b.checked = (v || []).includes(n))),
  });
  return el("fieldset", {}, el("legend", { class: "label" }, label), el("div", { class: "switches", tabindex: "0", role: "group", "aria-label": label }, boxes.map(([n, b]) => el("label", { class: "tick" }, b, n))));
}

// side are the settings of one side alone.
function side(key, title, c) {
  const versions = [choice("", t("as both")), ...c.versions.map((v) => choice(v, v))];
  return el("details", {}, el("summary", {}, title),
    el("div", {},
      el("div", { class: "pair" }, picker(key + ".min", t("lowest version"), versions), picker(key + ".max", t("highest version"), versions)),
      words(key + ".suites", t("cipher suites, by their names"), true),
      words(key + ".groups", t("groups, by their names"), true),
      number(key + ".dh_bits", t("DHE group"), [choice("", t("as the library chooses")), choice("1024", t("1024 bits (Logjam)")), choice("2048", t("2048 bits"))]),
      number(key + ".fragment", t("most bytes in a record"), [choice("", "16384"), choice("64", "64"), choice("256", "256"), choice("1024", "1024")]),
      key === "client" ? ticked(key + ".insecure", t("take any certificate")) : null,
      switches(key + ".legacy", t("dangerous switches"), c.legacy)));
}

// suiteChoices are the suites, those that need a switch marked.
function suiteChoices(c) {
  return [choice("", t("as the library chooses")), ...c.suites.map((s) => choice(s.name, s.name + (s.why ? " (" + t("off by default") + ")" : "")))];
}

// build makes the form; run is called with the setup.
export function build(c, run) {
  fields = [];
  const versions = [choice("", t("any")), ...c.versions.map((v) => choice(v, v))];
  const preset = el("select", { id: "f-preset", change: () => fill(presets[preset.value][1]) }, presets.map(([name], i) => el("option", { value: i }, t(name))));
  const one = (key) => (f) => ({ ...f, get: () => (f.get() ? [f.get()] : undefined), set: (v) => f.set((v || [])[0]) });
  const suite = picker("suites", t("cipher suite"), suiteChoices(c));
  fields.push(one("suites")(fields.pop()));
  const group = picker("groups", t("group"), [choice("", t("as the library chooses")), ...c.groups.map((g) => choice(g, g))]);
  fields.push(one("groups")(fields.pop()));
  byID("form").replaceChildren(
    el("label", {}, t("begin with"), preset),
    el("div", { class: "pair" }, picker("min", t("lowest version"), versions), picker("max", t("highest version"), versions)),
    suite, group,
    el("div", { class: "pair" },
      picker("key", t("server's key"), [choice("", t("any")), choice("ecdsa", "ECDSA"), choice("rsa", "RSA"), choice("dsa", "DSA")]),
      picker("authority", t("certified by"), [choice("", t("authority")), choice("stranger", t("itself"))])),
    picker("client_certificate", t("client certificate"), [choice("", t("not asked for")), choice("asked", t("asked for, and none there")), choice("shown", t("shown")), choice("later", t("shown after the handshake"))]),
    el("div", { class: "pair" },
      picker("resume", t("resumption"), [choice("", t("none")), choice("id", t("by session ID")), choice("ticket", t("by ticket")), choice("psk", t("by PSK (TLS 1.3)"))]),
      picker("renegotiate", t("renegotiation"), [choice("", t("none")), choice("client", t("by the client")), choice("server", t("by the server")), choice("allowed", t("only allowed"))])),
    el("div", {}, ticked("psk", t("with a pre-shared key")), ticked("compression", t("compressed (CRIME)")), ticked("retry", t("the server asks for another group first"))),
    el("details", {}, el("summary", {}, t("What they say")), el("div", {}, words("request", t("the client")), words("answer", t("the server")))),
    side("client", t("The client alone"), c), side("server", t("The server alone"), c),
    el("div", { id: "refused", role: "alert" }),
    el("div", { class: "actions" }, el("button", { class: "button main", type: "submit", id: "run" }, t("Run it"))));
  byID("form").addEventListener("submit", (e) => {
    e.preventDefault();
    run(setup());
  });
}

// setup is what the form says.
export function setup() {
  const s = {};
  for (const f of fields) {
    const value = f.get();
    if (value === undefined) continue;
    const [outer, inner] = f.key.split(".");
    if (inner) (s[outer] ||= {})[inner] = value;
    else s[outer] = value;
  }
  return s;
}

// fill puts a setup into the form.
export function fill(s) {
  for (const f of fields) {
    const [outer, inner] = f.key.split(".");
    f.set(inner ? (s[outer] || {})[inner] : s[outer]);
  }
}

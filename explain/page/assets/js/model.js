// model: an account, with the ways from one thing in it to another.

const models = data.accounts.map((a, i) => new Model(a.connection, a.outcome || [], i));

function Model(c, outcome, index) {
  this.c = c;
  this.index = index;
  this.outcome = outcome;
  this.records = [];
  this.messages = [];
  this.secrets = [];
  this.keys = [];
  this.choices = [];
  this.alerts = [];
  this.byNumber = new Map();
  c.events.forEach((e, place) => {
    const at = { event: e, place };
    if (e.record) {
      this.records.push(e.record);
      this.byNumber.set(e.record.number, e.record);
      e.record.at = e;
    }
    if (e.message) this.messages.push(Object.assign(e.message, { at: e, place }));
    if (e.secret) this.secrets.push(Object.assign(e.secret, { at: e, place }));
    if (e.keys) this.keys.push(Object.assign(e.keys, { at: e, place }));
    if (e.choice) this.choices.push(Object.assign(e.choice, { at: e, place }));
    if (e.alert) this.alerts.push(Object.assign(e.alert, { at: e, place }));
  });
  this.pieces = new Map(); // of messages, by record
  for (const m of this.messages) {
    let from = 0;
    for (const p of m.pieces || []) {
      if (!this.pieces.has(p.record)) this.pieces.set(p.record, []);
      this.pieces.get(p.record).push({ message: m, offset: p.offset, length: p.length, from });
      from += p.length;
    }
  }
  for (const all of this.pieces.values()) all.sort((a, b) => a.offset - b.offset);
}

// keysOf are the keys that a record was protected with; null for none.
Model.prototype.keysOf = function (r) {
  return this.keys.findLast((k) => k.from === r.from && k.epoch === r.epoch) || null;
};

// secret is the last of that name that was made before a place among the events, in its
// handshake if it is there.
Model.prototype.secret = function (name, place = Infinity) {
  return this.secrets.findLast((s) => s.name === name && s.place <= place) || null;
};

// said are the messages with what was inside them: a certificate that was compressed counts.
Model.prototype.said = function () {
  return this.messages.flatMap((m) => (m.inner && m.inner.name === "Certificate" ? [m, Object.assign(m.inner, { at: m.at, place: m.place })] : [m]));
};

// counting is the message that stands in the transcript: an encrypted hello that was taken.
const counting = (m) => (m.inner_counts ? m.inner : m);

// namesOf are those by which a message is looked for: a hello that hides another is one too.
const namesOf = (m) => (m.name === "ClientHelloOuter" ? [m.name, "ClientHello"] : [m.name]);

// message finds the first of that name, and of a side if one is given.
Model.prototype.message = function (name, from) {
  return this.said().find((m) => namesOf(m).includes(name) && (!from || m.from === from)) || null;
};

// isTLS13 reports that the version agreed on is 1.3.
Model.prototype.isTLS13 = function () {
  return this.c.summary.version === "TLS 1.3";
};

// title names a connection.
Model.prototype.title = function () {
  return this.c.target || t("Connection {0}", this.index + 1);
};

// nameOf names a record for people.
function nameOf(r) {
  if (r.refused && !r.type) return t("not TLS");
  const carries = r.carries || [];
  if (carries.length) return carries.join(", ");
  return { application_data: t("application data"), alert: t("alert"), change_cipher_spec: "ChangeCipherSpec", handshake: t("handshake") }[r.type] || r.type || t("record");
}

// isSealed reports that a record is under protection, as far as one can tell: a listener
// that came late has seen no handshake before it.
const isSealed = (r) => r.epoch > 0 || Boolean(r.unopened && r.type === "application_data");

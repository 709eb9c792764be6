// steps: the story's steps, each with when it is told, and which bytes it shows.

// hidesName: the name is in an encrypted hello that the server has taken.
const hidesName = (m) => Boolean(m.c.summary.server_name && (m.message("ClientHello") || {}).inner_counts);

// A step is { when, title, text, bytes }; spare is set for one that can be left out where there
// are too many, the highest number first.
const steps = [
  { when: (m) => m.message("ClientHello"), title: () => t("The client says what it can do"),
    text: (m) => t("Nothing is secret yet. The first message, the ClientHello, holds random bytes, so that no two connections are alike, and lists of what the client can do: {0}. A cipher suite is a way to encrypt.", offered(m)),
    bytes: (m) => field(m, "ClientHello", ["random", "challenge"]) },
  { spare: 1, when: (m) => m.c.summary.server_name && !hidesName(m), title: () => t("It names the server, for all to see"),
    text: (m) => t("One address can host many servers, so the client writes which one it wants: {0}. Anybody on the way can read this name.", m.c.summary.server_name),
    bytes: (m) => field(m, "ClientHello", ["host_name"]) },
  { spare: 1, when: hidesName, title: () => t("It names the server, and hides which"),
    text: (m) => t("One address can host many servers, so the client says which one it wants: {0}. It encrypts that in a hello of its own, which the server alone can open. Anybody on the way reads another name, which many share.", m.c.summary.server_name),
    bytes: (m) => field(m, "ClientHello", ["payload"]) },
  { when: (m) => m.isTLS13() && field(m, "ClientHello", ["key_exchange"]), title: () => t("It sends half of a key"),
    text: () => t("The client has made a key pair for this connection alone. It sends the public half with its first message, and keeps the private half to itself."),
    bytes: (m) => field(m, "ClientHello", ["key_exchange"]) },
  { when: (m) => m.c.summary.hello_retry, title: () => t("The server asks again"),
    text: () => t("The server does not want a key of that kind. It names another, and the client says hello once more. That costs a round trip."),
    bytes: (m) => field(m, "HelloRetryRequest", ["selected_group", "cookie", "extension_type"]) },
  { when: (m) => m.message("ServerHello"), title: () => t("The server chooses"),
    text: (m) => t("From each of the client's lists the server picks one that it can do too: {0}, with the cipher suite {1}. These two bytes name the suite.", m.c.summary.version || t("a version"), m.c.summary.cipher_suite || "?"),
    bytes: (m) => field(m, "ServerHello", ["cipher_suite"]) },
  { spare: 4, when: (m) => m.isTLS13() && field(m, "ServerHello", ["key_exchange"]), title: () => t("The server sends its half"),
    text: () => t("Each side puts its own private half and the other's public half together. Both get the same secret, which was never sent. Somebody who only listens cannot compute it."),
    bytes: (m) => field(m, "ServerHello", ["key_exchange"]) },
  { when: (m) => m.c.summary.resumed, title: () => t("They know each other"),
    text: () => t("The client shows that it was here before. Both sides start from a secret of the earlier connection, so no certificate has to be sent again."),
    bytes: (m) => field(m, "ClientHello", ["identity", "legacy_session_id", "session_ticket"]) },
  { when: (m) => !m.isTLS13() && m.message("Certificate", "server"), title: () => t("The server shows who it is"), text: certificateText,
    bytes: (m) => field(m, "Certificate", ["cert_data", "value"], "server") },
  { when: (m) => !m.isTLS13() && field(m, "ServerKeyExchange", ["point", "dh_Ys"]), title: () => t("It sends half of a key"),
    text: (m) => (field(m, "ServerKeyExchange", ["signature"]) ? t("The server makes a key pair for this connection alone, and signs the public half with the key of its certificate, so that nobody can put another in its place.") : t("The server makes a key pair for this connection alone, and sends the public half. Nobody signs it.")),
    bytes: (m) => field(m, "ServerKeyExchange", ["point", "dh_Ys"]) },
  { when: (m) => !m.isTLS13() && m.message("ClientKeyExchange"), title: () => t("The client answers with its half"), text: exchangeText,
    bytes: (m) => field(m, "ClientKeyExchange", ["point", "dh_Yc", "encrypted_pre_master_secret", "psk_identity"]) },
  { when: (m) => m.secrets.some((s) => s.value), title: () => t("Both compute the same keys"),
    text: (m) => (m.isTLS13() ? t("From the shared secret and a hash, a kind of fingerprint, of all that was said, both sides derive the same keys: one for each direction. They are never sent.") : t("From the shared secret and both sides' random bytes comes the master secret, and from that the keys: one set for each direction. They are never sent.")),
    bytes: (m) => secretBytes(m, ["handshake_secret", "master_secret"]) },
  { spare: 2, when: (m) => !m.isTLS13() && m.records.some((r) => r.type === "change_cipher_spec"), title: () => t("“From here on, encrypted”"),
    text: () => t("One byte announces it: whatever this side sends next is protected with the new keys."),
    bytes: (m) => recordBytes(m.records.find((r) => r.type === "change_cipher_spec")) },
  { when: (m) => m.isTLS13() && m.records.some((r) => isSealed(r) && r.type === "handshake"), title: () => t("From here on, all is encrypted"),
    text: () => t("Already the server's next record is protected. From outside one sees its length, and bytes that look like noise. Inside is the rest of the handshake."),
    bytes: (m) => recordBytes(m.records.find((r) => isSealed(r) && r.type === "handshake")) },
  { when: (m) => m.isTLS13() && m.message("Certificate", "server"), title: () => t("The server shows who it is"), text: certificateText,
    bytes: (m) => field(m, "Certificate", ["cert_data"], "server") },
  { when: (m) => m.isTLS13() && m.message("CertificateVerify", "server"), title: () => t("And proves it"),
    text: () => t("Anybody can copy a certificate. So the server signs a hash of the whole conversation with the private key that belongs to it. Only its owner can, and only for this conversation."),
    bytes: (m) => field(m, "CertificateVerify", ["signature"], "server") },
  { when: (m) => m.message("Certificate", "client"), title: () => t("The client shows who it is, too"),
    text: (m) => (m.message("CertificateVerify", "client") ? t("The server asked for a certificate of the client's. The client shows one, and signs the conversation with its key.") : t("The server asked for a certificate of the client's. The client has none to show.")),
    bytes: (m) => field(m, "CertificateVerify", ["signature"], "client") || field(m, "Certificate", ["length"], "client") },
  { when: (m) => m.message("Finished"), title: () => t("Nobody has changed a word"),
    text: () => t("Each side ends its part with a check value over everything that was said, made with a key that only the two have. Had anybody changed a single bit on the way, the values would differ."),
    bytes: (m) => field(m, "Finished", ["verify_data", "md5_hash"]) },
  { spare: 5, when: (m) => m.messages.some((x) => x.name === "NewSessionTicket"), title: () => t("A ticket for next time"),
    text: () => t("The server gives the client a ticket: with it, the next connection can start from the secrets of this one."),
    bytes: (m) => field(m, "NewSessionTicket", ["ticket"]) },
  { when: (m) => m.c.handshakes.length > 1, title: () => t("They do it again, inside"),
    text: (m) => t("There was a further handshake in the same connection, under the protection of the first: {0}.", t(m.c.handshakes[1].kind)), bytes: () => null },
  { when: (m) => m.messages.some((x) => x.name === "KeyUpdate"), title: () => t("The keys change"),
    text: () => t("So that no key is used for too long, a side goes on with the next one, which follows from the one before. There is no way back from the new to the old."),
    bytes: (m) => field(m, "KeyUpdate", ["request_update"]) },
  { when: (m) => m.records.some((r) => r.type === "application_data" && r.plain), title: () => t("Now the two can talk"),
    text: () => t("The application's data goes into records like letters into envelopes: outside a short header, inside the data, encrypted, with a seal that breaks at any change."),
    bytes: (m) => recordBytes(m.records.find((r) => r.type === "application_data" && r.plain)) },
  { when: (m) => m.records.some((r) => r.unopened), title: () => t("More the listener does not see"),
    text: () => t("Without the keys, a listener sees who talks to whom, when, and how much. What is said stays between the two."),
    bytes: (m) => recordBytes(m.records.find((r) => r.unopened)) },
  { when: (m) => m.c.failure, bad: true, title: () => t("It failed"), text: (m) => (m.c.advice ? t("{0}. What to change: {1}.", t(m.c.failure), t(m.c.advice)) : t(m.c.failure)),
    bytes: (m) => recordBytes(m.records.find((r) => r.refused) || m.records.findLast((r) => r.type === "alert")) },
  { spare: 3, when: (m) => !m.c.failure && m.alerts.some((a) => a.code === "close_notify"), title: () => t("They say goodbye"),
    text: () => t("A last message says that nothing more comes. Without it, nobody could tell a whole answer from one that was cut off on the way."),
    bytes: (m) => recordBytes(m.records.findLast((r) => r.type === "alert")) },
];

function offered(m) {
  const fields = m.message("ClientHello").fields;
  const n = fields.filter((f) => f.name === "cipher_suite" || f.name === "cipher_spec").length;
  const versions = fields.filter((f) => f.name === "version" && /^(TLS|SSL)/.test(f.value)).map((f) => f.value);
  const old = fields.find((f) => f.name === "legacy_version");
  const suites = count(n, "{0} cipher suite", "{0} cipher suites");
  const speaks = versions.length ? versions.join(", ") : old && old.value;
  return speaks ? t("{0}; {1}", suites, speaks) : suites;
}

function certificateText(m) {
  const verdict = m.c.verdict ? t(m.c.verdict.sentence) : m.c.trust ? t(m.c.trust) : t("nothing here shows that anybody checked it");
  return t("A certificate ties a name to a public key, and an authority has signed it. What the client makes of it: {0}.", verdict.replace(/\.$/, ""));
}

function exchangeText(m) {
  const k = m.c.summary.key_exchange || "";
  if (k === "RSA") return t("The client invents a secret and encrypts it with the key of the server's certificate. If somebody gets that key later, they can read all of this connection.");
  if (k === "PSK") return t("Both have had the same key from the start. The client only says which.");
  if (k === "RSA_PSK") return t("The client names the key that both have, and sends some more bytes, encrypted with the key of the server's certificate.");
  return t("Each side puts its own private half and the other's public half together. Both get the same secret, which was never sent.");
}

// field finds the bytes of the first field of one of these names in a message.
function field(m, message, names, from) {
  for (const x of m.said().filter((y) => namesOf(y).includes(message) && (!from || y.from === from))) {
    for (const name of names) {
      const f = (x.fields || []).find((y) => y.name === name && y.length > 0 && (!y.group || name === "cert_data"));
      if (f) return { label: x.name + " › " + name, bytes: bytesOf(x.raw).subarray(f.offset, f.offset + f.length), total: f.length, at: placeIn(m, x, f.offset), from: x.from };
    }
  }
  return null;
}

function recordBytes(r) {
  if (!r) return null;
  const bytes = bytesOf(r.wire);
  return { record: r, label: t("record {0}, {1}", r.number, nameOf(r)), bytes, total: bytes.length, inside: isSealed(r) && r.plain ? bytesOf(r.plain) : null, from: r.from };
}

function secretBytes(m, names) {
  const s = names.map((n) => m.secrets.find((x) => x.name === n && x.value)).find(Boolean) || m.secrets.find((x) => x.value);
  return s ? { label: s.name, bytes: bytesOf(s.value), total: s.value.length / 2, secret: s } : null;
}

// derive: a secret or the keys of a direction computed again from what they are made of.

// deriveSecret returns { value, notes }: the value by the browser's own computation.
async function deriveSecret(model, s) {
  if (!s.value) throw new Cannot(t("the account was saved without secrets"));
  const from = valueOf(model, s, s.from);
  const input = bytesOf(s.input);
  const length = s.value.length / 2;
  const notes = [];
  switch (s.how) {
    case "HKDF-Extract": {
      const salt = s.salt && s.salt !== "0" ? valueOf(model, s, s.salt) : new Uint8Array(hashLength(s.hash));
      const material = s.from ? from : input.length ? input : new Uint8Array(hashLength(s.hash));
      return { value: await hmac(s.hash, salt, material), notes };
    }
    case "HKDF-Expand-Label":
      notes.push(await hashNote(model, s, input));
      return { value: await expandLabel(s.hash, from, s.label || "", input, length), notes };
    case "HMAC":
      notes.push(await hashNote(model, s, input));
      return { value: await hmac(s.hash, from, input), notes };
    case "PRF":
      if (s.hash === "MD5+SHA-1") throw new Cannot(t("browsers do not have MD5"));
      notes.push(await hashNote(model, s, input));
      return { value: await prf(s.hash, from, s.label, input, length), notes };
    case "join": {
      const other = valueOf(model, s, s.salt);
      const two = (n) => new Uint8Array([n >> 8, n & 255]);
      return { value: concat(two(other.length), other, two(from.length), from), notes };
    }
  }
  if (/MD5/.test(s.formula)) throw new Cannot(t("browsers do not have MD5"));
  if (/^length of /.test(s.formula)) return deriveSecret(model, { ...s, how: "join" });
  if (/^zeros/.test(s.formula)) return { value: new Uint8Array(valueOf(model, s, "psk").length), notes };
  throw new Cannot(s.check && s.check.result === "agrees" ? t("it comes from the connection before") : t("an input: the page has nothing that it follows from"));
}

// valueOf is the value of the secret of a name, as it stood when s was made.
function valueOf(model, s, name) {
  if (!name) return new Uint8Array(0);
  const found = model.secret(name, s.place) || model.secret(name);
  if (!found || !found.value) throw new Cannot(t("{0} is not in the account", name));
  return bytesOf(found.value);
}

// hashNote finds the messages whose transcript hash an input is, by hashing them.
async function hashNote(model, s, input) {
  if (input.length !== hashNames[s.hash]) return null;
  if (same(input, await digest(s.hash, new Uint8Array(0)))) return t("the input is {0} of nothing, hashed here", s.hash);
  for (const hs of handshakesOf(model, s)) {
    for (const p of await transcriptHashes(model, hs, s.hash)) {
      if (same(p.hash, input)) return t("the input is {0} of {1}, hashed here", s.hash, spanOf(model, hs, p.count));
    }
  }
  return null;
}

// handshakesOf are the runs whose transcript a secret can be of: its own, then the others.
function handshakesOf(model, s) {
  const all = model.c.handshakes || [];
  const own = all[(s.at ? s.at.handshake : 1) - 1];
  return own ? [own, ...all.filter((hs) => hs !== own)] : all;
}

// spanOf names the first n messages of a transcript.
function spanOf(model, hs, n) {
  const points = hs.transcript;
  if (n === 1) return points[0].name;
  const last = model.c.events[points[n - 1].event].message;
  const both = ["Certificate", "CertificateVerify", "Finished"].includes(last.name);
  return points[0].name + ".." + (both ? last.from + " " : "") + last.name;
}

// transcriptHashes hashes each beginning of a transcript: RFC 8446 §4.4.1, with the first
// ClientHello by its own hash after a HelloRetryRequest.
const hashesCache = new Map();

function transcriptHashes(model, hs, hash) {
  const key = model.index + "/" + model.c.handshakes.indexOf(hs) + "/" + hash;
  if (!hashesCache.has(key)) hashesCache.set(key, hashAll(model, hs, hash));
  return hashesCache.get(key);
}

async function hashAll(model, hs, hash) {
  const messages = (hs.transcript || []).map((p) => model.c.events[p.event].message);
  let sofar = new Uint8Array(0);
  const out = [];
  for (let i = 0; i < messages.length; i++) {
    if (i === 1 && messages[1].name === "HelloRetryRequest") {
      const first = await digest(hash, bytesOf(counting(messages[0]).raw));
      sofar = concat(new Uint8Array([254, 0, 0, first.length]), first);
    }
    sofar = concat(sofar, bytesOf(counting(messages[i]).raw));
    out.push({ count: i + 1, hash: await digest(hash, sofar) });
  }
  return out;
}

// deriveKeys returns the keys of a direction by the browser's computation, one after the
// other: the key, the iv, the MAC key.
async function deriveKeys(model, k) {
  if (!k.key && !k.mac) throw new Cannot(t("the account was saved without secrets"));
  const wanted = concat(bytesOf(k.key), bytesOf(k.iv), bytesOf(k.mac));
  if (k.version === "TLS 1.3") {
    const secret = model.secret(k.secret, k.place);
    if (!secret || !secret.value) throw new Cannot(t("{0} is not in the account", k.secret));
    const from = bytesOf(secret.value);
    const hash = secret.hash;
    return { wanted, value: concat(await expandLabel(hash, from, "key", new Uint8Array(0), k.key.length / 2), await expandLabel(hash, from, "iv", new Uint8Array(0), k.iv.length / 2)) };
  }
  const block = model.secret("key_block", k.place);
  if (!block || !block.value) throw new Cannot(t("{0} is not in the account", "key_block"));
  const cut = cutter(bytesOf(block.value));
  const other = k.from === "server" ? 1 : 0;
  const pick = (n) => [cut(n), cut(n)][other];
  const mac = pick((k.mac || "").length / 2);
  const key = pick((k.key || "").length / 2);
  const iv = pick((k.iv || "").length / 2);
  return { wanted, value: concat(key, iv, mac) };
}

function cutter(bytes) {
  let at = 0;
  return (n) => bytes.subarray(at, (at += n));
}

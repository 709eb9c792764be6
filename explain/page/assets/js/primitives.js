// primitives: hashes, HMAC and what is made of them, by the browser's own WebCrypto.

// A Cannot says why the browser does not compute something.
class Cannot extends Error {}

const subtle = globalThis.crypto && globalThis.crypto.subtle;

const hashNames = { "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

// hashLength is that of a hash which WebCrypto has.
function hashLength(hash) {
  if (!subtle) throw new Cannot(t("a browser has no WebCrypto for pages from here"));
  if (!(hash in hashNames)) throw new Cannot(t("browsers do not have {0}", hash || t("this hash")));
  return hashNames[hash];
}

async function digest(hash, bytes) {
  hashLength(hash);
  return new Uint8Array(await subtle.digest(hash, bytes));
}

// hmac takes a key of any length; WebCrypto refuses an empty one, which is the same as zeros.
async function hmac(hash, key, bytes) {
  const n = hashLength(hash);
  const k = await subtle.importKey("raw", key.length ? key : new Uint8Array(n), { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", k, bytes));
}

const ascii = (text) => new TextEncoder().encode(text);

// expandLabel is HKDF-Expand-Label of RFC 8446 §7.1.
async function expandLabel(hash, secret, label, context, length) {
  const full = ascii("tls13 " + label);
  const info = concat(new Uint8Array([length >> 8, length & 255, full.length]), full, new Uint8Array([context.length]), context);
  let block = new Uint8Array(0);
  let out = new Uint8Array(0);
  for (let i = 1; out.length < length; i++) {
    block = await hmac(hash, secret, concat(block, info, new Uint8Array([i])));
    out = concat(out, block);
  }
  return out.subarray(0, length);
}

// prf is that of TLS 1.2: RFC 5246 §5.
async function prf(hash, secret, label, seed, length) {
  const all = concat(ascii(label), seed);
  let a = all;
  let out = new Uint8Array(0);
  while (out.length < length) {
    a = await hmac(hash, secret, a);
    out = concat(out, await hmac(hash, secret, concat(a, all)));
  }
  return out.subarray(0, length);
}

async function openGCM(key, nonce, additional, sealed) {
  const k = await subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: additional, tagLength: 128 }, k, sealed));
}

// openCBC decrypts whole blocks and leaves the padding on. WebCrypto would take off one of
// PKCS #7, so it gets a block more, which decrypts to just that.
async function openCBC(key, iv, sealed) {
  const k = await subtle.importKey("raw", key, "AES-CBC", false, ["encrypt", "decrypt"]);
  const last = sealed.subarray(sealed.length - 16);
  const extra = new Uint8Array(await subtle.encrypt({ name: "AES-CBC", iv: last }, k, new Uint8Array(0)));
  return new Uint8Array(await subtle.decrypt({ name: "AES-CBC", iv }, k, concat(sealed, extra)));
}

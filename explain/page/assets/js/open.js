// open: a protected record opened by the browser.

// openRecord returns { value, wanted, notes } of the bytes inside.
async function openRecord(model, r) {
  const keys = model.keysOf(r);
  if (r.refused) throw new Cannot(t("it was refused"));
  if (!keys || (!keys.key && !keys.mac)) throw new Cannot(t("its keys are not in the account"));
  if (!(r.inside || []).length) throw new Cannot(t("it was not opened"));
  hashLength("SHA-256"); // WebCrypto is there
  const wanted = concat(bytesOf(r.packed || r.plain), bytesOf(r.added));
  const part = (name) => {
    const f = (r.sealed || []).find((x) => x.name === name);
    return f ? wireBody(r).subarray(f.offset, f.offset + f.length) : new Uint8Array(0);
  };
  const name = r.protection || "";
  if (/GCM/.test(name)) {
    return { wanted, value: await openGCM(bytesOf(keys.key), bytesOf(r.nonce), bytesOf(r.additional), concat(part("ciphertext"), part("tag"))), notes: [] };
  }
  if (/AES-(128|256)-CBC/.test(name)) return openWithCBC(r, keys, part, wanted);
  if (/alone/.test(name)) return checkMAC(r, keys, wanted);
  const cipher = (name.match(/ChaCha20-Poly1305|3DES-EDE-CBC|DES-CBC|RC4(-\d+)?|[\w-]*CCM(-8)?|ARIA[\w-]*|Camellia[\w-]*|SEED[\w-]*|IDEA[\w-]*/) || [name])[0];
  throw new Cannot(t("browsers do not have {0}", cipher));
}

const wireBody = (r) => bytesOf(r.wire).subarray(r.header.reduce((n, f) => Math.max(n, f.offset + f.length), 0));

async function openWithCBC(r, keys, part, wanted) {
  const value = await openCBC(bytesOf(keys.key), bytesOf(r.nonce), part("ciphertext"));
  const after = part("MAC");
  const notes = [];
  const mac = macHash(r.protection);
  if (!mac) {
    notes.push(t("the MAC was verified by vitrine, not by your browser: browsers do not have {0}", (/with (MD5)|HMAC-(MD5)/.test(r.protection) && "MD5") || t("the MAC of SSL 3.0")));
    return { wanted, value, notes };
  }
  const inside = (r.inside || []).find((f) => f.name === "MAC");
  const content = inside ? value.subarray(0, inside.offset) : concat(part("IV"), part("ciphertext"));
  const given = inside ? value.subarray(inside.offset, inside.offset + inside.length) : after;
  if (!same(await hmac(mac, bytesOf(keys.mac), concat(bytesOf(r.additional), content)), given)) return { wanted, value: new Uint8Array(0), notes };
  notes.push(t("the MAC agrees too"));
  return { wanted, value, notes };
}

// checkMAC is for a record that is not encrypted, only authentic.
async function checkMAC(r, keys, wanted) {
  const mac = macHash(r.protection);
  if (!mac) throw new Cannot(t("browsers do not have {0}", "MD5"));
  const f = r.inside.find((x) => x.name === "MAC");
  const body = wireBody(r);
  const right = same(await hmac(mac, bytesOf(keys.mac), concat(bytesOf(r.additional), body.subarray(0, f.offset))), body.subarray(f.offset));
  return { wanted, value: right ? body : new Uint8Array(0), notes: [] };
}

// macHash is the hash of a HMAC that browsers have; null for others.
function macHash(protection) {
  const m = /HMAC-(SHA-\d+)/.exec(protection);
  return m && m[1] in hashNames ? m[1] : null;
}

// layers: the bytes of a record, and of what was inside it, with a name for each.

// A layer is { key, title, bytes, fields }. Its fields are in the order of the tree;
// those that are no groups are leaves, and tile the bytes.
const layersCache = new WeakMap();

function layersOf(model, r) {
  if (!layersCache.has(r)) layersCache.set(r, makeLayers(model, r));
  return layersCache.get(r);
}

function makeLayers(model, r) {
  const wire = bytesOf(r.wire);
  const header = (r.header || []).filter((f) => !f.group).reduce((n, f) => Math.max(n, f.offset + f.length), 0);
  const fields = (r.header || []).map((f) => ({ ...f, place: "header" }));
  if (header > 0) {
    fields.forEach((f) => f.depth++);
    fields.unshift({ offset: 0, length: header, depth: 0, group: true, name: "record header", place: "header" });
  }
  const sealed = isSealed(r) && !(r.refused && !r.sealed);
  if (r.refused && !isSealed(r)) {
    fields.push(...refusedBody(model, r, wire, header));
  } else if (sealed && (r.sealed || []).length) {
    fields.push(...shifted(r.sealed, header, 0));
  } else if (isSealed(r)) {
    fields.push({ offset: header, length: wire.length - header, depth: 0, name: "ciphertext", value: t("not opened"), meaning: r.check && r.check.what });
  } else {
    fields.push(...contentFields(model, r, wire.length - header, header));
  }
  const layers = [{ key: "wire", title: sealed ? t("On the wire") : t("Bytes"), bytes: wire, fields: tiled(fields, wire) }];
  return [...layers, ...(insideOf(model, r) || []), ...concealed(model, r)];
}

// concealed are the messages inside those that end in a record: a hello that was encrypted,
// a certificate that was compressed.
function concealed(model, r) {
  const ended = (model.pieces.get(r.number) || []).filter((p) => p.message.inner && p.from + p.length === p.message.raw.length / 2);
  return ended.slice(0, 1).map((p) => {
    const m = p.message.inner;
    const bytes = bytesOf(m.raw);
    const title = m.name === "Certificate" ? t("{0}, which was compressed", m.name) : t("{0}, which was encrypted", m.name);
    const whole = { message: m, pieces: [], from: 0, offset: 0, length: bytes.length };
    return { key: "concealed", title, bytes, fields: tiled(pieceFields(whole, 0), bytes) };
  });
}

// insideOf is what a protected record opened to; null where it was not opened.
function insideOf(model, r) {
  if (!isSealed(r) || r.refused || !(r.inside || []).length) {
    if (!isSealed(r) || r.refused || !r.plain) return null;
    const plain = bytesOf(r.plain);
    return [{ key: "inside", title: t("Inside"), bytes: plain, fields: tiled(contentFields(model, r, plain.length, 0), plain) }];
  }
  const packed = bytesOf(r.packed || r.plain);
  const bytes = concat(packed, bytesOf(r.added));
  const rest = shifted(r.inside.filter((f) => f.name !== "content"), 0, 0);
  if (!r.packed) return [{ key: "inside", title: t("Inside"), bytes, fields: tiled([...contentFields(model, r, packed.length, 0), ...rest], bytes) }];
  const plain = bytesOf(r.plain);
  return [
    { key: "inside", title: t("Inside, compressed"), bytes, fields: tiled([{ offset: 0, length: packed.length, depth: 0, name: "compressed content", value: count(packed.length, "{0} byte", "{0} bytes") }, ...rest], bytes) },
    { key: "plain", title: t("Decompressed"), bytes: plain, fields: tiled(contentFields(model, r, plain.length, 0), plain) },
  ];
}

const shifted = (fields, by, deeper) => (fields || []).map((f) => ({ ...f, offset: f.offset + by, depth: f.depth + deeper }));

function refusedBody(model, r, wire, header) {
  if ((model.pieces.get(r.number) || []).length) return contentFields(model, r, wire.length - header, header);
  const text = header ? t("what came of it") : t("not a record");
  return [{ offset: header, length: wire.length - header, depth: 0, name: text, meaning: r.refused }];
}

// contentFields are the fields of a record's content, which has n bytes from at.
function contentFields(model, r, n, at) {
  const pieces = model.pieces.get(r.number) || [];
  if (pieces.length) return pieces.flatMap((p) => pieceFields(p, at));
  if ((r.body || []).length) {
    return [{ offset: at, length: n, depth: 0, group: true, name: r.type === "application_data" ? "application data" : "alert" }, ...shifted(r.body, at, 1)];
  }
  const names = {
    application_data: ["application data", t("What the two applications say to each other.")],
    change_cipher_spec: ["change_cipher_spec", model.isTLS13() ? t("Means nothing in TLS 1.3; it is there for old middleboxes.") : t("From the next record on, this side uses the new keys.")],
    handshake: ["part of a message", t("The message did not come to its end.")],
  };
  const [name, meaning] = names[r.type] || [r.type || "content", ""];
  if (r.unopened) return [{ offset: at, length: n, depth: 0, name, meaning: r.unopened }];
  return [{ offset: at, length: n, depth: 0, name, value: count(n, "{0} byte", "{0} bytes"), meaning }];
}

// pieceFields are those of a message which a record carries all or a part of.
function pieceFields(p, at) {
  const m = p.message;
  const whole = p.from === 0 && p.length === m.raw.length / 2;
  const fields = [];
  const outer = { offset: at + p.offset, length: p.length, depth: 0, group: true, name: m.name, meaning: m.meaning, ref: m.ref, message: m, of: p.from };
  if (!whole) outer.value = t("bytes {0} to {1} of {2}", p.from, p.from + p.length - 1, m.raw.length / 2);
  fields.push(outer);
  const wrapper = (m.fields || []).find((f) => f.group && f.depth === 0 && f.offset === 1);
  for (const f of m.fields || []) {
    const start = Math.max(f.offset, p.from);
    const end = Math.min(f.offset + f.length, p.from + p.length);
    if (f.length ? start >= end : f.offset < p.from || f.offset > p.from + p.length) continue;
    if (f === wrapper) continue; // the outer one says it
    const clipped = end - start < f.length;
    fields.push({ ...f, offset: at + p.offset + start - p.from, length: end - start, depth: wrapper && f.depth ? f.depth : f.depth + 1, message: m, of: start, clipped, total: f.length });
  }
  return fields;
}

// tiled gives a name to the bytes that no leaf has.
function tiled(fields, bytes) {
  const leaves = fields.filter((f) => !f.group && f.length > 0).sort((a, b) => a.offset - b.offset);
  const out = [...fields];
  let at = 0;
  const gap = (from, to) => out.push({ offset: from, length: to - from, depth: 0, name: "rest", meaning: t("These bytes belong to no message that came to its end."), gap: true });
  for (const f of leaves) {
    if (f.offset > at) gap(at, f.offset);
    at = Math.max(at, f.offset + f.length);
  }
  if (at < bytes.length) gap(at, bytes.length);
  out.forEach((f, i) => (f.id = i));
  return out;
}

// leafAt is the leaf that has a byte.
const leafAt = (layer, offset) => layer.fields.find((f) => !f.group && f.length > 0 && f.offset <= offset && offset < f.offset + f.length);

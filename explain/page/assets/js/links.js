// links: what is selected, and the address of it: "#c1-r3-w5" is byte 5 of record 3 of
// the first connection as it was on the wire, "i" in the place of "w" what was inside, and "c"
// a message inside another one.
// With "+8" behind it, it is the field of 8 bytes from there.

const layerLetters = { wire: "w", inside: "i", plain: "p", concealed: "c" };

const addressOf = (model, r, layer, offset, length) => "c" + (model.index + 1) + "-r" + r.number + "-" + layerLetters[layer.key] + offset + (length === undefined ? "" : "+" + length);

// parseAddress reads an address; null for what is none.
function parseAddress(hash) {
  let m = /^#?c(\d+)-r(\d+)(?:-([wipc])(\d+)(?:\+(\d+))?)?$/.exec(hash);
  if (m) {
    const layer = Object.keys(layerLetters).find((k) => layerLetters[k] === m[3]);
    return { connection: +m[1] - 1, record: +m[2], layer, offset: m[4] === undefined ? undefined : +m[4], length: m[5] === undefined ? undefined : +m[5] };
  }
  m = /^#?c(\d+)-([a-z0-9][a-z0-9_-]*)$/i.exec(hash);
  return m ? { connection: +m[1] - 1, section: m[2] } : null;
}

// selection is { model, record, layer, field }; listeners hear of each change.
let selection = null;
const selectionListeners = [];
const onSelect = (f) => selectionListeners.push(f);

// select makes a field the selected one, and tells the document.
function select(model, record, layer, field, remember = true) {
  selection = { model, record, layer, field };
  selectionListeners.forEach((f) => f(selection));
  if (remember) history.replaceState(null, "", "#" + addressOf(model, record, layer, field.offset, field.length));
  const detail = { connection: model.index, record: record.number, layer: layer.key, offset: field.offset, length: field.length, field: field.name };
  if (field.message) Object.assign(detail, { message: field.message.name, message_offset: field.of || 0 });
  document.dispatchEvent(new CustomEvent("vitrine:select", { detail }));
}

// selectRecord tells the document that a whole record was opened.
function selectRecord(model, r) {
  const carries = r.carries || [];
  const detail = { connection: model.index, record: r.number, layer: "wire", offset: 0, length: r.wire.length / 2, field: "record" };
  if (carries.length) detail.message = carries[0];
  document.dispatchEvent(new CustomEvent("vitrine:select", { detail }));
}

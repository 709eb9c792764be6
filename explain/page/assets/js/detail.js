// detail: what the chosen field is, where that is written, and what else could stand there.

function detailOf(layer, field) {
  if (!field) {
    return el("p", { class: "hint" }, t("Choose a byte or a field to see what it is."));
  }
  const path = [...parents(layer, field)].reverse().map((f) => fieldName(f.name));
  const bytes = layer.bytes.subarray(field.offset, field.offset + field.length);
  const shown = hexOf(bytes.subarray(0, 32)).replace(/(..)(?=.)/g, "$1 ");
  const place = field.length ? t("bytes {0} to {1}", field.offset, field.offset + field.length - 1) : t("no bytes, at {0}", field.offset);
  return [
    path.length ? el("p", { class: "path" }, path.join(" › ")) : null,
    el("h4", {}, fieldName(field.name), field.value && field.value !== field.name ? el("span", { class: "value" }, " " + t(field.value)) : null),
    field.meaning ? el("p", { class: "meaning" }, t(field.meaning)) : null,
    field.clipped ? el("p", { class: "meaning" }, t("{0} of its {1} bytes are in this record; the others are in another.", field.length, field.total)) : null,
    el("p", { class: "facts" }, el("span", {}, place), " ", rfc(field.ref || (parents(layer, field).find((f) => f.ref) || {}).ref)),
    field.length ? el("p", { class: "raw" }, shown + (bytes.length > 32 ? " …" : "")) : null,
    certificateWords(field),
    valuesOf(field, bytes),
  ];
}

function certificateWords(field) {
  if (!(field.details || []).length) return null;
  return el("dl", { class: "words" }, field.details.map((d) => [el("dt", {}, t(d.name)), el("dd", {}, t(d.text))]));
}

// valuesOf lists what else could stand there.
function valuesOf(field, bytes) {
  if (field.group || !field.length || field.length > 3) return null;
  const list = data.values.find((v) => v.fields.includes(field.name) && v.digits === 2 * field.length);
  if (!list) return null;
  const now = bytes.reduce((n, b) => n * 256 + b, 0);
  const known = list.values.some((v) => v.number === now);
  const item = (v) => el("li", { class: v.number === now ? "now" : null }, el("code", {}, v.number.toString(16).padStart(list.digits, "0")), " ", v.name, v.number === now ? hidden(" " + t("(stands here)")) : null);
  return el("details", { class: "values" },
    el("summary", {}, t("What else could stand here: {0}", t("{0} {1}", list.values.length, t(list.title)))),
    el("ul", { tabindex: 0, "aria-label": t(list.title) }, list.values.map(item)),
    known ? null : el("p", { class: "meaning" }, t("The value that stands here has no name that vitrine knows.")));
}

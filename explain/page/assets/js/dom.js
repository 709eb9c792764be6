// dom: elements, and bytes as people read them.

// el makes an element. Of attrs, "class" and others are attributes, functions are
// listeners; null and false are left out. Strings among the children are text.
function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  set(e, attrs);
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

// svg makes an element of SVG.
function svg(tag, attrs, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(e, attrs);
  e.append(...children.flat(Infinity).filter(Boolean));
  return e;
}

function set(e, attrs) {
  for (const [name, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") e.addEventListener(name, value);
    else e.setAttribute(name, value === true ? "" : value);
  }
}

// bytesOf reads hex.
function bytesOf(hex) {
  const b = new Uint8Array((hex || "").length / 2);
  for (let i = 0; i < b.length; i++) b[i] = parseInt(hex.substr(2 * i, 2), 16);
  return b;
}

const hexOf = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

function concat(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

// printable is the character that a byte stands for, or a dot.
const printable = (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "·");

// clock writes microseconds as milliseconds, with as many digits as say something.
function clock(us) {
  const ms = us / 1000;
  if (ms >= 1000) return (ms / 1000).toFixed(2) + " s";
  return ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : 2) + " ms";
}

const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

// hidden is text for those who listen.
const hidden = (...text) => el("span", { class: "hidden" }, ...text);

// rfc makes a link of "RFC 8446 §4.1.2", or plain text of what is none.
function rfc(ref) {
  const m = /^RFC (\d+)(?: §([A-Z]?[\d.]*))?/.exec(ref || "");
  if (!m) return ref ? el("span", { class: "ref" }, ref) : null;
  const section = (m[2] || "").replace(/^\.|\.$/g, "");
  const at = !section ? "" : /^[A-Z]/.test(section) ? "#appendix-" + section : "#section-" + section;
  return el("a", { class: "ref", href: "https://www.rfc-editor.org/rfc/rfc" + m[1] + at, target: "_blank", rel: "noopener noreferrer" }, ref);
}

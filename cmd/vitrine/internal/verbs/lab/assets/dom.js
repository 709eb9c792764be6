// dom: elements and texts.

// el makes an element. Of attrs, functions are listeners; null and false are left out.
export function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") e.addEventListener(name, value);
    else e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

// t is where every text of the page goes through. In it, {0}, {1} stand for the values
// that follow.
export function t(english, ...values) {
  return values.length ? english.replace(/\{(\d)\}/g, (all, n) => values[n] ?? all) : english;
}

export const byID = (id) => document.getElementById(id);

// say tells those that listen.
export function say(text) {
  byID("said").textContent = text;
}

// rfc makes a link of "RFC 8446 §4.1.2", and plain text of what is none.
export function rfc(ref) {
  const m = /^RFC (\d+)(?: §([A-Z]?[\d.]*))?/.exec(ref || "");
  if (!m) return el("span", {}, ref);
  const section = (m[2] || "").replace(/^\.|\.$/g, "");
  const at = !section ? "" : (/^[A-Z]/.test(section) ? "#appendix-" : "#section-") + section;
  return el("a", { href: "https://www.rfc-editor.org/rfc/rfc" + m[1] + at, target: "_blank", rel: "noopener noreferrer" }, ref);
}

// ask sends a request to the lab; what it refuses is an error with the words for it.
export async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error(t("The lab does not answer: was it ended?"));
  }
  const isJSON = (answer.headers.get("Content-Type") || "").startsWith("application/json");
  const told = isJSON ? await answer.json() : { error: await answer.text() };
  if (!answer.ok) throw new Error(told.error);
  return told;
}

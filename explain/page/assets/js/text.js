// text: every text of the page goes through t, which finds its translation.

const data = JSON.parse(document.getElementById("data").textContent);

const languages = ["en", ...Object.keys(data.texts || {})];

// language is that of the page: as the file says, or as the browser prefers.
let language = "en";

function chooseLanguage(wanted) {
  const asked = wanted ? [wanted] : data.lang ? [data.lang] : navigator.languages || [];
  for (const a of asked) {
    const found = languages.find((l) => a.toLowerCase() === l.toLowerCase() || a.toLowerCase().split("-")[0] === l.toLowerCase().split("-")[0]);
    if (found) {
      language = found;
      break;
    }
  }
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  patterns = null;
}

// t translates an English text. In it, {0}, {1} stand for the values that follow.
// A text without an entry is tried as a pattern's instance: that of an account has
// its values in it already.
function t(english, ...values) {
  const texts = (data.texts || {})[language];
  let text = english;
  if (texts) {
    if (Object.hasOwn(texts, english)) text = texts[english];
    else if (!values.length) return instance(texts, english);
  }
  return values.length ? text.replace(/\{(\d)\}/g, (all, n) => (n < values.length ? values[n] : all)) : text;
}

let patterns = null;

// instance translates a text that has values in the places of {0}, {1}.
function instance(texts, english) {
  if (!patterns) {
    patterns = Object.keys(texts)
      .filter((k) => k.includes("{0}"))
      .sort((a, b) => b.length - a.length)
      .map((k) => [new RegExp("^" + k.split(/\{\d\}/).map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.*?)") + "$", "s"), k, [...k.matchAll(/\{(\d)\}/g)].map((m) => +m[1])]);
  }
  for (const [re, k, order] of patterns) {
    const m = re.exec(english);
    if (!m) continue;
    const values = [];
    order.forEach((n, i) => (values[n] = m[i + 1]));
    return texts[k].replace(/\{(\d)\}/g, (all, n) => (Object.hasOwn(texts, values[n]) ? texts[values[n]] : values[n] ?? all));
  }
  return english;
}

const side = (from) => (from === "client" ? t("client") : t("server"));

const count = (n, one, many) => (n === 1 ? t(one, n) : t(many, thousands(n)));

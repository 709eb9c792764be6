// text: every text of the page goes through t, which finds its translation.

const data = JSON.parse(document.getElementById("data").textContent);

const languages = ["en", ...Object.keys(data.texts || {})];

// language is that of the page: as the file says, or as the browser prefers.
let language = "en";

// t translates an English text. In it, {0}, {1} stand for the values that follow. That of an
// account, which has its values in it already, is found by its pattern.
let t = translator({});

function chooseLanguage(wanted) {
  const asked = wanted ? [wanted] : data.lang ? [data.lang] : navigator.languages || [];
  language = asked.map((a) => languages.find((l) => primary(a) === primary(l))).find(Boolean) || "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  t = translator((data.texts || {})[language] || {});
}

// primary is the language of a tag, without its script and region.
const primary = (tag) => tag.toLowerCase().split("-")[0];

// fieldName is what a field is called: the names of the RFCs stay, those of the page are translated.
const ownNames = ["connection preface", "content", "empty line", "end of chunk", "part of a frame", "record header", "application data", "compressed content", "part of a message"];
const fieldName = (name) => (ownNames.includes(name) ? t(name) : name);

const side = (from) => (from === "client" ? t("client") : t("server"));

const count = (n, one, many, ...more) => (n === 1 ? t(one, n, ...more) : t(many, thousands(n), ...more));

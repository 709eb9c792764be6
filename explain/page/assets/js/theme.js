// theme: light, dark, or as the system says.

const themes = ["auto", "light", "dark"];

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("vitrine-theme", name);
  } catch {
    // a page from a file may have no storage; then it is for this time only
  }
}

function storedTheme() {
  try {
    const name = localStorage.getItem("vitrine-theme");
    return themes.includes(name) ? name : "auto";
  } catch {
    return "auto";
  }
}

function themeSwitch() {
  const names = { auto: t("As the system"), light: t("Light"), dark: t("Dark") };
  const now = storedTheme();
  setTheme(now);
  return el("select", { id: "theme", "aria-label": t("Colours"), change: (e) => setTheme(e.target.value) }, themes.map((n) => el("option", { value: n, selected: n === now }, names[n])));
}

"use strict";
(() => {
  // Colours: light, dark, or as the system says; kept where the browser keeps things.
  const names = { auto: "As the system", light: "Light", dark: "Dark" };
  const set = (name) => { document.documentElement.dataset.theme = name; };
  let now = "auto";
  try {
    now = localStorage.getItem("vitrine-theme") || now;
  } catch {
    // a page from a file may have no storage; then it is for this time only
  }
  if (!(now in names)) now = "auto";
  set(now);
  const select = document.createElement("select");
  select.setAttribute("aria-label", "Colours");
  for (const [name, text] of Object.entries(names)) select.append(new Option(text, name, false, name === now));
  select.addEventListener("change", () => {
    set(select.value);
    try {
      localStorage.setItem("vitrine-theme", select.value);
    } catch {
      // as above
    }
  });
  document.getElementById("settings").append(select);

  // A button at each configuration copies it, or where the browser does not let it, selects it.
  for (const fix of document.querySelectorAll(".fix")) {
    const pre = fix.querySelector("pre");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + pre.dataset.what);
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        status.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        status.textContent = "Selected: press Ctrl+C";
      }
    });
    fix.querySelector("figcaption").append(button, status);
  }
})();

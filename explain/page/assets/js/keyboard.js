// keyboard: keys for the whole page.

const keysHelp = () => [
  ["/", t("search")],
  ["n, p", t("next and previous record")],
  ["s, b", t("the story, every byte")],
  [t("arrows"), t("from field to field; in the tree, right and left unfold and fold")],
  ["Enter", t("choose a field")],
  ["Esc", t("leave the search")],
];

function listenToKeys(actions) {
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    const action = actions[e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}

function shortcutsView() {
  return el("details", { class: "keys-help" }, el("summary", {}, t("Keys")), el("dl", {}, keysHelp().map(([k, what]) => [el("dt", {}, el("kbd", {}, k)), el("dd", {}, what)])));
}

// What is written on a page, with all records and fields open: the texts of its elements, and
// those for people who listen. What stands in code, and names of fields, is left out.
(async () => {
  const soon = () => new Promise((done) => setTimeout(done, 0));
  const texts = new Set();
  const take = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const text = n.data.trim();
      if (text && !n.parentElement.closest("script, style, noscript, code, kbd, option, h5, .hex, .item > .name, .item > .value, .brand strong, .target")) texts.add(text);
    }
    for (const e of root.querySelectorAll("[aria-label], [title], [placeholder]")) {
      if (e.closest(".hex")) continue;
      for (const name of ["aria-label", "title", "placeholder"]) if (e.getAttribute(name)) texts.add(e.getAttribute(name));
    }
  };
  take(document.body);
  document.querySelector("input[name=mode][value=bytes]").click();
  for (const d of document.querySelectorAll("details")) {
    d.open = true;
    for (let i = 0; i < 5; i++) await soon();
    for (const item of d.querySelectorAll("[role=treeitem]")) {
      item.focus();
      item.click();
      const detail = item.closest(".layer") && item.closest(".layer").querySelector(".detail");
      if (detail) take(detail);
    }
  }
  take(document.body);
  return [...texts];
})();

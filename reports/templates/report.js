"use strict";
// The page is whole without this: it only adds sorting and filtering.
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // "−1.2", "< 0.001", "93.4 %", "1,204 (3–5)": the first number; nothing sorts last.
  const sortKey = (cell) => {
    const text = cell.textContent.trim();
    const found = text.replace(/,/g, "").replace(/^[−-]/, "-").match(/^[<+]?\s*(-?\d+(?:\.\d+)?)/);
    return found ? Number(found[1]) - (text.startsWith("<") ? 1e-9 : 0) : text;
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.classList.contains("b")) return;
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => [sortKey(row.cells[column]), row]);
        rows.sort(([a], [b]) => (a === "–" ? 1 : b === "–" ? -1 : compare(a, b) * (down ? -1 : 1)));
        body.append(...rows.map(([, row]) => row));
      });
    });
  };

  const select = (name, label, options) => {
    const made = element("select", { name });
    for (const [value, text] of options) made.append(element("option", { value }, text));
    return [made, element("label", {}, label, made)];
  };
  const tools = (place, controls, items, keep, sentence) => {
    const count = element("output", {});
    const bar = element("div", { className: "tools" }, ...controls, count);
    const apply = () => {
      let shown = 0;
      for (const item of items) {
        item.hidden = !keep(item);
        shown += item.hidden ? 0 : 1;
      }
      count.textContent = fill(sentence, { shown, total: items.length });
    };
    bar.addEventListener("input", apply);
    place.before(bar);
    apply();
    return apply;
  };
  const holds = (item, box) => item.textContent.toLowerCase().includes(box.value.trim().toLowerCase());

  for (const table of document.querySelectorAll("table.claims")) {
    sortable(table);
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 8) continue;
    const box = element("input", { type: "search", name: "rows" });
    const found = new Map();
    for (const row of rows) {
      const cell = row.querySelector("td.o");
      if (cell) found.set(cell.classList[2], cell.firstChild.textContent.trim());
    }
    const [choice, label] = select("outcome", words.outcome, [["", words.anyOutcome], ...found]);
    const keep = (row) => holds(row, box) && (!choice.value || row.querySelector("td.o").classList.contains(choice.value));
    const controls = [element("label", {}, words.filter, box), ...(found.size ? [label] : [])];
    const apply = tools(table.parentElement, controls, rows, keep, words.rowsShown);
    // A link to a row that a filter hides would lead nowhere.
    addEventListener("hashchange", () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (target && table.contains(target) && target.hidden) {
        box.value = choice.value = "";
        apply();
        target.scrollIntoView();
      }
    });
  }

  for (const gallery of document.querySelectorAll("[data-gallery]")) {
    const cards = [...gallery.querySelectorAll(".card")];
    const box = element("input", { type: "search", name: "cards" });
    const [kind, kindLabel] = select("kind", words.kind, [["", words.any], ...words.kinds]);
    const [label, labelLabel] = select("label", words.label, [["", words.any], ...words.classes.map((c) => [c, c])]);
    const [at, atLabel] = select("sparsity", words.sparsity, [["", words.any], ...words.sparsities.map((s) => [s, s])]);
    const keep = (card) =>
      holds(card, box) && (!label.value || card.dataset.label === label.value) && (!kind.value || card.dataset.kind === kind.value) && (!at.value || card.dataset.at.split(" ").includes(at.value));
    const controls = [labelLabel, kindLabel, atLabel, element("label", {}, words.find, box)];
    tools(gallery.querySelector(".cards"), controls, cards, keep, words.cardsShown);
  }

  // What is folded is opened when a link leads into it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details:not([open])");
    if (fold) {
      fold.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();
})();

// One item at a time; every answer is kept in the browser at once and saved as a file when asked.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words;
  const key = "prune-audit review " + data.study + " " + data.reviewer + " " + data.items[0].item;
  const at = (id) => document.getElementById(id);
  let kept = { place: 0, answers: {} };
  let began = 0, spent = 0, seen = false;

  const say = (name, values = {}) =>
    words[name].replace(/\{(\w+)\}/g, (_, place) => String(values[place]));
  const made = (tag, text, values = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    return Object.assign(element, values);
  };
  const warn = (name) => { at("warning").textContent = say(name); at("warning").hidden = false; };
  const item = () => data.items[kept.place];
  const entry = () => kept.answers[item().item];
  const hidden = () => item().hidden && !(entry() && entry().first);
  const said = () => {
    const one = entry() || {};
    return Object.assign({}, one.first ? one.first.answers : {}, one.answers || {});
  };

  function load() {
    try {
      const found = JSON.parse(localStorage.getItem(key));
      if (found && found.answers) kept = found;
    } catch { warn("not_kept"); }
    kept.place = Math.max(0, Math.min(Number(kept.place) || 0, data.items.length - 1));
  }

  function keep() {
    try { localStorage.setItem(key, JSON.stringify(kept)); } catch { warn("not_kept"); }
  }

  // Time counts while the page is looked at.
  const pause = () => { if (began) { spent += performance.now() - began; began = 0; } };
  const go = () => { if (!began && !document.hidden) began = performance.now(); };
  const seconds = () => { pause(); go(); return Math.round(spent / 100) / 10; };

  const asked = (question, answers) =>
    Object.entries(question.asked_if || {}).every(([other, values]) => values.includes(answers[other]));
  const empty = (value) => value === null || value === undefined || value === "" || value.length === 0;

  function options(question) {
    if (question.kind === "scale") {
      const count = question.high - question.low + 1;
      return Array.from({ length: count }, (_, step) => String(question.low + step));
    }
    return question.choices;
  }

  function field(question, value, index) {
    const box = made("fieldset");
    box.dataset.question = question.key;
    box.dataset.kind = question.kind;
    box.append(made("legend", question.text + (question.required ? " *" : "")));
    if (question.kind === "text") {
      const area = made("textarea", undefined, { value: value || "", maxLength: 10000 });
      area.setAttribute("aria-label", question.text);
      box.append(area);
    } else if (question.kind === "label") {
      const list = made("select");
      list.setAttribute("aria-label", question.text);
      list.append(made("option", say("choose"), { value: "" }));
      const own = question.key === "right_label" && !hidden() ? item().label : null;
      data.classes.forEach((name) => list.append(made("option", name, { value: name, disabled: name === own })));
      list.value = value || "";
      box.append(list);
    } else {
      const type = question.kind === "several" ? "checkbox" : "radio";
      const chosen = [].concat(empty(value) ? [] : value).map(String);
      options(question).forEach((name) => {
        const label = made("label");
        const input = made("input", undefined, { type, name: "q" + index, value: name });
        input.checked = chosen.includes(name);
        label.append(input, made("span", name));
        box.append(label);
      });
    }
    return box;
  }

  function read() {
    const answers = {};
    for (const box of at("questions").querySelectorAll("fieldset")) {
      if (box.hidden) continue;
      const name = box.dataset.question, kind = box.dataset.kind;
      const ticked = [...box.querySelectorAll("input:checked")].map((each) => each.value);
      if (kind === "several") answers[name] = ticked;
      else if (kind === "scale") answers[name] = ticked.length ? Number(ticked[0]) : null;
      else if (kind === "choice") answers[name] = ticked.length ? ticked[0] : null;
      else answers[name] = box.querySelector("textarea, select").value || null;
    }
    return answers;
  }

  function condition() {
    const answers = Object.assign(said(), read());
    for (const box of at("questions").querySelectorAll("fieldset")) {
      const question = data.questions.find((each) => each.key === box.dataset.question);
      box.hidden = !asked(question, answers);
    }
  }

  function pairs(values) {
    const list = made("dl");
    for (const [name, value] of Object.entries(values)) {
      const text = typeof value === "object" && value !== null ? JSON.stringify(value) : value;
      list.append(made("dt", name), made("dd", String(text)));
    }
    return list;
  }

  function show() {
    const one = item(), box = at("shown");
    box.replaceChildren();
    at("where").textContent = say("where", { place: kept.place + 1, total: data.items.length });
    if (one.picture) {
      const picture = made("img", undefined, { src: one.picture, alt: say("picture") });
      picture.onload = () => { if (picture.naturalWidth <= 128) picture.className += " small"; };
      if (data.blur) {
        picture.className = "blurred";
        const clear = made("button", say("unblur"), { type: "button" });
        clear.onclick = () => { picture.classList.remove("blurred"); clear.remove(); };
        box.append(clear);
      }
      box.append(picture);
    }
    if (one.text !== null) box.append(made("div", one.text, { className: "text" }));
    box.append(pairs(one.facts));
    seen = Boolean(entry() && entry().predictions_were_shown);
    if (hidden()) box.append(made("p", say("label_hidden")));
    else {
      if (one.label !== null) box.append(pairs({ [say("label")]: one.label }));
      told(box, one);
    }
    const form = at("questions"), answers = said();
    form.replaceChildren();
    const first = hidden() ? data.questions.slice(0, 1) : data.questions;
    first.forEach((question, index) => {
      const fixed = entry() && entry().first && question.key in entry().first.answers;
      if (!fixed) form.append(field(question, answers[question.key], index));
    });
    condition();
    spent = entry() ? (entry().seconds || 0) * 1000 : 0;
    began = 0;
    go();
    status();
  }

  function told(box, one) {
    if (!Object.keys(one.predicted).length) return;
    const button = made("button", say("predicted"), { type: "button" });
    button.onclick = () => { seen = true; button.replaceWith(pairs(one.predicted)); };
    box.append(button);
  }

  function status() {
    const done = data.items.filter((one) => finished(kept.answers[one.item])).length;
    at("progress").textContent = say("progress", { done, total: data.items.length });
  }

  const finished = (one) => Boolean(one && one.answers && one.at && !one.skipped);

  function store() {
    const answers = read(), name = item().item, now = new Date().toISOString();
    const missing = data.questions.find((question) => question.required && question.key in answers && empty(answers[question.key]));
    if (missing) { warn("required"); return false; }
    if (Object.values(answers).every(empty)) { warn("nothing"); return false; }
    const said = answers.label_right, hard = answers.hard_because || [];
    if (said === "agree" && hard.includes("wrong or inadequate label")) { warn("contradicts"); return false; }
    at("warning").hidden = true;
    if (hidden()) {
      kept.answers[name] = { first: { answers, at: now, seconds: seconds() } };
      keep();
      show();
      focusFirst();
      return false;
    }
    const first = (entry() || {}).first || null;
    kept.answers[name] = { first, answers, at: now, seconds: seconds(), predictions_were_shown: seen };
    keep();
    status();
    return true;
  }

  function move(step) {
    kept.place = Math.max(0, Math.min(kept.place + step, data.items.length - 1));
    at("warning").hidden = true;
    keep();
    show();
    at("desk").focus();
  }

  function next() {
    if (!store()) return;
    const order = data.items.map((_, k) => (kept.place + 1 + k) % data.items.length);
    const open = order.find((k) => !finished(kept.answers[data.items[k].item]));
    if (open === undefined) { warn("finished"); at("save").focus(); return; }
    move(open - kept.place);
  }

  // A first answer, given before the label was shown, stays: it cannot be given again unseen.
  function undo() {
    const one = entry();
    if (!one) return;
    if (one.first) kept.answers[item().item] = { first: one.first };
    else delete kept.answers[item().item];
    keep();
    show();
  }

  function focusFirst() {
    const input = at("questions").querySelector("fieldset:not([hidden]) input, fieldset:not([hidden]) select, fieldset:not([hidden]) textarea");
    if (input) input.focus();
  }

  async function save() {
    const answers = data.items
      .map((one) => [one, kept.answers[one.item]])
      .filter(([, given]) => finished(given))
      .map(([one, given]) => ({ item: one.item, content_sha256: one.content_sha256, ...given }));
    if (!answers.length) { warn("nothing"); return; }
    const content = JSON.stringify({ study: data.study, reviewer: data.reviewer, answers });
    const bytes = new TextEncoder().encode(content);
    if (!window.crypto || !crypto.subtle) { warn("no_hash"); return; }
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = [...digest].map((each) => each.toString(16).padStart(2, "0")).join("");
    const file = JSON.stringify({ format: data.format, version: data.version, content, sha256 });
    const link = made("a", undefined, { download: "answers.json" });
    link.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    at("saved").textContent = say("saved", { n: answers.length });
  }

  // A digit answers the question that has the focus, or the first one without an answer.
  function digit(number) {
    const boxes = [...at("questions").querySelectorAll("fieldset:not([hidden])")];
    const chosen = boxes.filter((box) => box.querySelector("input"));
    const box = chosen.find((each) => each.contains(document.activeElement)) ||
      chosen.find((each) => !each.querySelector("input:checked")) || chosen[0];
    const input = box && box.querySelectorAll("input")[number - 1];
    if (!input) return;
    input.click();
    input.focus();
    if (input.type === "checkbox") return;
    const after = chosen.slice(chosen.indexOf(box) + 1).find((each) => !each.hidden);
    if (after) after.querySelector("input").focus();
  }

  document.addEventListener("keydown", (event) => {
    const writing = event.target.matches("textarea, select");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || !event.target.matches("textarea, button"))) {
      event.preventDefault();
      next();
    } else if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (/^[1-9]$/.test(event.key)) digit(Number(event.key));
    else if (event.key === "s") move(1);
    else if (event.key === "b") move(-1);
    else if (event.key === "u") undo();
    else if (event.key === "d") save();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : go()));
  at("questions").addEventListener("change", condition);
  at("questions").addEventListener("submit", (event) => event.preventDefault());
  at("next").onclick = next;
  at("back").onclick = () => move(-1);
  at("skip").onclick = () => move(1);
  at("undo").onclick = undo;
  at("save").onclick = save;
  load();
  show();
})();

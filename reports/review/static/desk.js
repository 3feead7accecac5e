"use strict";
(() => {
  const root = document.documentElement;
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const one = (what, from = document) => from.querySelector(what);
  root.classList.add("js");
  const form = one("[data-answers]");

  /* Questions: which is marked, and which are asked. */
  const shownQuestions = () => all("[data-question]").filter((each) => !each.hidden);
  let at = null;
  const mark = (question) => {
    if (at) at.classList.remove("at");
    at = question || null;
    if (at) at.classList.add("at");
  };
  const go = (steps) => {
    const list = shownQuestions();
    const next = list[Math.max(0, Math.min(list.length - 1, list.indexOf(at) + steps))];
    if (!next || next === at) return;
    mark(next);
    next.scrollIntoView({ block: "nearest" });
    const field = one("select, textarea", next) || one("input:checked", next) || one("input:not([type=hidden])", next);
    if (field) field.focus({ preventScroll: true });
    if (field && !field.matches("select, textarea")) field.blur();
  };
  const ask = () => {
    for (const each of all("[data-if]")) {
      const wanted = JSON.parse(each.dataset.if);
      const asked = Object.entries(wanted).every(([name, values]) => {
        const sent = new FormData(form).getAll(name).filter(Boolean);
        return sent.some((value) => values.includes(value));
      });
      each.hidden = !asked;
      each.disabled = !asked;
    }
    if (at && at.hidden) mark(shownQuestions()[0]);
  };
  const choose = (number) => {
    const inputs = at ? all("input:not([type=hidden])", at) : [];
    const input = inputs[0] && at.querySelector(".scale")
      ? inputs.find((each) => each.value === String(number)) : inputs[number - 1];
    if (!input) return;
    input.checked = input.type === "checkbox" ? !input.checked : true;
    ask();
    keepTyped();
    if (input.type === "radio") go(1);
  };
  const press = (action) => {
    const button = one(`[data-answers] .actions [value="${action}"], [data-answers] .models [value="${action}"]`);
    if (button && !button.disabled) form.requestSubmit(button);
  };

  /* The picture: size, place, brightness, contrast, inverted, beside itself. */
  const stage = one("[data-stage]");
  const first = { scale: 1, x: 0, y: 0, bright: 100, contrast: 100, invert: false };
  let look = { ...first };
  const draw = () => {
    const views = all("[data-view] img", stage);
    const place = `translate(${look.x}px, ${look.y}px) scale(${look.scale})`;
    for (const image of views) image.style.transform = place;
    views[views.length - 1].style.filter =
      `brightness(${look.bright}%) contrast(${look.contrast}%) invert(${look.invert ? 1 : 0})`;
    if (views.length > 1) views[0].style.filter = "none";
    one("[data-bright]").value = look.bright;
    one("[data-contrast]").value = look.contrast;
    one('[data-tool="invert"]').setAttribute("aria-pressed", look.invert);
    one('[data-tool="views"]').setAttribute("aria-pressed", views.length > 1);
  };
  const within = (value, low, high) => Math.max(low, Math.min(high, value));
  const change = (values) => {
    if (!stage) return;
    look = { ...look, ...values };
    look.scale = within(look.scale, 0.25, 40);
    look.bright = within(look.bright, 20, 300);
    look.contrast = within(look.contrast, 20, 400);
    draw();
  };
  const zoom = (factor) => change({ scale: look.scale * factor, x: look.x * factor, y: look.y * factor });
  const views = () => {
    if (!stage) return;
    const [view, second] = all("[data-view]", stage);
    if (second) second.remove();
    else {
      const copy = view.cloneNode(true);
      copy.setAttribute("aria-label", "The same picture, adjusted");
      view.after(copy);
      grab(copy);
    }
    draw();
  };
  const tools = {
    larger: () => zoom(1.25), smaller: () => zoom(0.8), reset: () => change(first),
    invert: () => change({ invert: !look.invert }), views,
  };
  const grab = (view) => {
    const held = new Map();
    let apart = 0;
    view.addEventListener("pointerdown", (event) => { view.setPointerCapture(event.pointerId); held.set(event.pointerId, event); });
    view.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      held.set(event.pointerId, event);
      if (held.size === 2) {
        const [a, b] = [...held.values()];
        const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        if (apart) zoom(now / apart);
        apart = now;
      } else change({ x: look.x + event.clientX - before.clientX, y: look.y + event.clientY - before.clientY });
    });
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (event) => { held.delete(event.pointerId); apart = 0; });
    view.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.15 : 0.87); }, { passive: false });
    view.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [30, 0], ArrowRight: [-30, 0], ArrowUp: [0, 30], ArrowDown: [0, -30] }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      change({ x: look.x + step[0], y: look.y + step[1] });
    });
  };
  if (stage) {
    one("[data-tools]").hidden = false;
    all("[data-view]", stage).forEach(grab);
    all("[data-tool]").forEach((button) => button.addEventListener("click", () => tools[button.dataset.tool]()));
    one("[data-bright]").addEventListener("input", (event) => change({ bright: Number(event.target.value) }));
    one("[data-contrast]").addEventListener("input", (event) => change({ contrast: Number(event.target.value) }));
  }

  /* Words of a text, noted by where they begin and end, in characters. */
  const text = one("[data-text]");
  const note = one("[data-note]");
  const characters = (value) => [...value].length;
  const noteWords = () => {
    const selection = document.getSelection();
    if (!text || !note || !selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    if (!text.contains(range.startContainer) || !text.contains(range.endContainer)) return;
    const before = document.createRange();
    before.setStart(text, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const start = characters(before.toString());
    const words = range.toString();
    note.value += `${note.value && !note.value.endsWith("\n") ? "\n" : ""}[${start}:${start + characters(words)}] ${words.slice(0, 80)}`;
    keepTyped();
    highlight(range);
    selection.removeAllRanges();
  };
  const highlight = (range) => {
    try { range.surroundContents(document.createElement("mark")); } catch { /* it crosses another mark */ }
  };
  const spanButton = one("[data-span]");
  if (spanButton) {
    spanButton.hidden = false;
    spanButton.addEventListener("mousedown", (event) => event.preventDefault());
    spanButton.addEventListener("click", noteWords);
  }

  /* What is typed is kept in this tab until the desk has it: a server that is down loses nothing. */
  const drafts = "prune-audit-draft-";
  const fields = () => [...new FormData(form)].filter(([name, value]) => name.startsWith("q_") && value);
  const keepTyped = () => {
    try { sessionStorage.setItem(drafts + form.dataset.item, JSON.stringify([form.dataset.stamp, fields()])); } catch { /* not kept */ }
  };
  const takeUp = () => {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(drafts + form.dataset.item));
      sessionStorage.removeItem(drafts + form.dataset.item);
    } catch { /* nothing is kept */ }
    // Of another state of the item: the desk knows better.
    if (!kept || kept[0] !== form.dataset.stamp) return;
    for (const each of all("input:not([type=hidden]), select, textarea", form)) {
      if (!each.name.startsWith("q_")) continue;
      const values = kept[1].filter(([name]) => name === each.name).map(([, value]) => value);
      if (each.matches("input")) each.checked = values.includes(each.value);
      else each.value = values[0] || "";
    }
    keepTyped();
  };

  /* Keys. */
  const dialog = one("[data-dialog]");
  const wanted = one("[data-switch]");
  const store = "prune-audit-single-keys";
  const keysWork = () => { try { return localStorage.getItem(store) !== "off"; } catch { return true; } };
  if (wanted) {
    wanted.checked = keysWork();
    wanted.addEventListener("change", () => { try { localStorage.setItem(store, wanted.checked ? "on" : "off"); } catch { /* not kept */ } });
  }
  const showKeys = () => { if (dialog && !dialog.open) dialog.showModal(); };
  for (const link of all("[data-keys]")) {
    if (dialog) link.addEventListener("click", (event) => { event.preventDefault(); showKeys(); });
  }
  const reveal = () => { const box = one("#reveal"); if (box) box.checked = !box.checked; };
  const undo = () => { const button = one("[data-undo]"); if (button && !button.disabled) button.form.requestSubmit(button); };
  const single = {
    j: () => go(1), k: () => go(-1), ArrowDown: () => go(1), ArrowUp: () => go(-1),
    Enter: () => press("save"), n: () => { if (note) { mark(note.closest("[data-question]")); note.focus(); } },
    l: () => { const list = all("[data-answers] select").find((each) => !each.closest("[data-question]").hidden); if (list) list.focus(); },
    m: () => press("models"), s: () => press("skip"), p: () => press("break"), u: undo, r: reveal,
    "+": tools.larger, "=": tools.larger, "-": tools.smaller, 0: tools.reset, i: tools.invert, v: views,
    b: () => change({ bright: look.bright + 10 }), B: () => change({ bright: look.bright - 10 }),
    c: () => change({ contrast: look.contrast + 10 }), C: () => change({ contrast: look.contrast - 10 }),
    h: noteWords, "?": showKeys,
  };
  document.addEventListener("keydown", (event) => {
    if (dialog && dialog.open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); press("save"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (event.key === "Escape" && target.matches("textarea, select")) { target.blur(); return; }
    if (event.key === "Enter" && target.matches("select")) { event.preventDefault(); target.blur(); go(1); return; }
    if (target.matches("textarea, select, input[type=text]")) return;
    if (event.key === "Enter" && target.matches("button, a, summary")) return;
    if (event.key.startsWith("Arrow") && target.matches("input")) return;
    if (!keysWork() && event.key !== "Enter") return;
    if (/^[1-9]$/.test(event.key) && form) { event.preventDefault(); choose(Number(event.key)); return; }
    const action = single[event.key];
    if (!action || (event.repeat && !"+-=bBcC".includes(event.key))) return;
    event.preventDefault();
    action();
  });
  if (form) {
    takeUp();
    form.addEventListener("change", () => { ask(); keepTyped(); });
    form.addEventListener("input", keepTyped);
    form.addEventListener("focusin", (event) => { const each = event.target.closest("[data-question]"); if (each) mark(each); });
    ask();
    const amiss = one("[data-amiss]");
    mark(amiss && !amiss.hidden ? amiss : shownQuestions()[0]);
    if (at === amiss && amiss) at.scrollIntoView({ block: "nearest" });
    let sent = false;
    form.addEventListener("submit", (event) => { if (sent) event.preventDefault(); sent = true; });
    window.addEventListener("pageshow", () => { sent = false; });
  }
})();

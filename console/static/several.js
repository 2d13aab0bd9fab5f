// Choosing several things of a page, and one form that is sent for each of them: a request of its own, whose outcome is
// written beside the thing. Nothing here knows what the things are; without it the form is sent once, with all of them.
"use strict";

(() => {
  const AT_ONCE = 4;
  let last = null;
  let before = 0;

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const chosen = () => all(".chooses:checked");
  const panel = () => document.querySelector(".several");
  const thing = (box) => box.closest(".card, tr");
  const group = (box) => box.closest(".lane, .panel");
  const said = (name, values) => panel().dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

  // How many are chosen, and which boxes of a group say so.
  function count() {
    if (!panel()) return;
    const number = chosen().length;
    panel().querySelector("[data-count]").textContent = number ? said("chosen", { count: number }) : "";
    for (const head of all(".chooses-all")) {
      const boxes = all(".chooses", group(head));
      const checked = boxes.filter((box) => box.checked).length;
      head.disabled = !boxes.length;
      head.checked = boxes.length > 0 && checked === boxes.length;
      head.indeterminate = checked > 0 && checked < boxes.length;
    }
    if (number && !before && matchMedia("(min-width: 821px)").matches) panel().open = true;
    if (!number) document.dispatchEvent(new Event("let-go"));
    before = number;
  }

  // With Shift, all from the box that was chosen last become like this one.
  function range(box) {
    const boxes = all(".chooses");
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
  }

  function clear() {
    for (const box of chosen()) box.checked = false;
    count();
  }

  // Send the form for one thing; the outcome as the console says it, or that no answer came.
  async function send(form, box) {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && !all(".chooses").some((other) => other.name === name)) fields.append(name, value);
    }
    fields.append(box.name, box.value);
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
      return await answer.json();
    } catch {
      return { ok: false, text: said("lost", {}) };
    }
  }

  function write(box, { ok, text }) {
    const place = thing(box).querySelector(".outcome") || document.createElement("p");
    place.className = `outcome ${ok ? "good" : "bad"}`;
    place.textContent = text;
    box.parentElement.append(place);
    box.checked = !ok; // what was refused may be tried again
  }

  async function take(form) {
    const boxes = chosen();
    const [bar, words] = [panel().querySelector("progress"), panel().querySelector("[role=status]")];
    const button = form.querySelector("[type=submit]");
    const waiting = [...boxes];
    let [done, refused] = [0, 0];
    const tell = () => {
      bar.value = done;
      words.textContent = said("progress", { done, count: boxes.length, refused });
    };
    [bar.hidden, bar.max, button.disabled] = [false, boxes.length, true];
    tell();
    const work = async () => {
      for (let box = waiting.shift(); box; box = waiting.shift()) {
        thing(box).setAttribute("aria-busy", "true");
        const outcome = await send(form, box);
        thing(box).removeAttribute("aria-busy");
        write(box, outcome);
        done += 1;
        refused += outcome.ok ? 0 : 1;
        tell();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    [bar.hidden, button.disabled, form.elements.confirmed.checked] = [true, false, false];
    panel().querySelector(".several-status a").hidden = false;
    count();
  }

  document.addEventListener("submit", (event) => {
    if (!panel() || !panel().contains(event.target)) return;
    event.preventDefault();
    if (chosen().length) take(event.target);
    else panel().querySelector("[role=status]").textContent = said("nothing", {});
  });

  document.addEventListener("click", (event) => {
    if (event.target.matches(".chooses")) {
      if (event.shiftKey) range(event.target);
      last = event.target;
    } else if (event.target.matches(".chooses-all")) {
      for (const box of all(".chooses", group(event.target))) box.checked = event.target.checked;
    } else return;
    count();
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches(".chooses, .chooses-all")) return;
    const boxes = all(".chooses, .chooses-all:enabled");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = boxes[boxes.indexOf(event.target) + step];
      if (next) next.focus();
    } else if (event.key === "Escape") clear();
  });

  addEventListener("DOMContentLoaded", count);
  document.addEventListener("renewed", count);
})();

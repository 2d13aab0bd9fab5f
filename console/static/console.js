// The console in the browser: asks for its page again when something changed, and puts the difference in place.
// Nothing here knows what a page shows. Focus, open details and what is being typed stay as they are.
"use strict";

(() => {
  const LIVE_PARTS = ["status", "main"];
  let seen = null;
  let busy = false;
  let stale = false;
  const folded = new WeakSet(); // details that a person opened or closed: theirs from then on

  // Make `old` like `fresh`, touching only what differs.
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) return;
    if (old.tagName === "FORM" && old.method === "post") return; // what a person is writing is theirs
    for (const { name, value } of fresh.attributes) {
      if (name === "open" && folded.has(old)) continue;
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
    }
    if (old.matches("time[data-ago], time[data-due]") && old.dateTime === fresh.dateTime) return;
    if (old.tagName === "INPUT") return;
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const wanted = [...fresh.childNodes];
    wanted.forEach((node, place) => {
      let here = old.childNodes[place];
      if (node.id && here && here.id !== node.id) {
        const moved = [...old.children].find((child) => child.id === node.id);
        if (moved) {
          old.insertBefore(moved, here);
          here = moved;
        } else {
          old.insertBefore(node.cloneNode(true), here);
          return;
        }
      }
      if (here) morph(here, node);
      else old.appendChild(node.cloneNode(true));
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  }

  // What was chosen stays where it is, and so does what became of it, until the page is asked for again.
  const held = () => document.querySelector(".chooses:checked, .outcome");

  async function renew() {
    if (busy || document.hidden) {
      stale = true;
      return;
    }
    busy = true;
    stale = false;
    try {
      const headers = seen ? { "Coseal-Seen": seen } : {};
      const response = await fetch(location.href, { headers, cache: "no-store" });
      if (response.status !== 204) {
        seen = response.headers.get("Coseal-Seen");
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const id of LIVE_PARTS) {
          if (id === "main" && document.body.dataset.live === "off" && fresh.body.dataset.live === "off") continue;
          if (id === "main" && held()) {
            seen = null;
            stale = true;
            continue;
          }
          const old = document.getElementById(id);
          const made = fresh.getElementById(id);
          if (old && made) morph(old, made);
        }
        document.body.dataset.live = fresh.body.dataset.live || "on";
        document.dispatchEvent(new Event("renewed"));
        age();
        due();
      }
    } catch {
      stale = true; // the event source tells when the console is back
    } finally {
      busy = false;
    }
  }

  // "3 s ago", renewed every second without asking anybody.
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always", style: "short" });
  function age() {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Number(element.dataset.ago)) / 1000));
      const [unit, size] = units.find(([, size]) => seconds >= size) || units[3];
      const text = words.format(-Math.floor(seconds / size), unit);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // "in 3 days", or how long ago it was due.
  function due() {
    for (const element of document.querySelectorAll("time[data-due]")) {
      const seconds = Math.round((Number(element.dataset.due) - Date.now()) / 1000);
      const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units[3];
      const text = words.format(Math.trunc(seconds / size), unit);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // A file named as evidence is hashed here; the file itself goes nowhere.
  async function hash(input) {
    const into = input.form.elements[input.dataset.hashInto];
    for (const file of input.files) {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      const text = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      into.value = `${into.value} ${text}`.trim();
    }
    input.value = "";
  }

  // A drawing that the console gives as SVG, as a PNG of twice its size.
  async function picture(button) {
    const drawing = await (await fetch(button.dataset.picture)).text();
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.download = button.dataset.name;
    link.href = canvas.toDataURL("image/png");
    link.click();
  }

  function listen() {
    const offline = document.getElementById("offline");
    const source = new EventSource("/live");
    source.addEventListener("changed", renew);
    source.addEventListener("open", () => {
      offline.hidden = true;
      document.documentElement.dataset.connected = "yes";
    });
    source.addEventListener("error", () => {
      offline.hidden = false;
      delete document.documentElement.dataset.connected;
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  addEventListener("DOMContentLoaded", () => {
    age();
    due();
    setInterval(age, 1000);
    setInterval(due, 1000);
    // A map wider than the screen is shown from its middle, where most ways lead; its start may stand there.
    for (const map of document.querySelectorAll(".scroll.map")) map.scrollLeft = (map.scrollWidth - map.clientWidth) / 2;
    document.addEventListener("click", (event) => {
      const summary = event.target.closest("summary"); // a key on it is a click as well
      if (summary) folded.add(summary.parentElement);
    });
    document.addEventListener("change", (event) => {
      if (event.target.matches("input[data-hash-into]")) hash(event.target);
    });
    listen();
    document.addEventListener("let-go", () => {
      if (stale && !held()) renew();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && stale) renew();
    });
    addEventListener("pageshow", (event) => {
      if (event.persisted) listen();
    });
    document.addEventListener("click", async (event) => {
      const button = event.target.closest("button[data-copy]");
      if (button) {
        await navigator.clipboard.writeText(button.dataset.copy);
        const before = button.textContent;
        button.textContent = button.dataset.copied;
        setTimeout(() => (button.textContent = before), 1500);
      }
      const drawn = event.target.closest("button[data-picture]");
      if (drawn) await picture(drawn);
      for (const open of document.querySelectorAll("details.seal[open]")) {
        if (!open.contains(event.target)) open.open = false;
      }
    });
    document.addEventListener("keydown", (event) => {
      const writes = event.target.closest("input, textarea, select");
      if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        document.querySelector(".top input[type=search]").focus();
      }
      if (event.key === "Escape") {
        for (const open of document.querySelectorAll("details.seal[open]")) {
          open.open = false;
          open.querySelector("summary").focus();
        }
      }
    });
  });
})();

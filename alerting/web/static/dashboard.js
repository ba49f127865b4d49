// Every page: times in the reader's zone, keys, and what is live: elements with data-live and an id are brought up to date
// when /live says that something changed, without losing focus, scroll or charts.
"use strict";
(() => {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const parts = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const local = new Intl.DateTimeFormat("en-GB", parts);
  const universal = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: "UTC" });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  function tellTimes() {
    for (const one of document.querySelectorAll("time[datetime]")) {
      const at = new Date(one.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const words = local.format(at).replace(/,/g, "");
      if (one.textContent !== words) one.textContent = words;
      one.title = `${universal.format(at).replace(/,/g, "")} UTC · shown in ${here}`;
    }
  }

  const line = document.getElementById("live");
  const parts_of_page = () => document.querySelectorAll("[data-live][id]");
  let source = null;
  let known = document.querySelector("[data-stamp]")?.dataset.stamp ?? null;
  let lost = null;
  let wanted = null;
  let again = 0;

  function say(text, isLost) {
    if (!line || line.textContent === text) return;
    line.textContent = text;
    line.classList.toggle("lost", isLost);
  }

  async function refresh() {
    if (wanted) return void (wanted = "again");
    wanted = "once";
    try {
      for (const one of parts_of_page()) {
        const address = location.pathname + location.search;
        await htmx.ajax("GET", address, { target: `#${one.id}`, select: `#${one.id}`, swap: "outerMorph" });
      }
    } finally {
      const isOld = wanted === "again";
      wanted = null;
      if (isOld) refresh();
    }
  }

  function heard(stamp) {
    lost = null;
    say("live", false);
    if (known !== null && stamp !== known) refresh();
    known = stamp;
  }

  function missed() {
    lost ??= new Date();
    say(`not live since ${clock.format(lost)}`, true);
    if (source?.readyState === EventSource.CLOSED) {
      clearTimeout(again);
      again = setTimeout(listen, 10000);
    }
  }

  function listen() {
    source?.close();
    source = new EventSource("/live");
    source.addEventListener("state", (event) => heard(event.data));
    source.addEventListener("error", missed);
  }

  function hush() {
    clearTimeout(again);
    source?.close();
    source = null;
  }

  // A browser keeps few connections to one host: pages that nobody looks at give theirs back.
  function attend() {
    if (!line || !parts_of_page().length) return;
    if (document.hidden) hush();
    else if (!source) listen();
  }

  function step(by) {
    const stops = [...document.querySelectorAll("[data-step], .card h2 a, .incidents a, .notes a")];
    const at = stops.indexOf(document.activeElement);
    const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : Math.min(Math.max(at + by, 0), stops.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const keys = {
      "/": () => document.querySelector("[data-focus]")?.focus(),
      "?": () => document.getElementById("keys")?.showModal(),
      j: () => step(1),
      k: () => step(-1),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  document.addEventListener("keydown", pressed);
  document.addEventListener("htmx:after:swap", tellTimes);
  document.addEventListener("visibilitychange", attend);
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", attend);
  document.getElementById("keys-button")?.addEventListener("click", () => document.getElementById("keys")?.showModal());
  document.getElementById("keys-close")?.addEventListener("click", () => document.getElementById("keys")?.close());
  tellTimes();
  attend();
})();

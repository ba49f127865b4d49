// The page of a metric: a clicked point is explained; a chosen span stands in the address and holds for all its charts.
"use strict";
(() => {
  const main = document.getElementById("chart");
  const why = document.getElementById("why");
  if (!main) return;
  const first = main.dataset.chart;
  const home = location.pathname + location.search;
  const partsLink = document.getElementById("parts-link");

  function seriesOf(labels) {
    const pairs = Object.entries(labels).map(([name, value]) => ["series", `${name}=${value}`]);
    return pairs.length ? pairs : [["series", "total"]];
  }

  document.addEventListener("plot:point", async (event) => {
    const { time, labels } = event.detail;
    const asked = new URLSearchParams([...seriesOf(labels), ["at", new Date(time * 1000).toISOString()]]);
    await htmx.ajax("GET", `${main.dataset.page}/why?${asked}`, { target: why, swap: "innerHTML" });
    why.scrollIntoView({ block: "nearest" });
  });

  function withSpan(address, { since, until }) {
    const changed = new URL(address, location.href);
    for (const name of ["since", "until", "span"]) changed.searchParams.delete(name);
    changed.searchParams.set("since", new Date(since * 1000).toISOString());
    changed.searchParams.set("until", new Date(until * 1000).toISOString());
    return changed.pathname + changed.search;
  }

  main.addEventListener("plot:span", (event) => {
    if (event.detail.since == null) {
      main.dataset.chart = first;
      history.pushState(null, "", home);
      location.reload();
      return;
    }
    history.pushState(null, "", withSpan(location.href, event.detail));
    for (const link of document.querySelectorAll(".spans a[aria-current]")) link.removeAttribute("aria-current");
    for (const figure of document.querySelectorAll(".multiples figure.plot")) {
      figure.dataset.chart = withSpan(figure.dataset.chart, event.detail);
    }
    partsLink.href = withSpan(partsLink.href, event.detail);
    partsLink.setAttribute("hx-get", partsLink.getAttribute("href"));
    document.getElementById("parts").replaceChildren(); // it is of another span
  });

  addEventListener("popstate", () => location.reload());
})();

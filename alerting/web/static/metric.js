// The page of a metric: a clicked point is explained; a chosen span stands in the address and holds for all its charts.
"use strict";
(() => {
  const main = document.getElementById("chart");
  const why = document.getElementById("why");
  if (!main) return;
  const first = main.dataset.chart;
  const home = location.pathname + location.search;
  const partsLink = document.getElementById("parts-link");

  const written = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000Z", "Z");

  function seriesOf(labels) {
    const pairs = Object.entries(labels).map(([name, value]) => ["series", `${name}=${value}`]);
    return pairs.length ? pairs : [["series", "total"]];
  }

  document.addEventListener("plot:point", async (event) => {
    const { time, labels } = event.detail;
    const asked = new URLSearchParams([...seriesOf(labels), ["at", written(time)]]);
    await htmx.ajax("GET", `${main.dataset.page}/why?${asked}`, { target: why, swap: "innerHTML" });
    why.scrollIntoView({ block: "nearest" });
  });

  function withSpan(address, { since, until }) {
    const changed = new URL(address, location.href);
    changed.searchParams.delete("span");
    changed.searchParams.set("since", written(since));
    changed.searchParams.set("until", written(until));
    return changed.pathname + changed.search;
  }

  main.addEventListener("plot:span", (event) => {
    if (event.detail.since == null) {
      main.dataset.chart = first;
      history.pushState(null, "", home);
      location.reload();
      return;
    }
    main.dataset.chart = withSpan(main.dataset.chart, event.detail);
    history.pushState(null, "", withSpan(location.href, event.detail));
    for (const link of document.querySelectorAll(".spans a[aria-current]")) link.removeAttribute("aria-current");
    for (const figure of document.querySelectorAll(".series figure.plot")) {
      figure.dataset.chart = withSpan(figure.dataset.chart, event.detail);
    }
    partsLink.href = withSpan(partsLink.href, event.detail);
    partsLink.setAttribute("hx-get", partsLink.getAttribute("href"));
    document.getElementById("parts").replaceChildren(); // it is of another span
  });

  addEventListener("popstate", () => location.reload());
})();

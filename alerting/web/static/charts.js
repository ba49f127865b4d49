// Draws every <figure class="plot" data-chart="ADDRESS">: readings, usual range, what was expected, anomalies, incidents.
// data-zoom: dragging selects a span, and its finer readings are fetched. A figure tells what happens to it by events:
// "plot:span" (detail: since and until in seconds, null = the whole) and "plot:point" (detail: time, metric, labels).
"use strict";
(() => {
  const drawn = new WeakMap();
  const DAY = 86400;
  const AGAIN_MS = 5000;
  const AT_ONCE = 2;

  const digits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
  const scales = [[1e12, " tn"], [1e9, " bn"], [1e6, " M"]];
  function number(value) {
    if (value == null) return "–";
    const scale = scales.find(([size]) => Math.abs(value) >= size);
    return scale ? digits.format(value / scale[0]) + scale[1] : digits.format(value);
  }

  const dateTime = new Intl.DateTimeFormat("en-GB", {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const utc = new Intl.DateTimeFormat("en-GB", {
    weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC",
  });
  // A bucket of a day or longer is a day of its query's zone, whatever the zone of the reader.
  function moment(found, time) {
    if (found.bucket_s < DAY) return `${dateTime.format(time * 1000)} (${utc.format(time * 1000)} UTC)`;
    return new Intl.DateTimeFormat("en-GB", {
      weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: found.timezone,
    }).format(time * 1000);
  }

  function colours(figure) {
    const style = getComputedStyle(figure);
    const of = (name) => style.getPropertyValue(name).trim();
    return {
      line: of("--plot-line"), band: of("--plot-band"), edge: of("--plot-edge"), expected: of("--plot-expected"),
      spread: of("--plot-spread"), anomaly: of("--plot-anomaly"), axis: of("--plot-axis"), grid: of("--plot-grid"),
      critical: of("--plot-critical"), warning: of("--plot-warning"),
    };
  }

  function columns(found) {
    const unusual = found.times.map(() => null);
    const outer = (place) =>
      found.decimated && found.lower[place] != null && found.low[place] < found.lower[place]
        ? found.low[place]
        : found.decimated && found.upper[place] != null && found.high[place] > found.upper[place]
          ? found.high[place]
          : found.observed[place];
    for (const place of found.anomalies) unusual[place] = outer(place);
    const spread = found.decimated ? [found.low, found.high] : [unusual.map(() => null), unusual.map(() => null)];
    return [found.times, found.lower, found.upper, ...spread, found.expected, found.observed, unusual];
  }

  function shadeIncidents(found, hue) {
    return (plot) => {
      const { left, top, width, height } = plot.bbox;
      plot.ctx.save();
      plot.ctx.beginPath();
      plot.ctx.rect(left, top, width, height);
      plot.ctx.clip();
      for (const one of found.incidents) {
        const begin = plot.valToPos(one.opened, "x", true);
        const end = one.ended == null ? left + width : plot.valToPos(one.ended, "x", true);
        plot.ctx.fillStyle = one.severity === "critical" ? hue.critical : hue.warning;
        plot.ctx.fillRect(begin, top, Math.max(end - begin, 2), height);
      }
      plot.ctx.restore();
    };
  }

  function axes(found, hue, isSmall) {
    const font = "12px system-ui, sans-serif";
    const common = { stroke: hue.axis, font, grid: { stroke: hue.grid, width: 1 }, ticks: { stroke: hue.grid, size: 4 } };
    const labels = (plot, splits, axis, space, step) =>
      splits.map((time, place) => {
        if (time == null) return "";
        const isNewDay = place === 0 || day.format(time * 1000) !== day.format(splits[place - 1] * 1000);
        if (step >= DAY) return day.format(time * 1000);
        return isNewDay && clock.format(time * 1000) === "00:00" ? day.format(time * 1000) : clock.format(time * 1000);
      });
    return [
      { ...common, values: labels, space: isSmall ? 70 : 80, size: 26, gap: 4 },
      { ...common, values: (plot, splits) => splits.map(number), size: 58, gap: 4, space: 32 },
    ];
  }

  function options(figure, found) {
    const hue = colours(figure);
    const isSmall = figure.classList.contains("small");
    const hidden = { points: { show: false } };
    return {
      width: figure.clientWidth,
      height: figure.clientHeight,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 7 },
        drag: { x: figure.hasAttribute("data-zoom"), y: false, setScale: false },
      },
      scales: { x: { time: true }, y: { range: (plot, least, most) => reach(least, most) } },
      axes: axes(found, hue, isSmall),
      series: [
        {},
        { ...hidden, stroke: hue.edge, width: 1 },
        { ...hidden, stroke: hue.edge, width: 1 },
        { ...hidden, width: 0 },
        { ...hidden, width: 0 },
        { ...hidden, stroke: hue.expected, width: 1, dash: [5, 4] },
        { ...hidden, stroke: hue.line, width: 1.5 },
        { stroke: hue.anomaly, width: 0, paths: () => null, points: { show: true, size: isSmall ? 5 : 7, fill: hue.anomaly, width: 0 } },
      ],
      bands: [{ series: [2, 1], fill: hue.band }, { series: [4, 3], fill: hue.spread }],
      hooks: {
        drawClear: [shadeIncidents(found, hue)],
        setCursor: [(plot) => tell(figure, plot)],
        setSelect: [(plot) => select(figure, plot)],
      },
    };
  }

  function reach(least, most) {
    if (least == null || most == null) return [0, 1];
    if (least === most) return [Math.min(least - 1, 0), most + 1];
    const room = (most - least) * 0.06;
    return [least >= 0 && least - room < 0 ? 0 : least - room, most + room];
  }

  function words(found, place) {
    const unit = found.unit ? ` ${found.unit}` : "";
    const lines = [moment(found, found.times[place])];
    const value = found.observed[place];
    lines.push(value == null ? "no reading" : `${found.decimated ? "mean " : ""}${number(value)}${unit}`);
    if (found.decimated && found.low[place] != null) lines.push(`${number(found.low[place])} – ${number(found.high[place])}`);
    const [low, high] = [found.lower[place], found.upper[place]];
    if (low != null && high != null) lines.push(`usually ${number(low)} – ${number(high)}${unit}`);
    else if (low != null) lines.push(`usually above ${number(low)}${unit}`);
    else if (high != null) lines.push(`usually below ${number(high)}${unit}`);
    if (found.expected[place] != null) lines.push(`expected ${number(found.expected[place])}${unit}`);
    if (found.anomalies.includes(place)) lines.push("unusual");
    const time = found.times[place];
    for (const one of found.incidents) {
      if (one.opened <= time && (one.ended == null || time < one.ended)) lines.push(one.headline);
    }
    return lines;
  }

  function tell(figure, plot) {
    const state = drawn.get(figure);
    const place = plot.cursor.idx;
    if (!state) return;
    const isOver = place != null && plot.cursor.left >= 0;
    state.tip.hidden = !isOver;
    if (!isOver) return;
    if (state.place !== place) {
      state.place = place;
      state.tip.replaceChildren(
        ...words(state.found, place).map((line, nth) => {
          const part = document.createElement(nth === 1 ? "strong" : "span");
          part.textContent = line;
          return part;
        }),
      );
    }
    const left = plot.over.offsetLeft + plot.cursor.left;
    const isRight = left > figure.clientWidth / 2;
    const shift = isRight ? left - state.tip.offsetWidth - 14 : left + 14;
    state.tip.style.transform = `translate(${Math.max(0, Math.min(shift, figure.clientWidth - state.tip.offsetWidth))}px, 12px)`;
  }

  function select(figure, plot) {
    if (!figure.hasAttribute("data-zoom") || plot.select.width < 8) return;
    const since = plot.posToVal(plot.select.left, "x");
    const until = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    span(figure, since, until);
  }

  function span(figure, since, until) {
    const address = new URL(figure.dataset.chart, location.href);
    const edges = { since, until };
    for (const name of Object.keys(edges)) {
      if (edges[name] == null) address.searchParams.delete(name);
      else address.searchParams.set(name, new Date(edges[name] * 1000).toISOString());
    }
    figure.dataset.chart = address.pathname + address.search; // seen by the observer, which draws it
    figure.dispatchEvent(new CustomEvent("plot:span", { bubbles: true, detail: edges }));
  }

  function summary(found) {
    const unit = found.unit ? ` ${found.unit}` : "";
    let last = found.observed.length - 1;
    while (last > 0 && found.observed[last] == null) last -= 1;
    const band = found.lower[last] != null && found.upper[last] != null
      ? `, usually ${number(found.lower[last])} to ${number(found.upper[last])}` : "";
    const count = found.anomalies.length;
    return `Chart of ${found.title}: last ${number(found.observed[last])}${unit}${band}; ` +
      `${count === 1 ? "1 unusual point" : `${count} unusual points`}. Arrow keys read single points.`;
  }

  function move(figure, key, isFar) {
    const { plot, found } = drawn.get(figure);
    const last = found.times.length - 1;
    const { min, max } = plot.scales.x;
    const step = isFar ? Math.max(Math.round(found.times.length / 20), 1) : 1;
    const from = plot.cursor.idx ?? last;
    const place = { ArrowLeft: from - step, ArrowRight: from + step, Home: 0, End: last }[key];
    const wanted = Math.min(Math.max(place, 0), last);
    if (found.times[wanted] < min || found.times[wanted] > max) return;
    plot.setCursor({ left: plot.valToPos(found.times[wanted], "x"), top: 10 });
  }

  function point(figure) {
    const { plot, found } = drawn.get(figure);
    if (plot.cursor.idx == null) return;
    const detail = { time: found.times[plot.cursor.idx], metric: found.metric, labels: found.labels };
    figure.dispatchEvent(new CustomEvent("plot:point", { bubbles: true, detail }));
  }

  function listen(figure) {
    figure.tabIndex = 0;
    figure.addEventListener("keydown", (event) => {
      if (!drawn.get(figure)?.plot || event.ctrlKey || event.metaKey || event.altKey) return;
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) move(figure, event.key, event.shiftKey);
      else if (event.key === "Enter") point(figure);
      else if (event.key === "Escape") drawn.get(figure).plot.setCursor({ left: -10, top: -10 });
      else return;
      event.preventDefault();
    });
    figure.addEventListener("focusout", () => drawn.get(figure)?.plot?.setCursor({ left: -10, top: -10 }));
    figure.addEventListener("click", () => drawn.get(figure)?.plot && point(figure));
    figure.addEventListener("dblclick", () => figure.hasAttribute("data-zoom") && span(figure, null, null));
    new ResizeObserver(() => {
      const state = drawn.get(figure);
      if (state?.plot && (state.plot.width !== figure.clientWidth || state.plot.height !== figure.clientHeight)) {
        state.plot.setSize({ width: figure.clientWidth, height: figure.clientHeight });
      }
    }).observe(figure);
  }

  function show(figure, found) {
    const state = drawn.get(figure);
    state.plot?.destroy();
    state.found = found;
    state.place = null;
    state.tip ??= Object.assign(document.createElement("div"), { className: "tip", hidden: true });
    state.tip.setAttribute("aria-live", "polite");
    state.plot = new uPlot(options(figure, found), columns(found), figure);
    figure.append(state.tip);
    figure.setAttribute("role", "group");
    figure.setAttribute("aria-roledescription", "chart");
    figure.setAttribute("aria-label", summary(found));
    figure.classList.add("drawn");
    figure.dispatchEvent(new CustomEvent("plot:drawn", { bubbles: true, detail: found }));
  }

  function complain(figure, reason) {
    const state = drawn.get(figure);
    state.plot?.destroy();
    state.plot = null;
    const note = document.createElement("p");
    note.className = "quiet";
    note.textContent = reason;
    figure.replaceChildren(note);
  }

  async function load(figure) {
    const state = drawn.get(figure);
    const address = figure.dataset.chart;
    if (state.address === address) return;
    state.address = address;
    let mayHelp = true;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      mayHelp = answer.status >= 500;
      const found = await answer.json();
      if (state.address !== address) return; // another one was asked for meanwhile
      if (!answer.ok) throw new Error(found.error);
      if (!state.plot) figure.replaceChildren();
      show(figure, found);
    } catch (error) {
      if (state.address !== address) return;
      complain(figure, `There is no chart: ${error.message}`);
      if (mayHelp) setTimeout(() => again(figure, address), AGAIN_MS);
    }
  }

  function again(figure, address) {
    const state = drawn.get(figure);
    if (!figure.isConnected || state.address !== address) return;
    state.address = null;
    ask(figure);
  }

  // In the order of the page and few at once: the first chart does not wait for those beside it.
  const queue = [];
  let loading = 0;
  function ask(figure) {
    if (!queue.includes(figure)) queue.push(figure);
    while (loading < AT_ONCE && queue.length) {
      loading += 1;
      load(queue.shift()).finally(() => {
        loading -= 1;
        if (queue.length) ask(queue[0]);
      });
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      drawn.get(entry.target).isNear = entry.isIntersecting;
      if (entry.isIntersecting) ask(entry.target);
    }
  }, { rootMargin: "200px" });

  function find(root) {
    for (const figure of root.querySelectorAll("figure.plot[data-chart]")) {
      if (!drawn.has(figure)) {
        drawn.set(figure, {});
        listen(figure);
        near.observe(figure);
      } else if (drawn.get(figure).isNear) ask(figure);
    }
  }

  new MutationObserver(() => find(document)).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-chart"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const figure of document.querySelectorAll("figure.plot.drawn")) {
      const state = drawn.get(figure);
      if (state?.plot) show(figure, state.found);
    }
  });
  find(document);
  window.metricwatch = { ...window.metricwatch, number };
})();

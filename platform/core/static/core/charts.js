// Draws figures given as JSON; Plotly is fetched only on pages that have a chart.
(function () {
  "use strict";
  const source = document.currentScript.dataset.plotly;
  let loading = null;

  function plotly() {
    loading = loading || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => { loading = null; reject(new Error("Plotly could not be loaded")); };
      document.head.append(script);
    });
    return loading;
  }

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const text = style.getPropertyValue("--chart-text").trim();
    const grid = style.getPropertyValue("--chart-grid").trim();
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid };
    const out = { ...layout, font: { color: text, family: "inherit", size: 12 }, hoverlabel: { bgcolor: style.getPropertyValue("--chart-surface").trim(), font: { color: text } } };
    Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).forEach((key) => { out[key] = { ...layout[key], ...axis }; });
    return out;
  }

  async function draw(node) {
    const data = document.getElementById(node.dataset.chart);
    if (!data) return;
    try {
      const figure = JSON.parse(data.textContent);
      const library = await plotly();
      const layout = themed(figure.layout || {});
      if (layout.xaxis?.type === "date") Object.assign(layout.xaxis, { tickangle: 0, nticks: Math.max(3, Math.floor(node.clientWidth / 90)) });
      if (node.dataset.step) Object.assign(layout, { dragmode: coarse ? false : "zoom" });
      await library.react(node, figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtons: [["toImage", "resetScale2d"]] });
      node.dataset.drawn = "1";
      if (!node.dataset.linked) {
        node.dataset.linked = "1";
        node.on("plotly_relayout", (change) => (node.dataset.step ? zoom(node, change) : link(node, change)));
        if (node.dataset.links) node.on("plotly_click", (event) => open(node, event.points.find((point) => point.data.meta !== "aside")));
      }
    } catch (error) {
      node.textContent = "The chart could not be drawn; open it as a table.";
      console.warn(error);
    }
  }

  // A finger moves the page; the range picker zooms there.
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  // Charts with data-step share the time range of the page: zooming in is a new range, in the address, for all of them.
  const stepOf = (node) => (node.dataset.step === "hour" ? 3600000 : 86400000);
  const momentOf = (text) => Date.parse(String(text).replace(" ", "T").slice(0, 19) + (String(text).length > 10 ? "Z" : "T00:00:00Z"));

  function zoom(node, change) {
    const first = change["xaxis.range[0]"], last = change["xaxis.range[1]"];
    if (!first || !last) return;
    const step = stepOf(node), length = node.dataset.step === "hour" ? 16 : 10;
    const start = Math.floor(momentOf(first) / step) * step;
    const end = Math.max(start + step, Math.ceil(momentOf(last) / step) * step);
    const shown = (at) => new Date(at).toISOString().slice(0, length);
    const address = new URL(window.location.href);
    ["at", "cursor", "from_time", "to_time"].forEach((name) => address.searchParams.delete(name));
    address.searchParams.set("range", "custom");
    address.searchParams.set("from", shown(start));
    address.searchParams.set("to", shown(length === 10 ? end - step : end));  // the last day is included
    address.hash = node.id;
    window.location.assign(address);
  }

  // What is behind a point: the place its row in the table links to.
  function open(node, point) {
    if (!point) return;  // a limit or a mark
    const x = point.data.x ? point.data.x[point.pointNumber] : momentOf(point.data.x0) + point.pointNumber * point.data.dx;
    const at = new Date(typeof x === "number" ? x : momentOf(x)).toISOString().slice(0, node.dataset.step === "hour" ? 16 : 10);
    window.location.assign(node.dataset.links + encodeURIComponent(at) + "#invocations");
  }

  // Zooming one chart over time zooms the others of the page.
  let following = false;
  function link(from, change) {
    if (following || from.layout.xaxis.type !== "date") return;
    const range = change["xaxis.range[0]"] ? { "xaxis.range": [change["xaxis.range[0]"], change["xaxis.range[1]"]] } : change["xaxis.autorange"] ? { "xaxis.autorange": true } : null;
    if (!range) return;
    following = true;
    const others = [...document.querySelectorAll(".chart[data-drawn]:not([data-step])")].filter((node) => node !== from && node.layout?.xaxis?.type === "date");
    Promise.all(others.map((node) => window.Plotly.relayout(node, range))).finally(() => { following = false; });
  }

  function drawAll(from) { (from || document).querySelectorAll("[data-chart]:not([data-drawn])").forEach(draw); }

  function saveCsv(button) {
    const table = button.closest("details").querySelector("table");
    const quote = (text) => /[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
    const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quote(cell.textContent.trim().replace(/^–$/, ""))).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n")], { type: "text/csv" }));
    link.download = button.dataset.csv.replace(/[^\w-]+/g, "-").toLowerCase() + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  document.addEventListener("click", (event) => { const button = event.target.closest("[data-csv]"); if (button) saveCsv(button); });
  document.addEventListener("themechange", () => document.querySelectorAll(".chart[data-drawn]").forEach(draw));
  document.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.target?.isConnected ? event.detail.target : document));
  drawAll();
})();

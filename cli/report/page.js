// Draws the charts, and shows numbers and dates as the reader's locale has them.
(() => {
  "use strict";
  const locale = [...navigator.languages];
  const numbers = {
    whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }),
    decimal: new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 }),
  };
  const dates = {
    date: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }),
    month: new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" }),
  };
  for (const element of document.querySelectorAll("data[data-format]")) {
    element.textContent = numbers[element.dataset.format].format(Number(element.value));
  }
  for (const element of document.querySelectorAll("time[data-format]")) {
    const moment = new Date(`${element.dateTime}T00:00:00Z`);
    if (!Number.isNaN(moment.valueOf())) element.textContent = dates[element.dataset.format].format(moment);
  }

  const chooser = document.getElementById("year");
  if (chooser) {
    const choose = () => {
      for (const year of document.querySelectorAll(".year")) year.hidden = year.dataset.year !== chooser.value;
    };
    chooser.addEventListener("change", choose);
    choose();
  }

  const names = (options, from, count) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
    return Array.from({ length: count }, (_, index) => format.format(from(index)));
  };
  const sunday = (index) => new Date(Date.UTC(2023, 0, 1 + index));
  const first = (index) => new Date(Date.UTC(2023, index, 1));
  const parts = new Intl.NumberFormat(locale).formatToParts(1234567.5);
  const part = (type, otherwise) => parts.find((one) => one.type === type)?.value ?? otherwise;
  const formatLocale = {
    decimal: part("decimal", "."), thousands: part("group", ","), grouping: [3], currency: ["", ""],
  };
  const timeFormatLocale = {
    dateTime: "%-d %b %Y %H:%M", date: "%-d %b %Y", time: "%H:%M", periods: ["AM", "PM"],
    days: names({ weekday: "long" }, sunday, 7), shortDays: names({ weekday: "short" }, sunday, 7),
    months: names({ month: "long" }, first, 12), shortMonths: names({ month: "short" }, first, 12),
  };

  const config = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: null, font, view: { stroke: null }, aria: false,
      axis: {
        domainColor: color("line"), tickColor: color("line"), gridColor: color("line"), gridOpacity: 0.7,
        labelColor: color("quiet"), titleColor: color("quiet"), labelFontSize: 12, titleFontSize: 12,
        titleFontWeight: "normal", labelPadding: 6,
      },
      axisX: { grid: false },
      axisY: { domain: false, ticks: false, tickCount: 4 },
      area: { color: color("accent"), opacity: 0.85 }, bar: { color: color("accent") },
      line: { color: color("accent"), strokeWidth: 2 }, point: { color: color("accent") },
      range: { heatmap: [color("accent-soft"), color("accent")], ramp: [color("accent-soft"), color("accent")] },
    };
  };
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const drawn = new Map();
  const draw = async () => {
    for (const element of document.querySelectorAll("[data-chart]")) {
      drawn.get(element)?.finalize();
      // One chart that fails must not keep the others from being drawn; its table has the values.
      drawn.set(element, await window.vegaEmbed(element, specs[Number(element.dataset.chart)], {
        actions: false, renderer: "svg", ast: true, config: config(), formatLocale, timeFormatLocale,
      }).catch((error) => { console.error(error); return { finalize() {} }; }));
      // The element itself says what the chart shows, and the table below it has the values.
      for (const svg of element.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
    }
  };
  let drawing = draw();
  const redraw = () => { drawing = drawing.then(draw); };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.matchMedia("print").addEventListener("change", redraw);
  drawing.then(() => document.documentElement.setAttribute("data-drawn", ""));
})();

// Charts as SVG that stands alone: bars of counts, lines of a sweep, values with their errors. Text is text.

import { svgElement } from "./circuit.js";

const COLOURS = ["#6366f1", "#0e9f6e", "#d97706", "#db2777", "#0891b2", "#7c3aed", "#65a30d", "#dc2626"];
const DASHES = ["", "7 4", "2 4", "10 4 2 4"];

/** Return the width of a chart: on a phone a narrower one, whose text stays readable. */
const widthOf = () => (matchMedia("(max-width: 34rem)").matches ? 400 : 640);

function textAt(x, y, words, attributes = {}) {
  return svgElement("text", { x, y, fill: "currentColor", ...attributes }, words);
}

function chart(height, label, content, width = widthOf()) {
  return svgElement("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, "font-family": "system-ui, sans-serif", "font-size": 13, role: "img", "aria-label": label }, content);
}

/** Return bars of `[label, count]`. */
export function barChart(rows, total) {
  const whole = widthOf();
  const largest = Math.max(...rows.map(([, count]) => count), 1);
  const longest = Math.min(220, 14 + 8 * Math.max(...rows.map(([label]) => label.length)));
  const bars = rows.flatMap(([label, count], index) => {
    const y = 12 + index * 24;
    const width = Math.max(1, ((whole - longest - 110) * count) / largest);
    return [
      textAt(longest - 8, y + 12, label.length > 26 ? `${label.slice(0, 25)}…` : label, { "text-anchor": "end" }),
      svgElement("rect", { x: longest, y, width, height: 17, rx: 4, fill: COLOURS[0] }),
      textAt(longest + width + 8, y + 12, `${count.toLocaleString("en")} · ${((100 * count) / total).toFixed(1)}%`),
    ];
  });
  return chart(24 + rows.length * 24, `Counts of ${rows.length} outcomes`, bars);
}

/** Return a line for each `{name, values}` over the bindings' `xs`; `errors` are drawn as bars. */
export function lineChart({ label, xName, xs, series, low, high }) {
  const whole = widthOf();
  const height = 300;
  const [left, right, top, bottom] = [52, whole - 14, 14, height - 44];
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (value) => left + ((right - left) * (value - first)) / (last - first || 1);
  const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low || 1);
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const value = low + part * (high - low);
    return [
      svgElement("path", { d: `M${left} ${y(value)}H${right}`, stroke: "currentColor", "stroke-opacity": "0.16" }),
      textAt(left - 8, y(value) + 4, Number(value.toFixed(3)), { "text-anchor": "end" }),
    ];
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = first + part * (last - first);
    return textAt(x(value), bottom + 18, Number(value.toPrecision(3)), { "text-anchor": "middle" });
  });
  const lines = series.flatMap(({ name, values, errors }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = values.map((value, at) => `${at ? "L" : "M"}${x(xs[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const line = svgElement("path", { class: "line", d: path, fill: "none", stroke: colour, "stroke-width": 2.2, "stroke-dasharray": DASHES[Math.floor(index / 2) % DASHES.length] }, svgElement("title", {}, name));
    const bars = (errors ?? []).map((error, at) =>
      svgElement("path", { class: "error", d: `M${x(xs[at]).toFixed(1)} ${y(values[at] - error).toFixed(1)}V${y(values[at] + error).toFixed(1)}`, stroke: colour, "stroke-width": 1.4 }),
    );
    const points = values.length > 60 ? [] : values.map((value, at) => svgElement("circle", { cx: x(xs[at]).toFixed(1), cy: y(value).toFixed(1), r: 2.6, fill: colour }));
    return [line, ...bars, ...points];
  });
  const columns = Math.floor((whole - 54) / 146);
  const legend = svgElement("g", { class: "legend" }, series.flatMap(({ name }, index) => {
    const at = 54 + (index % columns) * 146;
    const row = height + 4 + Math.floor(index / columns) * 20;
    return [
      svgElement("path", { d: `M${at} ${row - 4}h22`, stroke: COLOURS[index % COLOURS.length], "stroke-width": 2.6, "stroke-dasharray": DASHES[Math.floor(index / 2) % DASHES.length] }),
      textAt(at + 28, row, name.length > 14 ? `${name.slice(0, 13)}…` : name),
    ];
  }));
  return chart(height + 12 + Math.ceil(series.length / columns) * 20, label, [...grid, ...ticks, textAt((left + right) / 2, bottom + 36, xName, { "text-anchor": "middle" }), ...lines, legend]);
}

/** Return each `{name, value, error}` as a point with its error between -bound and bound. */
export function valueChart(values, label = "Expectation values with their standard errors") {
  const whole = widthOf();
  const bound = Math.max(1, ...values.map(({ value, error }) => Math.abs(value) + error));
  const left = whole / 4;
  const most = Math.floor(left / 8); // characters of a name
  const x = (value) => left + 16 + ((whole - left - 160) * (value + bound)) / (2 * bound);
  const rows = values.flatMap(({ name, value, error }, index) => {
    const y = 24 + index * 28;
    return [
      textAt(left, y + 5, name.length > most ? `${name.slice(0, most - 1)}…` : name, { "text-anchor": "end" }),
      svgElement("path", { d: `M${x(-bound)} ${y}H${x(bound)}`, stroke: "currentColor", "stroke-opacity": "0.2" }),
      svgElement("path", { class: "error", d: `M${x(value - error)} ${y}H${x(value + error)}M${x(value - error)} ${y - 5}v10M${x(value + error)} ${y - 5}v10`, stroke: COLOURS[0], "stroke-width": 2 }),
      svgElement("circle", { cx: x(value), cy: y, r: 4.5, fill: COLOURS[0] }),
      textAt(x(bound) + 14, y + 5, `${value.toFixed(4)}${error ? ` ± ${error.toFixed(4)}` : ""}`),
    ];
  });
  const zero = svgElement("path", { d: `M${x(0)} 10V${18 + values.length * 28}`, stroke: "currentColor", "stroke-opacity": "0.35", "stroke-dasharray": "3 3" });
  return chart(26 + values.length * 28, label, [zero, ...rows]);
}

/** Return a matrix as squares: the area of each is its entry's size, the colour its phase; small ones have numbers. */
export function matrixChart({ real, imag, most, label, phase, signed }) {
  const labels = Array.from({ length: most }, (_, index) => label(index));
  const longest = Math.max(...labels.map((each) => each.length));
  const left = 16 + 7.5 * longest;
  const cell = Math.min(64, (widthOf() - left - 4) / most);
  const numbered = most <= 8;
  const top = cell >= 7.5 * longest ? 24 : 6;
  const room = numbered ? cell - 18 : cell;
  const shapes = labels.flatMap((name, index) => [
    ...(cell >= 12 ? [textAt(left - 8, top + index * cell + room / 2 + 4, name, { "text-anchor": "end", "font-size": 12 })] : []),
    ...(top > 6 ? [textAt(left + (index + 0.5) * cell, 15, name, { "text-anchor": "middle", "font-size": 12 })] : []),
  ]);
  const largest = Math.max(...real.slice(0, most).flatMap((row, r) => row.slice(0, most).map((re, c) => Math.hypot(re, imag[r][c]))), Number.MIN_VALUE);
  for (let r = 0; r < most; r++) {
    for (let c = 0; c < most; c++) {
      const [re, im] = [real[r][c], imag[r][c]];
      const size = Math.hypot(re, im);
      const side = Math.sqrt(size / largest) * (room - Math.min(4, room / 8));
      const [x, y] = [left + c * cell, top + r * cell];
      const parts = [Math.abs(re) < 5e-3 ? "" : signed(re).slice(0, -2), Math.abs(im) < 5e-3 ? "" : `${im < 0 ? "−" : Math.abs(re) < 5e-3 ? "" : "+"}${Math.abs(im).toFixed(2)}i`];
      if (numbered) shapes.push(textAt(x + cell / 2, y + cell - 7, parts.join("") || "0", { "text-anchor": "middle", "font-size": 10 }));
      if (size < 1e-9) continue;
      const angle = Math.round((Math.atan2(im, re) * 180) / Math.PI + 360) % 360;
      const square = svgElement("rect", { class: "cell", x: (x + (cell - side) / 2).toFixed(2), y: (y + (room - side) / 2).toFixed(2), width: side.toFixed(2), height: side.toFixed(2), fill: `hsl(${(angle + 239) % 360} 70% 62%)` });
      square.append(svgElement("title", {}, `${labels[r]}, ${labels[c]}: ${signed(re)} ${im < 0 ? "−" : "+"} ${Math.abs(im).toFixed(4)}i, size ${size.toFixed(4)}, phase ${phase(re, im)}`));
      shapes.push(square);
    }
  }
  const frame = svgElement("rect", { x: left, y: top, width: cell * most, height: cell * most, fill: "none", stroke: "currentColor", "stroke-opacity": "0.25" });
  return chart(Math.ceil(top + cell * most + 6), `A matrix of ${most} rows and columns`, [frame, ...shapes], Math.ceil(left + cell * most + 2));
}

// Shows the entries of `results`: probabilities as bars, amplitudes with their phases, density matrices as grids, exact
// expectation values with their deviations, and what samples were measured.

import { matrixChart, valueChart } from "./charts.js";
import { button, make } from "./dom.js";
import { csvOf, npyOf } from "./numbers.js";
import { savePng, saveSvg, saveText } from "./saving.js";
import { MOST_ROWS, barTable, formed, sorted } from "./tables.js";

const LEAST = 1e-12; // what is smaller is rounding
const MOST_NAMED = 8; // qubits that a caption names
const MOST_CELLS = 64; // rows of a density matrix that are drawn

const bitsOf = (index, width) => index.toString(2).padStart(width, "0");
const widthOf = (length) => Math.log2(length);
const signed = (number) => (number < 0 ? "−" : "") + Math.abs(number).toFixed(4);

/** Return an amplitude's phase in multiples of pi. */
function phase(re, im) {
  const turns = Math.atan2(im, re) / Math.PI;
  return `${signed(Math.abs(turns) < 5e-5 ? 0 : turns)} π`;
}

/** Return the qubits' names with the one of the leftmost bit first; `names` may be missing. */
function qubitNames(qubits, names) {
  const shown = qubits.slice(0, MOST_NAMED).map((qubit) => names?.[qubit] ?? `qubit ${qubit}`);
  if (qubits.length > MOST_NAMED) shown.push(`${qubits.length - MOST_NAMED} more`);
  return shown.reverse().join(", ");
}

function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

function folded(rows, restCells) {
  const rest = rows.slice(MOST_ROWS);
  const share = rest.reduce((sum, row) => sum + row.share, 0);
  return { rows: rows.slice(0, MOST_ROWS), rest: rest.length ? { name: `${rest.length.toLocaleString("en")} others`, share, cells: restCells(rest) } : null };
}

const VIEWS = {
  probabilities(entry, { names }) {
    const width = widthOf(entry.values.length);
    const states = [...entry.values.keys()].filter((index) => entry.values[index] > LEAST).map((index) => [bitsOf(index, width), entry.values[index]]);
    const rows = sorted(states).map(([state, value]) => ({ name: formed(state), share: value, cells: [value.toFixed(6)] }));
    const caption = `${counted(rows.length, "state")} of ${entry.values.length.toLocaleString("en")} with a probability; ${qubitNames(entry.qubits, names)}`;
    return {
      title: "Probabilities",
      shown: barTable({ caption, head: ["State", "Distribution", "Probability"], ...folded(rows, (rest) => [rest.reduce((sum, row) => sum + row.share, 0).toFixed(6)]) }),
      csv: () => csvOf(["state", "probability"], entry.values.map((value, index) => [bitsOf(index, width), value])),
    };
  },
  statevector(entry, context) {
    const width = widthOf(entry.real.length);
    const states = entry.real.map((_, index) => bitsOf(index, width));
    return { ...amplitudes("Statevector", states, entry, context), csv: () => amplitudesCsv(states, entry) };
  },
  amplitudes(entry, context) {
    return { ...amplitudes("Amplitudes", entry.states, entry, { ...context, all: true }), csv: () => amplitudesCsv(entry.states, entry) };
  },
  density_matrix(entry, { names }) {
    const size = entry.real.length;
    const width = widthOf(size);
    const purity = entry.real.reduce((sum, row, r) => sum + row.reduce((part, re, c) => part + re * re + entry.imag[r][c] ** 2, 0), 0);
    const most = Math.min(size, MOST_CELLS);
    const svg = matrixChart({ real: entry.real, imag: entry.imag, most, label: (index) => formed(bitsOf(index, width)), phase, signed });
    const cut = most < size ? `, of which the first ${most} rows and columns are drawn` : "";
    const caption = `${size} × ${size}${cut}; ${qubitNames(entry.qubits, names)}; purity ${purity.toFixed(4)}. The area is the size, the colour the phase.`;
    return {
      title: "Density matrix",
      shown: make("figure", { class: "matrix" }, [make("figcaption", {}, caption), svg]),
      svg,
      csv: () => csvOf(["row", "column", "real", "imag"], entry.real.flatMap((row, r) => row.map((re, c) => [bitsOf(r, width), bitsOf(c, width), re, entry.imag[r][c]]))),
    };
  },
  expectation(entry, { name }) {
    const error = entry.variance === undefined ? 0 : Math.sqrt(Math.max(0, entry.variance));
    const svg = valueChart([{ name, value: entry.value, error }], `Expectation value of ${name}`);
    const caption = entry.variance === undefined ? "Exact." : `Exact; the bar is the standard deviation, of a variance of ${entry.variance.toFixed(6)}.`;
    return {
      title: "Expectation value",
      shown: make("figure", {}, [make("figcaption", {}, caption), svg]),
      svg,
      csv: () => csvOf(["observable", "value", "variance"], [[name, entry.value, entry.variance ?? ""]]),
    };
  },
  samples(entry, { name }) {
    const sums = new Map();
    let [sum, squares] = [0, 0];
    for (const value of entry.values) {
      sums.set(value, (sums.get(value) ?? 0) + 1);
      [sum, squares] = [sum + value, squares + value * value];
    }
    const shots = entry.values.length;
    const mean = sum / shots;
    const error = Math.sqrt(Math.max(0, squares / shots - mean * mean) / shots);
    const values = [...sums].sort((a, b) => (sums.size > MOST_ROWS ? b[1] - a[1] : a[0] - b[0]));
    const rows = values.map(([value, count]) => ({ name: String(Number(value.toPrecision(6))), share: count, cells: [count.toLocaleString("en"), `${((100 * count) / shots).toFixed(1)}%`] }));
    const cells = (rest) => [rest.reduce((all, row) => all + row.share, 0).toLocaleString("en"), ""];
    return {
      title: `Samples of ${name}`,
      shown: barTable({ caption: `${counted(shots, "shot")}; mean ${signed(mean)} ± ${error.toFixed(4)}`, head: ["Value", "Frequency", "Count", "Share"], ...folded(rows, cells) }),
      csv: () => csvOf(["shot", "value"], entry.values.map((value, shot) => [shot, value])),
    };
  },
};

function amplitudes(title, states, entry, { names, all = false }) {
  const found = states.map((state, index) => [state, Math.hypot(entry.real[index], entry.imag[index]), entry.real[index], entry.imag[index]]);
  const rows = sorted(all ? found : found.filter(([, size]) => size > LEAST)).map(([state, size, re, im]) => ({
    name: formed(state),
    share: size,
    angle: Math.atan2(im, re),
    cells: [size.toFixed(4), size > LEAST ? phase(re, im) : "", `${signed(re)} ${im < 0 ? "−" : "+"} ${Math.abs(im).toFixed(4)}i`],
  }));
  const qubits = entry.qubits ?? [...Array(states[0].length).keys()];
  const caption = `${counted(rows.length, "state")}${all ? "" : ` of ${states.length.toLocaleString("en")} with an amplitude`}; ${qubitNames(qubits, names)}`;
  const table = barTable({ caption, head: ["State", "Colour: phase", "Magnitude", "Phase", "Amplitude"], ...folded(rows, () => ["", "", ""]) });
  table.classList.add("amplitudes");
  return { title, shown: make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, table) };
}

function amplitudesCsv(states, { real, imag }) {
  return csvOf(["state", "real", "imag"], states.map((state, index) => [state, real[index], imag[index]]));
}

/** Return an observable as it was sent, else its place among the results. */
export function observableName(observable, otherwise) {
  return observable ? (typeof observable === "string" ? observable : JSON.stringify(observable)) : otherwise;
}

/** Return the views of entries of `results`; `asked` is what the task asked for, `names` the qubits', if they are known. */
export function exactViews(entries, { asked, names, file }) {
  return entries.flatMap((entry, index) => {
    if (entry.type === "counts") return []; // they are in `result`
    const name = observableName(asked?.[index]?.observable, `result ${index + 1}`);
    const view = Object.hasOwn(VIEWS, entry.type) ? VIEWS[entry.type](entry, { names, name }) : { title: String(entry.type), shown: make("pre", { class: "excerpt" }, JSON.stringify(entry)) };
    return [make("section", { "data-type": String(entry.type) }, [make("h3", {}, view.title), view.shown, saveButtons(entry, view, `${file}-${index}`)])];
  });
}

function saveButtons(entry, view, file) {
  const buttons = [];
  if (view.svg) buttons.push(button("PNG", () => savePng(`${file}.png`, view.svg)), button("SVG", () => saveSvg(`${file}.svg`, view.svg)));
  if (view.csv) buttons.push(button("CSV", () => saveText(`${file}.csv`, "text/csv", view.csv())));
  buttons.push(button("JSON", () => saveText(`${file}.json`, "application/json", JSON.stringify(entry))));
  if (entry.values || entry.real) buttons.push(button("NPY", () => saveText(`${file}.npy`, "application/x-npy", npyOf(entry)), { title: "A file for numpy.load" }));
  return make("div", { class: "saving" }, [make("span", { class: "note" }, "Save as"), ...buttons]);
}

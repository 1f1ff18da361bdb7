// Shows what came out of a task: bars of counts, lines of a sweep, expectation values, and what to save them as.

import { barChart, lineChart, valueChart } from "./charts.js";
import { call } from "./calls.js";
import { $, button, make } from "./dom.js";
import { savePng, saveSvg, saveText } from "./saving.js";

const MOST_BARS = 32;
const MOST_LINES = 8;
const MOST_CHARACTERS = 4_000; // of an exact result
let task = null; // on view
let inputs = null; // its bindings, where this page sent it
let observables = []; // the same

/** Show a task's results; `body` is what it was sent as, if this page sent it. */
export function showResults(shown, body) {
  task = shown;
  inputs = body?.inputs;
  observables = body?.observables ?? [];
  const sweep = Array.isArray(task.result) ? task.result : null;
  $("binding-field").hidden = !sweep;
  if (sweep) $("binding").replaceChildren(...sweep.map((_, index) => make("option", { value: index }, bindingName(index, sweep.length))));
  const counts = countsOnView();
  const registers = counts ? (Object.keys(counts)[0] ?? "").split(" ").length : 1;
  $("views").hidden = !counts;
  $("register-field").hidden = registers < 2;
  $("register").replaceChildren(
    make("option", { value: "" }, "all"),
    ...Array.from({ length: registers }, (_, index) => make("option", { value: index }, `${index + 1} from the left`)),
  );
  showCharts();
  showCounts();
  showExact();
  showSaving();
}

function bindingName(index, length) {
  const values = Array.isArray(inputs) && inputs[index];
  const shown = values ? Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(", ") : "";
  return `${index + 1} of ${length}${shown ? `: ${shown}` : ""}`;
}

function countsOnView() {
  return (Array.isArray(task?.result) ? task.result[Number($("binding").value) || 0] : task?.result) ?? null;
}

// -- Counts ----------------------------------------------------------------------------------------------------------

/** Return outcomes as they are to be shown: one register's or all, in the chosen form and order. */
function rowsOf(counts) {
  const register = $("register").value;
  const sums = new Map();
  for (const [outcome, count] of Object.entries(counts)) {
    const bits = register === "" ? outcome : outcome.split(" ")[register];
    sums.set(bits, (sums.get(bits) ?? 0) + count);
  }
  const rows = [...sums].map(([bits, count]) => [bits, count]);
  const byCount = $("order").value === "count" || ($("order").value === "" && rows.length > MOST_BARS);
  const byKey = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
  rows.sort(byCount ? (a, b) => b[1] - a[1] || byKey(a, b) : byKey);
  return rows.map(([bits, count]) => [bits.split(" ").map(formed).join(" "), count]);
}

function formed(bits) {
  const form = $("form").value;
  if (form === "bits" || !/^[01]+$/.test(bits)) return bits;
  const number = BigInt(`0b${bits}`);
  return form === "hex" ? `0x${number.toString(16).padStart(Math.ceil(bits.length / 4), "0")}` : number.toString();
}

export function showCounts() {
  const box = $("counts");
  box.replaceChildren();
  if (task?.result_url) {
    box.append(make("p", {}, make("a", { href: task.result_url, rel: "noreferrer" }, "The result is large: download it (for an hour).")));
    return;
  }
  const counts = countsOnView();
  if (!counts) return;
  const rows = rowsOf(counts);
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  const shown = rows.slice(0, MOST_BARS);
  const rest = rows.slice(MOST_BARS);
  const restCount = rest.reduce((sum, [, count]) => sum + count, 0);
  const largest = Math.max(...shown.map(([, count]) => count));
  const row = (name, count, kind) => {
    const bar = make("div", { class: kind });
    bar.style.setProperty("--share", Math.min(1, count / largest));
    return make("tr", {}, [
      make("th", { scope: "row" }, name),
      make("td", { class: "graph" }, bar),
      make("td", { class: "count" }, count.toLocaleString("en")),
      make("td", { class: "share" }, `${((100 * count) / total).toFixed(1)}%`),
    ]);
  };
  const caption = rest.length
    ? `The first ${MOST_BARS} of ${rows.length.toLocaleString("en")} outcomes`
    : `${rows.length} ${rows.length === 1 ? "outcome" : "outcomes"} of ${total.toLocaleString("en")} shots`;
  const head = ["Outcome", "Frequency", "Count", "Share"].map((name) => make("th", { scope: "col" }, name));
  box.append(
    make("table", { class: "bars" }, [
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, head)),
      make("tbody", {}, shown.map(([name, count]) => row(name, count, "bar"))),
      ...(rest.length ? [make("tfoot", {}, row(`${rest.length.toLocaleString("en")} others`, restCount, "bar others"))] : []),
    ]),
  );
}

// -- Sweeps and expectation values -----------------------------------------------------------------------------------

function showCharts() {
  const charts = [];
  const sweep = Array.isArray(task.result) && task.result.length > 1 ? task.result : null;
  const values = task.expectation_values;
  const several = Array.isArray(values?.[0]);
  if (several && values.length > 1) charts.push(["Expectation values over the bindings", valuesOverBindings(values)]);
  else if (values?.length) charts.push(["Expectation values", valueChart((several ? values[0] : values).map(asPoint))]);
  if (sweep) charts.push(["Frequencies over the bindings", countsOverBindings(sweep)]);
  $("charts").replaceChildren(...charts.map(([title, svg]) => make("figure", {}, [make("figcaption", {}, title), svg])));
}

function observableName(index) {
  const given = observables[index];
  return given ? (typeof given === "string" ? given : JSON.stringify(given)) : `Observable ${index + 1}`;
}

function asPoint(entry, index) {
  return { name: observableName(index), value: Number(entry.value), error: Number(entry.standard_error) || 0 };
}

/** Return where the bindings stand on the axis: by their one number that changes, else by their places. */
function axis(length) {
  const names = Array.isArray(inputs) && inputs.length === length ? Object.keys(inputs[0] ?? {}) : [];
  const changing = names.filter((name) => inputs.some((binding) => binding[name] !== inputs[0][name]));
  const [name] = changing;
  const numbers = changing.length === 1 && inputs.every((binding) => typeof binding[name] === "number");
  return numbers ? { xName: name, xs: inputs.map((binding) => binding[name]) } : { xName: "binding", xs: Array.from({ length }, (_, index) => index + 1) };
}

function countsOverBindings(sweep) {
  const totals = new Map();
  for (const counts of sweep) for (const [outcome, count] of Object.entries(counts)) totals.set(outcome, (totals.get(outcome) ?? 0) + count);
  const outcomes = [...totals].sort((a, b) => b[1] - a[1]).slice(0, MOST_LINES).map(([outcome]) => outcome).sort();
  const shots = sweep.map((counts) => Object.values(counts).reduce((sum, count) => sum + count, 0));
  const series = outcomes.map((outcome) => ({ name: outcome, values: sweep.map((counts, index) => (counts[outcome] ?? 0) / shots[index]) }));
  return lineChart({ label: `Frequencies of ${series.length} outcomes over ${sweep.length} bindings`, ...axis(sweep.length), series, low: 0, high: 1 });
}

function valuesOverBindings(values) {
  const series = values[0].slice(0, MOST_LINES).map((_, index) => {
    const points = values.map((binding) => asPoint(binding[index], index));
    return { name: observableName(index), values: points.map((point) => point.value), errors: points.map((point) => point.error) };
  });
  const bound = Math.max(1, ...series.flatMap((each) => each.values.map((value, at) => Math.abs(value) + each.errors[at])));
  return lineChart({ label: `${series.length} observables over ${values.length} bindings`, ...axis(values.length), series, low: -bound, high: bound });
}

/** Show the exact results that were asked for as they are, the long ones cut. */
function showExact() {
  const asked = (task.results ?? []).filter((each) => each.type !== "counts");
  $("exact").replaceChildren(
    ...asked.map((each) => make("details", {}, [make("summary", {}, String(each.type)), make("pre", { class: "excerpt", tabindex: "0", "aria-label": String(each.type) }, JSON.stringify(each).slice(0, MOST_CHARACTERS))])),
  );
}

// -- Saving ----------------------------------------------------------------------------------------------------------

function chartToSave() {
  const counts = countsOnView();
  const drawn = $("charts").querySelector("svg");
  if (drawn || !counts) return drawn;
  const rows = rowsOf(counts).slice(0, MOST_BARS);
  return barChart(rows, Object.values(counts).reduce((sum, count) => sum + count, 0));
}

function csv() {
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const sweep = Array.isArray(task.result) ? task.result : [task.result ?? {}];
  const lines = sweep.flatMap((counts, binding) => Object.entries(counts).map(([outcome, count]) => [binding, quoted(outcome), count].join(",")));
  return `binding,outcome,count\n${lines.join("\n")}\n`;
}

/** Save the chart on view; one that is not on the page is put there for as long as its style is read. */
async function saveChart(saveAs, name) {
  const svg = chartToSave();
  const detached = !svg.isConnected;
  if (detached) $("charts").append(svg);
  try {
    await saveAs(name, svg);
  } finally {
    if (detached) svg.remove();
  }
}

function showSaving() {
  const name = `task-${task.task_id.slice(0, 8)}`;
  const buttons = task.result || task.expectation_values || task.results
    ? [
        button("PNG", () => saveChart(savePng, `${name}.png`)),
        button("SVG", () => saveChart(saveSvg, `${name}.svg`)),
        button("CSV", () => saveText(`${name}.csv`, "text/csv", csv())),
        button("JSON", () => saveText(`${name}.json`, "application/json", JSON.stringify(task, null, 2))),
      ]
    : [];
  const file = async (address, kind, type) => {
    const { answer } = await call("GET", `/tasks/${encodeURIComponent(task.task_id)}${address}`, { as: "text" });
    saveText(`${name}.${kind}`, type, answer);
  };
  if (buttons.length) {
    buttons.push(button("Circuit", () => file("/circuit?format=svg", "circuit.svg", "image/svg+xml"), { title: "The circuit's picture as SVG" }));
    buttons.push(button("Python", () => file("/script", "py", "text/x-python"), { title: "A program that repeats the task on plain Qiskit" }));
  }
  $("saving").replaceChildren(...(buttons.length ? [make("span", { class: "note" }, "Save as"), ...buttons] : []));
}

for (const id of ["order", "form", "register", "binding"]) $(id).addEventListener("change", showCounts);

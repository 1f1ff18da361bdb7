// Shows what came out of a task: bars of counts, lines of a sweep, expectation values, exact results; and saves them.

import { barChart, lineChart, valueChart } from "./charts.js";
import { call } from "./calls.js";
import { $, button, make } from "./dom.js";
import { exactViews, observableName } from "./exact.js";
import { csvOf } from "./numbers.js";
import { savePng, saveSvg, saveText } from "./saving.js";
import { MOST_ROWS, barTable, formed, sorted } from "./tables.js";

const MOST_LINES = 8;
const MOST_SHOTS = 500; // of a task's memory that are shown
let task = null; // on view
let body = {}; // what it was sent as, where this page sent it
let registers = null; // its registers' names, once they are known
const known = new Map(); // task id -> the same

/** Show a task's results; `sent` is what it was sent as, if this page sent it. */
export function showResults(shown, sent) {
  task = shown;
  body = sent ?? {};
  registers = known.get(task.task_id) ?? null;
  const bindings = bindingsOf();
  $("binding-field").hidden = bindings < 2;
  $("binding").replaceChildren(...Array.from({ length: bindings }, (_, index) => make("option", { value: index }, bindingName(index, bindings))));
  const groups = groupsOf(countsOnView());
  $("register-field").hidden = groups < 2;
  nameRegisters(groups);
  const exact = entriesOnView().some((entry) => entry.type !== "counts");
  $("views").hidden = !groups && !exact;
  showBinding();
  if (!registers && (groups > 1 || exact)) askForRegisters(task.task_id);
}

/** Show all that depends on the binding, the order and the form. */
function showBinding() {
  showCharts();
  showCounts();
  showExact();
  showMemory();
  showSaving();
}

// -- Bindings of a sweep, registers ----------------------------------------------------------------------------------

function bindingsOf() {
  if (Array.isArray(task.result)) return task.result.length;
  const list = [task.results, task.expectation_values].find((each) => Array.isArray(each?.[0]));
  return list ? list.length : 1;
}

function bindingName(index, length) {
  const values = Array.isArray(body.inputs) && body.inputs[index];
  const shown = values ? Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(", ") : "";
  return `${index + 1} of ${length}${shown ? `: ${shown}` : ""}`;
}

function binding() {
  return Number($("binding").value) || 0;
}

/** Return what a list has for the binding on view, where a sweep has a list for each. */
function ofBinding(list, each = Array.isArray(list?.[0])) {
  return (each ? list[binding()] : list) ?? null;
}

function countsOnView() {
  const counts = ofBinding(task?.result, Array.isArray(task?.result));
  return counts && Object.keys(counts).length ? counts : null; // without counts asked for there are none
}

/** Return whether the task has counts at all: it may have asked for other results. */
function hasCounts() {
  return [task.result ?? {}].flat().some((counts) => Object.keys(counts).length > 0);
}

function entriesOnView() {
  return ofBinding(task?.results) ?? [];
}

function groupsOf(counts) {
  return counts ? (Object.keys(counts)[0] ?? "").split(" ").length : 0;
}

async function askForRegisters(id) {
  try {
    const { answer } = await call("GET", `/tasks/${encodeURIComponent(id)}/circuit?format=json`);
    known.set(id, answer);
    if (task?.task_id !== id) return;
    registers = answer;
    nameRegisters(groupsOf(countsOnView()));
    showBinding();
  } catch {
    // Without their names the registers stay numbered.
  }
}

/** Return the registers' names as the keys of the counts have them, the last one first; null if they are not known. */
function registerNames(groups) {
  const names = registers?.classical_registers?.map(([name]) => name).reverse();
  return names?.length === groups ? names : null;
}

function nameRegisters(groups) {
  const names = registerNames(groups) ?? Array.from({ length: groups }, (_, index) => `${index + 1} from the left`);
  const chosen = $("register").value;
  $("register").replaceChildren(make("option", { value: "" }, "all"), ...names.map((name, index) => make("option", { value: index }, name)));
  $("register").value = Number(chosen) < groups ? chosen : "";
}

/** Return the qubits' names by their numbers. */
function qubitNames() {
  return registers?.quantum_registers?.flatMap(([name, size]) => (name.startsWith("_physical_") ? [`$${name.slice(10)}`] : size === 1 ? [name] : Array.from({ length: size }, (_, index) => `${name}[${index}]`)));
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
  return sorted([...sums]).map(([bits, count]) => [formed(bits), count]);
}

function showCounts() {
  const box = $("counts");
  box.replaceChildren();
  if (task.result_url) {
    box.append(make("p", {}, make("a", { href: task.result_url, rel: "noreferrer" }, "The result is large: download it (for an hour).")));
    return;
  }
  const counts = countsOnView();
  if (!counts) return;
  const rows = rowsOf(counts);
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  const row = (name, count) => ({ name, share: count, cells: [count.toLocaleString("en"), `${((100 * count) / total).toFixed(1)}%`] });
  const rest = rows.slice(MOST_ROWS);
  const names = registerNames(groupsOf(counts));
  const groups = names?.length > 1 && $("register").value === "" ? `; registers: ${names.join(", ")}` : "";
  const caption = rest.length
    ? `The first ${MOST_ROWS} of ${rows.length.toLocaleString("en")} outcomes`
    : `${rows.length} ${rows.length === 1 ? "outcome" : "outcomes"} of ${total.toLocaleString("en")} shots`;
  box.append(
    barTable({
      caption: caption + groups,
      head: ["Outcome", "Frequency", "Count", "Share"],
      rows: rows.slice(0, MOST_ROWS).map(([name, count]) => row(name, count)),
      rest: rest.length ? row(`${rest.length.toLocaleString("en")} others`, rest.reduce((sum, [, count]) => sum + count, 0)) : null,
    }),
  );
}

/** Show the outcome of each shot, of many the first ones. */
function showMemory() {
  const memory = ofBinding(task.memory);
  const cut = memory?.length > MOST_SHOTS ? `, the first ${MOST_SHOTS}` : "";
  const text = memory?.slice(0, MOST_SHOTS).join(", ");
  $("memory-of-shots").replaceChildren(...(memory ? [make("details", {}, [make("summary", {}, `Outcome of each shot${cut}`), make("pre", { class: "excerpt", tabindex: "0", "aria-label": "Outcomes" }, text)])] : []));
}

// -- Sweeps, expectation values, exact results -----------------------------------------------------------------------

function showCharts() {
  const charts = [];
  const sweep = Array.isArray(task.result) && task.result.length > 1 && hasCounts() ? task.result : null;
  const several = Array.isArray(task.expectation_values?.[0]) && task.expectation_values.length > 1;
  const values = ofBinding(task.expectation_values);
  if (several) charts.push(["Expectation values over the bindings", valuesOverBindings(task.expectation_values.map((each) => each.map(asPoint)))]);
  if (values?.length) charts.push([several ? `Expectation values of binding ${binding() + 1}` : "Expectation values", valueChart(values.map(asPoint))]);
  if (sweep) charts.push(["Frequencies over the bindings", countsOverBindings(sweep)]);
  charts.push(...exactOverBindings());
  $("charts").replaceChildren(...charts.map(([title, svg]) => make("figure", {}, [make("figcaption", {}, title), svg])));
}

function asPoint(entry, index) {
  return { name: observableName(body.observables?.[index], `Observable ${index + 1}`), value: Number(entry.value), error: Number(entry.standard_error) || 0 };
}

/** Return where the bindings stand on the axis: by their one number that changes, else by their places. */
function axis(length) {
  const inputs = body.inputs;
  const names = Array.isArray(inputs) && inputs.length === length ? Object.keys(inputs[0] ?? {}) : [];
  const changing = names.filter((name) => inputs.some((each) => each[name] !== inputs[0][name]));
  const [name] = changing;
  const numbers = changing.length === 1 && inputs.every((each) => typeof each[name] === "number");
  return numbers ? { xName: name, xs: inputs.map((each) => each[name]) } : { xName: "binding", xs: Array.from({ length }, (_, index) => index + 1) };
}

function countsOverBindings(sweep) {
  const totals = new Map();
  for (const counts of sweep) for (const [outcome, count] of Object.entries(counts)) totals.set(outcome, (totals.get(outcome) ?? 0) + count);
  const outcomes = [...totals].sort((a, b) => b[1] - a[1]).slice(0, MOST_LINES).map(([outcome]) => outcome).sort();
  const shots = sweep.map((counts) => Object.values(counts).reduce((sum, count) => sum + count, 0));
  const series = outcomes.map((outcome) => ({ name: outcome, values: sweep.map((counts, index) => (counts[outcome] ?? 0) / shots[index]) }));
  return lineChart({ label: `Frequencies of ${series.length} outcomes over ${sweep.length} bindings`, ...axis(sweep.length), series, low: 0, high: 1 });
}

/** Return a line for each of the first points of the bindings, `{name, value, error}`. */
function valuesOverBindings(points) {
  const series = points[0].slice(0, MOST_LINES).map(({ name }, index) => ({
    name,
    values: points.map((each) => each[index].value),
    errors: points.map((each) => each[index].error),
  }));
  const most = Math.max(1, ...series.flatMap((each) => each.values.map((value, at) => Math.abs(value) + each.errors[at])));
  const bound = most > 1 ? Math.ceil(most * 2) / 2 : 1;
  return lineChart({ label: `${series.length} ${series.length === 1 ? "observable" : "observables"} over ${points.length} bindings`, ...axis(points.length), series, low: -bound, high: bound });
}

/** Return what a sweep's exact values and probabilities are over its bindings. */
function exactOverBindings() {
  const all = Array.isArray(task.results?.[0]) && task.results.length > 1 ? task.results : null;
  if (!all) return [];
  const charts = [];
  const values = [...all[0].keys()].filter((index) => all[0][index].type === "expectation");
  const named = (index) => observableName(body.results?.[index]?.observable, `result ${index + 1}`);
  if (values.length) {
    const points = all.map((entries) => values.map((index) => ({ name: named(index), value: entries[index].value, error: Math.sqrt(Math.max(0, entries[index].variance ?? 0)) })));
    charts.push([`Exact expectation values over the bindings${points.some((each) => each.some(({ error }) => error)) ? ", with standard deviations" : ""}`, valuesOverBindings(points)]);
  }
  for (const index of [...all[0].keys()].filter((each) => all[0][each].type === "probabilities")) {
    const lists = all.map((entries) => entries[index].values);
    const sums = lists[0].map((_, state) => [state, lists.reduce((sum, list) => sum + list[state], 0)]);
    const states = sums.sort((a, b) => b[1] - a[1]).slice(0, MOST_LINES).map(([state]) => state).sort((a, b) => a - b);
    const series = states.map((state) => ({ name: state.toString(2).padStart(Math.log2(lists[0].length), "0"), values: lists.map((list) => list[state]) }));
    charts.push(["Probabilities over the bindings", lineChart({ label: `Probabilities of ${series.length} states over ${all.length} bindings`, ...axis(all.length), series, low: 0, high: 1 })]);
  }
  return charts;
}

function showExact() {
  const several = Array.isArray(task.results?.[0]) ? `-${binding()}` : "";
  $("exact").replaceChildren(...exactViews(entriesOnView(), { asked: body.results, names: qubitNames(), file: `${fileName()}${several}` }));
}

// -- Saving ----------------------------------------------------------------------------------------------------------

function fileName() {
  return `task-${task.task_id.slice(0, 8)}`;
}

function chartToSave() {
  const counts = countsOnView();
  const drawn = $("charts").querySelector("svg");
  if (drawn || !counts) return drawn;
  return barChart(rowsOf(counts).slice(0, MOST_ROWS), Object.values(counts).reduce((sum, count) => sum + count, 0));
}

function countsCsv() {
  const sweep = Array.isArray(task.result) ? task.result : [task.result];
  return csvOf(["binding", "outcome", "count"], sweep.flatMap((counts, index) => Object.entries(counts).map(([outcome, count]) => [index, outcome, count])));
}

function valuesCsv() {
  const sweep = Array.isArray(task.expectation_values[0]) ? task.expectation_values : [task.expectation_values];
  const rows = sweep.flatMap((values, index) => values.map((each, at) => [index, asPoint(each, at).name, each.value, each.standard_error]));
  return csvOf(["binding", "observable", "value", "standard_error"], rows);
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
  const name = fileName();
  const buttons = [];
  const counted = hasCounts();
  if (counted || $("charts").firstChild) buttons.push(button("PNG", () => saveChart(savePng, `${name}.png`)), button("SVG", () => saveChart(saveSvg, `${name}.svg`)));
  if (counted) buttons.push(button("CSV", () => saveText(`${name}.csv`, "text/csv", countsCsv())));
  if (task.expectation_values?.length) buttons.push(button("Values as CSV", () => saveText(`${name}-values.csv`, "text/csv", valuesCsv())));
  if (task.result || task.expectation_values || task.results || task.result_url) {
    const file = async (address, kind, type) => {
      const { answer } = await call("GET", `/tasks/${encodeURIComponent(task.task_id)}${address}`, { as: "text" });
      saveText(`${name}.${kind}`, type, answer);
    };
    buttons.push(
      button("JSON", () => saveText(`${name}.json`, "application/json", JSON.stringify(task, null, 2))),
      button("Circuit", () => file("/circuit?format=svg", "circuit.svg", "image/svg+xml"), { title: "The circuit's picture as SVG" }),
      button("Python", () => file("/script", "py", "text/x-python"), { title: "A program that repeats the task on plain Qiskit" }),
    );
  }
  $("saving").replaceChildren(...(buttons.length ? [make("span", { class: "note" }, "Save as"), ...buttons] : []));
}

for (const id of ["order", "form", "register", "binding"]) $(id).addEventListener("change", showBinding);

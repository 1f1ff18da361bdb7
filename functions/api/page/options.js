// The options of a task as fields. A body is what POST /tasks takes; a field that is left alone is not in it.

import { $ } from "./dom.js";

const NOISE = { one_qubit: "depolarizing", two_qubit: "depolarizing", prob_meas1_prep0: "readout", prob_meas0_prep1: "readout" };

/** Return a number field's number, or its text where it is none: the API says best what is wrong with it. */
function number(id) {
  const field = $(id);
  return Number.isNaN(field.valueAsNumber) ? field.value : field.valueAsNumber;
}

/** Return JSON's value, or the text where it is none. */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Return the task that the page would send. */
export function bodyOf(qc) {
  const body = { qc, shots: number("shots") };
  if ($("seed").value !== "") body.seed = number("seed");
  if ($("method").value !== "automatic") body.method = $("method").value;
  for (const [name, kind] of Object.entries(NOISE)) {
    if ($(name).value !== "") ((body.noise ??= {})[kind] ??= {})[name] = number(name);
  }
  const observables = $("observables").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (observables.length) body.observables = observables.map((line) => (/^[{[]/.test(line) ? json(line) : line));
  if ($("inputs").value.trim()) body.inputs = json($("inputs").value);
  if ($("task-name").value.trim()) body.name = $("task-name").value.trim();
  const tags = $("tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
  if (tags.length) body.tags = tags;
  return body;
}

/** Put a task's options into the fields. */
export function fill({ shots = 1024, seed = "", method = "automatic", noise = {}, observables = [], inputs, name = "", tags = [] }) {
  $("shots").value = shots;
  $("seed").value = seed;
  $("method").value = [...$("method").options].some((option) => option.value === method) ? method : "automatic";
  for (const [field, kind] of Object.entries(NOISE)) $(field).value = noise?.[kind]?.[field] ?? "";
  $("observables").value = (observables ?? []).map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n");
  $("inputs").value = inputs ? shownInputs(inputs) : "";
  $("task-name").value = name;
  $("tags").value = tags.join(", ");
  $("options").open = false;
  if (method !== "automatic" || Object.keys(noise ?? {}).length || observables?.length || inputs) $("options").open = true;
}

/** Return inputs with one binding a line. */
function shownInputs(inputs) {
  return Array.isArray(inputs) ? `[${inputs.map((binding) => JSON.stringify(binding)).join(",\n ")}]` : JSON.stringify(inputs);
}

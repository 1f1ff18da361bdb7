// The options of a task as fields. A body is what POST /tasks takes; a field that is left alone is not in it.

import { call, key } from "./calls.js";
import { $, make } from "./dom.js";

const NOISE = { one_qubit: "depolarizing", two_qubit: "depolarizing", prob_meas1_prep0: "readout", prob_meas0_prep1: "readout" };
// The field of each option of POST /tasks; `other-options` takes any of them, and those of noise that have no field.
const FIELDS = {
  shots: "shots", seed: "seed", method: "method", precision: "precision", memory: "memory", noise: "noise-rules", results: "results",
  observables: "observables", inputs: "inputs", name: "task-name", tags: "tags", callback_url: "callback-url",
};
const JSON_FIELDS = ["inputs", "noise-rules", "other-options"];
const SAMPLED = new Set(["counts", "samples"]);

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

/** Return the lines of a field, JSON where they are objects or lists. */
function lines(id) {
  const found = $(id).value.split("\n").map((line) => line.trim()).filter(Boolean);
  return found.map((line) => (/^[{[]/.test(line) ? json(line) : line));
}

/** Return the task that the page would send. */
export function bodyOf(qc) {
  const body = { qc };
  const results = lines("results");
  if (results.length) body.results = results;
  $("shots").disabled = results.length > 0 && !results.some((each) => SAMPLED.has(each?.type ?? each));
  if (!$("shots").disabled) body.shots = number("shots");
  if ($("seed").value !== "") body.seed = number("seed");
  if ($("method").value !== "automatic") body.method = $("method").value;
  if ($("precision").value !== "double") body.precision = $("precision").value;
  if ($("memory").checked) body.memory = true;
  for (const [name, kind] of Object.entries(NOISE)) {
    if ($(name).value !== "") ((body.noise ??= {})[kind] ??= {})[name] = number(name);
  }
  if ($("noise-model").value) (body.noise ??= {}).model = $("noise-model").value;
  if ($("noise-rules").value.trim()) (body.noise ??= {}).rules = json($("noise-rules").value);
  const observables = lines("observables");
  if (observables.length) body.observables = observables;
  if ($("inputs").value.trim()) body.inputs = json($("inputs").value);
  if ($("task-name").value.trim()) body.name = $("task-name").value.trim();
  const tags = $("tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
  if (tags.length) body.tags = tags;
  if ($("callback-url").value.trim()) body.callback_url = $("callback-url").value.trim();
  const { noise, ...others } = otherOptions();
  return { ...body, ...others, ...((body.noise || noise) && { noise: { ...body.noise, ...noise } }), qc };
}

function otherOptions() {
  const given = json($("other-options").value.trim() || "{}");
  return given && typeof given === "object" && !Array.isArray(given) ? given : {};
}

/** Put a task's options into the fields; what has no field goes into that of the other options. */
export function fill({ qc, shots, seed = "", method = "automatic", precision = "double", memory = false, noise, results, observables, inputs, name = "", tags, callback_url = "", ...others }) {
  const { depolarizing, readout, model = "", rules, ...otherNoise } = noise ?? {};
  $("shots").value = shots || 1024;
  $("seed").value = seed;
  choose("method", method);
  choose("precision", precision);
  choose("noise-model", model ?? "");
  $("memory").checked = memory === true;
  for (const [field, kind] of Object.entries(NOISE)) $(field).value = { depolarizing, readout }[kind]?.[field] ?? "";
  $("noise-rules").value = rules ? inLines(rules) : "";
  for (const [id, values] of Object.entries({ results, observables })) $(id).value = (values ?? []).map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n");
  $("inputs").value = inputs ? inLines(inputs) : "";
  $("task-name").value = name ?? "";
  $("tags").value = (tags ?? []).join(", ");
  $("callback-url").value = callback_url ?? "";
  const rest = { ...others, ...(Object.keys(otherNoise).length && { noise: otherNoise }) };
  $("other-options").value = Object.keys(rest).length ? JSON.stringify(rest) : "";
  $("options").open = [method !== "automatic", precision !== "double", memory, noise, results, observables?.length, inputs, callback_url, Object.keys(rest).length].some(Boolean);
}

/** Choose a value of a list, one that it does not have yet, too. */
function choose(id, value) {
  if (![...$(id).options].some((option) => option.value === value)) $(id).append(make("option", {}, value));
  $(id).value = value;
}

/** Return a list with one element a line. */
function inLines(value) {
  return Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(",\n ")}]` : JSON.stringify(value);
}

/** Put the values of a fix into their fields; `select` is the name of an input whose value is to be typed next. */
export function setFields({ select, inputs, memory, ...values }) {
  $("options").open = true;
  if (memory !== undefined) $("memory").checked = memory;
  for (const [id, value] of Object.entries(values)) $(id).tagName === "SELECT" ? choose(id, value) : ($(id).value = value);
  if (inputs === undefined) return;
  const field = $("inputs");
  field.value = inLines(inputs);
  field.focus();
  const at = select === undefined ? -1 : field.value.indexOf(`${JSON.stringify(select)}:`);
  if (at >= 0) field.setSelectionRange(at + JSON.stringify(select).length + 1, at + JSON.stringify(select).length + 2);
}

/** Mark the fields that are no JSON, and those that a refusal names. */
export function markFields(problem) {
  const named = new Set((Array.isArray(problem?.detail) ? problem.detail : []).map(({ loc }) => fieldOf(loc ?? [])));
  for (const id of [...Object.values(FIELDS), ...Object.keys(NOISE), "noise-model"]) mark(id, named.has(id));
  for (const id of JSON_FIELDS) {
    const note = $(`${id}-note`);
    const wrong = notJson(id);
    note.hidden = !wrong;
    note.replaceChildren(wrong);
    mark(id, wrong !== "" || named.has(id));
  }
}

/** Return the field of what a refusal's path names. */
function fieldOf([, option, part, name]) {
  if (option !== "noise") return FIELDS[option] ?? "other-options";
  if (Object.hasOwn(NOISE, name)) return name;
  return { model: "noise-model", rules: "noise-rules" }[part] ?? "other-options";
}

function mark(id, wrong) {
  if (wrong) $(id).setAttribute("aria-invalid", "true");
  else $(id).removeAttribute("aria-invalid");
}

/** Say why a field's text is not the JSON that it should be, empty if it is or the field is. */
function notJson(id) {
  const text = $(id).value.trim();
  if (!text) return "";
  try {
    const value = JSON.parse(text);
    if (id === "noise-rules") return Array.isArray(value) ? "" : "Rules are a list: [{…}, …].";
    return value && typeof value === "object" && (id === "inputs" || !Array.isArray(value)) ? "" : `This is not an object${id === "inputs" ? " or a list of them" : ""}.`;
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

let models = null; // the promise of their list

/** List the noise models by name, once. */
export async function listModels() {
  if (models || !key()) return;
  const chosen = $("noise-model").value;
  try {
    const { answer } = await (models = call("GET", "/noise-models"));
    const options = answer.models.map(({ name, num_qubits }) => make("option", { value: name }, `${name}, ${num_qubits} qubits`));
    $("noise-model").replaceChildren(make("option", { value: "" }, "none"), ...options);
    choose("noise-model", chosen);
  } catch {
    models = null; // the next time the options are opened
  }
}

// Checks the program while it is typed, by the check that POST /tasks does, and shows its circuit. Nothing is run.

import { call, key, problemOf } from "./calls.js";
import { picture } from "./circuit.js";
import { $, make } from "./dom.js";
import { markWrong, text } from "./editor.js";
import { bodyOf, markFields } from "./options.js";
import { showProblem } from "./problem.js";

const PAUSE_MS = 350; // after the last key
const opened = new Set(); // the program's own gates that are shown open
let asked = null; // the AbortController of the check in progress
let refusedBody = ""; // of the request whose refusal is shown
let timer;

/** Check soon, when nothing more is typed. */
export function checkSoon() {
  clearTimeout(timer);
  asked?.abort();
  markWrong(null);
  showProblem($("refusal"), null);
  timer = setTimeout(check, PAUSE_MS);
}

export async function check() {
  clearTimeout(timer);
  asked?.abort();
  const { signal } = (asked = new AbortController());
  if (!key() || !text().trim()) {
    showCircuit(null, key() ? "" : "Enter your API key to see the circuit.");
    showProblem($("check"), null);
    return;
  }
  const width = Math.max(320, Math.floor($("circuit-note").clientWidth) - 4);
  const query = new URLSearchParams({ width, ...(opened.size && { opened: [...opened].join(",") }) });
  const source = text();
  const body = bodyOf(source);
  if (!$("picture").firstChild) $("circuit-note").replaceChildren("Reading the program …");
  try {
    const { answer } = await call("POST", `/circuit?${query}`, { body, signal });
    showProblem($("check"), null);
    markWrong(null);
    markFields(null);
    showCircuit(answer);
  } catch (error) {
    if (error.name === "AbortError") return;
    const problem = problemOf(error);
    markWrong(problem);
    markFields(problem);
    const isShown = !$("refusal").hidden && JSON.stringify(body) === refusedBody;
    showProblem($("check"), isShown ? null : problem, source);
    $("picture").classList.add("stale");
    if (!$("picture").firstChild) $("circuit-note").replaceChildren("The circuit is drawn as soon as the program can be read.");
  }
}

/** Show that a request was refused, and the place as the check would, unless something else is typed by now. */
export function refused(problem, body) {
  showProblem($("refusal"), problem, body?.qc);
  refusedBody = JSON.stringify(body);
  if (refusedBody !== JSON.stringify(bodyOf(text()))) return;
  clearTimeout(timer);
  asked?.abort();
  showProblem($("check"), null);
  markWrong(problem);
  markFields(problem);
}

function toggle(gate) {
  if (!opened.delete(gate)) opened.add(gate);
  check().then(() => $("picture").querySelector(`.toggle[aria-label$=" ${CSS.escape(gate)}"]`)?.focus());
}

function showCircuit(answer, note = "") {
  const box = $("picture");
  box.classList.remove("stale");
  $("save-circuit").hidden = !answer?.drawing;
  $("circuit-note").replaceChildren(note || (answer ? summaryOf(answer) : ""));
  box.hidden = !answer?.drawing;
  box.replaceChildren(...(answer?.drawing ? [picture(answer.drawing, toggle)] : []));
}

function summaryOf({ num_qubits, operations, undrawn, notes = [] }) {
  const counted = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  const sentences = [`${counted(num_qubits, "qubit")}, ${counted(operations, "operation")}`, ...(undrawn ? [undrawn] : []), ...notes];
  return make("span", {}, sentences.join(" · "));
}

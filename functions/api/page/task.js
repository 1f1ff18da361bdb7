// Follows a task until it has ended, and shows it: its state, its history as a time line, its details and its cost.

import { call, problemOf } from "./calls.js";
import { $, make } from "./dom.js";
import { showProblem } from "./problem.js";
import { showResults } from "./results.js";

const WAIT_SECONDS = 15; // asked of the server; it answers at once when the task has ended
const FIRST_POLL_MS = 150; // where the server does not wait
const LAST_POLL_MS = 3000;
const LABELS = { pending: "Queued", processing: "Running", completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

let onView = null; // the task, as the API last gave it
let following = null; // the AbortController of what is followed
const sent = new Map(); // task id -> the body that this page sent

export function shownTask() {
  return onView;
}

export function remember(id, body) {
  sent.set(id, body);
}

export function bodySent(id) {
  return sent.get(id);
}

/** Take the task from view and stop following it. */
export function forget() {
  following?.abort();
  onView = null;
  $("task").hidden = $("cancel").hidden = true;
  $("status").replaceChildren("Run a program to see its counts here.");
}

/** Show a task and follow it until it has ended; throws what a call throws. */
export async function open(id, { focus = false } = {}) {
  following?.abort();
  const { signal } = (following = new AbortController());
  if (onView?.task_id !== id) {
    $("task").hidden = $("cancel").hidden = true; // another one's counts are not this one's
    $("status").replaceChildren("Loading the task …");
  }
  history.replaceState(null, "", `#${id}`);
  if (focus) $("result-title").focus();
  let pause = FIRST_POLL_MS;
  let wait = 0; // the first look is to show the task at once
  for (;;) {
    const headers = wait ? { Prefer: `wait=${wait}` } : {};
    const { answer: task, response } = await call("GET", `/tasks/${encodeURIComponent(id)}`, { headers, signal });
    if (signal.aborted) return;
    show(task);
    if (task.status !== "pending") return;
    if (!response.headers.has("Preference-Applied")) await sleep(pause, signal);
    pause = Math.min(pause * 1.5, LAST_POLL_MS);
    wait = WAIT_SECONDS;
  }
}

/** Say instead of the task why it cannot be shown. */
export function showMissing(error) {
  $("task").hidden = true;
  $("status").replaceChildren(problemOf(error).message);
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

function show(task) {
  onView = task;
  $("task").hidden = false;
  $("cancel").hidden = task.status !== "pending";
  const words = task.status === "failed" ? "" : task.message;
  $("status").replaceChildren(badge(stateOf(task)), ...(task.name ? [make("strong", {}, task.name)] : []), words);
  showProblem($("failure"), task.status === "failed" ? task.error : null, sent.get(task.task_id)?.qc);
  showResults(task, sent.get(task.task_id));
  $("run-details").replaceChildren(...detailsOf(task).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  showHistory(task.status_history);
}

function showHistory(lines) {
  const start = Date.parse(lines[0].transitioned_at);
  const times = lines.map((line) => Date.parse(line.transitioned_at) - start);
  const whole = times.at(-1) || 1;
  $("timeline").replaceChildren(
    ...lines.slice(0, -1).map((line, index) => {
      const took = times[index + 1] - times[index];
      const part = make("span", { class: `part ${Object.hasOwn(LABELS, line.status) ? line.status : ""}`, title: `${labelOf(line.status)}: ${duration(took)}` });
      part.style.setProperty("--part", Math.max(0.03, took / whole));
      return part;
    }),
  );
  $("history").replaceChildren(
    ...lines.map((line, index) =>
      make("li", {}, [
        badge(line.status),
        make("span", { class: "notes" }, line.notes),
        make("time", { datetime: line.transitioned_at, title: line.transitioned_at }, `+${duration(times[index])}`),
      ]),
    ),
  );
}

/** Return what a task does now: of a pending one its history says whether it is queued or runs. */
export function stateOf(task) {
  return task.status === "pending" ? (task.status_history?.at(-1)?.status ?? "pending") : task.status;
}

function labelOf(status) {
  return Object.hasOwn(LABELS, status) ? LABELS[status] : status;
}

export function badge(status) {
  return make("span", { class: `badge ${Object.hasOwn(LABELS, status) ? status : ""}` }, labelOf(status));
}

export function duration(milliseconds) {
  if (milliseconds < 1000) return `${milliseconds} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 1 : 0)} s`;
}

export function dollars(amount) {
  return `$${amount.toLocaleString("en", amount < 0.01 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function detailsOf(task) {
  const run = task.execution ?? {};
  const found = [["Task", task.task_id], ["Shots", task.shots.toLocaleString("en")]];
  if (task.tags?.length) found.push(["Tags", task.tags.join(", ")]);
  if (run.num_qubits !== undefined) found.push(["Qubits", run.num_qubits]);
  if (run.depth !== undefined) found.push(["Depth", run.depth]);
  if (run.method) found.push(["Method", run.engine ? `${run.method}, by ${run.engine}` : run.method]);
  if (run.run_ms !== undefined) found.push(["Run time", `${run.run_ms} ms`]);
  if (typeof run.cost_usd === "number") found.push(["Cost", dollars(run.cost_usd)]);
  if (run.seed !== undefined) found.push(["Seed", run.seed]);
  return found;
}

// The page: submits a program, follows its task, shows what came out. It talks to the API like any other client.

import { call, key, keepKey, Refused } from "./calls.js";
import { $, make } from "./dom.js";
import { EXAMPLES } from "./examples.js";

const MOST_BARS = 32;
const WAIT_SECONDS = 15; // asked of the server; it answers at once when the task has ended
const FIRST_POLL_MS = 150; // where the server does not wait
const LAST_POLL_MS = 3000;
const LABELS = { pending: "Queued", processing: "Running", completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

const program = $("program");

let shownTask = null; // the task on view, as the API last gave it
let following = null; // the AbortController of what is followed
let listing = 0; // how often the list was asked for or changed: an answer to an earlier question is not shown

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

// -- Submitting ------------------------------------------------------------------------------------------------------

async function submit(event) {
  event.preventDefault();
  showProblem($("refusal"), null);
  program.removeAttribute("aria-invalid");
  if (!key()) {
    showProblem($("refusal"), { message: "An API key is needed.", hint: "Type or paste it at the top of the page." });
    $("key").focus();
    return;
  }
  const body = { qc: program.value, shots: number("shots") };
  if ($("seed").value !== "") body.seed = number("seed");
  const asked = key();
  $("run").disabled = true;
  try {
    const { answer } = await call("POST", "/tasks", { body });
    if (asked === key()) listFirst({ shots: body.shots, ...answer });
    await open(answer.task_id, { focus: matchMedia("(max-width: 60rem)").matches });
    listTasks();
  } catch (error) {
    refuse(error);
  } finally {
    $("run").disabled = false;
  }
}

/** Return a field's number, or its text where it is none: the API says best what is wrong with it. */
function number(id) {
  const field = $(id);
  return Number.isNaN(field.valueAsNumber) ? field.value : field.valueAsNumber;
}

function refuse(error) {
  if (error.name === "AbortError") return;
  const body = error instanceof Refused ? error.body : { message: "The service cannot be reached.", hint: "Try again." };
  showProblem($("refusal"), body);
  if (body.line) program.setAttribute("aria-invalid", "true");
}

/** Show what went wrong as the API tells it, with the place in the program under a caret; null hides it. */
function showProblem(box, problem) {
  box.replaceChildren();
  box.hidden = !problem;
  if (!problem) return;
  const sentence = typeof problem.detail === "string" ? problem.detail : problem.message;
  box.append(make("p", { class: "what" }, sentence));
  if (problem.excerpt) box.append(make("pre", { class: "excerpt", tabindex: "0", "aria-label": "The place in the program" }, problem.excerpt));
  if (problem.hint) box.append(make("p", { class: "hint" }, problem.hint));
  if (problem.line) {
    const column = problem.column ?? 1;
    const go = make("button", { type: "button", class: "quiet" }, `Go to line ${problem.line}, column ${column}`);
    go.addEventListener("click", () => goTo(problem.line, column));
    box.append(go);
  }
  if (problem.correlation_id) box.append(make("p", { class: "note" }, `Correlation id ${problem.correlation_id}`));
}

/** Put the cursor to a place in the program; line and column count from 1, the column in code points. */
function goTo(line, column) {
  const lines = program.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const within = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  program.focus();
  program.setSelectionRange(before + within, before + within + 1);
  program.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(program).lineHeight));
}

// -- Following a task ------------------------------------------------------------------------------------------------

/** Show a task and follow it until it has ended. */
async function open(id, { focus = false } = {}) {
  following?.abort();
  const { signal } = (following = new AbortController());
  if (shownTask?.task_id !== id) {
    $("task").hidden = $("cancel").hidden = true; // another one's counts are not this one's
    $("status").replaceChildren("Asking for the task …");
  }
  history.replaceState(null, "", `#${id}`);
  markOpened(id);
  if (focus) $("result-title").focus();
  let pause = FIRST_POLL_MS;
  let wait = 0; // the first look is to show the task at once
  for (;;) {
    const headers = wait ? { Prefer: `wait=${wait}` } : {};
    const { answer: task, response } = await call("GET", `/tasks/${encodeURIComponent(id)}`, { headers, signal });
    if (signal.aborted) return;
    show(task);
    if (task.status !== "pending") return;
    const waited = response.headers.has("Preference-Applied");
    if (!waited) await sleep(pause, signal);
    pause = Math.min(pause * 1.5, LAST_POLL_MS);
    wait = WAIT_SECONDS;
  }
}

async function follow(id, options) {
  try {
    await open(id, options);
    listTasks();
  } catch (error) {
    if (error.name === "AbortError") return;
    $("task").hidden = true;
    $("status").replaceChildren(error instanceof Refused ? error.body.message : "The service cannot be reached.");
  }
}

async function cancel() {
  const id = shownTask.task_id;
  try {
    await call("DELETE", `/tasks/${id}`);
  } catch (error) {
    if (!(error instanceof Refused)) return refuse(error); // a refusal: it has ended meanwhile, which is shown next
  }
  await follow(id);
}

async function reopen() {
  try {
    const { answer } = await call("GET", `/tasks/${shownTask.task_id}/circuit`, { as: "text" });
    setProgram(answer);
    $("shots").value = shownTask.shots;
    program.focus();
  } catch (error) {
    refuse(error);
  }
}

// -- Showing a task --------------------------------------------------------------------------------------------------

function show(task) {
  shownTask = task;
  const history = task.status_history;
  const state = stateOf(task);
  $("task").hidden = false;
  $("cancel").hidden = task.status !== "pending";
  $("status").replaceChildren(badge(state), task.status === "failed" ? "" : task.message);
  showProblem($("failure"), task.status === "failed" ? task.error : null);

  const sweep = Array.isArray(task.result) ? task.result : null;
  $("binding-field").hidden = !sweep;
  if (sweep) $("binding").replaceChildren(...sweep.map((_, index) => make("option", { value: index }, `Binding ${index + 1} of ${sweep.length}`)));
  showCounts(sweep ? sweep[0] : task.result, task);

  $("facts").replaceChildren(...facts(task).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  const start = Date.parse(history[0].transitioned_at);
  $("history").replaceChildren(
    ...history.map((line) =>
      make("li", {}, [
        badge(line.status),
        make("span", { class: "notes" }, line.notes),
        make("time", { datetime: line.transitioned_at, title: line.transitioned_at }, later(Date.parse(line.transitioned_at) - start)),
      ]),
    ),
  );
}

/** Return what a task does now: of a pending one its history says whether it is queued or runs. */
function stateOf(task) {
  return task.status === "pending" ? (task.status_history?.at(-1)?.status ?? "pending") : task.status;
}

function badge(status) {
  const known = Object.hasOwn(LABELS, status);
  return make("span", { class: `badge ${known ? status : ""}` }, known ? LABELS[status] : status);
}

function later(milliseconds) {
  if (milliseconds < 1000) return `+${milliseconds} ms`;
  return `+${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 1 : 0)} s`;
}

function facts(task) {
  const run = task.execution ?? {};
  const found = [["Task", task.task_id], ["Shots", task.shots.toLocaleString("en")]];
  if (run.num_qubits !== undefined) found.push(["Qubits", run.num_qubits]);
  if (run.depth !== undefined) found.push(["Depth", run.depth]);
  if (run.method) found.push(["Method", run.method]);
  if (run.run_ms !== undefined) found.push(["Run time", `${run.run_ms} ms`]);
  if (run.seed !== undefined) found.push(["Seed", run.seed]);
  for (const [index, value] of (task.expectation_values ?? []).entries()) found.push([`Observable ${index + 1}`, JSON.stringify(value)]);
  return found;
}

/** Show counts as a table of bars; `counts` maps outcomes to how often they were measured. */
function showCounts(counts, task) {
  const box = $("counts");
  box.replaceChildren();
  if (task.result_url) {
    box.append(make("p", {}, make("a", { href: task.result_url, rel: "noreferrer" }, "The result is large: download it (for an hour).")));
    return;
  }
  if (!counts) return;
  const outcomes = Object.entries(counts);
  const total = outcomes.reduce((sum, [, count]) => sum + count, 0);
  const many = outcomes.length > MOST_BARS;
  outcomes.sort(many ? (a, b) => b[1] - a[1] || compare(a[0], b[0]) : (a, b) => compare(a[0], b[0]));
  const shown = outcomes.slice(0, MOST_BARS);
  const largest = Math.max(...shown.map(([, count]) => count));
  const rows = shown.map(([outcome, count]) => {
    const share = count / total;
    const bar = make("div", { class: "bar" });
    bar.style.setProperty("--share", count / largest);
    return make("tr", {}, [
      make("th", { scope: "row" }, outcome),
      make("td", { class: "graph" }, bar),
      make("td", { class: "count" }, count.toLocaleString("en")),
      make("td", { class: "share" }, `${(100 * share).toFixed(1)}%`),
    ]);
  });
  const caption = many
    ? `The ${MOST_BARS} most frequent of ${outcomes.length.toLocaleString("en")} outcomes`
    : `${outcomes.length} ${outcomes.length === 1 ? "outcome" : "outcomes"} of ${total.toLocaleString("en")} shots`;
  const head = ["Outcome", "Frequency", "Count", "Share"].map((name) => make("th", { scope: "col" }, name));
  box.append(make("table", { class: "bars" }, [make("caption", {}, caption), make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows)]));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// -- Recent tasks ----------------------------------------------------------------------------------------------------

/** List the key's newest tasks, or, with a cursor, add those that follow it. */
async function listTasks(cursor) {
  const note = $("recent-note");
  const question = ++listing;
  if (!key()) {
    $("tasks").replaceChildren();
    $("older").hidden = true;
    note.hidden = false;
    note.replaceChildren("Give your API key to see your tasks.");
    return;
  }
  try {
    const query = new URLSearchParams({ limit: "10", ...(cursor && { cursor }) });
    const { answer } = await call("GET", `/tasks?${query}`);
    if (question !== listing) return;
    if (cursor) $("tasks").append(...answer.tasks.map(item));
    else if (!relist(answer.tasks)) $("tasks").replaceChildren(...answer.tasks.map(item));
    note.hidden = $("tasks").children.length > 0;
    note.replaceChildren("No tasks yet.");
    $("older").hidden = !answer.next_cursor;
    $("older").dataset.cursor = answer.next_cursor ?? "";
    markOpened(shownTask?.task_id);
  } catch (error) {
    if (question !== listing) return;
    $("tasks").replaceChildren();
    $("older").hidden = true;
    note.hidden = false;
    note.replaceChildren(error instanceof Refused ? error.body.message : "The service cannot be reached.");
  }
}

/** Put a task that was just accepted on top of the list: who clicks the first one must get the newest. */
function listFirst(task) {
  listing++;
  $("tasks").prepend(item(task));
  $("recent-note").hidden = true;
}

/** Bring the list up to date in place, so that nothing moves under the pointer; false if it begins with other tasks. */
function relist(tasks) {
  const buttons = [...$("tasks").querySelectorAll("button")];
  if (!tasks.every((task, index) => task.task_id === buttons[index]?.dataset.id)) return false;
  tasks.forEach((task, index) => buttons[index].replaceChildren(...entry(task)));
  for (const older of buttons.slice(tasks.length)) older.parentElement.remove();
  return true;
}

/** Return what the list says of a task. */
function entry(task) {
  const moment = new Date(task.submitted_at);
  return [
    badge(stateOf(task)),
    make("span", { class: "id" }, task.task_id.slice(0, 8)),
    make("span", { class: "note" }, `${task.shots.toLocaleString("en")} shots`),
    make("time", { datetime: task.submitted_at }, moment.toLocaleString([], { dateStyle: "short", timeStyle: "medium" })),
  ];
}

function item(task) {
  const button = make("button", { type: "button", "data-id": task.task_id }, entry(task));
  button.addEventListener("click", () => follow(task.task_id, { focus: true }));
  return make("li", {}, button);
}

function markOpened(id) {
  for (const button of $("tasks").querySelectorAll("button")) {
    if (button.dataset.id === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

// -- The editor ------------------------------------------------------------------------------------------------------

function setProgram(text) {
  program.value = text;
  program.scrollTop = 0;
  showProblem($("refusal"), null);
  program.removeAttribute("aria-invalid");
  countLines();
}

function countLines() {
  const lines = program.value.split("\n").length;
  if ($("gutter").childElementCount !== lines) {
    $("gutter").replaceChildren(...Array.from({ length: lines }, (_, index) => make("div", {}, String(index + 1))));
  }
  $("gutter").scrollTop = program.scrollTop;
}

// -- Start -----------------------------------------------------------------------------------------------------------

$("example").append(...EXAMPLES.map(({ name }, index) => make("option", { value: index }, name)));
$("example").addEventListener("change", () => setProgram(EXAMPLES[$("example").value].program));
program.addEventListener("input", countLines);
program.addEventListener("scroll", () => ($("gutter").scrollTop = program.scrollTop));
program.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("compose").requestSubmit();
});
$("compose").addEventListener("submit", submit);
$("access").addEventListener("submit", (event) => event.preventDefault());
$("key").addEventListener("input", () => {
  keepKey($("key").value);
  // Another key, another person's tasks: nothing of the former stays on view, and no answer for it comes.
  following?.abort();
  listing++;
  shownTask = null;
  $("task").hidden = $("cancel").hidden = true;
  $("status").replaceChildren("Run a program to see its counts here.");
  $("tasks").replaceChildren();
  $("older").hidden = true;
});
$("key").addEventListener("change", () => listTasks());
$("cancel").addEventListener("click", cancel);
$("reopen").addEventListener("click", reopen);
$("binding").addEventListener("change", () => showCounts(shownTask.result[$("binding").value], shownTask));
$("refresh").addEventListener("click", () => listTasks());
$("older").addEventListener("click", () => listTasks($("older").dataset.cursor));

setProgram(EXAMPLES[0].program);
$("key").value = key();
listTasks();
const linked = decodeURIComponent(location.hash.slice(1));
if (key() && /^[0-9a-f-]{36}$/.test(linked)) follow(linked);

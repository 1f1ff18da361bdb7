// The page: submits a program, follows its task, shows what came out. It talks to the API like any other client.

import { call, key, keepKey, problemOf, Refused } from "./calls.js";
import { check, checkSoon, refused } from "./check.js";
import { $, make } from "./dom.js";
import { setProgram, text } from "./editor.js";
import { EXAMPLES } from "./examples.js";
import { linked, linkTo } from "./link.js";
import { bodyOf, fill, listModels } from "./options.js";
import { showProblem } from "./problem.js";
import { clearList, listFirst, listTasks, markOpened, onChoice } from "./recent.js";
import { saveSvg } from "./saving.js";
import { bodySent, dollars, forget, open, remember, showMissing, shownTask } from "./task.js";
import { showUsage } from "./usage.js";

// -- Submitting ------------------------------------------------------------------------------------------------------

async function submit(event) {
  event.preventDefault();
  showProblem($("refusal"), null);
  if (!hasKey()) return;
  const body = bodyOf(text());
  const asked = key();
  $("run").disabled = true;
  try {
    const { answer } = await call("POST", "/tasks", { body });
    remember(answer.task_id, body);
    if (asked === key()) listFirst({ shots: body.shots ?? 0, name: body.name, ...answer });
    await openTask(answer.task_id, { focus: matchMedia("(max-width: 60rem)").matches });
    listTasks();
    showUsage();
  } catch (error) {
    refuse(error, body);
  } finally {
    $("run").disabled = false;
  }
}

/** Say what the task would take, without running it. */
async function estimate() {
  if (!hasKey()) return;
  $("estimate").replaceChildren("Estimating …");
  const body = bodyOf(text());
  try {
    const { answer } = await call("POST", "/tasks?dry_run=true", { body });
    if (answer.status === "failed") {
      $("estimate").replaceChildren();
      refused(answer.error, body);
      return;
    }
    const memory = answer.memory_bytes < 1e9 ? `${(answer.memory_bytes / 1e6).toFixed(1)} MB` : `${(answer.memory_bytes / 1e9).toFixed(1)} GB`;
    const time = answer.estimated_seconds < 1 ? `${(answer.estimated_seconds * 1000).toFixed(1)} ms` : `${answer.estimated_seconds.toFixed(1)} s`;
    $("estimate").replaceChildren(`About ${time}, ${memory} and ${dollars(answer.cost_usd)} · ${answer.engine}, ${answer.lane} worker`);
  } catch (error) {
    $("estimate").replaceChildren();
    refuse(error, body);
  }
}

function hasKey() {
  if (key()) return true;
  showProblem($("refusal"), { message: "An API key is needed.", hint: "Type or paste it at the top of the page." });
  $("key").focus();
  return false;
}

function refuse(error, body) {
  if (error.name !== "AbortError") refused(problemOf(error), body);
}

// -- Tasks -----------------------------------------------------------------------------------------------------------

async function openTask(id, options) {
  markOpened(id);
  await open(id, options);
}

async function follow(id, options) {
  try {
    await openTask(id, options);
    listTasks();
  } catch (error) {
    if (error.name !== "AbortError") showMissing(error);
  }
}

async function cancel() {
  const id = shownTask().task_id;
  try {
    await call("DELETE", `/tasks/${id}`);
  } catch (error) {
    if (!(error instanceof Refused)) return refuse(error); // a refusal: it has ended meanwhile, which is shown next
  }
  await follow(id);
}

async function reopen() {
  const task = shownTask();
  try {
    const { answer } = await call("GET", `/tasks/${task.task_id}/circuit`, { as: "text" });
    fill({ ...bodySent(task.task_id), shots: task.shots, name: task.name, tags: task.tags });
    setProgram(answer);
    $("program").focus();
  } catch (error) {
    refuse(error);
  }
}

// -- Start -----------------------------------------------------------------------------------------------------------

function pick() {
  const { program, options = {} } = EXAMPLES[$("example").value];
  fill({ shots: $("shots").value, seed: $("seed").value, ...options });
  setProgram(program);
}

async function copyLink() {
  const address = await linkTo(bodyOf(text()));
  history.replaceState(null, "", address);
  await navigator.clipboard?.writeText(address).catch(() => {});
  $("estimate").replaceChildren("A link to the program was copied; the address bar has it too.");
}

function changeKey() {
  keepKey($("key").value);
  // Another key, another person's tasks: nothing of the former stays on view, and no answer for it comes.
  forget();
  clearList();
  $("usage-table").replaceChildren();
}

$("example").append(...EXAMPLES.map(({ name }, index) => make("option", { value: index }, name)));
$("example").addEventListener("change", pick);
$("program").addEventListener("input", checkSoon);
$("program").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("compose").requestSubmit();
});
$("options").addEventListener("change", checkSoon);
$("options").addEventListener("toggle", () => $("options").open && listModels());
$("compose").addEventListener("submit", submit);
$("estimate-run").addEventListener("click", estimate);
$("link").addEventListener("click", copyLink);
$("save-circuit").addEventListener("click", () => saveSvg("circuit.svg", $("picture").querySelector("svg")));
$("access").addEventListener("submit", (event) => event.preventDefault());
$("key").addEventListener("input", changeKey);
$("key").addEventListener("change", () => (listTasks(), check(), showUsage(), $("options").open && listModels()));
$("cancel").addEventListener("click", cancel);
$("reopen").addEventListener("click", reopen);
onChoice((id) => follow(id, { focus: true }));

$("key").value = key();
const carried = await linked();
if (carried) fill(carried);
setProgram(carried?.qc ?? EXAMPLES[0].program);
check();
listTasks();
const id = decodeURIComponent(location.hash.slice(1));
if (key() && /^[0-9a-f-]{36}$/.test(id)) follow(id);

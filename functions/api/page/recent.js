// The list of the key's newest tasks, all of them or those with a status or a tag.

import { call, key, problemOf } from "./calls.js";
import { $, make } from "./dom.js";
import { badge, shownTask, stateOf } from "./task.js";

let listing = 0; // how often the list was asked for or changed: an answer to an earlier question is not shown
let choose = () => {};

/** Say what a click on a task does. */
export function onChoice(act) {
  choose = act;
}

/** Empty the list; no answer for the former key comes into it. */
export function clearList() {
  listing++;
  $("tasks").replaceChildren();
  $("older").hidden = true;
}

/** List the key's newest tasks, or, with a cursor, add those that follow it. */
export async function listTasks(cursor) {
  const note = $("recent-note");
  const question = ++listing;
  if (!key()) {
    clearList();
    note.hidden = false;
    note.replaceChildren("Enter your API key to see your tasks.");
    return;
  }
  if (!$("tasks").children.length) note.replaceChildren("Loading your tasks …");
  const [status, tag] = [$("status-filter").value, $("tag-filter").value.trim()];
  try {
    const query = new URLSearchParams({ limit: "10", ...(status && { status }), ...(tag && { tag }), ...(cursor && { cursor }) });
    const { answer } = await call("GET", `/tasks?${query}`);
    if (question !== listing) return;
    if (cursor) $("tasks").append(...answer.tasks.map(item));
    else if (!relist(answer.tasks)) $("tasks").replaceChildren(...answer.tasks.map(item));
    note.hidden = $("tasks").children.length > 0;
    note.replaceChildren(status || tag ? "No tasks match." : "No tasks yet.");
    $("older").hidden = !answer.next_cursor;
    $("older").dataset.cursor = answer.next_cursor ?? "";
    markOpened(shownTask()?.task_id);
  } catch (error) {
    if (question !== listing) return;
    $("tasks").replaceChildren();
    $("older").hidden = true;
    note.hidden = false;
    note.replaceChildren(problemOf(error).message);
  }
}

/** Put a task that was just accepted on top of the list: who clicks the first one must get the newest. */
export function listFirst(task) {
  if ($("status-filter").value || $("tag-filter").value.trim()) return;
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
    make("span", { class: "id" }, task.name || task.task_id.slice(0, 8)),
    make("span", { class: "note" }, `${task.shots.toLocaleString("en")} shots`),
    make("time", { datetime: task.submitted_at }, moment.toLocaleString([], { dateStyle: "short", timeStyle: "medium" })),
  ];
}

function item(task) {
  const made = make("button", { type: "button", "data-id": task.task_id }, entry(task));
  made.addEventListener("click", () => choose(task.task_id));
  return make("li", {}, made);
}

export function markOpened(id) {
  for (const each of $("tasks").querySelectorAll("button")) {
    if (each.dataset.id === id) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
}

$("refresh").addEventListener("click", () => listTasks());
$("older").addEventListener("click", () => listTasks($("older").dataset.cursor));
$("status-filter").addEventListener("change", () => listTasks());
$("tag-filter").addEventListener("change", () => listTasks());

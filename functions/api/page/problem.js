// Shows what the API says is wrong: the sentence, the place under a caret, and what a click can do about it.

import { $, button, make } from "./dom.js";
import { apply, goTo, text } from "./editor.js";
import { fixesOf } from "./fixes.js";
import { bodyOf, setFields } from "./options.js";

/** Show a problem in a box; null hides it. `source` is the program that has it, undefined if that is not known. */
export function showProblem(box, problem, source) {
  box.replaceChildren();
  box.hidden = !problem;
  if (!problem) return;
  const sentence = typeof problem.detail === "string" ? problem.detail : problem.message;
  box.append(make("p", { class: "what" }, sentence));
  if (Array.isArray(problem.detail)) {
    box.append(make("ul", { class: "details" }, problem.detail.map(({ loc, msg }) => make("li", {}, `${(loc ?? []).slice(1).join(".")}: ${msg}`))));
  }
  if (problem.excerpt) box.append(make("pre", { class: "excerpt", tabindex: "0", "aria-label": "The place in the program" }, problem.excerpt));
  if (problem.hint) box.append(make("p", { class: "hint" }, problem.hint));
  const acts = source === undefined ? [] : actsOf(problem, source);
  if (acts.length) box.append(make("div", { class: "actions" }, acts));
  if (problem.correlation_id) box.append(make("p", { class: "note" }, `Correlation id ${problem.correlation_id}`));
}

/** Return buttons that go to the place and do what the hint says; in another program they would be wrong. */
function actsOf(problem, source) {
  const here = (act) => () => text() === source && act();
  const { line, column = 1 } = problem;
  const found = line ? [button(`Go to line ${line}, column ${column}`, here(() => goTo(line, column)))] : [];
  for (const { label, edits, fields } of fixesOf(problem, source, bodyOf(source).inputs)) {
    found.push(button(label, here(() => (edits ? apply(edits) : (setFields(fields), $("options").dispatchEvent(new Event("change")))))));
  }
  return found;
}

// Shows what the API says is wrong: the sentence, the place under a caret, and what a click can do about it.

import { button, make } from "./dom.js";
import { addLine, goTo, replaceWord } from "./editor.js";

/** Show a problem in a box; null hides it. */
export function showProblem(box, problem) {
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
  const acts = [];
  if (problem.line) {
    const column = problem.column ?? 1;
    acts.push(button(`Go to line ${problem.line}, column ${column}`, () => goTo(problem.line, column)));
  }
  acts.push(...fixes(problem));
  if (acts.length) box.append(make("div", { class: "actions" }, acts));
  if (problem.correlation_id) box.append(make("p", { class: "note" }, `Correlation id ${problem.correlation_id}`));
}

/** Return buttons that do what the hint says, where that is certain. */
function fixes({ line, column, hint = "" }) {
  const name = hint.match(/^Did you mean ([\p{L}_$][\p{L}\p{N}_]*)\?$/u)?.[1];
  if (name && line) return [button(`Use ${name}`, () => replaceWord(line, column ?? 1, name))];
  const statements = hint.match(/^Add '([^']+;)' at the end\.$/)?.[1];
  if (statements) return [button("Add this at the end", () => addLine(statements))];
  return [];
}

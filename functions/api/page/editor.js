// The editor: a text field whose text is painted by a layer behind it, line by line, so that only changed lines cost.

import { $, make } from "./dom.js";
import { edited, offsetOf } from "./fixes.js";
import { pieces } from "./language.js";

const MOST_PAINTED = 20_000; // lines; longer programs are shown without colours

const program = $("program");
const paint = $("paint");
const gutter = $("gutter");
let lines = []; // painted: {text, inComment, open}
let counted = 0; // lines that the gutter numbers
let wrong = null; // {line, column, message}, counted from 1

export function text() {
  return program.value;
}

export function setProgram(value) {
  program.value = value;
  program.scrollTop = program.scrollLeft = 0;
  program.dispatchEvent(new Event("input"));
}

/** Underline what is wrong and write the message behind its line; null takes it back. */
export function markWrong(problem) {
  const before = wrong;
  wrong = problem?.line ? { line: problem.line, column: problem.column ?? 1, message: problem.detail ?? problem.message } : null;
  if (wrong) program.setAttribute("aria-invalid", "true");
  else program.removeAttribute("aria-invalid");
  for (const line of new Set([before?.line, wrong?.line])) if (line) repaintLine(line - 1);
}

/** Put the cursor to a place in the program; line and column count from 1, the column in code points. */
export function goTo(line, column) {
  const at = offsetOf(program.value, line, column);
  program.focus();
  program.setSelectionRange(at, at + 1);
  program.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(program).lineHeight));
}

/** Make edits of the program, `{ from, to, words }` by offsets, as one step that can be undone. */
export function apply(edits) {
  const from = Math.min(...edits.map((edit) => edit.from));
  const to = Math.max(...edits.map((edit) => edit.to));
  const after = edited(program.value, edits);
  program.focus();
  program.setSelectionRange(from, to);
  insert(after.slice(from, after.length - (program.value.length - to)));
}

function insert(words) {
  // The one way that keeps undo; browsers without it get the text all the same.
  if (!document.execCommand(words ? "insertText" : "delete", false, words)) {
    program.setRangeText(words, program.selectionStart, program.selectionEnd, "end");
    program.dispatchEvent(new Event("input"));
  }
}

function repaint() {
  const all = program.value.split("\n");
  countLines(all.length);
  if (all.length > MOST_PAINTED) {
    paint.replaceChildren(program.value);
    lines = [];
    return;
  }
  if (!lines.length) paint.replaceChildren();
  const old = lines;
  const same = (a, b) => a !== undefined && a.text === b;
  let start = 0;
  while (start < old.length && start < all.length && same(old[start], all[start])) start++;
  let end = 0;
  while (end < old.length - start && end < all.length - start && same(old[old.length - 1 - end], all[all.length - 1 - end])) end++;
  const fresh = [];
  let inComment = start ? old[start - 1].open : false;
  for (const line of all.slice(start, all.length - end)) {
    const { found, open } = pieces(line, inComment);
    fresh.push({ text: line, inComment, open, element: make("div", {}, painted(found)) });
    inComment = open;
  }
  for (const gone of old.slice(start, old.length - end)) gone.element.remove();
  const rest = end ? old.slice(old.length - end) : [];
  const fragment = document.createDocumentFragment();
  fragment.append(...fresh.map((line) => line.element));
  paint.insertBefore(fragment, rest[0]?.element ?? null);
  lines = [...old.slice(0, start), ...fresh, ...rest];
  // Behind a comment that was opened or closed, lines look different until one is as before.
  for (let index = start + fresh.length; index < lines.length && lines[index].inComment !== inComment; index++) {
    lines[index].inComment = inComment;
    repaintLine(index);
    inComment = lines[index].open;
  }
}

function painted(found) {
  const elements = found.map(([kind, words]) => (kind ? make("span", { class: kind }, words) : words));
  return elements.length ? elements : ["\u200b"]; // an empty line has a height too
}

function repaintLine(index) {
  const line = lines[index];
  if (!line) return;
  const { found, open } = pieces(line.text, line.inComment);
  line.open = open;
  line.element.replaceChildren(...painted(found));
  if (wrong?.line === index + 1) underline(line.element);
}

/** Underline the piece of a painted line where the problem is, and write the message behind the line. */
function underline(element) {
  let left = [...element.textContent].slice(0, wrong.column - 1).join("").length;
  for (const node of [...element.childNodes]) {
    const length = node.textContent.length;
    if (left < length) {
      const words = node.nodeType === Node.TEXT_NODE ? node : node.firstChild;
      const marked = words.splitText(left);
      const end = marked.data.match(/^(?:[\p{L}\p{N}_]+|\S|\s)/u)?.[0].length ?? marked.length;
      if (end < marked.length) marked.splitText(end);
      const line = make("span", { class: "wrong" });
      marked.replaceWith(line);
      line.append(marked);
      break;
    }
    left -= length;
  }
  if (!element.querySelector(".wrong")) element.append(make("span", { class: "wrong" }, "\u00a0"));
  element.append(make("span", { class: "message" }, wrong.message));
}

function countLines(count) {
  if (counted !== count) gutter.replaceChildren(Array.from({ length: count }, (_, index) => index + 1).join("\n"));
  counted = count;
  follow();
}

function follow() {
  gutter.scrollTop = paint.scrollTop = program.scrollTop;
  paint.scrollLeft = program.scrollLeft;
}

/** Take a file that is dropped onto the editor as its program. */
async function drop(event) {
  const [file] = event.dataTransfer.files;
  if (!file) return;
  event.preventDefault();
  setProgram(await file.text());
}

program.addEventListener("input", repaint);
program.addEventListener("scroll", follow);
program.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
program.addEventListener("drop", drop);

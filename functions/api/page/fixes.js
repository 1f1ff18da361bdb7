// What a click can do about a problem, where its hint names a replacement and it is certain where that belongs.
//
// Each fix has a label and either `edits` of the program, `{ from, to, words }` by offsets, or `fields`, values of the
// form's. A hint whose place is not certain gets none: no fix is better than a wrong one.

import { pieces } from "./language.js";

const NAME = /^[\p{L}_$][\p{L}\p{N}_]*/u;
const NEAR = 300; // characters
const VERSION = /OPENQASM\b[^;\n]*;?/;

/** Return the offset of a place in a text; line and column count from 1, the column in code points. */
export function offsetOf(source, line, column) {
  const all = source.split("\n");
  const before = all.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return before + [...(all[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

/** Return the offset behind the last word before `at` that is not a comment. */
function endOfCode(source, at) {
  let [offset, end, inComment] = [0, 0, false];
  for (const line of source.slice(0, at).split("\n")) {
    const { found, open } = pieces(line, inComment);
    let here = offset;
    for (const [kind, words] of found) {
      if (kind !== "comment" && words.trim()) end = here + words.trimEnd().length;
      here += words.length;
    }
    inComment = open;
    offset += line.length + 1;
  }
  return end;
}

/** Return what stands before an offset, as much as a statement's beginning takes; patterns are slow on whole programs. */
function before(source, at) {
  return source.slice(Math.max(0, at - NEAR), at);
}

/** Return the end of the expression that begins at an offset, null if no expression begins there for certain. */
function endOfExpression(source, at) {
  if (!/[=[(,:]$/.test(before(source, at).trimEnd())) return null;
  let depth = 0;
  for (let index = at; index < source.length; index++) {
    const letter = source[index];
    if (depth === 0 && ",;])}:".includes(letter)) return at + source.slice(at, index).trimEnd().length;
    if ("([{".includes(letter)) depth++;
    if (")]}".includes(letter)) depth--;
    if (letter === '"' || letter === "/") return null; // texts and comments may hold brackets
  }
  return null;
}

/** Return the only match of a pattern, null if there are several or none. */
function only(source, pattern) {
  const found = [...source.matchAll(pattern)];
  return found.length === 1 ? found[0] : null;
}

const escaped = (name) => name.replace(/[$]/g, "\\$&");
const replace = (label, from, to, words) => [{ label, edits: [{ from, to, words }] }];
const insert = (label, at, words) => replace(label, at, at, words);
const fill = (label, fields) => ({ label, fields });

/** Return a fix that replaces the match of a pattern in the line of the place. */
function inLine({ source, lineStart, lineText }, pattern, label, words) {
  const found = only(lineText, pattern);
  return found && replace(label, lineStart + found.index, lineStart + found.index + found[0].length, words(found));
}

// Each a pattern of the hint, and what makes fixes of its match and the place; what is not there is left out.
const IN_THE_PROGRAM = [
  [/^Did you mean ([\p{L}_$][\p{L}\p{N}_]*)\?$/u, ([, name], { at, word, quoted }) => word && word === quoted && replace(`Use ${name}`, at, at + word.length, name)],
  [/^Add '([^']+;)' before it\.$/, ([, line], { source, lineStart }) => /(?:^|[;{}])$/.test(source.slice(0, endOfCode(source, lineStart))) && insert(`Add ${line}`, lineStart, `${line}\n`)],
  [/^Add the missing ([;)\]}])\.$/, ([, mark], { source, at }) => insert(`Add the ${mark}`, endOfCode(source, at), mark)],
  [/^Remove it\.$/, (_, { at, source, quoted }) => quoted && source.startsWith(quoted, at) && replace(`Remove ${quoted}`, at, at + quoted.length, "")],
  [/^Remove it;/, (_, place) => inLine(place, /^\s*#?pragma\b.*$/g, "Remove the pragma", () => "")],
  [/^Close it with (["'])\.$/, ([, mark], { lineStart, lineText, source, at }) => {
    const end = lineStart + lineText.trimEnd().replace(/;$/, "").trimEnd().length;
    return end > at + 1 && source.startsWith(mark, at) && insert(`Add the ${mark}`, end, mark);
  }],
  [/^Write include "(\w+\.inc)";/, ([, file], place) => inLine(place, /include\s*(?:"[^"]*"|'[^']*')\s*;?/g, `Include ${file}`, () => `include "${file}";`)],
  [/^Write 'OPENQASM 3\.0;'/, (_, place) => inLine(place, new RegExp(VERSION, "g"), "Write OPENQASM 3.0;", ([old]) => (old.endsWith(";") && /^OPENQASM\s+[\d.]+\s*;/.test(old) ? "OPENQASM 3.0;" : `OPENQASM 3.0; ${old.replace(/^OPENQASM\s*/, "")}`))],
  [/ or 2\.0\.$/, (_, place) => inLine(place, /OPENQASM\s+[\d.]+\s*;/g, "Write OPENQASM 2.0;", () => "OPENQASM 2.0;")],
  [/start with 'OPENQASM 3\.0;'/, (_, { source }) => {
    const found = only(source, /OPENQASM\s+2(?:\.\d+)?\s*;/g);
    return found && replace("Write OPENQASM 3.0;", found.index, found.index + found[0].length, "OPENQASM 3.0;");
  }],
  [/^Move it to the top or remove it\.$/, (_, { source, at }) => {
    const from = source.lastIndexOf("OPENQASM", at);
    const found = from < 0 ? null : source.slice(from).match(/^OPENQASM\s+[\d.]+\s*;\n?/);
    if (!found) return null;
    const gone = { from, to: from + found[0].length, words: "" };
    return [{ label: "Move it to the top", edits: [gone, { from: 0, to: 0, words: `${found[0].trim()}\n` }] }, { label: "Remove it", edits: [gone] }];
  }],
  [/^Use 'end;' to end the program\.$/, (_, { source, at, word }) => /^(?:break|continue|return)\s*;/.test(source.slice(at)) && replace("Use end", at, at + word.length, "end")],
  [/^Remove const\.$/, (_, { source, at }) => {
    const found = before(source, at).match(/\bconst\s+(?=[^;{}]*$)/);
    const from = found && Math.max(0, at - NEAR) + found.index;
    return found && replace("Remove const", from, from + found[0].length, "");
  }],
  [/^Declare the target as (bit\[\d+\])\.$/, ([, type], { source, at }) => {
    const name = before(source, at).match(/([\p{L}_][\p{L}\p{N}_]*)\s*=\s*$/u)?.[1] ?? source.slice(at, at + NEAR).match(/^measure[^;]*->\s*([\p{L}_][\p{L}\p{N}_]*)\s*;/u)?.[1];
    const found = name && only(source, new RegExp(`\\bbit(?:\\[\\d+\\])?(?=\\s+${escaped(name)}\\s*[;=])`, "g"));
    return found && replace(`Declare it as ${type}`, found.index, found.index + found[0].length, type);
  }],
  [/^Declare '([\p{L}_][\p{L}\p{N}_]*)' with const, or/u, ([, name], { source }) => {
    const found = only(source, new RegExp(`\\b(?:int|uint|float|angle|bool|bit)(?:\\[\\d+\\])?\\s+${escaped(name)}\\s*=`, "g"));
    return found && !/\bconst\s+$/.test(source.slice(0, found.index)) && insert(`Declare ${name} with const`, found.index, "const ");
  }],
  [/^(?:Write|Cast it:) (\w+)\(\.\.\.\)/, ([, type], { source, at }) => {
    const end = endOfExpression(source, at);
    return end && replace(`Write ${type}(…) around it`, at, end, `${type}(${source.slice(at, end)})`);
  }],
  [/^Use ((?:bit|int|uint|angle)\[\d+\])\.$/, ([, type], place) => {
    const old = place.message.match(/cannot become (\w+(?:\[\d+\])?): the widths differ/)?.[1];
    return old && inLine(place, new RegExp(`\\b${old.replace(/[[\]]/g, "\\$&")}(?=\\s+[\\p{L}_])`, "gu"), `Use ${type}`, () => type);
  }],
  [/^Write '(\w+\[[^']+\] [\p{L}_][\p{L}\p{N}_]*);'\.$/u, ([, words], { message, source, at }) => {
    const head = message.endsWith("the size belongs to the type.") && before(source, at).match(/\b\w+(?:\[[^\][]*\])?\s+[\p{L}_][\p{L}\p{N}_]*\s*$/u);
    const size = head && source.slice(at).match(/^\[[^\][]+\]/);
    return size && replace(`Write ${words}`, Math.max(0, at - NEAR) + head.index, at + size[0].length, words);
  }],
  [/^Write '([\p{L}_][\p{L}\p{N}_]*)\[1\]'\.$/u, ([, name], { at, word }) => word === name && replace(`Write ${name}[1]`, at, at + word.length, `${name}[1]`)],
  [/^Write 'readonly array/, (_, { source, at }) => source.startsWith("array", at) && insert("Add readonly", at, "readonly ")],
];

// The same for what the fields of the form have.
const IN_THE_FIELDS = [
  [/^Use "method": "(\w+)"(?:,? or "(\w+)")?/, (names) => names.slice(1).filter(Boolean).map((method) => fill(`Use the method ${method}`, { method }))],
  [/single precision/, () => [fill("Use single precision", { precision: "single" })]],
  [/the matrix_product_state method/, () => [fill("Use the method matrix_product_state", { method: "matrix_product_state" })]],
  [/^Ask for a density_matrix or probabilities/, () => ["density_matrix", "probabilities"].map((results) => fill(`Ask for ${results === "probabilities" ? results : "a density matrix"}`, { results }))],
  [/sk for counts/, () => [fill("Ask for counts", { results: "counts" })]],
  [/leave memory out/, () => [fill("Leave memory out", { memory: false })]],
  [/^Add it to the request: "inputs": \{"(.+)": \.\.\.\}\.$/, ([, name], { inputs }) => [fill(`Add ${name} to the inputs`, { inputs: added(inputs, name), select: name })]],
  [/^Did you mean ([\p{L}_][\p{L}\p{N}_]*)\?$/u, ([, name], { inputs, quoted, line }) => !line && quoted && [fill(`Use ${name}`, { inputs: renamed(inputs, quoted, name) })]],
];

/** Return each binding of the field's value, changed. */
function changed(inputs, change) {
  return Array.isArray(inputs) ? inputs.map(change) : change(inputs && typeof inputs === "object" ? inputs : {});
}

function added(inputs, name) {
  return changed(inputs, (binding) => (Object.hasOwn(binding, name) ? binding : { ...binding, [name]: 0 }));
}

function renamed(inputs, old, name) {
  return changed(inputs, (binding) => Object.fromEntries(Object.entries(binding).map(([key, value]) => [key === old ? name : key, value])));
}

/** Return the fixes of a problem in a program; `inputs` are the request's. */
export function fixesOf(problem, source, inputs) {
  const { line, column = 1, hint = "" } = problem;
  const message = typeof problem.detail === "string" ? problem.detail : (problem.message ?? "");
  const quoted = message.match(/'(.+?)'/s)?.[1];
  const end = hint.match(/^Add '([^']+;)' at the end\.$/)?.[1];
  if (end) return insert("Add this at the end", source.length, `${source.endsWith("\n") || !source ? "" : "\n"}${end}\n`);
  const found = IN_THE_FIELDS.flatMap(([pattern, make]) => {
    const match = hint.match(pattern);
    return (match && make(match, { inputs, quoted, line })) || [];
  });
  if (!line) return found;
  const at = offsetOf(source, line, column);
  const lineText = source.split("\n")[line - 1] ?? "";
  const place = { source, at, message, quoted, lineText, lineStart: offsetOf(source, line, 1), word: source.slice(at).match(NAME)?.[0] };
  for (const [pattern, make] of IN_THE_PROGRAM) {
    const match = hint.match(pattern);
    found.push(...((match && make(match, place)) || []));
  }
  return found;
}

/** Return a text with the edits made; no two overlap. */
export function edited(source, edits) {
  return [...edits].sort((a, b) => b.from - a.from).reduce((text, { from, to, words }) => text.slice(0, from) + words + text.slice(to), source);
}

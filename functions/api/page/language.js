// Tells the words of a line of OpenQASM apart, to colour them. A comment can continue in the next line.

const WORDS = {
  keyword:
    "OPENQASM include defcalgrammar def cal defcal gate extern box let break continue if else end return for while in switch case default pragma opaque",
  type: "input output const readonly mutable qreg qubit creg bool bit int uint float angle complex array void duration stretch",
  action: "measure reset barrier delay ctrl negctrl inv pow gphase U CX",
  constant: "pi π tau τ euler ℇ true false",
};
const KIND = new Map(Object.entries(WORDS).flatMap(([kind, words]) => words.split(" ").map((word) => [word, kind])));
const TOKEN = /(?<comment>\/\/.*|\/\*.*?(?:\*\/|$))|(?<text>"[^"]*"?)|(?<number>(?:0[xX][\da-fA-F_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?:im|dt|ns|us|µs|ms|s)?)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<mark>@\w*|#\w+|\$\d+)/gu;

/** Return a line's pieces as `[kind, text]`, kind empty for the rest, and whether a comment continues behind it. */
export function pieces(line, inComment) {
  const found = [];
  let from = 0;
  if (inComment) {
    const end = line.indexOf("*/");
    if (end < 0) return { found: [["comment", line]], open: true };
    found.push(["comment", line.slice(0, end + 2)]);
    from = end + 2;
  }
  TOKEN.lastIndex = from;
  let open = false;
  for (let match; (match = TOKEN.exec(line)); ) {
    if (match.index > from) found.push(["", line.slice(from, match.index)]);
    const [kind, text] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    found.push([kind === "word" ? (KIND.get(text) ?? "") : kind, text]);
    from = TOKEN.lastIndex;
    open = kind === "comment" && text.startsWith("/*") && !(text.length >= 4 && text.endsWith("*/"));
  }
  if (from < line.length) found.push(["", line.slice(from)]);
  return { found, open };
}

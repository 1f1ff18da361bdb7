// Tables with a bar in each row: the first rows of many, and the rest in one.

import { $, make } from "./dom.js";

export const MOST_ROWS = 32;

/** Return a bit string in the form that was chosen: bits, hex or decimal; registers stay apart. */
export function formed(outcome) {
  const form = $("form").value;
  if (form === "bits") return outcome;
  const one = (bits) => {
    if (!/^[01]+$/.test(bits)) return bits;
    const number = BigInt(`0b${bits}`);
    return form === "hex" ? `0x${number.toString(16).padStart(Math.ceil(bits.length / 4), "0")}` : number.toString();
  };
  return outcome.split(" ").map(one).join(" ");
}

/** Return `[name, size, ...]` rows in the chosen order: as it fits, the largest first where there are many. */
export function sorted(rows) {
  const bySize = $("order").value === "count" || ($("order").value === "" && rows.length > MOST_ROWS);
  const byName = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
  return rows.sort(bySize ? (a, b) => b[1] - a[1] || byName(a, b) : byName);
}

/** Return a table; each row is `{ name, share, cells, angle? }`, of a bar as long as the share of the longest. */
export function barTable({ caption, head, rows, rest }) {
  const longest = Math.max(...rows.map(({ share }) => share), Number.MIN_VALUE);
  const line = ({ name, share, cells, angle }, kind) => {
    const bar = make("div", { class: kind });
    bar.style.setProperty("--share", Math.min(1, share / longest));
    if (angle !== undefined) {
      bar.classList.add("phase");
      bar.style.setProperty("--angle", `${angle}rad`);
    }
    return make("tr", {}, [make("th", { scope: "row" }, name), make("td", { class: "graph" }, bar), ...cells.map((cell, index) => make("td", { class: head[index + 2] === "Share" ? "share" : "count" }, cell))]);
  };
  return make("table", { class: "bars" }, [
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, head.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows.map((row) => line(row, "bar"))),
    ...(rest ? [make("tfoot", {}, line(rest, "bar others"))] : []),
  ]);
}

// What the key's tasks have used this month, by day, status or tag.

import { call, key, problemOf } from "./calls.js";
import { $, make } from "./dom.js";
import { dollars } from "./task.js";

let question = 0;

/** Ask for the usage and show it as a table. */
export async function showUsage() {
  const asked = ++question;
  const box = $("usage-table");
  if (!key() || !$("usage").open) {
    box.replaceChildren();
    return;
  }
  try {
    const by = $("usage-by").value;
    const { answer } = await call("GET", `/usage?by=${by}`);
    if (asked !== question) return;
    box.replaceChildren(tableOf(answer, by));
  } catch (error) {
    if (asked === question) box.replaceChildren(problemOf(error).message);
  }
}

function tableOf({ from, to, total, usage }, by) {
  const most = Math.max(...usage.map(({ tasks }) => tasks), 1);
  const row = (name, sums, graph) => {
    const bar = make("div", { class: graph ? "bar" : "" });
    bar.style.setProperty("--share", sums.tasks / most);
    const counts = [sums.tasks, sums.shots, sums.compute_seconds].map((number) => number.toLocaleString("en"));
    const numbers = [...counts, dollars(sums.cost_usd)];
    return make("tr", {}, [make("th", { scope: "row" }, name), make("td", { class: "graph" }, bar), ...numbers.map((value) => make("td", { class: "count" }, value))]);
  };
  const head = [by === "day" ? "Day" : by === "tag" ? "Tag" : "Status", "", "Tasks", "Shots", "Seconds", "Cost"];
  return make("table", { class: "bars usage" }, [
    make("caption", {}, `${from} to ${to}, UTC`),
    make("thead", {}, make("tr", {}, head.map((name) => (name ? make("th", { scope: "col" }, name) : make("td"))))),
    make("tbody", {}, usage.map((sums) => row(sums[by] || "other tags", sums, true))),
    make("tfoot", {}, row("All", total, false)),
  ]);
}

$("usage").addEventListener("toggle", showUsage);
$("usage-by").addEventListener("change", showUsage);

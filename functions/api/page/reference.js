// The API's reference at /docs and /redoc, made in the browser from the service's own /openapi.json.

import { call, key, keepKey, problemOf } from "./calls.js";
import { $, make, withCode } from "./dom.js";
import { fieldTable, nameOf, schemaBody, typeOf } from "./schema.js";
import { tryOut } from "./tryout.js";

const OPEN = document.documentElement.dataset.view === "all"; // /redoc: nothing folded, to read and to print

/** Return paragraphs; lines that are indented by four spaces are code. */
function prose(text) {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((part) => {
      const lines = part.split("\n");
      if (!lines.every((line) => line.startsWith("    "))) return make("p", {}, withCode(part));
      return make("pre", { tabindex: "0", "aria-label": "Example" }, lines.map((line) => line.slice(4)).join("\n"));
    });
}

function folded(title, body, attributes = {}) {
  return make("details", { ...(OPEN && { open: "" }), ...attributes }, [make("summary", {}, title), ...body]);
}

function exampleOf(operation, schemas) {
  const content = operation.requestBody?.content["application/json"];
  return content && (schemas[nameOf(content.schema)]?.examples?.[0] ?? {});
}

function answersOf(operation) {
  const rows = Object.entries(operation.responses)
    .filter(([status]) => status !== "default")
    .map(([status, response]) => {
      const [content] = Object.values(response.content ?? {});
      const codes = response.description.split("; ").flatMap((part, index) => [...(index ? [make("br")] : []), ...withCode(part)]);
      const headers = Object.entries(response.headers ?? {}).flatMap(([name, header]) => [make("dt", {}, make("code", {}, name)), make("dd", {}, withCode(header.description))]);
      return make("tr", {}, [
        make("th", { scope: "row", class: status < 400 ? "good" : "bad" }, status),
        make("td", {}, [
          ...(content?.schema ? [make("p", { class: "type" }, typeOf(content.schema))] : []),
          make("p", {}, codes),
          ...(headers.length ? [folded("Headers", [make("dl", { class: "headers" }, headers)])] : []),
        ]),
      ]);
    });
  return make("table", { class: "fields" }, [make("caption", { class: "unseen" }, "Answers"), make("tbody", {}, rows)]);
}

function operationSection(path, method, operation, schemas) {
  const parameters = (operation.parameters ?? []).map((each) => ({ ...each, where: each.in }));
  const body = operation.requestBody?.content["application/json"]?.schema;
  const example = exampleOf(operation, schemas);
  const title = [make("span", { class: `method ${method}` }, method.toUpperCase()), " ", make("span", { class: "path" }, path)];
  return make("section", { class: "card operation", id: operation.operationId, "aria-label": `${method.toUpperCase()} ${path}` }, [
    make("h3", {}, title),
    make("p", { class: "summary" }, operation.summary ?? ""),
    ...prose(operation.description ?? ""),
    ...(parameters.length ? [make("h4", {}, "Parameters"), fieldTable("Parameters", parameters)] : []),
    ...(body ? [make("h4", {}, "Body"), make("p", { class: "type" }, typeOf(body)), make("pre", { tabindex: "0", "aria-label": "Example of a body" }, JSON.stringify(example, null, 2))] : []),
    folded("Answers", [answersOf(operation)]),
    ...(OPEN ? [] : [make("details", {}, [make("summary", {}, "Try it"), tryOut(method, path, operation, example)])]),
  ]);
}

function show(api) {
  const schemas = api.components.schemas;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  $("title").replaceChildren(api.info.title);
  $("about").replaceChildren(make("p", { class: "note" }, `Version ${api.info.version}`), ...prose(api.info.description));
  $("operations").replaceChildren(...operations.map(({ path, method, operation }) => operationSection(path, method, operation, schemas)));
  $("schemas").replaceChildren(
    ...Object.entries(schemas).map(([name, schema]) => folded(name, schemaBody(name, schema), { class: "card schema", id: `schema-${name}` })),
  );
  $("contents").replaceChildren(
    ...operations.map(({ path, method, operation }) =>
      make("li", {}, make("a", { href: `#${operation.operationId}` }, [make("span", { class: `method ${method}` }, method.toUpperCase()), " ", path])),
    ),
    make("li", {}, make("a", { href: "#schemas-title" }, "Schemas")),
  );
  openLinked();
}

/** Unfold what the address or a link points to. */
function openLinked() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.matches("details")) target.open = true;
  target.scrollIntoView();
}

$("access").addEventListener("submit", (event) => event.preventDefault());
$("key").value = key();
$("key").addEventListener("input", () => keepKey($("key").value));
addEventListener("hashchange", openLinked);
try {
  show((await call("GET", "/openapi.json")).answer);
} catch (error) {
  $("about").replaceChildren(problemOf(error).message);
}

// Shows schemas of the OpenAPI document: what type a value has, and a table of an object's fields.

import { make, withCode } from "./dom.js";

const BOUNDS = [["minimum", "maximum", ""], ["minLength", "maxLength", " characters"], ["minItems", "maxItems", " items"]];

/** Return the schema's name if it is a reference to one of the document's. */
export function nameOf(schema) {
  return schema?.$ref?.split("/").at(-1);
}

/** Return a short description of a schema's type, in which the document's own schemas are links. */
export function typeOf(schema, name = "") {
  const reference = nameOf(schema);
  if (reference) return [make("a", { href: `#schema-${reference}` }, reference)];
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) {
    const shown = choices.filter((choice) => choice.type !== "null");
    return shown.flatMap((choice, index) => [...(index ? [" or "] : []), ...typeOf(choice)]);
  }
  if (schema.const !== undefined) return [make("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return schema.enum.flatMap((value, index) => [...(index ? [", "] : []), make("code", {}, value)]);
  if (schema.prefixItems) return ["[", ...schema.prefixItems.flatMap((item, index) => [...(index ? [", "] : []), ...typeOf(item)]), "]"];
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items ?? {})];
  if (schema.type === "object" && schema.additionalProperties) return ["object of ", ...typeOf(schema.additionalProperties)];
  return [schema.format ?? schema.type ?? (name === "JsonValue" ? "any JSON" : "any")];
}

function notesOf(schema) {
  const valueOf = (bound) => schema[bound] ?? (schema.anyOf ?? []).map((choice) => choice[bound]).find((given) => given !== undefined);
  const shown = (value) => (value < 1e15 ? value.toLocaleString("en") : value);
  const found = [];
  for (const [lower, upper, unit] of BOUNDS) {
    const [least, most] = [valueOf(lower), valueOf(upper)];
    if (least !== undefined && most !== undefined) found.push(`${shown(least)} to ${shown(most)}${unit}`);
    else if (least !== undefined) found.push(`at least ${shown(least)}${least === 1 ? unit.replace(/s$/, "") : unit}`);
    else if (most !== undefined) found.push(`at most ${shown(most)}${unit}`);
  }
  if (schema.default !== undefined && schema.default !== null) found.push(`default ${JSON.stringify(schema.default)}`);
  return found;
}

/** Return a table with a row for each `{name, schema, description, required, where}`. */
export function fieldTable(caption, fields) {
  const rows = fields.map(({ name, schema, description, required, where }) =>
    make("tr", {}, [
      make("th", { scope: "row" }, [make("code", {}, name), ...(required ? [make("span", { class: "required" }, "required")] : []), ...(where ? [make("span", { class: "note" }, where)] : [])]),
      make("td", {}, [
        make("p", { class: "type" }, [...typeOf(schema), ...notesOf(schema).map((note) => ` · ${note}`)]),
        ...(description ? [make("p", {}, withCode(description))] : []),
      ]),
    ]),
  );
  return make("table", { class: "fields" }, [make("caption", { class: "unseen" }, caption), make("tbody", {}, rows)]);
}

/** Return what a schema of the document is: its description and fields, or its values. */
export function schemaBody(name, schema) {
  const body = schema.description ? [make("p", {}, withCode(schema.description))] : [];
  const fields = Object.entries(schema.properties ?? {});
  if (!fields.length) return [...body, make("p", { class: "type" }, typeOf(schema, name))];
  const required = new Set(schema.required);
  const rows = fields.map(([field, value]) => ({ name: field, schema: value, description: value.description, required: required.has(field) }));
  return [...body, fieldTable(`Fields of ${name}`, rows)];
}

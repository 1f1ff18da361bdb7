// Sends a request of the API's reference with what its reader typed, and shows the answer as text.

import { send } from "./calls.js";
import { make } from "./dom.js";

const MOST_CHARACTERS = 20_000; // of an answer that are shown

/** Return a form that calls an operation. */
export function tryOut(method, path, operation, example) {
  const fields = (operation.parameters ?? []).map((parameter) => {
    const input = make("input", { autocomplete: "off", spellcheck: "false", ...(parameter.required && { required: "" }) });
    return { ...parameter, input };
  });
  const text = example && make("textarea", { rows: "8", spellcheck: "false" });
  if (text) text.value = JSON.stringify(example, null, 2);
  const answer = make("div", { class: "answer", role: "status" });
  const form = make("form", { class: "tryout" }, [
    ...fields.map(({ name, input }) => make("label", {}, [make("code", {}, name), input])),
    ...(text ? [make("label", {}, ["Body", text])] : []),
    make("button", { class: "primary", type: "submit" }, "Send"),
    answer,
  ]);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.replaceChildren("Sending …");
    try {
      const request = requestOf(path, fields);
      const response = await send(method.toUpperCase(), request.path, { headers: request.headers, ...(text && { body: text.value }) });
      answer.replaceChildren(...(await shown(response)));
    } catch (error) {
      answer.replaceChildren(error instanceof TypeError ? "The service cannot be reached, or a header has a character that is not allowed." : error.message);
    }
  });
  return form;
}

function requestOf(path, fields) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { name, in: where, input } of fields) {
    if (input.value === "") continue;
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (where === "query") query.set(name, input.value);
    else headers[name] = input.value;
  }
  return { path: query.size ? `${path}?${query}` : path, headers };
}

async function shown(response) {
  let body = await response.text();
  if (response.headers.get("content-type")?.startsWith("application/json")) body = JSON.stringify(JSON.parse(body), null, 2);
  if (body.length > MOST_CHARACTERS) body = `${body.slice(0, MOST_CHARACTERS)}\n… and ${(body.length - MOST_CHARACTERS).toLocaleString("en")} characters more`;
  const headers = ["location", "etag", "retry-after", "preference-applied", "link", "x-correlation-id"]
    .filter((name) => response.headers.has(name))
    .map((name) => `${name}: ${response.headers.get(name)}`);
  return [
    make("p", { class: response.ok ? "good" : "bad" }, `${response.status} ${response.statusText}`),
    make("pre", { tabindex: "0", "aria-label": "The answer" }, [headers.join("\n"), "\n\n", body]),
  ];
}

// Calls the API as any other client does. The key is kept in sessionStorage: it is this tab's and gone with it.

export const BASE = document.documentElement.dataset.base;
const KEY = "api-key";

export class Refused extends Error {
  constructor(body) {
    super(body.message);
    this.body = body;
  }
}

class Unreachable extends Error {}

export function key() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function keepKey(value) {
  sessionStorage.setItem(KEY, value.trim());
}

/** Send a request and return the response, whatever its status; throw TypeError when the API cannot be reached. */
export function send(method, path, { body, headers = {}, signal } = {}) {
  return fetch(BASE + path, {
    method,
    signal,
    headers: { "x-api-key": key(), ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
    body,
    credentials: "omit",
  });
}

/** Call the API; throw Refused with its body when it says no, and Unreachable when it cannot be reached. */
export async function call(method, path, { body, as = "json", ...options } = {}) {
  const response = await send(method, path, { body: body && JSON.stringify(body), ...options }).catch((error) => {
    throw error.name === "AbortError" ? error : new Unreachable();
  });
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Refused({ message: `The service answered with status ${response.status}.`, ...answer });
  }
  return { answer: await response[as](), response };
}

/** Return what to show of a call that failed. */
export function problemOf(error) {
  if (error instanceof Refused) return error.body;
  if (error instanceof Unreachable) return { message: "The service cannot be reached.", hint: "Try again." };
  console.error(error);
  return { message: "This page has a fault.", hint: "Reload it. If the task was accepted, it is in the list." };
}

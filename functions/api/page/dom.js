// Makes elements. What comes from outside gets into the page as text and never as HTML; the Content-Security-Policy's
// trusted types make the browser refuse the other way.

export const $ = (id) => document.getElementById(id);

/** Return a new element; `content` is text, an element, or a list of both. */
export function make(tag, attributes = {}, content = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...[content].flat());
  return element;
}

/** Return a button that does something. */
export function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", class: "quiet", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** Return text with each part between backticks as code. */
export function withCode(text) {
  return String(text)
    .split("`")
    .map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

// Makes SVG elements of the shapes that the service draws; nothing but these kinds, with text as text.

const SVG = "http://www.w3.org/2000/svg";
const FIELDS = {
  rect: ["rect", "x", "y", "width", "height"],
  dot: ["circle", "cx", "cy", "r"],
  path: ["path", "d"],
  text: ["text", "x", "y"],
};

export function svgElement(tag, attributes = {}, content = []) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...[content].flat());
  return element;
}

/** Return the picture of a drawing; `toggle(gate)` is called when one of the program's own is to open or close. */
export function picture({ width, height, shapes, description }, toggle) {
  const svg = svgElement("svg", { class: "circuit", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": description });
  const made = [];
  for (const [kind, look, ...values] of shapes) {
    if (kind === "open" || kind === "close") made.push(toggleOf(kind, look, values, toggle));
    if (!Object.hasOwn(FIELDS, kind)) continue;
    const [tag, ...names] = FIELDS[kind];
    const element = svgElement(tag, { class: look });
    names.forEach((name, index) => element.setAttribute(name, values[index]));
    if (kind === "text") element.append(values.at(-1));
    made.push(element);
  }
  svg.append(...made);
  return svg;
}

function toggleOf(kind, gate, [x, y, width, height], toggle) {
  const label = kind === "open" ? `Open the gate ${gate}` : `Close the gate ${gate}`;
  const area = svgElement("rect", { class: "toggle", x, y, width, height, tabindex: "0", role: "button", "aria-label": label });
  area.append(svgElement("title", {}, label));
  area.addEventListener("click", () => toggle(gate));
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle(gate);
  });
  return area;
}

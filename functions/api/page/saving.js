// Saves what is on view as files: text as it is, pictures as SVG with their colours written out, or as PNG.

import { $ } from "./dom.js";

const STYLED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font", "text-anchor", "dominant-baseline", "rx"];

export function saveText(name, type, text) {
  save(name, new Blob([text], { type }));
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Return the text of an SVG file that looks as the element does now. */
function fileOf(svg) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg, copy].map((each) => [each, ...each.querySelectorAll("*")]);
  from.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const name of STYLED) {
      if (name === "font") to[index].setAttribute("font-size", style.fontSize), to[index].setAttribute("font-family", "system-ui, sans-serif");
      else if (style.getPropertyValue(name)) to[index].setAttribute(name, style.getPropertyValue(name));
    }
  });
  for (const area of copy.querySelectorAll(".toggle")) area.remove();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("color", getComputedStyle(svg).color);
  return new XMLSerializer().serializeToString(copy);
}

export function saveSvg(name, svg) {
  saveText(name, "image/svg+xml", fileOf(svg));
}

/** Save an SVG element as a PNG of twice its size, on the page's own ground. */
export async function savePng(name, svg) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(fileOf(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle($("result-title").closest(".card")).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  save(name, await new Promise((resolve) => canvas.toBlob(resolve)));
}

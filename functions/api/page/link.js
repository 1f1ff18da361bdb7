// Links that carry a task in their fragment, which browsers send to no server.

const MARK = "program=";

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** Return the page's address with a task in its fragment. */
export async function linkTo(body) {
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(body)));
  const letters = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  const address = btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}#${MARK}${address}`;
}

/** Return the task that the fragment carries, null if it carries none. */
export async function linked() {
  const fragment = location.hash.slice(1);
  if (!fragment.startsWith(MARK)) return null;
  try {
    const letters = atob(fragment.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const body = JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes)));
    return typeof body?.qc === "string" ? body : null;
  } catch {
    return null;
  }
}

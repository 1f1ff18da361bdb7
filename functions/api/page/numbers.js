// The numbers of a result as files: comma-separated values, and NumPy's format, version 1.0 of numpy.lib.format.

/** Return lines of comma-separated values with a head. */
export function csvOf(head, rows) {
  const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** Return the file of NumPy's with an entry of `results`, float64 or complex128; null if it has no array. */
export function npyOf(entry) {
  const imag = entry.imag?.flat();
  const real = (imag ? entry.real : entry.values)?.flat();
  if (!real) return null;
  const shape = Array.isArray(entry.real?.[0]) ? `${entry.real.length}, ${entry.real[0].length}` : `${real.length},`;
  const head = `{'descr': '${imag ? "<c16" : "<f8"}', 'fortran_order': False, 'shape': (${shape}), }`;
  const start = Math.ceil((10 + head.length + 1) / 64) * 64;
  const step = imag ? 16 : 8;
  const view = new DataView(new ArrayBuffer(start + step * real.length));
  const letters = `\x93NUMPY\x01\x00\0\0${head.padEnd(start - 11)}\n`;
  for (let index = 0; index < start; index++) view.setUint8(index, letters.charCodeAt(index));
  view.setUint16(8, start - 10, true);
  real.forEach((number, index) => view.setFloat64(start + step * index, number, true));
  imag?.forEach((number, index) => view.setFloat64(start + step * index + 8, number, true));
  return view.buffer;
}

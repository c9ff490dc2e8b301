// Reads the files that `pack` of unetpp_lib/engine/network_file.py writes: gzip of "unetpp 1", the length of a JSON
// text in 4 bytes, the JSON text, and then plain bytes.

export async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const content = await new Response(stream).arrayBuffer();
  const words = (start, length) => new TextDecoder().decode(new Uint8Array(content, start, length));
  if (words(0, 8) !== "unetpp 1") throw new Error("This file was not written by unetpp.");
  const length = new DataView(content).getUint32(8, true);
  return { about: JSON.parse(words(12, length)), payload: content.slice(12 + length) };
}

// Returns the network that network.bin holds, for `run` of network.js: what its JSON says, and its tensors by name.
export async function readNetwork(bytes) {
  const { about, payload } = await unpack(bytes);
  const numbers = readHalf(payload);
  const tensors = {};
  for (const [name, { shape, start }] of Object.entries(about.tensors)) {
    const size = shape.reduce((product, length) => product * length, 1);
    tensors[name] = { shape, values: numbers.subarray(start, start + size) };
  }
  return { ...about, tensors };
}

// Half-precision numbers: 1 bit for the sign, 5 for the exponent, 10 for the fraction.
function readHalf(buffer) {
  const halves = new Uint16Array(buffer);
  const numbers = new Float32Array(halves.length);
  for (let k = 0; k < halves.length; k++) {
    const sign = halves[k] >> 15 ? -1 : 1;
    const exponent = (halves[k] >> 10) & 31;
    const fraction = halves[k] & 1023;
    numbers[k] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return numbers;
}

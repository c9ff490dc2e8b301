// What is chosen on a page lives in its address, such as #depth=2&image=1: here it is read and written. A field says
// how one value is read from a text, and written as one; what makes no sense reads as undefined and is left out.

// Whole numbers from `least` to `greatest`, as the address shows them; the value itself may count from 0, not from 1.
export function whole(least, greatest, offset = 0) {
  const read = (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    return number >= least && number <= greatest ? number - offset : undefined;
  };
  return { read, write: (value) => `${value + offset}` };
}

export function oneOf(values) {
  return { read: (text) => (values.includes(text) ? text : undefined), write: (value) => value };
}

export function readAddress(fields) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const read = Object.entries(fields).map(([name, field]) => [name, asked.has(name) ? field.read(asked.get(name)) : undefined]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

export function writeAddress(fields, values) {
  const written = Object.entries(fields).map(([name, field]) => `${name}=${encodeURIComponent(field.write(values[name]))}`);
  history.replaceState(null, "", `#${written.join("&")}`);
}

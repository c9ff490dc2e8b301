// Shows an explorer on a page without Python. It gives it a model of its own, whose state lives in the address, and
// fetches what it needs: first one image with its predictions, then the others, then the network.

import { readAddress, writeAddress } from "./address.js";

// What anywidget calls a model: values by name, and who listens to their changes.
class PageModel {
  constructor(values, fields) {
    this.values = values;
    this.fields = fields;
    this.listeners = new Map();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }

  on(name, listener) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  off(name, listener) {
    this.listeners.set(name, (this.listeners.get(name) ?? []).filter((one) => one !== listener));
  }

  save_changes() {
    writeAddress(this.fields, this.values);
  }
}

function asBytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// Shows the explorer of every place on the page. `fieldsOf(about)` are the fields of its address.
export function showOnPage(fieldsOf, render) {
  for (const place of document.querySelectorAll(".unetpp-place")) showExplorer(place, fieldsOf, render);
}

async function showExplorer(place, fieldsOf, render) {
  const { about, start, base, files, inlined } = JSON.parse(place.querySelector("script").textContent);
  const load = async (name) => {
    if (inlined) return asBytes(inlined[name]);
    const response = await fetch(new URL(name, new URL(base, document.baseURI)));
    if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}).`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const fields = fieldsOf(about);
  const { packs, network } = files;
  const sent = { about, packs: packs.map(() => null), network: null, news: "", can_keep: false, whole_page: true };
  const model = new PageModel({ ...sent, ...start, ...readAddress(fields) }, fields);
  const loadPack = async (number) => {
    const pack = await load(packs[number]);
    model.set("packs", model.get("packs").map((one, k) => (k === number ? pack : one)));
  };
  window.addEventListener("hashchange", () => {
    for (const [name, value] of Object.entries(readAddress(fields))) model.set(name, value);
  });
  try {
    const first = model.get("image");
    if (packs.length) await loadPack(first);
    render({ model, el: place });
    await Promise.all(packs.map((_, k) => (k === first ? null : loadPack(k))));
    if (network) model.set("network", await load(network));
  } catch (error) {
    place.append(`The explorer could not be loaded: ${error.message}`);
  }
}

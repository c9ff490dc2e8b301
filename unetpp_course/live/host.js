// Shows explorers on a page without Python. It gives them a model of their own, whose state lives in the address, and
// fetches what they need: first one image with its predictions, then the others, then the network.

import { render } from "./depth_explorer.js";

class PageModel {
  constructor(values) {
    this.values = values;
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
    const { depth, image, threshold, mode } = this.values;
    history.replaceState(null, "", `#depth=${depth}&image=${image + 1}&threshold=${threshold}&mode=${mode}`);
  }
}

// Returns what an address such as #depth=2&image=1&threshold=50 asks for; what makes no sense is left out.
function readAddress(about) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const chosen = {};
  const whole = (name, least, greatest, offset = 0) => {
    const value = Number(asked.get(name) ?? NaN);
    if (Number.isInteger(value) && value >= least && value <= greatest) chosen[name] = value - offset;
  };
  whole("depth", 1, about.depth);
  whole("image", 1, about.names.length, 1);
  whole("threshold", 1, 99);
  if (["fast", "accurate"].includes(asked.get("mode"))) chosen.mode = asked.get("mode");
  return chosen;
}

function asBytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

async function showExplorer(place) {
  const { about, base, files, inlined } = JSON.parse(place.querySelector("script").textContent);
  const load = async (name) => {
    if (inlined) return asBytes(inlined[name]);
    const response = await fetch(new URL(name, new URL(base, document.baseURI)));
    if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}).`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const packs = about.names.map(() => null);
  const start = { depth: about.depth, image: 0, threshold: about.threshold, mode: "fast", ...readAddress(about) };
  const model = new PageModel({ ...start, about, packs, network: null, news: "", can_keep: false, whole_page: true });
  const loadPack = async (number) => {
    const pack = await load(files.packs[number]);
    model.set("packs", model.get("packs").map((one, k) => (k === number ? pack : one)));
  };
  window.addEventListener("hashchange", () => {
    for (const [name, value] of Object.entries(readAddress(about))) model.set(name, value);
  });
  try {
    await loadPack(start.image);
    render({ model, el: place });
    await Promise.all(about.names.map((_, k) => (k === start.image ? null : loadPack(k))));
    model.set("network", await load(files.network));
  } catch (error) {
    place.append(`The explorer could not be loaded: ${error.message}`);
  }
}

for (const place of document.querySelectorAll(".unetpp-place")) showExplorer(place);

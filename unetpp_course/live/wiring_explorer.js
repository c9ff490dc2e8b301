// The wiring explorer: turn U-Net into UNet+ and UNet++ wire by wire, and see what every node reads and costs.
//
// `model` holds what is chosen: the network to start from, a node by its name, and the names of the wires that were
// switched since, in alphabetical order. What is known of the networks was sent ahead (about): see wiring_facts.py.

import { nodeName, wireName } from "./grid.js";
import { Wiring } from "./wiring.js";
import { WiringView } from "./wiring_view.js";

const CHOSEN = ["network", "node", "switched"];

export class WiringExplorer {
  constructor(model, el) {
    this.model = model;
    this.about = model.get("about");
    this.known = this.about.networks.map(({ key, name, wires }) => {
      const on = new Set(wires.map((wire) => wireName(...wire)));
      return { key, name, on, wiring: new Wiring(this.about, on) };
    });
    this.view = new WiringView(this.about, this.known, {
      begin: (network) => this.choose({ network, switched: [] }),
      choose: (node) => this.choose({ node }),
      toggle: (wire, node) => this.toggle(wire, node),
    });
    el.append(this.view.root);
    this.listeners = CHOSEN.map((name) => [`change:${name}`, () => this.update()]);
    for (const [name, listener] of this.listeners) model.on(name, listener);
    this.update();
  }

  close() {
    for (const [name, listener] of this.listeners) this.model.off(name, listener);
  }

  choose(values) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
  }

  toggle(wire, node) {
    const switched = new Set(this.model.get("switched"));
    if (!switched.delete(wire)) switched.add(wire);
    this.choose({ node, switched: [...switched].sort() });
  }

  update() {
    const switched = this.model.get("switched");
    const start = this.known.find(({ key }) => key === this.model.get("network"));
    const asked = new Set(start.on);
    for (const wire of switched) if (!asked.delete(wire)) asked.add(wire);
    const wiring = new Wiring(this.about, asked);
    const same = this.known.find((known) => `${known.wiring.wires}` === `${wiring.wires}`);
    const node = this.about.nodes.find((fact) => nodeName(fact.node) === this.model.get("node"));
    this.view.show({ start, wiring, asked, same, fact: node });
  }
}

export function render({ model, el }) {
  const explorer = new WiringExplorer(model, el);
  return () => explorer.close();
}

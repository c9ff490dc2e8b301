// A network as wires between nodes, and what follows from them. Which wires U-Net, UNet+ and UNet++ have, which are
// possible, and what each costs is counted in Python (wiring_facts.py); here it is only looked up and added together.

import { nodeName, wireName } from "./grid.js";

export class Wiring {
  // `on` holds the names of the wires that are asked for. A node without inputs is left out, and so is what it fed.
  constructor({ nodes, head }, on) {
    this.head = head;
    this.inputs = new Map();
    this.facts = new Map(nodes.map((fact) => [nodeName(fact.node), fact]));
    for (const { node, possible } of nodes) { // each after those that may feed it
      const sources = possible.filter((source) => on.has(wireName(source, node)) && this.inputs.has(nodeName(source)));
      if (sources.length || !possible.length) this.inputs.set(nodeName(node), sources);
    }
  }

  has(node) {
    return this.inputs.has(nodeName(node));
  }

  sourcesOf(node) {
    return this.inputs.get(nodeName(node)) ?? [];
  }

  get wires() {
    return [...this.inputs].flatMap(([name, sources]) => sources.map((source) => `${nodeName(source)} → ${name}`));
  }

  // The last node of the first row, which the head reads.
  get last() {
    return [...this.inputs.keys()].map((name) => this.facts.get(name).node).filter(([i]) => i === 0).at(-1);
  }

  // The parameters and multiply-accumulates of a node.
  costOf(node) {
    const { possible, fixed, each } = this.facts.get(nodeName(node));
    const read = new Set(this.sourcesOf(node).map(nodeName));
    const parts = each.filter((_, k) => read.has(nodeName(possible[k])));
    return this.has(node) ? added([fixed, ...parts]) : [0, 0];
  }

  // Those of the whole network, with its head.
  get cost() {
    return added([this.head, ...[...this.facts.values()].map(({ node }) => this.costOf(node))]);
  }

  // How many paths lead from the first node to a node, and how many nodes the longest of them has.
  pathsTo(node) {
    if (!this.has(node)) return { number: 0, longest: 0 };
    const before = this.sourcesOf(node).map((source) => this.pathsTo(source));
    if (!before.length) return { number: 1, longest: 1 };
    return { number: added(before.map(({ number }) => [number]))[0], longest: 1 + Math.max(...before.map(({ longest }) => longest)) };
  }
}

function added(parts) {
  return parts[0].map((_, k) => parts.reduce((sum, part) => sum + part[k], 0));
}

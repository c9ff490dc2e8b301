// The wiring explorer's part of the page: its controls, the grid, and two tables.

import { drawGrid, nodeName, wireName } from "./grid.js";
import { choices, element, shape, statusLine, switches } from "./shell.js";
import { fillTable, frame, picture, scrolling } from "./views.js";

const KINDS = [["down", "down-sampling"], ["skip", "skip"], ["up", "up-sampling"]];
const CONVOLUTIONS = 2; // of a node, one after the other

export class WiringView {
  // `begin(network)`, `choose(node)` and `toggle(wire, node)` are called as the reader acts.
  constructor(about, known, { begin, choose, toggle }) {
    this.about = about;
    this.known = known;
    this.usual = new Set(known.flatMap(({ on }) => [...on])); // these are drawn in grey where they are off
    this.network = choices("start from", known.map(({ key, name }) => [key, name]), begin);
    const names = about.nodes.map(({ node }) => nodeName(node)).sort(); // row by row
    this.node = choices("node", names.map((name) => [name, name]), choose);
    this.inputs = switches((wire) => toggle(wire, this.chosen));
    this.grid = picture("svg", "wires wide");
    this.draw(choose, toggle);
    this.facts = element("table", { class: "facts" });
    this.table = element("table");
    this.status = statusLine();
    const hint = element("span", { class: "hint alone" }, "Click a wire to switch it, or a node to choose it.");
    const facts = element("figure", { class: "of wide" }, element("figcaption", {}, "the chosen node"), this.facts);
    this.root = frame([this.network.row, this.node.row, this.inputs.row, element("div", { class: "row" }, element("span"), hint)],
      [this.grid.figure, facts], [legend(), scrolling("costs by network", this.table), ...this.status.parts]);
  }

  draw(choose, toggle) {
    const { nodes, depth } = this.about;
    this.wires = nodes.flatMap(({ node, possible }) => possible.map((source) => [source, node]));
    this.parts = drawGrid(this.grid.view, nodes.map(({ node }) => node), this.wires, depth);
    this.reaches = new Map();
    for (const wire of this.wires) {
      const [source, node] = wire;
      const part = this.parts.wires.get(wireName(...wire));
      part.classList.add(source[0] === node[0] ? "skip" : source[0] < node[0] ? "down" : "up");
      if (node[1] === 0) continue; // the encoder stays as it is
      const reach = shape("path", { d: part.getAttribute("d"), class: "reach" }, shape("title", {}, wireName(...wire)));
      reach.addEventListener("click", () => toggle(wireName(...wire), nodeName(node)));
      part.after(reach);
      this.reaches.set(wireName(...wire), reach);
    }
    for (const [name, part] of this.parts.nodes) part.addEventListener("click", () => choose(name));
  }

  // `wiring` are the wires that are there, `asked` those that are switched on, `same` the known network that they
  // make, if any, and `fact` what is known of the chosen node.
  show({ start, wiring, asked, same, fact }) {
    this.chosen = nodeName(fact.node);
    this.network.show(start.key);
    this.node.show(this.chosen);
    this.showInputs(fact, asked);
    this.showGrid(wiring, asked);
    this.showFacts(wiring, fact);
    this.showTable(wiring, same);
    const words = `${this.sayNetwork(wiring, same)} ${this.sayNode(wiring, fact)}`;
    this.grid.tell(same?.name ?? "your own wiring", `The nodes and their wires. ${words}`);
    this.status.say(words);
  }

  showInputs({ node, possible }, asked) {
    const offered = node[1] === 0 ? [] : possible;
    const buttons = offered.map((source) => [wireName(source, node), nodeName(source), asked.has(wireName(source, node))]);
    this.inputs.show(`inputs of ${this.chosen}`, buttons);
    this.inputs.row.classList.toggle("none", !buttons.length);
  }

  showGrid(wiring, asked) {
    const there = new Set(wiring.wires);
    for (const wire of this.wires) {
      const name = wireName(...wire);
      const part = this.parts.wires.get(name);
      const seen = there.has(name) || asked.has(name) || this.usual.has(name);
      part.classList.toggle("cut", !there.has(name));
      part.classList.toggle("read", there.has(name) && nodeName(wire[1]) === this.chosen);
      part.toggleAttribute("hidden", !seen);
      this.reaches.get(name)?.toggleAttribute("hidden", !seen);
    }
    for (const [name, part] of this.parts.nodes) {
      part.classList.toggle("cut", !wiring.inputs.has(name));
      part.classList.toggle("chosen", name === this.chosen);
    }
  }

  showFacts(wiring, { node, width, side, cut }) {
    const [parameters, macs] = wiring.costOf(node);
    const whole = wiring.cost;
    const there = wiring.has(node);
    const { number, longest } = wiring.pathsTo(node);
    const part = (value, all) => `(${((100 * value) / all).toFixed(1)}\u00a0%)`;
    const none = "none: it is left out";
    fillTable(this.facts, [this.chosen, "in this network"], [
      ["reads", sources(wiring, node) || (there ? "the image" : none)],
      ["its maps", there ? `${width} channels of ${side} × ${side}` : none],
      ["depth", cut > 1 ? `no UNet++ shallower than L${cut} has it` : "every UNet++ has it"],
      ["paths from X0,0", there ? `${number}; the longest has ${longest} nodes, ${CONVOLUTIONS * longest} convolutions` : "none"],
      ["parameters", `${parameters.toLocaleString("en")} ${part(parameters, whole[0])}`],
      ["multiply-accumulates", `${(macs / 1e9).toFixed(2)}\u00a0G ${part(macs, whole[1])}`],
    ], -1);
  }

  showTable(wiring, same) {
    const rows = this.known.map(({ name, wiring: one }) => [name, one]);
    if (!same) rows.push(["yours", wiring]);
    const lines = rows.map(([name, one]) => [name, `${one.inputs.size}`, `${one.wires.length}`, ...inShort(one.cost), `${one.pathsTo(one.last).number}`]);
    const head = ["network", "nodes", "wires", "parameters", `multiply-accumulates, ${this.about.size} × ${this.about.size}`, "paths to the head"];
    fillTable(this.table, head, lines, same ? this.known.indexOf(same) : rows.length - 1);
  }

  sayNetwork(wiring, same) {
    const [parameters, macs] = inShort(wiring.cost);
    const { number } = wiring.pathsTo(wiring.last);
    return (
      `${same?.name ?? "Your own wiring"}: ${wiring.wires.length} wires, ${parameters} parameters, ${macs} multiply-accumulates at ` +
      `${this.about.size} × ${this.about.size}; ${number} paths from X0,0 to ${nodeName(wiring.last)}.`
    );
  }

  sayNode(wiring, { node }) {
    if (!wiring.has(node)) return `${this.chosen} reads nothing, so it is left out.`;
    const [parameters, macs] = wiring.costOf(node);
    const reads = sources(wiring, node) || "the image";
    return `${this.chosen} reads ${reads}, and costs ${parameters.toLocaleString("en")} parameters and ${(macs / 1e9).toFixed(2)} G multiply-accumulates.`;
  }
}

function sources(wiring, node) {
  return wiring.sourcesOf(node).map(nodeName).join(", ");
}

function inShort([parameters, macs]) {
  return [`${(parameters / 1e6).toFixed(2)}\u00a0M`, `${(macs / 1e9).toFixed(1)}\u00a0G`];
}

// Which line means what; patterns of dashes for readers whom colours do not help.
function legend() {
  return element("ul", { class: "legend" }, ...[...KINDS, ["cut", "not wired"]].map(([kind, words]) => {
    const line = shape("svg", { class: "key", viewBox: "0 0 36 10", "aria-hidden": "true" }, shape("path", { d: "M 1 5 H 35", class: `wire ${kind}` }));
    return element("li", {}, line, element("span", {}, words));
  }));
}

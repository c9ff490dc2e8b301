// The grid of nodes, drawn once: its parts come back by name, and an explorer changes their look.

import { shape } from "./shell.js";

const STEP = [64, 46]; // between columns and between rows
const HALF = [21, 12]; // of a node

// `wires` are pairs of a node and a node that it feeds; a node is [row, column]. Rows begin half a column further right
// than the row above, as in figure 1 of Zhou et al. 2018. Returns the nodes and the wires by `nodeName` and `wireName`.
export function drawGrid(svg, nodes, wires, depth) {
  svg.setAttribute("viewBox", `0 0 ${STEP[0] * depth + 68} ${STEP[1] * depth + 82}`);
  const wireParts = new Map(wires.map((wire) => [wireName(...wire), shape("path", { d: wirePath(...wire), class: "wire" })]));
  const nodeParts = new Map(nodes.map((node) => [nodeName(node), nodePart(node)]));
  svg.append(...wireParts.values(), ...nodeParts.values());
  return { nodes: nodeParts, wires: wireParts };
}

export function nodeName([i, j]) {
  return `X${i},${j}`;
}

export function wireName(source, node) {
  return `${nodeName(source)} → ${nodeName(node)}`;
}

function placeOf([i, j]) {
  return [34 + STEP[0] * (j + i / 2), 56 + STEP[1] * i];
}

// A skip over other nodes is an arc; longer arcs rise higher.
function wirePath(source, node) {
  const [[fromX, fromY], [x, y]] = [source, node].map(placeOf);
  const over = source[0] === node[0] ? node[1] - source[1] : 0;
  const bend = over > 1 ? -13 * over : 0;
  return `M ${fromX} ${fromY} Q ${(fromX + x) / 2} ${(fromY + y) / 2 + bend} ${x} ${y}`;
}

function nodePart(node) {
  const [x, y] = placeOf(node);
  const box = shape("rect", { x: x - HALF[0], y: y - HALF[1], width: 2 * HALF[0], height: 2 * HALF[1], rx: 6 });
  return shape("g", { class: "node" }, box, shape("text", { x, y: y + 5 }, nodeName(node)));
}

// Adds a numbered head above a node, and returns it.
export function addHead(svg, node, number) {
  const [x, y] = placeOf(node);
  const head = shape("g", { class: "head" }, shape("path", { d: `M ${x} ${y - HALF[1]} v -14` }));
  head.append(shape("rect", { x: x - 9, y: y - 44, width: 18, height: 18, rx: 3 }));
  head.append(shape("text", { x, y: y - 30 }, `${number}`));
  svg.append(head);
  return head;
}

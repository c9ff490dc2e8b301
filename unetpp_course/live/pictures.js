// The pictures of the pruning explorer: the image, the prediction with its mistakes, the grid, and the curve.

import { shape } from "./shell.js";

// By truth and prediction; people who confuse red and green can tell orange and blue apart (Okabe and Ito).
export const COLOURS = [["#000000", "#e69f00"], ["#0072b2", "#ffffff"]];

function asPixel(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (255 << 24) | (blue << 16) | (green << 8) | red; // the order of the bytes in memory: red, green, blue, opaque
}

function paint(canvas, height, width, pixelAt) {
  if (canvas.height !== height || canvas.width !== width) Object.assign(canvas, { height, width });
  const pixels = new Uint32Array(height * width);
  for (let k = 0; k < pixels.length; k++) pixels[k] = pixelAt(k);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
}

export function paintImage(canvas, { height, width, grey }) {
  paint(canvas, height, width, (k) => (255 << 24) | (grey[k] * 0x010101));
}

// White is class 1 and black is class 0; where there is a mask, mistakes have colours.
export function paintPrediction(canvas, { height, width, mask }, levels, threshold) {
  const colours = COLOURS.map((row) => row.map(asPixel));
  paint(canvas, height, width, (k) => {
    const called = levels[k] >= threshold ? 1 : 0;
    return colours[mask ? mask[k] : called][called];
  });
}

const STEP = [64, 46]; // between columns and between rows of the grid

// Draws the grid once, and returns a function that shows which nodes and heads remain at a depth.
export function drawGrid(svg, nodes, depth) {
  const place = ([i, j]) => [34 + STEP[0] * (j + i / 2), 56 + STEP[1] * i];
  svg.setAttribute("viewBox", `0 0 ${STEP[0] * depth + 68} ${STEP[1] * depth + 82}`);
  const parts = [];
  const keep = (part, size) => { parts.push([part, size]); return part; };
  for (const { node, inputs } of nodes) {
    const [x, y] = place(node);
    for (const source of inputs) {
      const [fromX, fromY] = place(source);
      const far = source[0] === node[0] && node[1] - source[1] > 1; // a skip over other nodes is drawn as an arc
      const bend = far ? -13 * (node[1] - source[1]) : 0;
      const path = `M ${fromX} ${fromY} Q ${(fromX + x) / 2} ${(fromY + y) / 2 + bend} ${x} ${y}`;
      svg.append(keep(shape("path", { d: path, class: "wire" }), node[0] + node[1]));
    }
  }
  const heads = [];
  for (const { node: [i, j] } of nodes) {
    const [x, y] = place([i, j]);
    const box = shape("rect", { x: x - 21, y: y - 12, width: 42, height: 24, rx: 6 });
    const name = shape("text", { x, y: y + 5 }, `X${i},${j}`);
    svg.append(keep(shape("g", { class: "node" }, box, name), i + j));
    if (i === 0 && j > 0) {
      const head = shape("g", { class: "head" }, shape("path", { d: `M ${x} ${y - 12} v -14` }));
      head.append(shape("rect", { x: x - 9, y: y - 44, width: 18, height: 18, rx: 3 }));
      head.append(shape("text", { x, y: y - 30 }, `${j}`));
      svg.append(keep(head, j));
      heads.push(head);
    }
  }
  return (chosen, mode) => {
    for (const [part, size] of parts) part.classList.toggle("cut", size > chosen);
    heads.forEach((head, k) => {
      head.classList.toggle("read", mode === "fast" ? k + 1 === chosen : k + 1 <= chosen);
    });
  };
}

const PLOT = { left: 44, top: 12, width: 270, height: 150 };

// Draws the IoU of each depth against its time; depths whose time is not known yet are left out.
export function drawCurve(svg, rows, chosen, unit) {
  const { left, top, width, height } = PLOT;
  svg.setAttribute("viewBox", `0 0 ${left + width + 18} ${top + height + 44}`);
  const known = rows.filter(({ seconds, score }) => seconds !== null && score !== null);
  const longest = 1.12 * Math.max(0.001, ...known.map(({ seconds }) => 1000 * seconds));
  const at = ({ seconds, score }) => [left + (width * 1000 * seconds) / longest, top + height * (1 - score)];
  const parts = [];
  for (const score of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    const y = top + height * (1 - score);
    parts.push(shape("line", { x1: left, x2: left + width, y1: y, y2: y, class: "rule" }));
    parts.push(shape("text", { x: left - 6, y: y + 4, class: "end" }, score.toFixed(1)));
  }
  if (!known.length) parts.push(shape("text", { x: left + width / 2, y: top + height / 2 }, "being measured …"));
  const step = roundStep(longest / 4);
  for (let time = 0; known.length && time <= longest; time += step) {
    const x = left + (width * time) / longest;
    parts.push(shape("line", { x1: x, x2: x, y1: top, y2: top + height, class: "rule" }));
    parts.push(shape("text", { x, y: top + height + 16 }, `${Number(time.toPrecision(3))}`));
  }
  parts.push(shape("text", { x: left + width / 2, y: top + height + 36 }, `milliseconds for one image, ${unit}`));
  const line = known.map((row) => at(row).join(" ")).join(" L ");
  if (line) parts.push(shape("path", { d: `M ${line}`, class: "curve" }));
  let below = false;
  for (const row of known) {
    const [x, y] = at(row);
    const here = row.depth === chosen;
    below = !below || y < top + 14; // by turns, so that the names of near points do not meet
    parts.push(shape("circle", { cx: x, cy: y, r: here ? 8 : 5, class: here ? "point here" : "point" }));
    parts.push(shape("text", { x, y: below ? y + 24 : y - 12, class: here ? "strong" : "" }, `L${row.depth}`));
  }
  svg.replaceChildren(...parts);
}

// The smallest of …, 10, 20, 50, 100, … that is at least `least`.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= least * 0.999);
}

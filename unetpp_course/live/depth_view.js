// The pruning explorer's part of the page: its controls, pictures, plot and table.

import { asPart, asTime } from "./depth_words.js";
import { addHead, drawGrid, nodeName, wireName } from "./grid.js";
import { paintImage, paintPrediction } from "./paint.js";
import { drawTimes } from "./plot.js";
import { countsOf } from "./sent_ahead.js";
import { choices, element, slider, statusLine } from "./shell.js";
import { classNames, fillLegend, fillTable, frame, picture, scrolling } from "./views.js";

export const OWN = "own"; // the reader's own image, among the choices of an image

export class DepthView {
  // `choose(name, value)` and `takeImage(file)` are called as the reader acts, and so is `keep`, where it is given.
  constructor(about, modes, { choose, takeImage, keep }) {
    this.about = about;
    const chooser = (name) => (value) => choose(name, value);
    this.depth = slider("depth", 1, about.depth, chooser("depth"), (depth) => `${depth} of ${about.depth}`);
    this.threshold = slider("threshold", 1, 99, chooser("threshold"), (percent) => `${percent} %`);
    this.mode = choices("mode", modes, chooser("mode"));
    this.image = choices("image", about.names.map((_, k) => [k, `${k + 1}`]), chooser("image"));
    this.ownLabel = this.image.add(OWN, "yours");
    this.ownLabel.hidden = true;
    this.seen = picture("canvas");
    this.prediction = picture("canvas");
    this.grid = picture("svg", "grid");
    this.curve = picture("svg", "plot");
    this.drawNetwork();
    this.legend = element("ul", { class: "legend" });
    this.table = element("table");
    this.status = statusLine();
    const controls = [this.depth, this.threshold, this.mode, this.image].map(({ row }) => row);
    const views = [this.seen, this.prediction, this.grid, this.curve].map(({ figure }) => figure);
    this.root = frame([...controls, ownRow(takeImage), ...(keep ? [keepRow(keep)] : [])], views,
      [this.legend, scrolling("costs and scores by depth", this.table), ...this.status.parts]);
  }

  offerOwn() {
    this.ownLabel.hidden = false;
  }

  say(words) {
    this.status.say(words);
  }

  // The grid, with what least depth needs each of its parts.
  drawNetwork() {
    const { nodes, depth } = this.about;
    const wires = nodes.flatMap(({ node, inputs }) => inputs.map((source) => [source, node]));
    const drawn = drawGrid(this.grid.view, nodes.map(({ node }) => node), wires, depth);
    const sizeOf = ([i, j]) => i + j;
    this.parts = nodes.map(({ node }) => [drawn.nodes.get(nodeName(node)), sizeOf(node)]);
    this.parts.push(...wires.map(([source, node]) => [drawn.wires.get(wireName(source, node)), sizeOf(node)]));
    this.heads = Array.from({ length: depth }, (_, k) => addHead(this.grid.view, [0, k + 1], k + 1));
    this.parts.push(...this.heads.map((head, k) => [head, k + 1]));
    this.sizes = nodes.map(({ node }) => sizeOf(node));
  }

  // What can be shown before any image has arrived.
  showChosen({ depth, image, threshold, mode }, own) {
    this.depth.show(depth);
    this.threshold.show(threshold);
    this.mode.show(mode);
    this.image.show(own ? OWN : image);
    for (const [part, size] of this.parts) part.classList.toggle("cut", size > depth);
    this.heads.forEach((head, k) => {
      head.classList.toggle("read", mode === "fast" ? k + 1 === depth : k + 1 <= depth);
    });
  }

  // `shown` is what is chosen, the image (`item`), the truth, a row for each depth, and where it was `timed`.
  show(shown) {
    this.showPictures(shown);
    this.showTable(shown);
    this.showTimes(shown);
  }

  showPictures({ own, item, truth, depth, mode, threshold }) {
    const levels = item.levels[mode][depth - 1];
    if (this.painted !== item.grey) paintImage(this.seen.view, item);
    this.painted = item.grey;
    this.seen.tell(`${item.name}: ${item.width} × ${item.height} pixels${item.shrunk ?? ""}`);
    const counts = levels && truth ? countsOf(item, levels, truth)[threshold] : null;
    const whole = `L${this.about.depth}`;
    const saying = own ? [`, as ${whole} says`, `, where ${whole} says `] : null;
    fillLegend(this.legend, this.about.classes, counts, saying);
    this.prediction.view.classList.toggle("waiting", !levels);
    if (levels) paintPrediction(this.prediction.view, { ...item, mask: truth }, levels, threshold);
    const heads = mode === "fast" || depth === 1 ? `head ${depth}` : `mean of heads 1 to ${depth}`;
    const caption = levels ? `depth ${depth}: ${heads}` : `depth ${depth} is being computed …`;
    this.prediction.tell(caption, `The prediction of ${caption}. ${this.legend.textContent}`);
    const cut = this.sizes.filter((size) => size > depth).length;
    this.grid.tell(`L${depth}: the nodes that remain`, `The grid of nodes: ${this.sizes.length - cut} remain, ${cut} are cut.`);
  }

  showTable({ own, rows, depth, timed }) {
    const whole = rows.at(-1);
    const timeOf = ({ seconds }) => {
      if (seconds === null) return "…";
      return `${asTime(seconds)}${whole.seconds === null ? "" : ` (${asPart(seconds, whole.seconds)})`}`;
    };
    const lines = rows.map((row) => [
      `L${row.depth}`,
      `${row.parameters.toLocaleString("en")} (${asPart(row.parameters, whole.parameters)})`,
      `${(row.macs / 1e9).toFixed(2)}\u00a0G (${asPart(row.macs, whole.macs)})`,
      timeOf(row),
      row.here?.toFixed(3) ?? "…",
      ...(own ? [] : [row.everywhere.toFixed(3)]),
    ]);
    const score = own ? [`IoU with L${whole.depth}`] : ["IoU here", `mean of ${whole.images}`];
    fillTable(this.table, ["", "parameters", "multiply-accumulates", `time ${timed}`, ...score], lines, depth - 1);
  }

  showTimes({ about, own, rows, depth, timed }) {
    const scored = rows.map((row) => ({ ...row, score: own ? row.here : row.everywhere }));
    drawTimes(this.curve.view, scored, depth, timed);
    const caption = own ? `IoU with L${about.depth}, against time` : `IoU of ${classNames(about.classes)[about.of]} against time`;
    const points = scored.filter(({ seconds, score }) => seconds !== null && score !== null);
    const said = points.map((row) => `L${row.depth}: ${asTime(row.seconds)}, ${row.score.toFixed(3)}`).join("; ");
    this.curve.tell(caption, `${caption}. ${said || "The times are being measured."}`);
  }
}

function ownRow(takeImage) {
  const input = element("input", { type: "file", accept: "image/*", "aria-label": "your own image" });
  input.addEventListener("change", () => {
    if (input.files[0]) takeImage(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  const hint = element("span", { class: "hint" }, "or drop or paste one here; it stays on your machine");
  return element("div", { class: "row own" }, element("span", {}, "your image"), input, hint);
}

function keepRow(keep) {
  const button = element("button", { type: "button" }, "prune and keep");
  button.addEventListener("click", keep);
  return element("div", { class: "row" }, element("span"), button);
}

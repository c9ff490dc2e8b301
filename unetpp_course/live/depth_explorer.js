// The pruning explorer: cut a trained UNet++ to a depth, and see its mistakes, its nodes, its score and its time.
//
// It is a widget in anywidget's form. `model` holds what is chosen (depth, image, threshold, mode) and what was sent
// ahead (about, packs, network); in a notebook it is kept equal with Python's, on the website host.js makes one.

import { unpack } from "./network_file.js";
import { acceptImages, readImage } from "./own_image.js";
import { COLOURS, drawCurve, drawGrid, paintImage, paintPrediction } from "./pictures.js";
import { Runner } from "./runner.js";
import { countByThreshold, iou, levelOf, mean } from "./scores.js";
import { choices, element, fillTable, shape, slider, statusLine } from "./shell.js";

const MODES = [["fast", "fast: one head"], ["accurate", "accurate: mean of the heads"]];
const OWN = "own";
const CHOSEN = ["depth", "image", "threshold", "mode"];

export class DepthExplorer {
  constructor(model, el) {
    this.model = model;
    this.about = model.get("about");
    this.items = this.about.names.map(() => null);
    this.seconds = this.about.costs.map(({ seconds }) => seconds);
    this.own = null;
    this.showsOwn = false;
    this.problem = "";
    this.build(el);
    model.on("change:image", (this.leaveOwn = () => { this.showsOwn = false; }));
    this.listeners = [...CHOSEN, "news"].map((name) => [`change:${name}`, () => this.update()]);
    this.listeners.push(["change:packs", () => this.unpackImages()], ["change:network", () => this.startRunner()]);
    for (const [name, listener] of this.listeners) model.on(name, listener);
    this.unpackImages();
    this.startRunner();
  }

  close() {
    for (const [name, listener] of this.listeners) this.model.off(name, listener);
    this.model.off("change:image", this.leaveOwn);
    this.stopPasting();
    this.runner?.close();
  }

  // What was sent ahead

  async unpackImages() {
    const packs = this.model.get("packs");
    await Promise.all(packs.map(async (pack, number) => {
      if (!pack || this.items[number]) return;
      this.items[number] = readPack(await unpack(pack));
      this.update();
    }));
  }

  async startRunner() {
    const network = this.model.get("network");
    if (this.runner || !network?.byteLength) return;
    try {
      this.runner = new Runner(network);
      const about = await this.runner.ready;
      this.padMultiple = about.pad_multiple;
      this.trained = { brightness: about.brightness, mean: about.card.mean[0], std: about.card.std[0] };
      this.root.classList.add("runs");
      await this.measure();
    } catch (error) {
      this.problem = `The network does not run in this browser: ${error.message}`;
    }
    this.update();
  }

  // Runs the network at every depth on an image that was sent ahead, to time it on the reader's machine.
  async measure() {
    const item = this.items.find((one) => one !== null);
    if (!item || this.seconds.every((seconds) => seconds !== null)) return;
    await this.runner.run(item, 1); // the first pass is slower, because the browser is still compiling
    for (let depth = 1; depth <= this.about.depth; depth++) {
      const { milliseconds } = await this.runner.run(item, depth);
      this.seconds[depth - 1] = milliseconds / 1000;
      this.update();
    }
  }

  // The reader's own image

  async takeImage(file) {
    try {
      const item = await readImage(file);
      const empty = () => Array(this.about.depth).fill(null);
      this.own = { ...item, levels: { fast: empty(), accurate: empty() }, seconds: empty() };
      this.problem = "";
      this.showsOwn = true;
      this.image.show(OWN);
      this.ownLabel.hidden = false;
    } catch (error) {
      this.problem = error.message;
    }
    this.update();
    if (!this.problem) await this.predictOwn(this.own);
  }

  // Runs the chosen depth first, then the whole network, then the others, so that the slider need not wait for them.
  async predictOwn(item) {
    for (const depth of new Set([this.model.get("depth"), this.about.depth, ...this.seconds.map((_, k) => k + 1)])) {
      const answer = await this.runner.run(item, depth, () => item === this.own);
      if (!answer) return;
      item.seconds[depth - 1] = answer.milliseconds / 1000;
      const heads = answer.heads;
      heads.forEach((head, k) => {
        item.levels.fast[k] ??= Uint8Array.from(head, levelOf);
        item.levels.accurate[k] ??= Uint8Array.from(head, (_, at) => levelOf(mean(heads.slice(0, k + 1).map((one) => one[at]))));
      });
      this.update();
    }
  }

  // What is on the page

  build(el) {
    const { about } = this;
    const choose = (name) => (value) => {
      if (value !== OWN) this.model.set(name, value);
      if (name === "image") this.showsOwn = value === OWN;
      this.model.save_changes();
      this.update();
    };
    const ofAll = (depth) => `${depth} of ${about.depth}`;
    this.depth = slider("depth", 1, about.depth, choose("depth"), ofAll);
    this.threshold = slider("threshold", 1, 99, choose("threshold"), (percent) => `${percent} %`);
    this.mode = choices("mode", MODES, choose("mode"));
    this.image = choices("image", about.names.map((_, k) => [k, `${k + 1}`]), choose("image"));
    this.image.add(OWN, "yours");
    this.ownLabel = this.image.row.querySelector("label:last-child");
    this.ownLabel.hidden = true;

    this.pictures = { image: element("canvas", { role: "img" }), prediction: element("canvas", { role: "img" }) };
    this.captions = { image: element("figcaption"), prediction: element("figcaption"), grid: element("figcaption") };
    this.grid = shape("svg", { role: "img", class: "grid" });
    this.curve = shape("svg", { role: "img", class: "plot" });
    this.showGrid = drawGrid(this.grid, about.nodes, about.depth);
    this.curveCaption = element("figcaption");
    this.legend = element("ul", { class: "legend" });
    this.table = element("table");
    this.status = statusLine();

    this.root = element("div", { class: "unetpp-live" },
      element("div", { class: "controls" }, this.depth.row, this.threshold.row, this.mode.row, this.image.row, this.ownRow(), this.keepRow()),
      element("div", { class: "views" },
        element("figure", {}, this.captions.image, this.pictures.image),
        element("figure", {}, this.captions.prediction, this.pictures.prediction),
        element("figure", {}, this.captions.grid, this.grid),
        element("figure", {}, this.curveCaption, this.curve)),
      this.legend,
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "costs and scores by depth" }, this.table),
      ...this.status.parts);
    // otherwise JupyterLab takes the arrow keys for shortcuts of its own
    for (const control of this.root.querySelectorAll("input, button, [tabindex]")) {
      control.setAttribute("data-lm-suppress-shortcuts", "true");
    }
    el.append(this.root);
    this.stopPasting = acceptImages(this.root, (file) => this.runner && this.takeImage(file), this.model.get("whole_page") ? document : this.root);
  }

  ownRow() {
    const input = element("input", { type: "file", accept: "image/*", "aria-label": "your own image" });
    input.addEventListener("change", () => {
      if (input.files[0]) this.takeImage(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    });
    const hint = element("span", { class: "hint" }, "or drop or paste one here; it stays on your machine");
    return element("div", { class: "row own" }, element("span", {}, "your image"), input, hint);
  }

  keepRow() {
    const button = element("button", { type: "button" }, "prune and keep");
    button.addEventListener("click", () => this.model.send({ keep: true }));
    const row = element("div", { class: "row" }, element("span"), button);
    row.hidden = !this.model.get("can_keep");
    return row;
  }

  // What is shown at the present state

  update() {
    const [depth, number, threshold, mode] = CHOSEN.map((name) => this.model.get(name));
    this.depth.show(depth);
    this.threshold.show(threshold);
    this.mode.show(mode);
    this.image.show(this.showsOwn ? OWN : number);
    this.showGrid(depth, mode);
    const item = this.showsOwn ? this.own : this.items[number];
    if (!item) return;
    const truth = this.truthOf(item, threshold, mode);
    const rows = this.rowsOf(item, truth, threshold, mode);
    this.showPictures({ ...item, mask: truth }, item.levels[mode][depth - 1], depth, mode, threshold);
    this.showRows(rows, depth);
    this.showWords(item, rows, depth, mode, threshold, number);
  }

  // The mask; of an image that has none, what the whole network says.
  truthOf(item, threshold, mode) {
    if (item.mask) return item.mask;
    const whole = item.levels[mode].at(-1);
    return whole && whole.map((level) => (level >= threshold ? 1 : 0));
  }

  // What each depth costs and scores: on this image, and on all that were sent.
  rowsOf(item, truth, threshold, mode) {
    const { about } = this;
    const score = (one, levels, mask) => iou(countsOf(one, levels, mask)[threshold], about.of);
    const all = this.items.filter((one) => one !== null);
    const share = item.mask ? 1 : this.areaOf(item) / this.areaOf({ height: about.size[0], width: about.size[1] });
    return about.costs.map(({ parameters, macs }, k) => {
      const levels = item.levels[mode][k];
      return {
        depth: k + 1, parameters, macs: macs * share,
        seconds: (item.mask ? this.seconds : item.seconds)[k],
        here: levels && truth ? score(item, levels, truth) : null,
        everywhere: item.mask ? mean(all.map((one) => score(one, one.levels[mode][k], one.mask))) : null,
        images: all.length,
      };
    });
  }

  areaOf({ height, width }) {
    const multiple = this.padMultiple ?? 2 ** this.about.depth;
    return Math.ceil(height / multiple) * Math.ceil(width / multiple);
  }

  showPictures(item, levels, depth, mode, threshold) {
    const { image, prediction } = this.pictures;
    if (this.painted !== item.grey) paintImage(image, item);
    this.painted = item.grey;
    this.captions.image.textContent = `${item.name}: ${item.width} × ${item.height} pixels${item.shrunk ?? ""}`;
    image.setAttribute("aria-label", this.captions.image.textContent);
    const heads = mode === "fast" || depth === 1 ? `head ${depth}` : `mean of heads 1 to ${depth}`;
    this.captions.prediction.textContent = levels ? `depth ${depth}: ${heads}` : `depth ${depth} is being computed …`;
    prediction.classList.toggle("waiting", !levels);
    if (levels) paintPrediction(prediction, item, levels, threshold);
    this.captions.grid.textContent = `L${depth}: the nodes that remain`;
    const cut = this.about.nodes.length - this.about.nodes.filter(({ node: [i, j] }) => i + j <= depth).length;
    this.grid.setAttribute("aria-label", `The grid of nodes: ${this.about.nodes.length - cut} remain, ${cut} are cut.`);
    const counts = levels && item.mask ? countsOf({}, levels, item.mask)[threshold] : null;
    this.showLegend(counts, this.showsOwn);
    prediction.setAttribute("aria-label", `The prediction of ${this.captions.prediction.textContent}. ${this.legend.textContent}`);
  }

  showLegend(counts, own) {
    const [zero, one] = this.about.classes;
    const whole = `L${this.about.depth}`;
    const words = own
      ? [[1, 1, `${one}, as ${whole} says`], [0, 0, `${zero}, as ${whole} says`], [1, 0, `${zero}, where ${whole} says ${one}`], [0, 1, `${one}, where ${whole} says ${zero}`]]
      : [[1, 1, `${one} found (true positive)`], [0, 0, `${zero} found (true negative)`], [1, 0, `${one} called ${zero} (false negative)`], [0, 1, `${zero} called ${one} (false positive)`]];
    this.legend.replaceChildren(...words.map(([truth, called, text]) => {
      const count = counts ? `${counts[truth][called].toLocaleString("en")} pixels` : "";
      const patch = element("span", { class: "patch", style: `background: ${COLOURS[truth][called]}` });
      return element("li", {}, patch, `${text} `, element("b", {}, count));
    }));
  }

  showRows(rows, depth) {
    const whole = rows.at(-1);
    const part = (value, all) => `${Math.round((100 * value) / all)}\u00a0%`;
    const lines = rows.map((row) => [
      `L${row.depth}`,
      `${row.parameters.toLocaleString("en")} (${part(row.parameters, whole.parameters)})`,
      `${(row.macs / 1e9).toFixed(2)}\u00a0G (${part(row.macs, whole.macs)})`,
      row.seconds === null ? "…" : `${asTime(row.seconds)}${whole.seconds === null ? "" : ` (${part(row.seconds, whole.seconds)})`}`,
      row.here?.toFixed(3) ?? "…",
      ...(this.showsOwn ? [] : [row.everywhere.toFixed(3)]),
    ]);
    const score = this.showsOwn ? [`IoU with L${whole.depth}`] : ["IoU here", `mean of ${whole.images}`];
    fillTable(this.table, ["", "parameters", "multiply-accumulates", this.timeWords(), ...score], lines, depth - 1);
    const scored = rows.map((row) => ({ ...row, score: this.showsOwn ? row.here : row.everywhere }));
    drawCurve(this.curve, scored, depth, this.timesAreSent() ? "in PyTorch" : "in this browser");
    this.curveCaption.textContent = this.showsOwn
      ? `IoU with L${whole.depth}, against time`
      : `IoU of ${this.scored()} against time`;
    const points = scored.filter(({ seconds, score: value }) => seconds !== null && value !== null);
    const said = points.map((row) => `L${row.depth}: ${asTime(row.seconds)}, ${row.score.toFixed(3)}`).join("; ");
    this.curve.setAttribute("aria-label", `${this.curveCaption.textContent}. ${said || "The times are being measured."}`);
  }

  timesAreSent() {
    return !this.showsOwn && this.about.costs[0].seconds !== null;
  }

  timeWords() {
    return this.timesAreSent() ? "time in PyTorch" : "time in this browser";
  }

  scored() {
    const [zero, one] = this.about.classes;
    return { background: zero, foreground: one, classes: "both classes" }[this.about.of];
  }

  showWords(item, rows, depth, mode, threshold, number) {
    const [row, whole] = [rows[depth - 1], rows.at(-1)];
    const part = (name) => `${Math.round((100 * row[name]) / whole[name])}\u00a0%`;
    const score = this.showsOwn
      ? (row.here === null ? "" : `IoU with the whole network's prediction ${row.here.toFixed(3)}. `)
      : `IoU of ${this.scored()} ${row.here.toFixed(3)}; mean of ${row.images} image(s) ${row.everywhere.toFixed(3)}. `;
    const time = row.seconds === null ? "" : `, ${asTime(row.seconds)} for this size ${this.timesAreSent() ? "in PyTorch" : "in this browser"}`;
    const name = this.showsOwn ? item.name : `image ${item.name}`;
    this.status.say([
      this.problem || this.model.get("news") || "",
      `Depth ${depth} of ${this.about.depth}, ${mode}, threshold ${(threshold / 100).toFixed(2)}, ${name}: ${score}` +
        `${row.parameters.toLocaleString("en")} parameters (${part("parameters")} of the whole), ` +
        `${(row.macs / 1e9).toFixed(2)} G multiply-accumulates (${part("macs")})${time}.`,
      this.showsOwn ? this.warning(item) : "",
    ].filter(Boolean).join("\n"));
  }

  // `Card.unlike_training` of the library, in fewer words.
  warning({ grey }) {
    const { brightness, mean: middle, std } = this.trained;
    const [low, high] = brightness ?? [middle, middle];
    const [down, up] = brightness ? [Math.min(std, low / 2), Math.min(std, high)] : [std, std];
    const here = mean(grey) / 255;
    if (here >= low - down && here <= high + up) return "";
    const far = here < low ? "darker" : "brighter";
    return `This image is far ${far} than the images that the network was trained on, so its prediction may be wrong.`;
  }
}

// Returns the confusion counts by threshold; those of an image that was sent ahead are kept with it.
function countsOf(item, levels, mask) {
  if (!item.mask) return countByThreshold(levels, mask);
  item.counts ??= new Map();
  if (!item.counts.has(levels)) item.counts.set(levels, countByThreshold(levels, mask));
  return item.counts.get(levels);
}

function readPack({ about: { name, height, width, depths }, payload }) {
  const size = height * width;
  const plane = (number) => new Uint8Array(payload, number * size, size);
  const levels = (first) => Array.from({ length: depths }, (_, k) => plane(first + k));
  return { name, height, width, grey: plane(0), mask: plane(1), levels: { fast: levels(2), accurate: levels(2 + depths) } };
}

function asTime(seconds) {
  return seconds < 0.1 ? `${(1000 * seconds).toFixed(1)}\u00a0ms` : `${Math.round(1000 * seconds).toLocaleString("en")}\u00a0ms`;
}

export function render({ model, el }) {
  const explorer = new DepthExplorer(model, el);
  return () => explorer.close();
}

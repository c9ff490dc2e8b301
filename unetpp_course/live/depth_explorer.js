// The pruning explorer: cut a trained UNet++ to a depth, and see its mistakes, its nodes, its score and its time.
//
// It is a widget in anywidget's form. `model` holds what is chosen (depth, image, threshold, mode) and what was sent
// ahead (about, packs, network); in a notebook it is kept equal with Python's, on the website host.js makes one.

import { rowsOf, truthOf } from "./depth_rows.js";
import { DepthView, OWN } from "./depth_view.js";
import { sayDepth, warning } from "./depth_words.js";
import { acceptImages, readImage } from "./own_image.js";
import { Runner } from "./runner.js";
import { levelOf, mean } from "./scores.js";
import { readPacks } from "./sent_ahead.js";

export const MODES = [["fast", "fast: one head"], ["accurate", "accurate: mean of the heads"]];
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
    const actions = {
      choose: (name, value) => this.choose(name, value),
      takeImage: (file) => this.takeImage(file),
      keep: model.get("can_keep") ? () => model.send({ keep: true }) : null,
    };
    this.view = new DepthView(this.about, MODES, actions);
    el.append(this.view.root);
    const pasteInto = model.get("whole_page") ? document : this.view.root;
    this.stopPasting = acceptImages(this.view.root, (file) => this.runner && this.takeImage(file), pasteInto);
    this.listeners = [["change:image", () => { this.showsOwn = false; }]];
    this.listeners.push(...[...CHOSEN, "news"].map((name) => [`change:${name}`, () => this.update()]));
    this.listeners.push(["change:packs", () => this.unpackImages()], ["change:network", () => this.startRunner()]);
    for (const [name, listener] of this.listeners) model.on(name, listener);
    this.unpackImages();
    this.startRunner();
  }

  close() {
    for (const [name, listener] of this.listeners) this.model.off(name, listener);
    this.stopPasting();
    this.runner?.close();
  }

  choose(name, value) {
    if (value !== OWN) this.model.set(name, value);
    if (name === "image") this.showsOwn = value === OWN;
    this.model.save_changes();
    this.update();
  }

  // What was sent ahead

  unpackImages() {
    return readPacks(this.model.get("packs"), this.items, () => this.update());
  }

  async startRunner() {
    const network = this.model.get("network");
    if (this.runner || !network?.byteLength) return;
    try {
      this.runner = new Runner(network);
      this.trained = await this.runner.ready;
      this.view.root.classList.add("runs");
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
      this.view.offerOwn();
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

  update() {
    const chosen = Object.fromEntries(CHOSEN.map((name) => [name, this.model.get(name)]));
    const own = this.showsOwn;
    this.view.showChosen(chosen, own);
    const item = own ? this.own : this.items[chosen.image];
    if (!item) return;
    const truth = truthOf(item, chosen);
    const rows = rowsOf(this.about, item, truth, chosen, {
      all: this.items.filter((one) => one !== null),
      seconds: own ? item.seconds : this.seconds,
      multiple: this.trained?.pad_multiple ?? 2 ** this.about.depth,
    });
    const timed = !own && this.about.costs[0].seconds !== null ? "in PyTorch" : "in this browser";
    const shown = { ...chosen, about: this.about, own, item, truth, rows, timed };
    this.view.show(shown);
    const news = this.problem || this.model.get("news") || "";
    this.view.say([news, sayDepth(shown), own ? warning(item, this.trained) : ""].filter(Boolean).join("\n"));
  }
}

export function render({ model, el }) {
  const explorer = new DepthExplorer(model, el);
  return () => explorer.close();
}

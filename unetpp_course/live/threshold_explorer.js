// The threshold explorer: move the threshold of a probability, and see the mistakes, the counts and the scores.
//
// `model` holds what is chosen (threshold, image, score, of, average) and what was sent ahead (about, packs).

import { paintImage, paintPrediction } from "./paint.js";
import { drawThresholds } from "./plot.js";
import { mean, pooled, scoreOf } from "./scores.js";
import { countsOf, readPacks } from "./sent_ahead.js";
import { choices, element, slider, statusLine } from "./shell.js";
import { classNames, fillLegend, fillTable, frame, imagesInWords, picture, scrolling } from "./views.js";

export const SCORES = ["IoU", "Dice"];
export const KINDS = ["background", "foreground", "classes"];
export const AVERAGES = [["image", "mean of images"], ["pooled", "pooled"]];
const CHOSEN = ["threshold", "image", "score", "of", "average"];
const PERCENT = Array.from({ length: 99 }, (_, k) => k + 1);

export class ThresholdExplorer {
  constructor(model, el) {
    this.model = model;
    this.about = model.get("about");
    this.items = this.about.names.map(() => null);
    this.names = classNames(this.about.classes);
    el.append(this.build());
    this.listeners = CHOSEN.map((name) => [`change:${name}`, () => this.update()]);
    this.listeners.push(["change:packs", () => this.unpackImages()]);
    for (const [name, listener] of this.listeners) model.on(name, listener);
    this.unpackImages();
  }

  close() {
    for (const [name, listener] of this.listeners) this.model.off(name, listener);
  }

  unpackImages() {
    return readPacks(this.model.get("packs"), this.items, () => this.update());
  }

  build() {
    const choose = (name) => (value) => {
      this.model.set(name, value);
      this.model.save_changes();
    };
    this.controls = {
      threshold: slider("threshold", 1, 99, choose("threshold"), (percent) => `${percent} %`),
      image: choices("image", this.about.names.map((_, k) => [k, `${k + 1}`]), choose("image")),
      score: choices("score", SCORES.map((name) => [name, name]), choose("score")),
      of: choices("of", KINDS.map((kind) => [kind, this.names[kind]]), choose("of")),
      average: choices("average", AVERAGES, choose("average")),
    };
    this.seen = picture("canvas");
    this.prediction = picture("canvas");
    this.curve = picture("svg", "plot wide");
    this.legend = element("ul", { class: "legend" });
    this.table = element("table");
    this.status = statusLine();
    const figures = [this.seen, this.prediction, this.curve].map(({ figure }) => figure);
    return frame(Object.values(this.controls).map(({ row }) => row), figures,
      [this.legend, scrolling("pixels and scores by class", this.table), ...this.status.parts]);
  }

  // The chosen score at the thresholds 1 … 99 %, over all images that have arrived.
  curveOf({ score, of, average }) {
    const counts = this.items.filter((item) => item !== null).map((item) => countsOf(item, item.levels.fast[0], item.mask));
    return PERCENT.map((percent) => {
      const here = counts.map((one) => one[percent]);
      return average === "pooled" ? scoreOf(pooled(here), of, score) : mean(here.map((one) => scoreOf(one, of, score)));
    });
  }

  update() {
    const chosen = Object.fromEntries(CHOSEN.map((name) => [name, this.model.get(name)]));
    for (const name of CHOSEN) this.controls[name].show(chosen[name]);
    const item = this.items[chosen.image];
    if (!item) return;
    const counts = countsOf(item, item.levels.fast[0], item.mask)[chosen.threshold];
    const curve = this.curveOf(chosen);
    const best = PERCENT.reduce((one, other) => (curve[other - 1] > curve[one - 1] ? other : one));
    const words = this.words(chosen, item, counts, curve, best);
    this.showPictures(chosen, item, counts);
    drawThresholds(this.curve.view, curve, best, chosen.threshold);
    this.curve.tell(`${this.nameOf(chosen)}, by threshold`, words);
    this.showTable(counts, item);
    this.status.say(words);
  }

  showPictures({ threshold }, item, counts) {
    if (this.painted !== item) paintImage(this.seen.view, item);
    this.painted = item;
    this.seen.tell(`${item.name}: ${item.width} × ${item.height} pixels`);
    paintPrediction(this.prediction.view, item, item.levels.fast[0], threshold);
    fillLegend(this.legend, this.about.classes, counts);
    const caption = `the prediction at threshold ${(threshold / 100).toFixed(2)}`;
    this.prediction.tell(caption, `${caption}. ${this.legend.textContent}`);
  }

  showTable(counts, item) {
    const [zero, one] = this.about.classes;
    const lines = [zero, one].map((name, truth) => [
      name,
      ...counts[truth].map((count) => count.toLocaleString("en")),
      ...SCORES.map((score) => scoreOf(counts, KINDS[truth], score).toFixed(3)),
    ]);
    fillTable(this.table, [`pixels of ${item.name}`, `called ${zero}`, `called ${one}`, ...SCORES], lines, -1);
  }

  nameOf({ score, of, average }) {
    const images = imagesInWords(this.items.filter((item) => item !== null).length);
    return `${score} of ${this.names[of]}, ${average === "pooled" ? `${images} pooled` : `mean of ${images}`}`;
  }

  words(chosen, item, [[true0, wrong1], [wrong0, true1]], curve, best) {
    const [zero, one] = this.about.classes;
    const count = (number) => number.toLocaleString("en");
    return (
      `Threshold ${(chosen.threshold / 100).toFixed(2)}: ${this.nameOf(chosen)}, ${curve[chosen.threshold - 1].toFixed(3)}; ` +
      `the best, ${curve[best - 1].toFixed(3)}, is at ${(best / 100).toFixed(2)}. Image ${item.name}: ` +
      `${count(true0)} pixels of ${zero} found, ${count(wrong0)} of ${one} called ${zero}, ` +
      `${count(wrong1)} of ${zero} called ${one}, ${count(true1)} of ${one} found.`
    );
  }
}

export function render({ model, el }) {
  const explorer = new ThresholdExplorer(model, el);
  return () => explorer.close();
}

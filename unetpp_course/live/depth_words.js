// What the pruning explorer says in words. `shown` is what `DepthView.show` is given.

import { mean } from "./scores.js";
import { classNames, imagesInWords } from "./views.js";

export function asTime(seconds) {
  return seconds < 0.1 ? `${(1000 * seconds).toFixed(1)}\u00a0ms` : `${Math.round(1000 * seconds).toLocaleString("en")}\u00a0ms`;
}

export function asPart(value, whole) {
  return `${Math.round((100 * value) / whole)}\u00a0%`;
}

export function sayDepth({ about, own, item, rows, depth, mode, threshold, timed }) {
  const [row, whole] = [rows[depth - 1], rows.at(-1)];
  const part = (name) => asPart(row[name], whole[name]);
  const scored = classNames(about.classes)[about.of];
  const ownScore = row.here === null ? "" : `IoU with the whole network's prediction ${row.here.toFixed(3)}. `;
  const score = own
    ? ownScore
    : `IoU of ${scored} ${row.here.toFixed(3)}; mean of ${imagesInWords(row.images)} ${row.everywhere.toFixed(3)}. `;
  const time = row.seconds === null ? "" : `, ${asTime(row.seconds)} for this size ${timed}`;
  const name = own ? item.name : `image ${item.name}`;
  return (
    `Depth ${depth} of ${about.depth}, ${mode}, threshold ${(threshold / 100).toFixed(2)}, ${name}: ${score}` +
    `${row.parameters.toLocaleString("en")} parameters (${part("parameters")} of the whole), ` +
    `${(row.macs / 1e9).toFixed(2)} G multiply-accumulates (${part("macs")})${time}.`
  );
}

// `Card.unlike_training` of the library, in fewer words. `trained` is what the network's file says.
export function warning({ grey }, { brightness, card }) {
  const [middle, std] = [card.mean[0], card.std[0]];
  const [low, high] = brightness ?? [middle, middle];
  const [down, up] = brightness ? [Math.min(std, low / 2), Math.min(std, high)] : [std, std];
  const here = mean(grey) / 255;
  if (here >= low - down && here <= high + up) return "";
  const far = here < low ? "darker" : "brighter";
  return `This image is far ${far} than the images that the network was trained on, so its prediction may be wrong.`;
}

// Plots with one line: the IoU of each depth against its time, and a score against the threshold.

import { shape } from "./shell.js";

const PLOT = { left: 44, top: 12, width: 270, height: 150 };

// Returns the parts of empty axes; scores go up from 0 to 1, and `ticks` are pairs of a place, 0 to 1, and a label.
function axes(svg, ticks, label) {
  const { left, top, width, height } = PLOT;
  svg.setAttribute("viewBox", `0 0 ${left + width + 18} ${top + height + 44}`);
  const parts = [];
  for (const score of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    const [, y] = at(0, score);
    parts.push(shape("line", { x1: left, x2: left + width, y1: y, y2: y, class: "rule" }));
    parts.push(shape("text", { x: left - 6, y: y + 4, class: "end" }, score.toFixed(1)));
  }
  for (const [place, text] of ticks) {
    const [x] = at(place, 0);
    parts.push(shape("line", { x1: x, x2: x, y1: top, y2: top + height, class: "rule" }));
    parts.push(shape("text", { x, y: top + height + 16 }, text));
  }
  parts.push(shape("text", { x: left + width / 2, y: top + height + 36 }, label));
  return parts;
}

function at(place, score) {
  return [PLOT.left + PLOT.width * place, PLOT.top + PLOT.height * (1 - score)];
}

function line(points) {
  return shape("path", { d: `M ${points.map((point) => point.join(" ")).join(" L ")}`, class: "curve" });
}

// Draws the IoU of each depth against its time; depths whose time is not known yet are left out.
export function drawTimes(svg, rows, chosen, unit) {
  const known = rows.filter(({ seconds, score }) => seconds !== null && score !== null);
  const longest = 1.12 * Math.max(0.001, ...known.map(({ seconds }) => 1000 * seconds));
  const step = roundStep(longest / 4);
  const ticks = [];
  for (let time = 0; known.length && time <= longest; time += step) ticks.push([time / longest, `${Number(time.toPrecision(3))}`]);
  const parts = axes(svg, ticks, `milliseconds for one image, ${unit}`);
  const places = known.map(({ seconds, score }) => at((1000 * seconds) / longest, score));
  if (known.length) parts.push(line(places));
  else parts.push(shape("text", { x: at(0.5, 0)[0], y: at(0, 0.5)[1] }, "being measured …"));
  let below = false;
  places.forEach(([x, y], k) => {
    const here = known[k].depth === chosen;
    below = !below || y < PLOT.top + 14; // by turns, so that the names of near points do not meet
    parts.push(shape("circle", { cx: x, cy: y, r: here ? 8 : 5, class: here ? "point here" : "point" }));
    parts.push(shape("text", { x, y: below ? y + 24 : y - 12, class: here ? "strong" : "" }, `L${known[k].depth}`));
  });
  svg.replaceChildren(...parts);
}

// Draws a score against the thresholds 1 … 99 %, whose scores `curve` holds; the best and the chosen one are marked.
export function drawThresholds(svg, curve, best, chosen) {
  const parts = axes(svg, [0, 0.2, 0.4, 0.6, 0.8, 1].map((place) => [place, place.toFixed(1)]), "threshold");
  const pointOf = (percent) => at(percent / 100, curve[percent - 1]);
  parts.push(line(curve.map((_, k) => pointOf(k + 1))));
  const [[x, y], [hereX, hereY]] = [pointOf(best), pointOf(chosen)];
  parts.push(shape("path", { d: `M ${x} ${y + 5} l -7 13 h 14 z`, class: "best" }));
  parts.push(shape("text", { x, y: y + 34 }, "best"));
  parts.push(shape("circle", { cx: hereX, cy: hereY, r: 8, class: "point here" }));
  svg.replaceChildren(...parts);
}

// The smallest of …, 10, 20, 50, 100, … that is at least `least`.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= least * 0.999);
}

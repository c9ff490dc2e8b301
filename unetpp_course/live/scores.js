// What is counted and scored. A level is the number of thresholds, 1 % … 99 %, that a probability is above: at a
// threshold of t %, a pixel is called class 1 if its level is at least t.

export function levelOf(probability) {
  return Math.min(99, Math.max(0, Math.ceil(100 * probability) - 1));
}

// Returns for each threshold, 0 % (unused) … 99 %, the pixels by truth and prediction: [[true 0, false 1], [false 0, true 1]].
export function countByThreshold(levels, mask) {
  const histogram = [new Uint32Array(101), new Uint32Array(101)];
  for (let k = 0; k < levels.length; k++) histogram[mask[k]][levels[k]] += 1;
  const totals = histogram.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const called0 = [0, 0];
  return Array.from({ length: 100 }, (_, threshold) => {
    if (threshold > 0) [0, 1].forEach((truth) => { called0[truth] += histogram[truth][threshold - 1]; });
    return [0, 1].map((truth) => [called0[truth], totals[truth] - called0[truth]]);
  });
}

// Intersection over union of a class, from the counts of one image; 1 where there is nothing to find and nothing found.
export function iou(counts, of) {
  const [[true0, false1], [false0, true1]] = counts;
  const ratio = (hit) => (hit + false0 + false1 ? hit / (hit + false0 + false1) : null);
  if (of === "background") return ratio(true0) ?? 1;
  if (of === "foreground") return ratio(true1) ?? 1;
  const present = [ratio(true0), ratio(true1)].filter((score) => score !== null);
  return present.reduce((sum, score) => sum + score, 0) / present.length;
}

export function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

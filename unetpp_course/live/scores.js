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

// The pixels of a class that are right, against those that are wrong; null for a class in neither truth nor prediction.
export const RATIOS = {
  IoU: (hit, wrong) => (hit + wrong ? hit / (hit + wrong) : null),
  Dice: (hit, wrong) => (hit + wrong ? (2 * hit) / (2 * hit + wrong) : null),
};

// A score of RATIOS from the counts of one image, of "background" (class 0), "foreground" (class 1) or "classes" (the
// mean of both); 1 where there is nothing to find and nothing found.
export function scoreOf(counts, of, name = "IoU") {
  const [[true0, false1], [false0, true1]] = counts;
  const ratio = (hit) => RATIOS[name](hit, false0 + false1);
  const asked = { background: [true0], foreground: [true1], classes: [true0, true1] }[of];
  const present = asked.map(ratio).filter((score) => score !== null);
  return present.length ? mean(present) : 1;
}

// Returns the counts of several images together.
export function pooled(all) {
  return [0, 1].map((truth) => [0, 1].map((called) => all.reduce((sum, counts) => sum + counts[truth][called], 0)));
}

export function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

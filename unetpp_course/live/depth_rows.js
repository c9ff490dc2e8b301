// What each depth of the pruning explorer's network costs and scores.

import { mean, scoreOf } from "./scores.js";
import { countsOf } from "./sent_ahead.js";

// The mask; of an image that has none, what the whole network says.
export function truthOf(item, { threshold, mode }) {
  if (item.mask) return item.mask;
  const whole = item.levels[mode].at(-1);
  return whole && whole.map((level) => (level >= threshold ? 1 : 0));
}

// A row for each depth: its score on this image (`here`), on `all` images that were sent (`everywhere`), and its costs.
// `seconds` are the times that are known, and `multiple` is what the network pads the sides of an image to.
export function rowsOf(about, item, truth, { threshold, mode }, { all, seconds, multiple }) {
  const score = (one, levels, mask) => scoreOf(countsOf(one, levels, mask)[threshold], about.of);
  const area = ({ height, width }) => Math.ceil(height / multiple) * Math.ceil(width / multiple);
  const [height, width] = about.size;
  const times = item.mask ? 1 : area(item) / area({ height, width });
  return about.costs.map(({ parameters, macs }, k) => {
    const levels = item.levels[mode][k];
    return {
      depth: k + 1, parameters, macs: macs * times, seconds: seconds[k], images: all.length,
      here: levels && truth ? score(item, levels, truth) : null,
      everywhere: item.mask ? mean(all.map((one) => score(one, one.levels[mode][k], one.mask))) : null,
    };
  });
}

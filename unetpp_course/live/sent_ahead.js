// What a page was sent of an image: the image, its mask, and what the network predicts for it.

import { unpack } from "./network_file.js";
import { countByThreshold } from "./scores.js";

// Reads a file of `image_pack` in sent_ahead.py. The levels are by mode, and then by depth; a file may hold one mode.
export async function readPack(bytes) {
  const { about: { name, height, width, depths }, payload } = await unpack(bytes);
  const size = height * width;
  const plane = (number) => new Uint8Array(payload, number * size, size);
  const levels = (first) => Array.from({ length: depths }, (_, k) => plane(first + k));
  const accurate = payload.byteLength > (2 + depths) * size ? levels(2 + depths) : null;
  return { name, height, width, grey: plane(0), mask: plane(1), levels: { fast: levels(2), accurate } };
}

// Returns the confusion counts by threshold; those of an image that was sent ahead are kept with it.
export function countsOf(item, levels, mask) {
  if (!item.mask) return countByThreshold(levels, mask);
  item.counts ??= new Map();
  if (!item.counts.has(levels)) item.counts.set(levels, countByThreshold(levels, mask));
  return item.counts.get(levels);
}

// Reads every pack that has arrived and was not read before, and calls `onNew` after each.
export async function readPacks(packs, items, onNew) {
  await Promise.all(packs.map(async (pack, number) => {
    if (!pack || items[number]) return;
    items[number] = await readPack(pack);
    onNew();
  }));
}

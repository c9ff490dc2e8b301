// Runs in a worker. It is told a network once, and then an image and a depth; it answers with the probabilities of
// class 1 that heads 1 … depth give, and with the milliseconds that the pruned network took.

import { run } from "./network.js";
import { readNetwork } from "./network_file.js";

let network = null;

onmessage = async ({ data }) => {
  try {
    if (data.network) {
      network = await readNetwork(data.network);
      postMessage({ ready: { ...network, tensors: null } });
      return;
    }
    const { image, height, width, depth } = data;
    const start = performance.now();
    const logits = run(network, image, height, width, depth);
    const milliseconds = performance.now() - start;
    const heads = logits.map((head) => head.map((logit) => 1 / (1 + Math.exp(-logit))));
    postMessage({ number: data.number, heads, milliseconds }, heads.map((head) => head.buffer));
  } catch (error) {
    postMessage({ number: data.number, error: `${error.message ?? error}` });
  }
};

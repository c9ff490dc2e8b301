// UNet++ and U-Net in plain JavaScript. Read it beside unetpp_lib/models/unetpp.py: it computes the same logits, from
// the weights that `unetpp export NETWORK --out network.bin` writes (batch norm is folded into the convolutions there).
//
// A feature map is { height, width, planes }: one plane of numbers per channel. Each plane has a border of zeros, one
// pixel wide, so that a 3×3 convolution needs no special case at the edge. Joining maps is joining their lists of planes.

// Returns the logits of heads 1 … depth, shallow to deep: for each head a Float32Array (num_classes, height, width).
// `image` is a list of channels, each a Float32Array (height, width) of greys from 0, black, to 1, white.
export function run(network, image, height, width, depth = network.heads.length) {
  const padded = prepare(image, height, width, network);
  const heads = network.heads.slice(0, depth);
  const needed = nodesFor(network, heads);
  const maps = {};
  for (const { node, inputs } of network.nodes) {
    if (!needed.has(`${node}`)) continue; // this is pruning: what no head needs is not computed
    maps[node] = computeNode(network, node, inputs, maps, padded);
  }
  return heads.map((node, number) => runHead(network, number + 1, maps[node], height, width));
}

// Follows the wires back from the heads. For head d of UNet++, these are the nodes X^{i,j} with i + j ≤ d.
export function nodesFor(network, heads) {
  const inputsOf = Object.fromEntries(network.nodes.map(({ node, inputs }) => [node, inputs]));
  const needed = new Set();
  const waiting = [...heads];
  while (waiting.length) {
    const node = waiting.pop();
    if (needed.has(`${node}`)) continue;
    needed.add(`${node}`);
    waiting.push(...inputsOf[node]);
  }
  return needed;
}

// Equation 1 of Zhou et al. 2018. In column 0, the encoder, a node reads the pooled map from above. Elsewhere it reads
// the earlier maps of its own row, and the map from the row below at twice the size.
function computeNode(network, node, inputs, maps, image) {
  const [i, j] = node;
  const weights = (layer) => [network.tensors[`${node} ${layer}.weight`], network.tensors[`${node} ${layer}.bias`]];
  let x = image;
  if (j === 0 && i > 0) x = maxPool(maps[inputs[0]]);
  if (j > 0) {
    const below = inputs.at(-1);
    const skips = inputs.slice(0, -1).map((source) => maps[source].planes);
    const up = upsample(maps[below], ...weights("up"));
    x = { ...up, planes: [...skips.flat(), ...up.planes] };
  }
  return convolve(convolve(x, ...weights("conv1")), ...weights("conv2"));
}

// A 3×3 convolution and then ReLU. Weights are (out, in, 3, 3). Two output channels are computed at a time, because
// both can use the nine numbers of the window, which move along the row from left to right.
function convolve({ height, width, planes }, weight, bias) {
  const [outputs, inputs] = weight.shape;
  const w = weight.values;
  const stride = width + 2;
  const results = [];
  for (let first = 0; first < outputs; first += 2) {
    const second = Math.min(first + 1, outputs - 1); // of an odd number of channels, the last one is computed twice
    const y = newPlane(height, width);
    const z = newPlane(height, width);
    for (let channel = 0; channel < inputs; channel++) {
      const x = planes[channel];
      const p = (first * inputs + channel) * 9;
      const q = (second * inputs + channel) * 9;
      const [p0, p1, p2, p3, p4, p5, p6, p7, p8] = w.subarray(p, p + 9);
      const [q0, q1, q2, q3, q4, q5, q6, q7, q8] = w.subarray(q, q + 9);
      for (let row = 0; row < height; row++) {
        const above = row * stride;
        const here = above + stride;
        const below = here + stride;
        let a0 = x[above], a1 = x[above + 1];
        let h0 = x[here], h1 = x[here + 1];
        let b0 = x[below], b1 = x[below + 1];
        for (let k = 2; k < stride; k++) {
          const a2 = x[above + k], h2 = x[here + k], b2 = x[below + k];
          y[here + k - 1] += p0 * a0 + p1 * a1 + p2 * a2 + p3 * h0 + p4 * h1 + p5 * h2 + p6 * b0 + p7 * b1 + p8 * b2;
          z[here + k - 1] += q0 * a0 + q1 * a1 + q2 * a2 + q3 * h0 + q4 * h1 + q5 * h2 + q6 * b0 + q7 * b1 + q8 * b2;
          a0 = a1; h0 = h1; b0 = b1;
          a1 = a2; h1 = h2; b1 = b2;
        }
      }
    }
    results.push(rectify(y, bias.values[first], height, width));
    if (second > first) results.push(rectify(z, bias.values[second], height, width));
  }
  return { height, width, planes: results };
}

// Adds the bias, and puts 0 where the sum is negative; the border stays 0.
function rectify(plane, bias, height, width) {
  for (let row = 1; row <= height; row++) {
    const start = row * (width + 2);
    for (let k = start + 1; k <= start + width; k++) plane[k] = plane[k] + bias > 0 ? plane[k] + bias : 0;
  }
  return plane;
}

// The largest of each 2×2 square.
function maxPool({ height, width, planes }) {
  const [halfHeight, halfWidth, stride] = [height / 2, width / 2, width + 2];
  const pooled = planes.map((x) => {
    const y = newPlane(halfHeight, halfWidth);
    for (let row = 0; row < halfHeight; row++) {
      for (let column = 0; column < halfWidth; column++) {
        const k = (2 * row + 1) * stride + 2 * column + 1;
        y[(row + 1) * (halfWidth + 2) + column + 1] = Math.max(x[k], x[k + 1], x[k + stride], x[k + stride + 1]);
      }
    }
    return y;
  });
  return { height: halfHeight, width: halfWidth, planes: pooled };
}

// A transposed convolution with a 2×2 kernel and stride 2: each pixel becomes four. Weights are (in, out, 2, 2).
function upsample({ height, width, planes }, weight, bias) {
  const [inputs, outputs] = weight.shape;
  const stride = 2 * width + 2;
  const results = [];
  for (let channel = 0; channel < outputs; channel++) {
    const y = newPlane(2 * height, 2 * width);
    for (let row = 1; row <= 2 * height; row++) y.fill(bias.values[channel], row * stride + 1, (row + 1) * stride - 1);
    for (let input = 0; input < inputs; input++) {
      const x = planes[input];
      const start = (input * outputs + channel) * 4;
      const [topLeft, topRight, bottomLeft, bottomRight] = weight.values.subarray(start, start + 4);
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const value = x[(row + 1) * (width + 2) + column + 1];
          const k = (2 * row + 1) * stride + 2 * column + 1;
          y[k] += topLeft * value;
          y[k + 1] += topRight * value;
          y[k + stride] += bottomLeft * value;
          y[k + stride + 1] += bottomRight * value;
        }
      }
    }
    results.push(y);
  }
  return { height: 2 * height, width: 2 * width, planes: results };
}

// A 1×1 convolution, cropped to the size that the image had before it was padded.
function runHead(network, number, map, height, width) {
  const weight = network.tensors[`head ${number} weight`].values;
  const bias = network.tensors[`head ${number} bias`].values;
  const logits = new Float32Array(network.num_classes * height * width);
  for (let label = 0; label < network.num_classes; label++) {
    const y = logits.subarray(label * height * width, (label + 1) * height * width).fill(bias[label]);
    map.planes.forEach((x, channel) => {
      const w = weight[label * map.planes.length + channel];
      for (let row = 0; row < height; row++) {
        const start = (row + 1) * (map.width + 2) + 1;
        for (let column = 0; column < width; column++) y[row * width + column] += w * x[start + column];
      }
    });
  }
  return logits;
}

// Normalises the image and mirrors it at its bottom and right, until its sides are multiples of `pad_multiple`; see
// `mirror_index` of the library. Where there are too few pixels to mirror, the first one is repeated.
function prepare(image, height, width, { pad_multiple: multiple, card }) {
  const padded = { height: Math.ceil(height / multiple) * multiple, width: Math.ceil(width / multiple) * multiple };
  const mirror = (at, length) => Math.max(0, length - 1 - Math.abs(length - 1 - at));
  padded.planes = image.map((greys, channel) => {
    const y = newPlane(padded.height, padded.width);
    for (let row = 0; row < padded.height; row++) {
      for (let column = 0; column < padded.width; column++) {
        const grey = greys[mirror(row, height) * width + mirror(column, width)];
        y[(row + 1) * (padded.width + 2) + column + 1] = (grey - card.mean[channel]) / card.std[channel];
      }
    }
    return y;
  });
  return padded;
}

function newPlane(height, width) {
  return new Float32Array((height + 2) * (width + 2));
}

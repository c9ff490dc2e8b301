// Images and predictions on a canvas, pixel by pixel.

// By truth and prediction; people who confuse red and green can tell orange and blue apart (Okabe and Ito).
export const COLOURS = [["#000000", "#e69f00"], ["#0072b2", "#ffffff"]];

function asPixel(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (255 << 24) | (blue << 16) | (green << 8) | red; // the order of the bytes in memory: red, green, blue, opaque
}

function paint(canvas, height, width, pixelAt) {
  if (canvas.height !== height || canvas.width !== width) Object.assign(canvas, { height, width });
  const pixels = new Uint32Array(height * width);
  for (let k = 0; k < pixels.length; k++) pixels[k] = pixelAt(k);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
}

export function paintImage(canvas, { height, width, grey }) {
  paint(canvas, height, width, (k) => (255 << 24) | (grey[k] * 0x010101));
}

// White is class 1 and black is class 0; where there is a mask, mistakes have colours.
export function paintPrediction(canvas, { height, width, mask }, levels, threshold) {
  const colours = COLOURS.map((row) => row.map(asPixel));
  paint(canvas, height, width, (k) => {
    const called = levels[k] >= threshold ? 1 : 0;
    return colours[mask ? mask[k] : called][called];
  });
}

// The reader's own image, by file, drop or paste. It is read here and never sent anywhere.

const LONGEST = 512; // pixels: larger images are made smaller, because the network would take minutes

// Returns the image in grey, as the explorer's images are; `name` is shown with it.
export async function readImage(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`“${file.name || "This"}” could not be read as an image; a browser reads PNG, JPEG, WebP and GIF.`);
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(height * width);
  for (let k = 0; k < grey.length; k++) {
    grey[k] = Math.round(0.299 * data[4 * k] + 0.587 * data[4 * k + 1] + 0.114 * data[4 * k + 2]);
  }
  const shrunk = scale < 1 ? `, made smaller from ${bitmap.width} × ${bitmap.height}` : "";
  return { name: "your image", height, width, grey, mask: null, shrunk };
}

// Calls `take` with the first image among what is dropped on an element or pasted into it.
export function acceptImages(target, take, onPasteOf = target) {
  const firstImage = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/")) ?? files?.[0];
  target.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    target.classList.add("over");
  });
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget)) target.classList.remove("over");
  });
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("over");
    const file = firstImage(event.dataTransfer.files);
    if (file) take(file);
  });
  const paste = (event) => {
    const file = firstImage(event.clipboardData?.files);
    if (!file) return;
    event.preventDefault();
    take(file);
  };
  onPasteOf.addEventListener("paste", paste);
  return () => onPasteOf.removeEventListener("paste", paste);
}

"""What notebook 13 does with the reader's own folder: time it, score it, and show pairs and the worst mistakes."""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import label as find_regions
from torch import Tensor
from torch.nn.functional import avg_pool2d

from unetpp_course.lab.intervals import t_interval
from unetpp_course.own_settings import in_the_words_of_the_cell
from unetpp_course.style import WIDTH
from unetpp_lib.data import Augmentation, FolderError, SegmentationFolder, find_dataset
from unetpp_lib.engine import TrainConfig, choose_runtime
from unetpp_lib.engine.loop import make_optimizer, training_step
from unetpp_lib.engine.pictures import COLOURS, class_palette, colour_classes
from unetpp_lib.labels import IGNORED
from unetpp_lib.metrics import confusion_counts, iou

CHANGE = 0.001  # of a probability; what differs by less has been rounded in another order
OPAQUE = 0.45  # of the mask's colours over an image
DRAWN_GREYS = 9  # steps from black to white


def results_folder(root: Path | None) -> Path:
    """Return a new folder for results: beside ``root``, or a temporary one without a root, or where none can be made.

    It is called NAME_results_1, or the next number that is free, so that nothing is ever overwritten.
    """
    if root is not None and os.access(root.resolve().parent, os.W_OK):
        number = 1
        while True:
            folder = root.resolve().parent / f"{root.resolve().name}_results_{number}"
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                number += 1
    return Path(tempfile.mkdtemp(prefix="unetpp_results_"))


def seconds_per_step(config: TrainConfig) -> float:
    """Return how long one training step of ``config`` takes on this machine: the second one, on random pixels."""
    runtime = choose_runtime(config.device, config.precision)
    model = runtime.place(config.build_model()).train()
    optimizer, generator = make_optimizer(model), torch.Generator(runtime.device).manual_seed(0)
    shape = (config.batch_size, config.channels, config.patch, config.patch)
    images = torch.rand(shape, device=runtime.device)
    masks = (images[:, :1] > 0.5).to(torch.uint8)
    for _ in range(2):
        start = time.perf_counter()
        pair = Augmentation()(images, masks, generator) if config.augment else (images, masks)
        training_step(model, optimizer, *pair, config.lr, runtime).item()
    return time.perf_counter() - start


def show_pairs(folder: SegmentationFolder, names: Sequence[str], class_names: Sequence[str]) -> None:
    """Show images in one row, and below them the same images with their masks over them in colour.

    Class 0 is left uncoloured. Dark images are brightened, for the eye alone.
    """
    figure, axes = plt.subplots(2, len(names), figsize=(WIDTH, 2 * WIDTH / len(names) + 0.7), squeeze=False)
    for column, name in enumerate(names):
        image, mask = folder[folder.index_of[name]]
        picture, labels = _visible(image, folder), _fitting(mask[0].numpy(), folder)
        _show(axes[0, column], picture, name)
        _show(axes[1, column], _overlaid(picture, labels))
    _legend_of(figure, {label: class_palette()[number] for number, label in enumerate(class_names) if number})


def show_pairs_with_one_wrong() -> None:
    """Show the four pairs of exercise 13.1, of which one has a mirrored mask."""
    folder = SegmentationFolder(find_dataset("membranes"))
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, WIDTH / 4 + 0.7))
    for axis, number in zip(axes, (3, 12, 20, 31), strict=True):
        image, mask = folder[number]
        labels = _fitting((mask.flip(2) if number == 20 else mask)[0].numpy(), folder)
        _show(axis, _overlaid(_visible(image, folder), labels), folder.names[number])
    _legend_of(figure, {"interior": class_palette()[1]})


def show_worst(
    folder: SegmentationFolder,
    found: Mapping[str, Tensor],
    order: Sequence[str],
    class_names: Sequence[str],
    count: int = 3,
) -> None:
    """Show the first ``count`` images of ``order``, a row each: image, truth, prediction, and where it is wrong.

    ``found`` holds the predicted classes of each image, (H, W). Row titles give the IoU, the mean over the classes.
    For one class the mistakes are drawn into the prediction, so there are three columns and not four.
    """
    names, binary = order[:count], folder.num_classes == 1
    columns = 3 if binary else 4
    shapes = [found[name].shape for name in names]
    heights = [WIDTH / columns * min(height / width, 1.6) for height, width in shapes]
    size = (WIDTH, sum(heights) + 0.4 * len(names) + 1.1)
    figure, axes = plt.subplots(len(names), columns, figsize=size, squeeze=False, height_ratios=heights)
    ignored = False
    for row, name in zip(axes, names, strict=True):
        image, mask = folder[folder.index_of[name]]
        truth, label = mask[0].numpy(), found[name].numpy()
        _show(row[0], _visible(image, folder), name)
        titles = ["truth", f"prediction: IoU {score(found[name], mask, folder.num_classes):.2f}", "wrong pixels"]
        if binary:
            panels = [truth, COLOURS[truth, label]]
        else:
            ignored |= bool((truth == IGNORED).any())
            wrong = (truth != label) & (truth != IGNORED)
            panels = [colour_classes(truth), colour_classes(label), np.where(wrong, 255, 0).astype(np.uint8)]
        for axis, title, panel in zip(row[1:], titles, panels, strict=False):
            _show(axis, panel, title)
    _legend_of(figure, _meanings(class_names, binary, ignored))


def colour_regions(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the connected regions of class 1 in colours, (H, W, 3), of which seven take turns; all else is black."""
    regions, _ = find_regions(mask == 1)
    return colour_classes(np.where(regions > 0, 1 + regions % 7, 0))


def faulty_copy(folder: Path) -> list[str]:
    """Write four drawn pairs into a new ``folder``, three of them with a fault, and return what the check says."""
    drawn = find_dataset("membranes")
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
        for number in range(4):
            copyfile(drawn / part / f"membrane_{number:02}.png", folder / part / f"membrane_{number:02}.png")
    masks = folder / "masks"
    (masks / "membrane_00.png").unlink()
    with Image.open(masks / "membrane_01.png") as picture:
        half = picture.resize((128, 128), Image.Resampling.NEAREST)
    half.save(masks / "membrane_01.png")
    with Image.open(masks / "membrane_02.png") as picture:
        mixed = picture.convert("L").resize((128, 128)).resize((256, 256), Image.Resampling.BILINEAR)
    mixed.save(masks / "membrane_02.png")
    try:
        SegmentationFolder(folder)
    except FolderError as error:
        return [in_the_words_of_the_cell(fault) for fault in error.faults]
    return []


def score(label: Tensor, mask: Tensor, num_classes: int) -> float:
    """Return the IoU of an image, the mean over its classes; ``label`` (H, W) is predicted, ``mask`` (1, H, W) true."""
    return iou(confusion_counts(label[None, None], mask[None], num_classes), "classes")


def best_constant(folder: SegmentationFolder, names: Sequence[str], class_names: Sequence[str]) -> tuple[str, float]:
    """Return the class that scores best if it is painted over whole images, and its IoU: of classes, pooled."""
    masks = [folder[folder.index_of[name]][1][None] for name in names]
    scores = {}
    for number, label in enumerate(class_names):
        counts = [confusion_counts(torch.full_like(mask, number), mask, folder.num_classes) for mask in masks]
        scores[label] = iou(torch.cat(counts), "classes", "pooled")
    best = max(scores, key=lambda label: scores[label])
    return best, scores[best]


def scores_line(part: str, scores: Sequence[float]) -> str:
    """Return the mean of the images' scores and its interval in words, and how far the images are apart."""
    if len(scores) == 1:
        return f"1 {part} image: IoU {scores[0]:.2f}; a single image gives no interval"
    mean = t_interval(scores)
    return (
        f"{len(scores)} {part} images: IoU from {min(scores):.2f} to {max(scores):.2f}, "
        f"mean {mean.mean:.2f}, 95 % interval from {max(0, mean.low):.2f} to {min(1, mean.high):.2f}"
    )


def show_thresholds(tried: Sequence[float], scores: Sequence[float], chosen: float) -> None:
    """Show the score at each threshold, and the chosen one."""
    _, axis = plt.subplots(figsize=(WIDTH, 2.4))
    axis.plot(tried, scores, "o-")
    axis.axvline(chosen, color="black", linestyle="--", linewidth=1)
    axis.set(xlabel="threshold (dashed: the chosen one)", ylabel="IoU, validation")
    plt.show()


def distance_to_cuts(side: int, cuts: Sequence[int]) -> Tensor:
    """Return how many pixels each pixel of a square image is from the nearest cut, (side, side); 1 is beside it.

    ``cuts`` are the rows and columns at which a new tile begins.

    >>> distance_to_cuts(6, cuts=(3,))[0]
    tensor([3., 2., 1., 1., 2., 3.])
    """
    line = torch.arange(side) + 0.5
    to_cut = torch.stack([(line - cut).abs() for cut in cuts]).amin(0) + 0.5
    return torch.minimum(to_cut[:, None], to_cut[None])


def show_seams(whole: Tensor, tiled: Tensor, distance: Tensor, cuts: Sequence[int], reach: int) -> None:
    """Show the middle of both predictions, and how many pixels changed at each distance from a cut.

    ``whole`` and ``tiled`` are probabilities (H, W); ``distance`` and ``cuts`` are those of `distance_to_cuts`, and
    ``reach`` is marked.
    """
    _, axes = plt.subplots(1, 3, figsize=(WIDTH, 3.1), width_ratios=(1, 1, 1.2))
    height, width = whole.shape
    top, left = height // 6, width // 6
    for axis, (title, picture) in zip(axes, {"whole": whole, "nine tiles": tiled}.items(), strict=False):
        _show(axis, (picture[top:-top, left:-left] > 0.5).to(torch.uint8).numpy(), title)
    for cut in cuts:
        axes[1].axhline(cut - top - 0.5, color="C1", linestyle="--", linewidth=1)
        axes[1].axvline(cut - left - 0.5, color="C1", linestyle="--", linewidth=1)
    changed = (tiled - whole).abs() > CHANGE
    steps = range(1, reach + 11)
    axes[2].plot(steps, [100 * changed[distance == step].float().mean().item() for step in steps])
    axes[2].axvline(reach, color="black", linestyle="--", linewidth=1)
    axes[2].set(xlabel="pixels from the cut", ylabel="changed pixels (%)", ylim=(0, 100))
    axes[2].set_title(f"dashed: {reach} pixels", fontsize=10)
    plt.show()


def _meanings(class_names: Sequence[str], binary: bool, ignored: bool) -> dict[str, NDArray[np.uint8]]:
    if binary:
        back, fore = class_names
        return {
            f"{fore}, found": COLOURS[1, 1],
            f"{back}, found": COLOURS[0, 0],
            f"{fore} called {back}": COLOURS[1, 0],
            f"{back} called {fore}": COLOURS[0, 1],
        }
    meanings = {name: class_palette()[number] for number, name in enumerate(class_names)}
    return meanings | ({"ignored": class_palette()[IGNORED]} if ignored else {})


def _legend_of(figure: Figure, colours: Mapping[str, NDArray[np.uint8]]) -> None:
    patches = [
        Patch(facecolor=to_hex(tuple(colour / 255)), edgecolor="black", label=label)
        for label, colour in colours.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=2 if len(patches) in (2, 4) else 3)


def _show(axis: Axes, picture: NDArray[np.generic], title: str = "") -> None:
    highest = 1 if picture.dtype.kind == "f" or picture.max() <= 1 else 255
    axis.imshow(picture, cmap="gray", vmin=0, vmax=highest, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_title(title if len(title) <= 26 else f"{title[:12]} … {title[-8:]}", fontsize=10)
    axis.spines[:].set_visible(True)  # a white mask on a white page needs a frame


def _visible(image: Tensor, folder: SegmentationFolder) -> NDArray[np.float32]:
    """Return an image (C, H, W) as a picture, (H, W) or (H, W, 3), stretched between its 0.5 and 99.5 percentiles.

    The drawn membranes are shown at half their size with few greys: their grain would fill the notebook's file.
    """
    drawn = _is_drawn(folder)
    image = avg_pool2d(image, 2) if drawn else image
    pixels = image.permute(1, 2, 0).numpy() if len(image) == 3 else image.mean(0).numpy()
    low, high = np.percentile(pixels, (0.5, 99.5))
    stretched = ((pixels - low) / max(high - low, 1e-6)).clip(0, 1)
    return np.asarray(np.round(stretched * DRAWN_GREYS) / DRAWN_GREYS if drawn else stretched, dtype=np.float32)


def _fitting(mask: NDArray[np.uint8], folder: SegmentationFolder) -> NDArray[np.uint8]:
    """Return a mask at the size at which `_visible` shows its image."""
    return mask[::2, ::2] if _is_drawn(folder) else mask


def _is_drawn(folder: SegmentationFolder) -> bool:
    return folder.root == find_dataset("membranes")


def _overlaid(picture: NDArray[np.float32], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture with the colours of all classes but 0 over it, (H, W, 3)."""
    colour = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    over = (mask > 0)[..., None] * np.float32(OPAQUE)
    return np.asarray((1 - over) * colour + over * (colour_classes(mask) / 255), dtype=np.float32)

"""Explorer: the threshold of a probability, and the scores that follow from it, by class and by average."""

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor

from unetpp_course.explorers.base import PictureExplorer, choice, whole_number
from unetpp_course.explorers.sheet import font, png
from unetpp_course.live.sent_ahead import PERCENT
from unetpp_course.style import LINE_COLOURS, MISTAKES, course_style, mark_mistakes
from unetpp_lib.errors import InputError
from unetpp_lib.labels import require_tensor
from unetpp_lib.metrics import classify, confusion_counts, dice, iou

SCORES = {"IoU": iou, "Dice": dice}
SIDE, GAP, LINE, LETTERS = 330, 20, 22, 14  # pixels: the image, the gap beside it, lines of text, letters
PLOT = (450, 250)
AXES = (45, 30, 390, 165)  # of the plot: left, top, width and height in pixels
AVERAGES = {"mean of images": "image", "pooled": "pooled"}


def counts_by_threshold(probabilities: Tensor, masks: Tensor) -> Tensor:
    """Return the confusion counts at the thresholds 0.01 … 0.99, int64 (99, N, 2, 2), in one pass over the pixels.

    ``probabilities`` (N, 1, H, W) of class 1 and ``masks`` (N, 1, H, W) of 0 and 1; InputError for anything else.
    """
    confusion_counts(classify(probabilities), masks)  # checks both
    thresholds = torch.tensor([percent / 100 for percent in PERCENT], dtype=probabilities.dtype)
    above = torch.bucketize(probabilities.contiguous(), thresholds)  # how many thresholds each pixel is above: 0 … 99
    n, bins = len(masks), len(thresholds) + 1
    image = torch.arange(n).view(n, 1, 1, 1)
    cell = (image * 2 + masks.long()) * bins + above
    histogram = torch.bincount(cell.flatten(), minlength=2 * n * bins).view(n, 2, bins)
    called_0 = histogram.cumsum(-1)[..., :-1]  # (N, truth, threshold)
    called_1 = histogram.sum(-1, keepdim=True) - called_0
    return torch.stack([called_0, called_1], dim=2).permute(3, 0, 1, 2)


class ThresholdExplorer(PictureExplorer):
    """Move the threshold and choose score, class and average: mistakes in colour, counts, and the score by threshold.

    ``probabilities`` are (N, 1, H, W) of class 1 and ``masks`` (N, 1, H, W) of 0 and 1, for N images of one size; for a
    network of yours: ``ThresholdExplorer(model(card.normalise(images))[-1].sigmoid(), masks)``. ``threshold`` is in per
    cent, and ``classes`` are the names of class 0 and class 1. The controls are attributes (``threshold``, ``image``,
    ``score``, ``of``, ``average``); ``value`` is the chosen score. Raises InputError for other shapes and values.
    """

    def __init__(
        self,
        probabilities: Tensor,
        masks: Tensor,
        threshold: int = 50,
        classes: tuple[str, str] = ("membrane", "interior"),
    ) -> None:
        require_tensor("probabilities", probabilities)
        require_tensor("masks", masks)
        self.probabilities, self.masks = probabilities.detach().float().cpu(), masks.cpu()
        if len(set(classes)) != 2 or threshold not in PERCENT:
            raise InputError(
                f"classes={classes}, threshold={threshold}: give two different names, and a whole number "
                "of per cent from 1 to 99."
            )
        self.counts = counts_by_threshold(self.probabilities, self.masks)
        self.classes = classes
        kinds = {classes[0]: "background", classes[1]: "foreground", "mean of both": "classes"}
        threshold_box, self.threshold = whole_number("threshold, %", threshold, PERCENT[0], PERCENT[-1])
        image_box, self.image = whole_number("image", 0, 0, len(masks) - 1)
        self.score, self.of = choice("score", list(SCORES)), choice("of", kinds)
        self.average = choice("average", AVERAGES)
        self._curves: dict[str, list[float]] = {}
        self._plots: dict[str, Image.Image] = {}
        self._draw_axes()
        super().__init__([threshold_box, image_box, self.score, self.of, self.average])
        for control in (self.threshold, self.image, self.score, self.of, self.average):
            control.observe(self._update, "value")
        self._update()

    @property
    def name(self) -> str:
        """What is scored, in words."""
        return f"{self.score.value} of {self.of.label}, {self.average.label}"

    @property
    def curve(self) -> list[float]:
        """The chosen score at the thresholds 0.01 … 0.99."""
        if self.name not in self._curves:
            score = SCORES[self.score.value]
            self._curves[self.name] = [score(counts, self.of.value, self.average.value) for counts in self.counts]
        return self._curves[self.name]

    @property
    def value(self) -> float:
        """The chosen score at the chosen threshold."""
        return self.curve[int(self.threshold.value) - 1]

    def _update(self, _: object = None) -> None:
        chosen, shown = self.threshold.value, self.image.value
        best = int(np.argmax(self.curve)) + 1
        (true_0, wrong_1), (wrong_0, true_1) = self.counts[chosen - 1, shown].tolist()
        zero, one = self.classes
        status = (
            f"Threshold {chosen / 100:.2f}: {self.name}, {self.value:.3f}; the best, {max(self.curve):.3f}, is at "
            f"{best / 100:.2f}. Image {shown}: {true_0:,} pixels of {zero} found, {wrong_0:,} of {one} called {zero}, "
            f"{wrong_1:,} of {zero} called {one}, {true_1:,} of {one} found."
        )
        alt = f"Image {shown} with its mistakes in colour, and the score by threshold. {status}"
        self.show(png(self._draw()), alt, status)

    def _draw(self) -> Image.Image:
        """Return the image with its mistakes and a legend on the left, the curve and the counts on the right."""
        chosen, shown = self.threshold.value, self.image.value
        counts = self.counts[chosen - 1, shown]
        sheet = Image.new("RGB", (SIDE + GAP + PLOT[0], SIDE + 4 * LINE), "white")
        draw = ImageDraw.Draw(sheet)
        marked = mark_mistakes(self.masks[shown], (self.probabilities[shown] > chosen / 100).to(torch.uint8))
        scale = SIDE / max(marked.shape)
        size = (round(marked.shape[1] * scale), round(marked.shape[0] * scale))
        picture = Image.fromarray(marked).resize(size, Image.Resampling.NEAREST)
        draw.text((0, 3), f"image {shown}, threshold {chosen / 100:.2f}", "black", font(LETTERS))
        sheet.paste(picture, (0, LINE))
        draw.rectangle((0, LINE, picture.width - 1, LINE + picture.height - 1), outline="grey")
        zero, one = self.classes
        words = (f"{one} found", f"{zero} found", f"{one} called {zero}", f"{zero} called {one}")
        for row, (word, colour) in enumerate(zip(words, MISTAKES.values(), strict=True)):
            x, y = row // 2 * (SIDE + GAP), SIDE + LINE + 8 + row % 2 * LINE
            draw.rectangle((x, y, x + 20, y + 13), colour, "black")
            draw.text((x + 26, y - 2), word, "black", font(LETTERS))
        left = SIDE + GAP
        sheet.paste(self._plot(), (left, 0))
        px, py = left + AXES[0] + AXES[2] * chosen / 100, AXES[1] + AXES[3] * (1 - self.value)
        draw.ellipse((px - 6, py - 6, px + 6, py + 6), LINE_COLOURS[1], "black")
        lines = [f"{self.name}: {self.value:.3f}", f"pixels of image {shown}:", *_table(counts, self.classes)]
        draw.text((left, PLOT[1] + 8), "\n".join(lines), "black", font(LETTERS, "Mono"), spacing=5)
        return sheet

    def _plot(self) -> Image.Image:
        """Return the chosen curve on its axes, drawn or from the cache."""
        if self.name not in self._plots:
            self._plots[self.name] = self._drawn_plot()
        return self._plots[self.name]

    def _drawn_plot(self) -> Image.Image:
        """Draw on the empty axes what differs between curves."""
        best = int(np.argmax(self.curve))
        self._line.set_ydata(self.curve)
        self._best.set_data([PERCENT[best] / 100], [self.curve[best]])
        self._axis.title.set_text(self.name)
        self._canvas.restore_region(self._ground)  # type: ignore[no-untyped-call]
        for artist in (self._line, self._best, self._axis.title, self._legend):
            self._axis.draw_artist(artist)
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]

    @course_style()
    def _draw_axes(self) -> None:
        """Draw what is the same for all curves, and prepare what is not."""
        figure = Figure(figsize=(PLOT[0] / 100, PLOT[1] / 100), dpi=100)
        figure.set_layout_engine("none")  # AXES fixes the position of the axes
        self._canvas = FigureCanvasAgg(figure)
        x, y, width, height = AXES
        self._axis = figure.add_axes((x / PLOT[0], 1 - (y + height) / PLOT[1], width / PLOT[0], height / PLOT[1]))
        (self._line,) = self._axis.plot([percent / 100 for percent in PERCENT], [0] * len(PERCENT))
        (self._best,) = self._axis.plot([], [], "^", color=LINE_COLOURS[2], markersize=9, label="best")
        self._axis.plot([], [], "o", color=LINE_COLOURS[1], markeredgecolor="black", markersize=9, label="chosen")
        self._axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="threshold")
        self._legend = self._axis.legend(loc="lower center", ncols=2)
        for artist in (self._line, self._best, self._axis.title, self._legend):
            artist.set_animated(True)  # not drawn now
        self._canvas.draw()  # type: ignore[no-untyped-call]
        self._ground = self._canvas.copy_from_bbox(figure.bbox)  # type: ignore[no-untyped-call]


def _table(counts: Tensor, classes: tuple[str, str]) -> list[str]:
    """Return a table of the counts of an image and the scores of each class, as lines of text."""
    rows: list[tuple[str, ...]] = [("truth", *(f"called {name[:9]}" for name in classes), "IoU", "Dice")]
    for k, kind in enumerate(("background", "foreground")):
        scores = (f"{score(counts[None], kind):.3f}" for score in (iou, dice))  # type: ignore[arg-type]
        rows.append((classes[k][:9], *(f"{number:,}" for number in counts[k].tolist()), *scores))
    return [f"{row[0]:<9}{row[1]:>16}{row[2]:>16}{row[3]:>6}{row[4]:>6}" for row in rows]

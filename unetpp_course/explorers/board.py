"""Explorer: a live board of a training run, with the library's loop or one of your own."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import fmean
from types import TracebackType
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.explorers.base import PictureExplorer, require_image
from unetpp_course.figures import coarse, png_of_figure
from unetpp_course.style import LINE_COLOURS, course_style, mark_mistakes
from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.engine import Run, TrainConfig, train
from unetpp_lib.engine.batches import BatchPlan, Patches
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.evaluation import MEAN, read_image_heads
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runs import open_run
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.trainer import CHOSEN_BY, Trainer
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify, confusion_counts, iou
from unetpp_lib.models import SegmentationNetwork

SIDE = 256  # pixels: at most this much of an image is shown
REST = 9  # pause between two drawings, in units of the time that one takes: at most a tenth of the time is spent
POINTS = 150  # at most so many points of the loss are drawn, each a mean over equally many steps
SIZE = (8.0, 5.0)  # inches

Predict = Callable[[], Tensor]
"""Returns the probabilities (classes, H, W) or (1, H, W) of the image that the board shows."""


def middle(picture: Tensor) -> Tensor:
    """Return the middle of a picture (C, H, W), at most SIDE pixels high and wide."""
    for dim in (1, 2):
        length = min(SIDE, picture.shape[dim])
        picture = picture.narrow(dim, (picture.shape[dim] - length) // 2, length)
    return picture


class LoopBoard(PictureExplorer):
    """Follows a loop of your own: ``with board:`` around it, and ``board.note(loss, images, predict)`` in each step.

    The board shows the predictions for ``image`` (C, H, W) in [0, 1] with its ``mask`` (1, H, W). ``steps`` is the
    length of the loop, and ``classes`` names the classes. The board is redrawn at most once every ``seconds``, and
    takes at most a tenth of the time. The notebook's ■ and Ctrl-C end the block, not the notebook.
    Raises InputError if the sizes of image and mask differ, and for fewer than one step.
    """

    def __init__(
        self,
        image: Tensor,
        mask: Tensor,
        steps: int,
        classes: tuple[str, ...] = ("background", "foreground"),
        seconds: float = 1.0,
    ) -> None:
        require_image(image, mask)
        if steps < 1 or seconds < 0:
            raise InputError(f"steps={steps}, seconds={seconds}: give at least one step, and no negative seconds.")
        self.image, self.mask, self.classes = middle(image), middle(mask), classes
        self.steps, self.seconds = steps, seconds
        self.step = 0
        self.losses: list[tuple[int, float]] = []
        self.scores: list[tuple[int, float]] = []  # on the validation images
        self.shown: list[tuple[int, float]] = []  # on the image that is shown
        self.labels: list[tuple[int, Tensor]] = []  # its first and its latest prediction
        self._clock = self._drawn = self._next = 0.0
        self._begun_at = self._images = 0
        self._said = widgets.HTML()
        super().__init__([self._said])
        self._rest("Not begun.")

    def __enter__(self) -> "LoopBoard":
        """Start the clock."""
        self._clock, self._drawn, self._next = time.monotonic(), 0.0, 0.0
        self._begun_at, self._images = self.step, 0
        self._say("Training. The ■ of the toolbar stops it after the current step (on the keyboard: Esc, I, I).")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Show the final state; an interruption ends here, any other error is passed on."""
        if kind is None or kind is KeyboardInterrupt:
            self._end(self._last_words(cut=kind is not None))
        else:
            self._end(f"Ended by an error: {kind.__name__}.")
        return kind is KeyboardInterrupt

    def note(self, loss: float, images: int, predict: Predict) -> None:
        """Record one step: its loss, the number of its images, and a function that predicts the shown image.

        ``predict()`` returns probabilities, (classes, H, W) or (1, H, W). It is called only when the board is drawn,
        and must leave the network in training mode.
        """
        self._record(self.step + 1, loss, images, predict)

    def _record(self, step: int, loss: float, images: int, predict: Predict) -> None:
        self.step, self._images = step, self._images + images
        self.losses.append((step, loss))
        if time.monotonic() < self._next and step < self.steps:
            return
        start = time.monotonic()
        self._predict(predict)
        self._draw(self._pace())
        spent = time.monotonic() - start
        self._drawn += spent
        self._next = start + spent + max(self.seconds, REST * spent)

    def _predict(self, predict: Predict) -> None:
        """Record the prediction for the shown image and its IoU, the mean over the classes."""
        p = predict().detach().float().cpu()
        if not p.isfinite().all():  # a diverged network predicts nothing; the board must not end its training
            return
        label = classify(p.reshape(1, -1, *self.mask.shape[1:]))
        counts = confusion_counts(label, self.mask[None], max(1, len(p)))
        self.shown.append((self.step, iou(counts, of="classes", average="pooled")))
        self.labels = [*self.labels[:1], (self.step, label[0])]

    def _pace(self) -> str:
        """Return the images per second, without the time for drawing, and the time left."""
        seconds = time.monotonic() - self._clock
        left = seconds / max(1, self.step - self._begun_at) * (self.steps - self.step)
        speed = self._images / max(seconds - self._drawn, 1e-9)
        return f"{speed:.1f} images/s, about {int(left) // 60}:{int(left) % 60:02} left."

    def _last_words(self, cut: bool) -> str:
        if self.step >= self.steps:
            return "Finished."
        return "Stopped; the network is as its last step left it." if cut else "Ended before the last step."

    def _end(self, words: str) -> None:
        self._rest(words)

    def _rest(self, words: str) -> None:
        """Show the board when nothing runs: the words are written at its top and read aloud."""
        self._draw()
        self._say(words)
        self.status += f" {words}"

    def _say(self, words: str) -> None:
        """Write words that a screen reader reads aloud; it does not read the numbers, which change every second."""
        self._said.value = f'<p role="status">{words}</p>'

    def _numbers(self) -> str:
        said = f"Step {self.step} of {self.steps}."
        if self.losses:
            said += f" Loss {fmean(loss for _, loss in self.losses[-10:]):.3f} (mean of the last ten at most)."
        for name, points in {"validation images": self.scores, "image shown": self.shown}.items():
            if points:
                said += f" IoU of the {name} {points[-1][1]:.3f}."
        return said

    def _draw(self, pace: str = "") -> None:
        figure = self._figure()
        png = png_of_figure(figure)
        plt.close(figure)
        said = f"{self._numbers()} {pace}".rstrip()
        self.show(png, f"The board of a training run: an image, predictions, loss and IoU by step. {said}", said)
        # without its role the line is not read aloud every second
        self._view.value = self._view.value.replace('<p role="status"', "<p")

    @course_style()
    def _figure(self) -> Figure:
        figure = plt.figure(figsize=SIZE, layout="none")
        grid = figure.add_gridspec(1, 3, left=0.01, right=0.99, top=0.94, bottom=0.49, wspace=0.04)
        grey = coarse(self.image.clamp(0, 1).permute(1, 2, 0).numpy())
        panels: dict[str, NDArray[Any]] = {"image": grey.repeat(3, 2) if grey.shape[2] == 1 else grey}
        for name, place in (("first", 0), ("now", -1)):
            if self.labels:
                step, label = self.labels[place]
                panels[f"{name}: step {step}"] = self._marked(label)
        for place, (title, picture) in enumerate(panels.items()):
            axis = figure.add_subplot(grid[place], title=title, xticks=[], yticks=[])
            axis.imshow(picture, interpolation="nearest", vmin=0, vmax=1)
            axis.spines[:].set_visible(True)  # a white mask on a white page needs its frame
        figure.text(0.5, 0.475, self._legend(), ha="center", va="top", fontsize=10)
        charts = figure.add_gridspec(1, 2, left=0.07, right=0.985, top=0.38, bottom=0.1, wspace=0.16)
        self._draw_loss(figure.add_subplot(charts[0]))
        self._draw_scores(figure.add_subplot(charts[1]))
        return figure

    def _legend(self) -> str:
        """Return what the colours of a prediction mean."""
        if not self.labels or len(self.classes) > 2:
            return ""
        zero, one = self.classes
        return f"blue: {one} called {zero} · orange: {zero} called {one}"

    def _draw_loss(self, axis: Axes) -> None:
        width = -(-len(self.losses) // POINTS) or 1
        groups = [self.losses[start : start + width] for start in range(0, len(self.losses), width)]
        axis.plot([group[-1][0] for group in groups], [fmean(loss for _, loss in group) for group in groups])
        axis.set(title="loss (training)", xlabel="step", xlim=(0, self.steps))
        axis.set_ylim(bottom=0)

    def _draw_scores(self, axis: Axes) -> None:
        for number, (name, points) in enumerate({"image shown": self.shown, "validation": self.scores}.items()):
            if points:
                places, heights = zip(*points, strict=True)
                axis.plot(places, heights, "-o", markersize=4, color=LINE_COLOURS[number + 1], label=name)
        axis.set(title="IoU, mean of the classes", xlabel="step", xlim=(0, self.steps), ylim=(0, 1))
        if self.shown or self.scores:
            axis.legend(loc="lower right", ncols=2)

    def _marked(self, label: Tensor) -> NDArray[Any]:
        """Return a prediction as a picture: mistakes in colour, or classes in greys if there are several."""
        if len(self.classes) == 2:
            return mark_mistakes(self.mask, label)
        return np.asarray(label[0].float().repeat(3, 1, 1).permute(1, 2, 0)) / (len(self.classes) - 1)


class TrainingBoard(LoopBoard):
    """Shows a training run of the library live: ``board = TrainingBoard(config)``, and then ``board.train()``.

    The notebook's ■ and Ctrl-C stop the run after the current step and save it. ``train()`` then continues it, also
    from a new board with the same configuration. ``name`` chooses the image that is shown, by default the first one of
    the validation part. ``run`` is the run, whose folder holds everything that `train` writes. Raises InputError for a
    name that the data set lacks.
    """

    def __init__(self, config: TrainConfig, name: str | None = None, seconds: float = 1.0) -> None:
        folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes)
        begun = config.out is not None and (config.out / "config.json").exists()
        self.run, split = open_run(config, folder, resume=begun)
        self.config = replace(config, out=self.run.folder)
        name = (split.validation or split.train)[0] if name is None else name
        if name not in folder.index_of:
            raise InputError(f"name is {name!r}; choose an image of {folder.root.name}, such as {folder.names[0]!r}.")
        image, mask = folder[folder.index_of[name]]
        patches = Patches(folder, [folder.index_of[one] for one in split.train], config.patch)
        plan = BatchPlan(patches, config.batch_size, config.epochs, config.seed)
        super().__init__(image, mask, len(plan), config.classes, seconds)
        if begun and self.run.checkpoint.exists():
            self._take_over_run()

    def train(self) -> Run:
        """Train in this notebook, or continue to; return the run, finished or not."""
        with self:
            train(self.config, resume=(self.run.folder / "config.json").exists(), callback=self._callback)
        return self.run

    def _callback(self, trainer: Trainer) -> None:
        self.scores = _scores(trainer.history.entries)
        predict = partial(predict_image, trainer.model, self.image, trainer.card, trainer.runtime)
        self._record(trainer.step, trainer.history.last_loss, self.config.batch_size, predict)

    def _take_over_run(self) -> None:
        """Show a run that was begun earlier: its history, and the prediction of its best network."""
        history = self.run.history
        self.losses = [(entry["step"], entry["loss"]) for entry in history]
        self.scores = _scores(history)
        self.step = load_checkpoint(self.run.checkpoint)["step"]
        if self.run.weights.exists():
            model, card = self.run.load_model()
            runtime = choose_runtime(self.config.device, "float32")
            self._predict(partial(predict_image, runtime.place(model), self.image, card, runtime))
        self._rest(self._last_words(cut=False))

    def _last_words(self, cut: bool) -> str:
        where = f"in the run's folder “{self.run.folder.name}”"
        if self.run.is_finished:
            return f"Finished; all is {where}."
        saved = "Cut off; what was saved last is" if cut else "Stopped; all is saved"
        return f"{saved} {where}. The board's train() goes on from there."


def predict_image(model: SegmentationNetwork, image: Tensor, card: Card, runtime: Runtime) -> Tensor:
    """Return the probabilities (classes, H, W) of an image (C, H, W) in [0, 1]; ``model`` is left as it was."""
    outputs = read_image_heads(model, image, card, runtime)
    return outputs.get(MEAN, next(iter(outputs.values())))[0]


def _scores(history: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """Return the score by which the epoch is chosen, at every step with a validation."""
    scores = []
    for entry in history:
        if "validation" in entry:
            by_output = entry["validation"]
            scores.append((entry["step"], by_output.get(MEAN, next(iter(by_output.values())))[CHOSEN_BY]))
    return scores
